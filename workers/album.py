"""Shows drawings while they are read: now and then one with its faces boxed, small, for those who watch the run.

One that cannot be made is left out; a segment never fails for it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from analysis.services.leases import Claim
from analysis.services.run_pictures import picture_keep, pictures_expired
from workers.thumbnails import picture_write

if TYPE_CHECKING:
    from ml.detect.base import Frame
    from ml.types import Detection

EVERY_S = 3.0
LINE = 2  # pixels of the small picture
KNOWN, STRANGER = (255, 214, 10), (255, 255, 255)  # red, green, blue

logger = structlog.get_logger(__name__)


class Album:
    """``show`` is called for each drawing with faces; at most one in EVERY_S is kept."""

    def __init__(self, claim: Claim, *, every_s: float = EVERY_S) -> None:
        self._claim, self._every_s = claim, every_s
        self._shown_at: float | None = None

    def show(self, picture: Frame, faces: Sequence[Detection]) -> None:
        import cv2

        now = time.monotonic()
        if not faces or (self._shown_at is not None and now - self._shown_at < self._every_s):
            return
        self._shown_at = now
        name = f"live/{self._claim.run_id}/{faces[0].pts_ms}-{uuid.uuid4().hex[:12]}.jpg"
        target = Path(settings.MEDIA_ROOT) / name
        try:
            if not picture_write(boxed(picture, faces), target):
                return
            told = [_told(face) for face in faces]
            old = picture_keep(self._claim.token, pts_ms=faces[0].pts_ms, name=name, faces=told)
        except (DatabaseError, InterfaceError, OSError, cv2.error) as error:
            logger.warning("picture_not_kept", run=self._claim.run_id, reason=" ".join(str(error).split()))
            old = None
        _remove([name] if old is None else old)


def _told(face: Detection) -> dict[str, Any]:
    return {
        "character": face.character,
        "emotion": "" if face.emotion is None else str(face.emotion),
        "confidence": round(face.confidence, 3),
    }


def boxed(picture: Frame, faces: Sequence[Detection]) -> Frame:
    """A copy with a box around each face; yellow where it is a character's, white where it is nobody's known."""
    import cv2

    from workers.thumbnails import WIDTH

    drawn = picture.copy()
    line = max(1, round(LINE * picture.shape[1] / WIDTH))
    for face in faces:
        left, top, right, bottom = (round(v) for v in face.box)
        colour = STRANGER if face.character is None else KNOWN
        cv2.rectangle(drawn, (left, top), (right, bottom), (0, 0, 0), line + 2 * max(1, line // 2))
        cv2.rectangle(drawn, (left, top), (right, bottom), colour, line)
    return drawn


def pictures_forget() -> int:
    """Takes away, rows and files, what is left of runs that ended a day ago."""
    names = pictures_expired()
    _remove(names)
    return len(names)


def _remove(names: Sequence[str]) -> None:
    for name in names:
        path = Path(settings.MEDIA_ROOT) / name
        try:
            path.unlink(missing_ok=True)
            path.parent.rmdir()  # while others are in it, it stays
        except OSError as error:
            logger.debug("picture_stays", name=name, reason=str(error))
