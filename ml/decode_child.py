"""The process that touches the bytes of a video: opens it with PyAV, decodes, samples, writes messages to a pipe.

It is started by ml.video with one open file, limits on memory and CPU time, and no way to open anything else. It must
stay free of torch. Faults of the file end it with an ``X`` message; a crash of a decoder ends only this process.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any, NoReturn

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ml import containers
from ml.drawings import LOOK_WIDTH, DrawingGate
from ml.frametimes import Clock, TimesRunBackwards
from ml.orientation import Orientation, upright
from ml.wire import THUMB_SHAPE, pack

CONTEXT_MS = 600  # what is decoded before a segment, so that a cut at its very start is seen as in one go
AFTER_FRAMES = 6  # frames decoded past a segment's end, for the same reason
SEEK_BACK_MS = (CONTEXT_MS, 12_000)  # how far before the segment to land; files with poor indexes need the second
SILENCE_S = 0.4
DAMAGED_SHARE = 0.5  # a file most of whose packets do not decode is damaged; a few lost ones are forgiven


class Refused(Exception):
    """The file is at fault. ``code`` as in ml.errors; ``reason`` completes the sentence "The file X ..."."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Handle:
    """Reads an open file at its own position, so that several readers of one descriptor never meet."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.position = 0
        self.length = os.fstat(fd).st_size

    def read(self, size: int = -1) -> bytes:
        data = self.read_at(self.position, self.length - self.position if size < 0 else size)
        self.position += len(data)
        return data

    def read_at(self, offset: int, size: int) -> bytes:
        return os.pread(self.fd, max(size, 0), offset)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.length}[whence]
        return self.position

    def tell(self) -> int:
        return self.position


class Pipe:
    """Writes whole messages; ``beat`` shows life while nothing else is to be said."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.spoke = time.monotonic()

    def say(self, kind: str, head: dict[str, Any], payload: bytes | NDArray[np.uint8] = b"") -> None:
        body = memoryview(payload).cast("B")
        for part in (memoryview(pack(kind, head, len(body))), body):
            sent = 0
            while sent < len(part):
                sent += os.write(self.fd, part[sent:])
        self.spoke = time.monotonic()

    def beat(self, frames: int, t: int) -> None:
        if time.monotonic() - self.spoke > SILENCE_S:
            self.say("P", {"frames": frames, "t": t})


class Source:
    """One opened video: yields (time in ms, frame) in the order of presentation, each time later than the last."""

    def __init__(self, handle: Handle, request: dict[str, Any]) -> None:
        self.handle = handle
        self.request = request
        self.errors = 0
        self.container, self.stream = self._open()
        self.clock = Clock(self.stream)

    def _open(self) -> tuple[InputContainer, VideoStream]:
        head = self.handle.read_at(0, 4096)
        if not head:
            raise Refused("video_empty", "is empty: it has 0 bytes")
        what = containers.refusal(head)
        if what is not None:
            raise Refused("not_a_video", f"is {what}, not a video")
        if containers.is_sound(head):
            raise Refused("no_video_stream", "holds sound but no pictures")
        self.handle.seek(0)
        options = {
            "format_whitelist": ",".join(containers.FORMATS),
            "protocol_whitelist": "none",
            "max_pixels": str(self.request["max_pixels"]),
        }
        try:
            container = av.open(self.handle, options=options, metadata_errors="replace", buffer_size=1 << 16)
        except av.MemoryError:
            raise
        except (av.FFmpegError, ValueError) as error:
            if containers.looks_like_video(head):
                raise Refused("video_damaged", "is damaged: its index cannot be read") from error
            raise Refused("not_a_video", f"is no video that can be read; known are {containers.CONTAINERS}") from error
        return container, self._video_stream(container)

    def _video_stream(self, container: InputContainer) -> VideoStream:
        streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
        if not streams:
            sound = "holds sound but no pictures" if container.streams.audio else "holds no video stream"
            raise Refused("no_video_stream", sound)
        stream = max(streams, key=lambda s: (bool(s.disposition & av.stream.Disposition.default), -s.index))
        if containers.has_encrypted_video(self.handle.read_at, self.handle.length):
            raise Refused("video_encrypted", "is encrypted, so its pictures cannot be read")
        context = stream.codec_context
        if context is None:
            raise Refused("no_frames", "is stored in a way that no decoder here can read")
        self._check_size(context.width, context.height)
        context.thread_count = self.request["threads"]
        context.thread_type = "AUTO" if self.request["threads"] != 1 else "NONE"
        context.options = {"max_pixels": str(self.request["max_pixels"]), **self.request.get("codec_options", {})}
        return stream

    def _check_size(self, width: int, height: int) -> None:
        least, most = self.request["min_side"], self.request["max_pixels"]
        if width * height > most:
            raise Refused("video_too_large", f"has pictures of {width} x {height} pixels; the limit is {most} in all")
        if (width or height) and min(width, height) < least:
            raise Refused(
                "video_too_small", f"has pictures of {width} x {height} pixels; each side needs at least {least}"
            )

    def seek(self, target_ms: int) -> None:
        self.container.seek(self.clock.pts_at(target_ms), stream=self.stream, backward=True)
        self.clock.restart()

    def frames(self) -> Iterator[tuple[int, av.VideoFrame]]:
        """Every frame that decodes from here on. Raises Refused where the file turns out encrypted."""
        for packet in self._packets():
            try:
                decoded = packet.decode()
            except av.MemoryError:
                raise
            except av.FFmpegError as error:
                if packet.has_sidedata("encryption_info"):
                    raise Refused("video_encrypted", "is encrypted, so its pictures cannot be read") from error
                self.errors += 1
                continue
            for frame in decoded:
                if isinstance(frame, av.VideoFrame):
                    self._check_size(frame.width, frame.height)
                    t = self.clock.time_of(frame)
                    if t is not None:
                        yield t, frame

    def _packets(self) -> Iterator[av.Packet[VideoStream]]:
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.MemoryError:
                raise
            except av.FFmpegError:  # the rest cannot be read: flush what the decoder still holds
                self.errors += 1
                yield av.Packet()
                return
            yield packet


