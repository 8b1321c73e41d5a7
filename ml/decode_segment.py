"""One pass over a segment, in the decoding process: which frames it holds, which of them are sampled drawings."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from ml.decode_source import Handle, Source, no_frames
from ml.drawings import LOOK_WIDTH, DrawingGate
from ml.orientation import Orientation, upright
from ml.shots import writing
from ml.wire import THUMB_SHAPE, pack

CONTEXT_MS = 600  # what is decoded before a segment, so that a cut at its very start is seen as in one go
AFTER_FRAMES = 6  # frames decoded past a segment's end, for the same reason
SEEK_BACK_MS = (CONTEXT_MS, 12_000)  # how far before the segment to land; files with poor indexes need the second
SILENCE_S = 0.4

Timed = tuple[int, av.VideoFrame]


class Pipe:
    """Writes whole messages; ``beat`` shows life while nothing else is to be said."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.spoke = time.monotonic()

    def say(self, kind: str, head: dict[str, Any], payload: bytes | NDArray[np.uint8] = b"") -> None:
        body = memoryview(payload if isinstance(payload, bytes) else payload.data).cast("B")
        for part in (memoryview(pack(kind, head, len(body))), body):
            sent = 0
            while sent < len(part):
                sent += os.write(self.fd, part[sent:])
        self.spoke = time.monotonic()

    def beat(self, frames: int, t: int) -> None:
        if time.monotonic() - self.spoke > SILENCE_S:
            self.say("P", {"frames": frames, "t": t})


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
        before: Timed | None = None
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

    def _at_start(self) -> tuple[Source, Iterator[Timed]]:
        """A source whose next frames lead up to the segment, from a key frame before it."""
        source = Source(self.handle, self.request)
        frames = source.frames()
        first = next(frames, None)
        if first is None:
            raise no_frames(source)
        self.pipe.say("I", size_of(first[1]))
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

    def _land(self, source: Source, target_ms: int) -> Iterator[Timed] | None:
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

    def _hold(self, before: Timed, until: int) -> None:
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
            self.pipe.say("D", {"t": t, "carried": context_at is not None}, self._picture(frame))
        self.pipe.beat(self.inside, t)

    def _small(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        width = min(LOOK_WIDTH, max(8, frame.width))
        height = max(8, round(frame.height * width / frame.width))
        return pixels(self.small.reformat(frame, width, height, "rgb24", interpolation=Interpolation.AREA, threads=1))

    def _thumb(self, t: int, frame: av.VideoFrame, small: NDArray[np.uint8] | None = None) -> None:
        look = self._small(frame) if small is None else small
        self.pipe.say("T", {"t": t, "written": writing(look)}, thumbnail(look))

    def _picture(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """RGB, upright, of the size of the segment's first drawing even where the stream changes it on the way."""
        picture = upright(pixels(self.rgb.reformat(frame, format="rgb24", threads=1)), Orientation.of(frame))
        if self.shape is None:
            self.shape = (picture.shape[0], picture.shape[1])
        if picture.shape[:2] != self.shape:
            height, width = self.shape
            copy = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            picture = pixels(copy.reformat(width, height, interpolation=Interpolation.AREA))
        return np.ascontiguousarray(picture)


def pixels(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Of a frame in rgb24."""
    return frame.to_ndarray().astype(np.uint8, copy=False)


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


def size_of(frame: av.VideoFrame) -> dict[str, int]:
    """Upright."""
    width, height = Orientation.of(frame).size(frame.width, frame.height)
    return {"width": width, "height": height}


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


def _chain(first: Timed, rest: Iterator[Timed]) -> Iterator[Timed]:
    yield first
    yield from rest
