"""Files that people send in pieces: begun, gone on with after whatever broke off, given up, forgotten.

The row's ``offset`` says how many bytes are on the disk for certain. It is written after the disk has them, so a
process that is killed loses what came after the last mark and nothing else.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from catalog.errors import (
    CatalogError,
    DiskFull,
    MediaRejected,
    StorageFailed,
    UploadChecksum,
    UploadExpired,
    UploadInvalid,
    UploadOffset,
    UploadOverflow,
    UploadsTooMany,
    UploadUnknown,
)
from catalog.models import Upload, UploadStatus
from catalog.naming import plain_text, shown
from catalog.nfo import NOTE_BYTES, is_note
from catalog.probing import max_bytes
from catalog.services import upload_files as files
from catalog.services.storage import gigabytes

BLOCK = 1 << 16
MARK_EVERY, MARK_AFTER_S = 16 << 20, 2.0  # bytes and seconds between two marks of one long piece
DIGESTS = {"sha1": 20, "sha256": 32}
HEX = re.compile(r"[0-9a-f]{64}")
NAME_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a piece must add up to; ``algorithm`` is one of DIGESTS."""

    algorithm: str
    digest: bytes


def upload_create(*, owner: AbstractBaseUser, name: str, size: int, sha256: str = "") -> Upload:
    """Raises UploadInvalid, MediaRejected (too large, empty), UploadsTooMany, DiskFull, StorageFailed."""
    called = plain_text(name.replace("\\", "/").rpartition("/")[2])[:NAME_LENGTH].strip()
    if not called:
        raise UploadInvalid("The file has no name that can be shown.")
    if sha256 and not HEX.fullmatch(sha256):
        raise UploadInvalid("The SHA-256 of a file has 64 digits from 0 to 9 and a to f.")
    _check_size(called, size)
    with transaction.atomic():
        _one_at_a_time(owner.pk)
        mine = Upload.objects.filter(owner_id=owner.pk).exclude(status=UploadStatus.REFUSED)
        if mine.filter(expires_at__gt=timezone.now()).count() >= settings.TOONEMO_UPLOADS_OPEN:
            most = settings.TOONEMO_UPLOADS_OPEN
            raise UploadsTooMany(f"You have {most} files here that were not added yet; add or remove some first.")
        rest = Upload.objects.filter(status=UploadStatus.OPEN).aggregate(n=Sum(F("size") - F("offset")))["n"]
        files.room_check(size, int(rest or 0))
        upload = Upload.objects.create(
            token=secrets.token_urlsafe(24),
            owner_id=owner.pk,
            name=called,
            size=size,
            sha256=sha256,
            expires_at=_expiry(),
        )
        files.make(upload.token)
    return upload


def _check_size(called: str, size: int) -> None:
    if size <= 0:
        raise MediaRejected("video_empty", f"The file {shown(called)} is empty: it has 0 bytes.")
    most = NOTE_BYTES if is_note(called) else max_bytes()
    if size > most:
        text = f"The file {shown(called)} has {gigabytes(size)}, more than the limit of {gigabytes(most)}."
        raise MediaRejected("file_too_large", text)


