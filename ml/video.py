"""Videos from local files, decoded in a process of their own with limits on memory, processor time and waiting.

Nothing here touches the bytes of a video except to hash them: ml/decode_child.py does, given one open file. So a
decoder that crashes, hangs or swells ends its own process, and the caller gets one of the errors of ml/errors.py.
Works inside daemonic processes (a prefork worker), leaves no zombie, and imports no torch.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import errors
from ml.errors import (
    Cancelled,
    DecodeLimit,
    InternalError,
    NotAVideo,
    ToonemoError,
    UserError,
    VideoDamaged,
    VideoEmpty,
    VideoForbidden,
    VideoMissing,
)
from ml.types import VideoInfo
from ml.wire import THUMB_SHAPE, unpack

ROOT = Path(__file__).resolve().parent.parent
PIPE_BYTES = 1 << 20
POLL_S = 0.1
PROBE_THREADS = 4  # each needs memory of its own
_CODES: dict[str, type[UserError]] = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, UserError)
}
ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "TZ")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost.

    ``max_pixels``: width times height. ``memory_mb``: address space of the decoding process. ``cpu_s``: its processor
    time per pass. ``silence_s``: longest wait for any sign of life. ``wall_s``: all waiting of one pass together; the
    caller's own work between two pictures does not count.
    """

    max_duration_ms: int = 3 * 3600 * 1000
    max_pixels: int = 4096 * 2304
    min_side: int = 16
    memory_mb: int = 3072
    cpu_s: int = 3600
    silence_s: float = 60.0
    wall_s: float = 3600.0


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class FrameSeen:
    """One frame that went by, also just outside the segment.

    ``thumb``: RGB, THUMB_SHAPE. ``written``: see ml.shots.writing.
    """

    pts_ms: int
    thumb: NDArray[np.uint8]
    written: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """A sampled drawing. It stands until the next one, or until the segment ends. ``picture``: RGB, h x w x 3.

    ``carried``: its frame began before the segment and still stood when that started.
    """

    pts_ms: int
    picture: NDArray[np.uint8]
    carried: bool = False


@dataclass(frozen=True, slots=True)
class SegmentEnd:
    """``frames``: those whose time lies in the segment. ``end_ms``: end of its content. ``is_last``: the file ends."""

    frames: int
    end_ms: int
    is_last: bool
    errors: int


def shown_name(path: str | os.PathLike[str]) -> str:
    """A file's name as it can be printed on one line: quoted; control characters and broken bytes escaped."""
    name = os.fspath(path)
    text = os.path.basename(name.rstrip("/")) or name  # noqa: PTH119 - "C:" or "concat:x" must stay a plain name
    safe = "".join(
        c if c.isprintable() or c in "\u200d\ufe0f" else c.encode("unicode_escape", "replace").decode() for c in text
    )
    return f"“{safe}”"


class VideoFile:
    """An open local file. It stays readable when its name disappears. ``name``: for sentences to people.

    Raises VideoMissing, VideoForbidden, NotAVideo (a folder, a device) or VideoEmpty. Close it, or use ``with``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.name = shown_name(path)
        try:
            self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (OSError, ValueError) as error:
            raise _notopened(self.name, error) from error
        try:
            status = os.fstat(self.fd)
            if stat.S_ISDIR(status.st_mode):
                raise NotAVideo(f"The file {self.name} is a folder, not a video.")
            if not stat.S_ISREG(status.st_mode):
                raise NotAVideo(f"The file {self.name} is no ordinary file, so it is not read.")
            if status.st_size == 0:
                raise VideoEmpty(f"The file {self.name} is empty: it has 0 bytes.")
        except BaseException:
            os.close(self.fd)
            raise
        self.size = status.st_size

    def sha256(self) -> str:
        digest = hashlib.sha256()
        offset = 0
        while block := self._read(offset):
            digest.update(block)
            offset += len(block)
        return digest.hexdigest()

    def _read(self, offset: int) -> bytes:
        try:
            return os.pread(self.fd, 1 << 20, offset)
        except OSError as error:
            raise VideoDamaged(f"The file {self.name} cannot be read: {error.strerror}.") from error

    def close(self) -> None:
        os.close(self.fd)

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _notopened(name: str, error: OSError | ValueError) -> ToonemoError:
    if isinstance(error, PermissionError):
        return VideoForbidden(f"The file {name} cannot be read: permission is denied.")
    if isinstance(error, ValueError):
        return VideoMissing("The file name holds a zero character, so there can be no such file.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ESTALE):
        return VideoMissing(f"The file {name} does not exist.")
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        return InternalError(f"The file {name} could not be opened: {error.strerror}.")
    return VideoForbidden(f"The file {name} cannot be read: {error.strerror}.")


@dataclass(frozen=True, slots=True)
class Probed:
    """``container``, ``codec``: FFmpeg's names, such as ``matroska,webm`` and ``h264``."""

    info: VideoInfo
    container: str
    codec: str