def main() -> None:
    request = json.loads(sys.argv[2])
    out = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not become a message
    pipe = Pipe(out)
    _confine(request)
    av.logging.set_level(None)
    try:
        {"probe": probe, "check": check, "segment": segment}[request["mode"]](pipe, request)
    except Refused as refused:
        pipe.say("X", {"code": refused.code, "reason": refused.reason})
    except TimesRunBackwards as backwards:
        reason = f"is damaged: its times run backwards at {backwards.at_ms / 1000:.1f} s"
        pipe.say("X", {"code": "video_damaged", "reason": reason})
    except (MemoryError, av.MemoryError):
        reason = f"needs more than {request['memory_mb']} MB of memory to decode"
        pipe.say("X", {"code": "decode_limit", "reason": reason})
    except BrokenPipeError:
        _leave(0)
    except OSError as error:
        pipe.say("X", {"code": "video_damaged", "reason": f"cannot be read: {error.strerror or error}"})
    _leave(0)


def _leave(code: int) -> NoReturn:
    os._exit(code)  # nothing to tidy; tearing decoders down can hang on broken input


def _confine(request: dict[str, Any]) -> None:
    memory = request["memory_mb"] << 20
    for what, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, request["cpu_s"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        resource.setrlimit(what, (limit if hard < 0 else min(limit, hard), hard))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a killed parent leaves no decoder behind
        if os.getppid() != request["parent"]:
            _leave(1)


def check(pipe: Pipe, request: dict[str, Any]) -> None:
    """Opens the file and decodes its first picture."""
    source = Source(Handle(request["fd"]), request)
    _refuse_long(source, request["max_duration_ms"])
    for _, frame in source.frames():
        pipe.say("I", _size(frame))
        pipe.say("E", {"frames": 1, "end_ms": 0, "eof": False, "errors": source.errors})
        return
    raise _no_frames(source)


def probe(pipe: Pipe, request: dict[str, Any]) -> None:
    """Decodes everything, counts it, and says when the last frame ends."""
    most = request["max_duration_ms"]
    source = Source(Handle(request["fd"]), request)
    if _refuse_long(source, most):
        source = Source(Handle(request["fd"]), request)
    frames = t = 0
    for t, frame in source.frames():
        if frames == 0:
            kinds = {"container": source.container.format.name, "codec": source.stream.codec_context.name}
            pipe.say("I", {**_size(frame), **kinds})
        if t >= most:
            raise _too_long(most)
        frames += 1
        pipe.beat(frames, t)
    if frames == 0:
        raise _no_frames(source)
    if source.errors > DAMAGED_SHARE * (frames + source.errors):
        raise Refused("video_damaged", f"is damaged: {source.errors} of its pictures cannot be decoded, {frames} can")
    end = source.clock.end_ms()
    if end > most:
        raise _too_long(most)
    pipe.say("E", {"frames": frames, "end_ms": end, "eof": True, "errors": source.errors})


def _refuse_long(source: Source, most_ms: int) -> bool:
    """Ends early what claims to be longer than allowed *and* has packets there; a mere claim is no reason.

    True where it has moved the source.
    """
    stream, container = source.stream, source.container
    by_stream = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    claimed_s = max((container.duration or 0) / 1e6, by_stream)
    if claimed_s * 1000 <= most_ms:
        return False
    try:
        base = stream.time_base
        if base is None:
            return False
        start = stream.start_time or 0
        limit = start + int(most_ms / 1000 / base)
        container.seek(limit, stream=stream, backward=False, any_frame=True)
        packet = next(container.demux(stream))
        if packet.size and packet.pts is not None and packet.pts >= limit:
            raise _too_long(most_ms, claimed_s)
    except (av.FFmpegError, StopIteration):
        return True
    return True


def _too_long(most_ms: int, seconds: float | None = None) -> Refused:
    length = "is" if seconds is None else f"is {_minutes(seconds)} long,"
    return Refused("video_too_long", f"{length} longer than the limit of {_minutes(most_ms / 1000)}")


def _minutes(seconds: float) -> str:
    return f"{seconds / 3600:.4g} h" if seconds >= 3600 else f"{seconds / 60:.4g} min"


def _no_frames(source: Source) -> Refused:
    claimed = source.stream.frames
    claim = f"it claims {claimed}, but not one can be decoded" if claimed else "not one can be decoded"
    return Refused("no_frames", f"holds no pictures: {claim}")


def _size(frame: av.VideoFrame) -> dict[str, int]:
    width, height = Orientation.of(frame).size(frame.width, frame.height)
    return {"width": width, "height": height}


def segment(pipe: Pipe, request: dict[str, Any]) -> None:
    """Thumbnails of all frames, and the sampled drawings, of [start_ms, end_ms)."""
    Segment(pipe, request).run()


class Segment:
    """One pass over a segment.

    The picture that stands when the segment starts counts from its start, also where its frame began before.
    """

    def __init__(self, pipe: Pipe, request: dict[str, Any]) -> None:
        self.pipe = pipe
        self.start: int = request["start_ms"]
        self.end: int = request["end_ms"]
        self.handle = Handle(request["fd"])
        self.request = request
        self.sampler = make_sampler(request["sampling"], self.start)
        self.thumbs = bool(request["thumbs"])
        self.small = VideoReformatter()
        self.rgb = VideoReformatter()
        self.inside = 0
        self.shape: tuple[int, int] | None = None

    def run(self) -> None:
        before: tuple[int, av.VideoFrame] | None = None
        after = end = 0
        last = -1
        eof = True
        source, frames = self._at_start()
        for t, frame in frames:
            last = t
            if t >= self.end:
                end = end or t
                after += 1
                if self.thumbs:
                    self._thumb(t, frame)
                if after > AFTER_FRAMES or not self.thumbs:
                    eof = False
                    break
                continue
            if t < self.start:
                if before is not None and self.thumbs and t >= self.start - CONTEXT_MS:
                    self._thumb(*before)
                before = (t, frame)
                self.pipe.beat(self.inside, t)
                continue
            if before is not None:
                self._hold(before, t)
                before = None
            self.inside += 1
            self._look(t, frame)
        stop = end if after else source.clock.end_ms()
        if before is not None and stop > self.start:
            self._hold(before, stop)
        tail = {"frames": self.inside, "end_ms": min(stop, self.end), "eof": eof and not after}
        self.pipe.say("E", {**tail, "errors": source.errors, "last_ms": last})

    def _at_start(self) -> tuple[Source, Iterator[tuple[int, av.VideoFrame]]]:
        """A source whose next frames lead up to the segment, from a key frame before it."""
        source = Source(self.handle, self.request)
        frames = source.frames()
        first = next(frames, None)
        if first is None:
            raise _no_frames(source)
        self.pipe.say("I", _size(first[1]))
        if self.start > CONTEXT_MS:
            for back in SEEK_BACK_MS:
                if self.start - back <= 0:
                    break
                landed = self._land(source, self.start - back)
                if landed is not None:
                    return source, landed
            source = Source(self.handle, self.request)
            return source, source.frames()
        return source, _chain(first, frames)

    def _land(self, source: Source, target_ms: int) -> Iterator[tuple[int, av.VideoFrame]] | None:
        """Frames from a key frame at or before ``target_ms``; None where the file's index does not lead there."""
        try:
            source.seek(target_ms)
            frames = source.frames()
            first = next(frames, None)
        except av.MemoryError:
            raise
        except av.FFmpegError:
            return None
        if first is None or first[0] > target_ms:
            return None
        return _chain(first, frames)

    def _hold(self, before: tuple[int, av.VideoFrame], until: int) -> None:
        """The frame that was on screen when the segment began; it is part of it only while nothing replaced it."""
        t, frame = before
        if until > self.start:
            self._look(self.start, frame, context_at=t)
        elif self.thumbs:
            self._thumb(t, frame)

    def _look(self, t: int, frame: av.VideoFrame, context_at: int | None = None) -> None:
        small = self._small(frame)
        if self.thumbs:
            self._thumb(t if context_at is None else context_at, frame, small)
        if self.sampler.take(t, small):
            self.pipe.say("D", {"t": t}, self._picture(frame))
        self.pipe.beat(self.inside, t)

    def _small(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        width = min(LOOK_WIDTH, max(8, frame.width))
        height = max(8, round(frame.height * width / frame.width))
        return self.small.reformat(frame, width, height, "rgb24", interpolation=Interpolation.AREA).to_ndarray()

    def _thumb(self, t: int, frame: av.VideoFrame, small: NDArray[np.uint8] | None = None) -> None:
        look = self._small(frame) if small is None else small
        self.pipe.say("T", {"t": t}, thumbnail(look))

    def _picture(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """RGB, upright, of the size of the segment's first drawing even where the stream changes it on the way."""
        picture = upright(self.rgb.reformat(frame, format="rgb24").to_ndarray(), Orientation.of(frame))
        if self.shape is None:
            self.shape = (picture.shape[0], picture.shape[1])
        if picture.shape[:2] != self.shape:
            height, width = self.shape
            copy = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            picture = copy.reformat(width, height, interpolation=Interpolation.AREA).to_ndarray()
        return np.ascontiguousarray(picture)


def thumbnail(look: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """THUMB_SHAPE, by averaging cells."""
    height, width = THUMB_SHAPE[:2]
    rows = np.arange(height + 1) * look.shape[0] // height
    columns = np.arange(width + 1) * look.shape[1] // width
    if look.shape[0] < height or look.shape[1] < width:
        return np.ascontiguousarray(look[rows[:-1]][:, columns[:-1]])
    sums = np.add.reduceat(look.astype(np.uint32), rows[:-1], axis=0)
    sums = np.add.reduceat(sums, columns[:-1], axis=1)
    cells = np.diff(rows)[:, None, None] * np.diff(columns)[None, :, None]
    return np.ascontiguousarray((sums // cells).astype(np.uint8))


class EveryDrawing:
    """Each distinct drawing once."""

    def __init__(self) -> None:
        self.gate = DrawingGate()

    def take(self, t: int, small: NDArray[np.uint8]) -> bool:
        return self.gate.is_new(small)


class EveryNth:
    def __init__(self, n: int) -> None:
        self.n = n
        self.seen = 0

    def take(self, t: int, small: NDArray[np.uint8]) -> bool:
        self.seen += 1
        return (self.seen - 1) % self.n == 0


class PerSecond:
    """The first frame of each second of content, and the one that stands when the segment starts."""

    def __init__(self, start_ms: int) -> None:
        self.due = start_ms

    def take(self, t: int, small: NDArray[np.uint8]) -> bool:
        if t < self.due:
            return False
        self.due = (t // 1000 + 1) * 1000
        return True


def make_sampler(sampling: str, start_ms: int) -> EveryDrawing | EveryNth | PerSecond:
    if sampling == "drawings":
        return EveryDrawing()
    if sampling == "per-second":
        return PerSecond(start_ms)
    return EveryNth(int(sampling.removeprefix("every-")))


def _chain(
    first: tuple[int, av.VideoFrame], rest: Iterator[tuple[int, av.VideoFrame]]
) -> Iterator[tuple[int, av.VideoFrame]]:
    yield first
    yield from rest