def _one_at_a_time(owner: int) -> None:
    """Of one person, so that the count holds; two bytes of a name of our own keep other locks apart."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [0x7455, owner % 2**31])


def upload_get(owner: AbstractBaseUser, token: str) -> Upload:
    """Raises UploadUnknown, UploadExpired."""
    found = Upload.objects.filter(owner_id=owner.pk, token=token).first()
    if found is None:
        raise UploadUnknown("There is no such upload of yours; it may have been removed or added already.")
    if found.expires_at <= timezone.now():
        raise UploadExpired("Nobody went on with this upload for too long; send the file again.")
    return found


def upload_append(
    upload: Upload, *, offset: int, length: int, read: Callable[[int], bytes], checksum: Checksum | None = None
) -> Upload:
    """Takes ``length`` bytes from ``read`` at ``offset``. What came before a connection broke stays, unless it was to
    be checked. The last piece makes the upload *received*.

    Raises UploadOffset, UploadOverflow, UploadBusy, UploadChecksum, UploadUnknown, DiskFull, StorageFailed.
    """
    if offset + length > upload.size:
        raise UploadOverflow(f"The piece reaches to byte {offset + length}; the file was said to have {upload.size}.")
    with files.held(upload.token) as fd:
        row = Upload.objects.filter(pk=upload.pk).first()
        if row is None:
            raise UploadUnknown("There is no such upload any more.")
        if row.status != UploadStatus.OPEN and (offset, length) == (row.offset, 0):
            return row
        if row.status != UploadStatus.OPEN:
            raise UploadOffset(f"The file is whole: all {row.size} bytes are here.")
        there = 0 if fd is None else files.shorten(fd, row.offset)
        if there < row.offset or fd is None:
            _mark(row, there)
        if fd is None:
            files.make(row.token)
            raise UploadOffset("What was received is gone from the disk; begin again at byte 0.")
        if offset != row.offset:
            raise UploadOffset(f"The piece begins at byte {offset}; byte {row.offset} is the next one.")
        _receive(fd, row, length, read, checksum)
        return row


def _receive(fd: int, row: Upload, length: int, read: Callable[[int], bytes], checksum: Checksum | None) -> None:
    start = at = marked = row.offset
    end = start + length
    since = time.monotonic()
    adding = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
    try:
        while at < end:
            try:
                data = read(min(BLOCK, end - at))
            except OSError:  # the connection broke
                break
            if not data:
                break
            files.write(fd, data, at)
            at += len(data)
            if adding is not None:
                adding.update(data)
            elif at < end and (at - marked >= MARK_EVERY or time.monotonic() - since >= MARK_AFTER_S):
                files.sync(fd)
                _mark(row, at)
                marked, since = at, time.monotonic()
        if checksum is not None and (adding is None or at < end or adding.digest() != checksum.digest):
            raise UploadChecksum("The piece did not arrive as it was sent, so nothing of it was kept; send it again.")
        files.sync(fd)
    except (DiskFull, StorageFailed, UploadChecksum):
        files.shorten(fd, marked)
        raise
    _mark(row, at)


def _mark(row: Upload, offset: int) -> None:
    """Only where the row is still as it was read: else somebody wrote beside us, and nothing is known for certain."""
    whole = offset == row.size
    status = UploadStatus.RECEIVED if whole else UploadStatus.OPEN
    same = Upload.objects.filter(pk=row.pk, offset=row.offset, status=UploadStatus.OPEN)
    expires = _expiry()
    if not same.update(offset=offset, status=status, expires_at=expires):
        raise UploadOffset("Something else changed this upload meanwhile; ask for its offset again.")
    row.offset, row.status, row.expires_at = offset, status, expires


def upload_take(*, owner: AbstractBaseUser, name: str, size: int, read: Callable[[int], bytes]) -> Upload:
    """A whole file at once, as a form without scripts sends it. Raises what creating and appending raise."""
    upload = upload_create(owner=owner, name=name, size=size)
    try:
        upload = upload_append(upload, offset=0, length=size, read=read)
        if upload.status != UploadStatus.RECEIVED:
            raise UploadInvalid(f"The file {shown(upload.name)} arrived cut off.")
    except CatalogError:
        upload_remove(upload)
        raise
    return upload


def upload_remove(upload: Upload) -> None:
    """Row and file, whatever state they are in. Raises UploadBusy where a piece is being received."""
    with files.held(upload.token):
        Upload.objects.filter(pk=upload.pk).delete()
        files.remove(upload.token)


def _expiry() -> datetime:
    return timezone.now() + timedelta(hours=settings.TOONEMO_UPLOAD_KEEP_HOURS)


def upload_offset(upload: Upload) -> int:
    """Where to go on: what the row says, and never more than the disk has."""
    if upload.status != UploadStatus.OPEN:
        return int(upload.offset)
    return min(int(upload.offset), files.size_of(upload.token))
