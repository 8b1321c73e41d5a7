"""The files behind uploads: written by one process at a time, and never longer than the row says for certain."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from catalog.errors import DiskFull, StorageFailed, UploadBusy
from catalog.services.storage import gigabytes, media_root

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NAME = re.compile(r"[A-Za-z0-9_-]{20,64}\.upload")
ORPHAN_S = 24 * 3600


def folder() -> Path:
    return media_root() / "uploads"


def path_of(token: str) -> Path:
    """A token is ours, of letters, digits, dashes: never what somebody sent."""
    return folder() / f"{token}.upload"


def make(token: str) -> None:
    """An empty file that outlives a power cut. Raises DiskFull, StorageFailed."""
    with said_plainly():
        folder().mkdir(parents=True, exist_ok=True)
        os.close(os.open(path_of(token), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
        where = os.open(folder(), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(where)
        finally:
            os.close(where)


@contextlib.contextmanager
def held(token: str) -> Iterator[int | None]:
    """The file, open for writing by nobody else; None where it is gone. The kernel lets go when the process ends.

    Raises UploadBusy.
    """
    try:
        fd = os.open(path_of(token), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield None
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UploadBusy("Another piece of this upload is being received; try again in a moment.") from error
        yield fd
    finally:
        os.close(fd)


def write(fd: int, data: bytes, offset: int) -> None:
    """Raises DiskFull, StorageFailed."""
    with said_plainly():
        rest = memoryview(data)
        while rest:
            written = os.pwrite(fd, rest, offset)
            rest, offset = rest[written:], offset + written


def sync(fd: int) -> None:
    with said_plainly():
        os.fdatasync(fd) if hasattr(os, "fdatasync") else os.fsync(fd)


def shorten(fd: int, size: int) -> int:
    """To ``size`` bytes at most; gives how many there are: fewer where a disk lost some."""
    there = os.fstat(fd).st_size
    if there > size:
        os.ftruncate(fd, size)
    return min(there, size)


def remove(token: str) -> None:
    with contextlib.suppress(OSError):
        path_of(token).unlink(missing_ok=True)


def room_check(size: int, promised: int) -> None:
    """``promised``: bytes that others still have to send. Raises DiskFull, StorageFailed."""
    with said_plainly():
        folder().mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder()).free
    spare = int(settings.TOONEMO_UPLOAD_SPARE_GB * 1e9)
    if free < size + promised + spare:
        left = gigabytes(max(0, free - promised - spare))
        raise DiskFull(f"There is no room for this file: it has {gigabytes(size)}, {left} are left for uploads.")


def orphans() -> Iterator[str]:
    """Tokens of files that have not been touched for a day."""
    for path in folder().glob("*.upload") if folder().is_dir() else ():
        with contextlib.suppress(FileNotFoundError):
            if NAME.fullmatch(path.name) and time.time() - path.stat().st_mtime > ORPHAN_S:
                yield path.stem


@contextlib.contextmanager
def said_plainly() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull("The disk for uploads is full. What was received before stays.") from error
        raise StorageFailed(f"The folder for uploads cannot be written: {error.strerror}.") from error


def size_of(token: str) -> int:
    try:
        return path_of(token).stat().st_size
    except OSError:
        return 0
