"""Pictures that people look for: taken, read by a worker, kept for a while, forgotten."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Protocol

from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from analysis.errors import FindBusy, FindRefused
from analysis.models import Find, FindStatus, ModelBundle
from analysis.selectors.finds import moment_name
from analysis.services.messages import find_read_send, moment_pictures_send

MAX_BYTES = 8 << 20  # a worker holds the pixels against a limit of its own
RESEND_AFTER = timedelta(seconds=60)
PICTURE_ONCE_S = 600
_KINDS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM")


def is_picture(head: bytes) -> bool:
    """By its first bytes, whatever its name says: PNG, JPEG, GIF, BMP or WebP."""
    return head.startswith(_KINDS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


@transaction.atomic
def find_request(*, picture: bytes, bundle: ModelBundle, box: Sequence[float] | None = None) -> Find:
    """Keeps the picture until a worker has read it. Nothing is decoded here.

    Raises FindRefused where it is no picture, or ``box`` no box; FindBusy where too many wait already.
    """
    if len(picture) > MAX_BYTES:
        raise FindRefused(_("The picture is larger than %(max_bytes)s MB.") % {"max_bytes": MAX_BYTES >> 20})
    if not is_picture(picture[:16]):
        raise FindRefused(_("What was sent is none of PNG, JPEG, WebP, BMP and GIF."))
    now = timezone.now()
    waiting = Find.objects.filter(status=FindStatus.WAITING, expires_at__gt=now).count()
    if waiting >= settings.TOONEMO_FIND_WAITING:
        raise FindBusy(_("%(waiting)s pictures wait to be read already; ask again in a minute.") % {"waiting": waiting})
    find = Find.objects.create(
        token=secrets.token_urlsafe(32),
        expires_at=now + timedelta(minutes=settings.TOONEMO_FIND_KEEP_MINUTES),
        sent_at=now,
        bundle=bundle,
        picture=picture,
        box=None if box is None else check_box(box),
    )
    find_read_send([find.pk])
    return find


def check_box(box: Sequence[float]) -> list[float]:
    """Raises FindRefused unless it is x1, y1, x2, y2 in pixels with something between them."""
    if len(box) != 4 or not all(math.isfinite(v) and 0 <= v < 1e6 for v in box) or box[0] >= box[2] or box[1] >= box[3]:
        raise FindRefused(_("The box of the face is four numbers of pixels: left, top, right, bottom."))
    return [float(v) for v in box]


def box_read(text: str) -> list[float] | None:
    """``left, top, right, bottom`` as a person writes it; None for nothing. Raises FindRefused."""
    if not text.strip():
        return None
    try:
        return check_box([float(part) for part in text.split(",")])
    except ValueError:
        raise FindRefused(_("The box of the face is four numbers with commas between them.")) from None


def find_answer(find_id: int, *, faces: list[dict[str, Any]], crop: bytes | None) -> bool:
    """Keeps what a worker read, and forgets the picture. False: somebody else was first, or it has expired."""
    waiting = Find.objects.filter(pk=find_id, status=FindStatus.WAITING)
    return bool(waiting.update(status=FindStatus.READ, faces=faces, crop=crop, picture=None))


def find_fail(find_id: int, code: str, detail: str) -> bool:
    """Keeps why the picture cannot be read, and forgets it."""
    waiting = Find.objects.filter(pk=find_id, status=FindStatus.WAITING)
    return bool(waiting.update(status=FindStatus.FAILED, error_code=code[:60], error_detail=detail, picture=None))


def finds_forget() -> int:
    """Away with what has expired, read or not."""
    gone, _ = Find.objects.filter(expires_at__lte=Now()).delete()
    return gone


@transaction.atomic
def finds_resend() -> list[int]:
    """Asks again for what has waited too long: its message may be lost. A second message does no harm."""
    late = Find.objects.filter(status=FindStatus.WAITING, sent_at__lt=Now() - RESEND_AFTER, expires_at__gt=Now())
    ids: Iterable[int] = late.select_for_update(skip_locked=True).values_list("pk", flat=True)
    found = list(ids)
    Find.objects.filter(pk__in=found).update(sent_at=Now())
    find_read_send(found)
    return found


class Pictured(Protocol):
    """What can have a picture of its own: a face of a run."""

    @property
    def face_id(self) -> int: ...
    @property
    def run_id(self) -> int: ...


def pictures_request(moments: Iterable[Pictured]) -> None:
    """Asks for the pictures of moments that have none, each at most once in a while, however often a page is read."""
    faces_request(m.face_id for m in moments if not default_storage.exists(moment_name(m.run_id, m.face_id)))


def faces_request(face_ids: Iterable[int]) -> None:
    """The same for faces that are known to have none."""
    wanted = list(face_ids)
    moment_pictures_send([pk for pk in wanted if cache.add(f"moment-picture-{pk}", 1, PICTURE_ONCE_S)])