def probe(
    path: str | os.PathLike[str] | VideoFile,
    limits: Limits = DEFAULT_LIMITS,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> VideoInfo:
    """Decodes the whole file once: size, exact length, frames that really decode, digest of the content.

    ``on_progress(frames, pts_ms)`` about twice a second. Raises the UserErrors of videos, or Cancelled.
    """
    return probe_kinds(path, limits, on_progress, should_stop).info


def probe_kinds(
    path: str | os.PathLike[str] | VideoFile,
    limits: Limits = DEFAULT_LIMITS,
    on_progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Probed:
    """``probe``, and what the file is made of."""
    with opened(path) as file:
        settings = {"threads": min(PROBE_THREADS, os.cpu_count() or 1), "codec_options": {"skip_loop_filter": "all"}}
        with Decoder(file, "probe", settings, limits, should_stop) as decoder:
            seen: dict[str, Any] = {}
            for kind, head, _ in decoder.messages():
                if kind == "I":
                    seen = head
                elif kind == "P" and on_progress is not None:
                    on_progress(head["frames"], head["t"])
                elif kind == "E":
                    info = VideoInfo(seen["width"], seen["height"], head["end_ms"], head["frames"], file.sha256())
                    return Probed(info, seen["container"], seen["codec"])
            raise decoder.lost()


def check(path: str | os.PathLike[str] | VideoFile, limits: Limits = DEFAULT_LIMITS) -> tuple[int, int]:
    """A quick look: opens the file and decodes its first picture. Gives width and height, upright.

    Finds every fault that shows at the start; only ``probe`` finds the rest. Raises the UserErrors of videos.
    """
    with opened(path) as file, Decoder(file, "check", {"threads": 1}, limits, None) as decoder:
        size: dict[str, Any] = {}
        for kind, head, _ in decoder.messages():
            if kind == "I":
                size = head
            elif kind == "E":
                return size["width"], size["height"]
        raise decoder.lost()


def read_segment(
    path: str | os.PathLike[str] | VideoFile,
    start_ms: int,
    end_ms: int,
    sampling: str = "drawings",
    limits: Limits = DEFAULT_LIMITS,
    should_stop: Callable[[], bool] | None = None,
    thumbs: bool = True,
) -> Generator[FrameSeen | Drawing | SegmentEnd, None, None]:
    """Frames and sampled drawings of [start_ms, end_ms) in order of time; SegmentEnd comes last.

    Each drawing stands until the next one's time; the first stands from ``start_ms``. FrameSeen also covers some
    frames before and after. ``sampling``: "drawings", "every-N" or "per-second". Decoding runs ahead in its process.
    Raises the UserErrors of videos, or Cancelled.
    """
    settings = {
        "threads": 1,  # with more, what a damaged file shows would depend on chance
        "start_ms": start_ms,
        "end_ms": end_ms,
        "sampling": sampling,
        "thumbs": thumbs,
    }
    with opened(path) as file, Decoder(file, "segment", settings, limits, should_stop) as decoder:
        shape = (0, 0, 3)
        for kind, head, payload in decoder.messages():
            if kind == "I":
                shape = (head["height"], head["width"], 3)
            elif kind == "T":
                yield FrameSeen(head["t"], np.frombuffer(payload, np.uint8).reshape(THUMB_SHAPE), head["written"])
            elif kind == "D":
                yield Drawing(head["t"], np.frombuffer(payload, np.uint8).reshape(shape), head["carried"])
            elif kind == "E":
                yield SegmentEnd(head["frames"], head["end_ms"], head["eof"], head["errors"])
                return
        raise decoder.lost()


@contextlib.contextmanager
def opened(path: str | os.PathLike[str] | VideoFile) -> Iterator[VideoFile]:
    if isinstance(path, VideoFile):
        yield path
    else:
        with VideoFile(path) as file:
            yield file


class Decoder:
    """A running decoding process. Leaving the ``with`` block kills it and waits for it, whatever happened."""

    def __init__(
        self,
        file: VideoFile,
        mode: str,
        settings: dict[str, Any],
        limits: Limits,
        should_stop: Callable[[], bool] | None,
    ) -> None:
        self.file = file
        self.limits = limits
        self.should_stop = should_stop
        self.waited = 0.0
        request = {**asdict(limits), **settings, "mode": mode, "fd": file.fd, "parent": os.getpid()}
        code = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from ml.decode_child import main; main()"
        paths = [str(ROOT), *(p for p in sys.path if p and p != str(ROOT))]
        environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        reading, writing = os.pipe()
        try:
            with contextlib.suppress(AttributeError, OSError):
                fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            self.process = subprocess.Popen(  # noqa: S603 - our own module, no shell, no user text but JSON
                [sys.executable, "-I", "-c", code, json.dumps(paths), json.dumps(request)],
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=subprocess.DEVNULL,
                pass_fds=(file.fd,),
                env={**environment, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
                start_new_session=True,
            )
        except OSError as error:
            os.close(reading)
            raise InternalError(f"The decoding process did not start: {error.strerror}.") from error
        finally:
            os.close(writing)
        self.reading = reading
        os.set_blocking(reading, False)
        self.poll = select.poll()
        self.poll.register(reading, select.POLLIN)

    def __enter__(self) -> Decoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.reading)

    def messages(self) -> Iterator[tuple[str, dict[str, Any], bytearray]]:
        """Until the process ends. Raises what it says went wrong, DecodeLimit, or Cancelled."""
        while True:
            try:
                kind, head, payload = unpack(self._read)
            except EOFError:
                return
            except ValueError as error:
                raise InternalError(f"The decoding process of {self.file.name} spoke nonsense.") from error
            if kind == "X":
                raise _CODES.get(head["code"], VideoDamaged)(f"The file {self.file.name} {head['reason']}.")
            yield kind, head, payload

    def _read(self, size: int) -> bytearray:
        buffer = bytearray(size)
        view = memoryview(buffer)
        done = 0
        while done < size:
            try:
                count = os.readv(self.reading, [view[done:]])
            except BlockingIOError:
                self._wait()
                continue
            if count == 0:
                raise EOFError
            done += count
        return buffer

    def _wait(self) -> None:
        """For bytes. Raises Cancelled where the caller wants to stop, DecodeLimit where nothing comes for too long."""
        begun = time.monotonic()
        while True:
            if self.should_stop is not None and self.should_stop():
                raise Cancelled(f"The analysis of {self.file.name} was stopped.")
            ready = self.poll.poll(1000 * POLL_S)
            silent = time.monotonic() - begun
            if ready:
                self.waited += silent
                return
            if silent > self.limits.silence_s or self.waited + silent > self.limits.wall_s:
                raise DecodeLimit(f"The file {self.file.name} takes too long to decode, so it was given up.")

    def lost(self) -> ToonemoError:
        """Why the process ended without saying so."""
        code = self.process.wait()
        name = self.file.name
        if code == -signal.SIGXCPU:
            return DecodeLimit(
                f"The file {name} needs more than {self.limits.cpu_s} s of processor time, so it was given up."
            )
        if code in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL):
            return VideoDamaged(f"The file {name} is damaged: the decoder broke on it.")
        return InternalError(f"The decoding process of {name} ended without an answer (status {code}).")
