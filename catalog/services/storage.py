"""Videos on disk: opened so that only ordinary files are read, kept under names made of their content.

A file under MEDIA_ROOT is either whole or still in ``incoming``: it is copied there, synced, then renamed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from catalog.errors import CatalogError, DiskFull, MediaRejected, StorageFailed
from catalog.naming import shown

BLOCK = 1 << 20
STALE_S = 24 * 3600  # an unfinished copy older than this belongs to a process that was killed
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
Progress = Callable[[int, int], None]  # bytes done, bytes in all


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """An ordinary file, open for reading. ``name``: for sentences to people."""

    fd: int
    path: Path
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Incoming:
    path: Path
    sha256: str
    size: int


@contextlib.contextmanager
def opened(path: Path, max_bytes: int) -> Iterator[OpenedFile]:
    """Opens an ordinary file and nothing else: a pipe would block, a device may never end, a link leads elsewhere.

    Raises MediaRejected.
    """
    name = shown(path.name)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except (OSError, ValueError) as error:
        raise _not_opened(path, name, error) from error
    try:
        status = os.fstat(fd)
        _refuse_by_status(status, name, max_bytes)
        yield OpenedFile(fd, path, name, status.st_size)
    finally:
        os.close(fd)


def _refuse_by_status(status: os.stat_result, name: str, max_bytes: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise MediaRejected("not_a_file", f"{name} is a folder, not a video file.")
    if not stat.S_ISREG(status.st_mode):
        raise MediaRejected("not_a_file", f"{name} is no ordinary file, so it is not read.")
    if status.st_size == 0:
        raise MediaRejected("video_empty", f"The file {name} is empty: it has 0 bytes.")
    if status.st_size > max_bytes:
        size, limit = gigabytes(status.st_size), gigabytes(max_bytes)
        raise MediaRejected("file_too_large", f"The file {name} has {size}, more than the limit of {limit}.")


def _not_opened(path: Path, name: str, error: OSError | ValueError) -> MediaRejected:
    if isinstance(error, ValueError):
        return MediaRejected("video_missing", "The file name holds a zero character, so there can be no such file.")
    if isinstance(error, PermissionError):
        return MediaRejected("video_forbidden", f"The file {name} cannot be read: permission is denied.")
    if error.errno == errno.ELOOP and path.is_symlink():
        return MediaRejected("not_a_file", f"{name} is a symbolic link; name the file that it leads to.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ESTALE):
        return MediaRejected("video_missing", f"The file {name} does not exist, or not any more.")
    if error.errno in (errno.ENXIO, errno.ENODEV):
        return MediaRejected("not_a_file", f"{name} is no ordinary file, so it is not read.")
    return MediaRejected("video_forbidden", f"The file {name} cannot be read: {error.strerror}.")


def blocks(file: OpenedFile) -> Iterator[bytes]:
    """The content from the start, whatever was read before. Raises MediaRejected where the disk gives it no more."""
    offset = 0
    while True:
        try:
            block = os.pread(file.fd, BLOCK, offset)
        except OSError as error:
            raise MediaRejected("video_damaged", f"The file {file.name} cannot be read: {error.strerror}.") from error
        if not block:
            return
        offset += len(block)
        yield block


def digest(file: OpenedFile, on_progress: Progress | None = None) -> str:
    sha256, done = hashlib.sha256(), 0
    for block in blocks(file):
        sha256.update(block)
        done += len(block)
        if on_progress is not None:
            on_progress(done, file.size)
    return sha256.hexdigest()


@contextlib.contextmanager
def copied(file: OpenedFile, on_progress: Progress | None = None) -> Iterator[Incoming]:
    """A synced copy in ``incoming``, removed at the end unless ``keep`` has moved it.

    Raises DiskFull or StorageFailed; then nothing stays behind.
    """
    folder = media_root() / "incoming"
    with _said_plainly(file):
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        free = shutil.disk_usage(folder).free
    if free < file.size:
        raise _full(file, free)
    path = folder / f"{uuid.uuid4().hex}.part"
    try:
        with _said_plainly(file):
            sha256, size = _copy(file, path, on_progress)
        yield Incoming(path, sha256, size)
    finally:
        path.unlink(missing_ok=True)


def _copy(file: OpenedFile, path: Path, on_progress: Progress | None) -> tuple[str, int]:
    sha256, done = hashlib.sha256(), 0
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        for block in blocks(file):
            sha256.update(block)
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(out, rest) :]
            done += len(block)
            if on_progress is not None:
                on_progress(done, file.size)
        os.fsync(out)
    finally:
        os.close(out)
    return sha256.hexdigest(), done


def keep(incoming: Incoming, extension: str, file: OpenedFile) -> str:
    """Moves a copy to where it stays. Gives its name under MEDIA_ROOT, which follows from the content alone."""
    stored_name = stored_name_for(incoming.sha256, extension)
    target = media_root() / stored_name
    with _said_plainly(file):
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming.path.replace(target)
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return stored_name


def stored_name_for(sha256: str, extension: str) -> str:
    return f"sources/{sha256[:2]}/{sha256}.{extension}"


def is_kept(stored_name: str, size: int) -> bool:
    try:
        return (media_root() / stored_name).stat().st_size == size
    except OSError:
        return False


def media_root() -> Path:
    return Path(settings.MEDIA_ROOT)


@contextlib.contextmanager
def _said_plainly(file: OpenedFile) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _full(file, None) from error
        where = "The folder for videos (MEDIA_ROOT)"
        raise StorageFailed(f"{where} cannot be written: {error.strerror}; {file.name} was not imported.") from error


def _full(file: OpenedFile, free: int | None) -> CatalogError:
    room = "there is no more" if free is None else f"{gigabytes(free)} are free"
    need = gigabytes(file.size)
    return DiskFull(f"The disk for videos is full: {file.name} needs {need}, {room}. Nothing was changed.")


def _sweep(folder: Path) -> None:
    """Removes what a killed process left. Another process may do the same at the same time."""
    for path in folder.glob("*.part"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > STALE_S:
                path.unlink()


def gigabytes(size: int) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"
