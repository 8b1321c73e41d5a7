"""Draws what was found into a copy of the video: masks, boxes, names, emotions. Every frame, at its own time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ml.masks import decode_mask
from ml.outputs import whole_file
from ml.types import UNCLEAR, Detection, EpisodeResult
from ml.video import DEFAULT_LIMITS, Drawing, Limits, SegmentEnd, VideoFile, read_segment

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

MILLISECONDS = Fraction(1, 1000)
TINT = 0.35  # how much of a mask's colour covers the picture
UNKNOWN_COLOUR: Colour = (176, 176, 176)
COLOURS: tuple[Colour, ...] = ((86, 156, 255), (255, 171, 64), (255, 221, 51), (255, 120, 170), (110, 220, 130))
X264 = {"preset": "veryfast", "crf": "20", "bf": "0"}


def write_overlay(
    source: str | Path | VideoFile,
    result: EpisodeResult,
    out: Path,
    names: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Writes ``out`` (MP4, H.264, no sound) whole or not at all; gives the number of frames.

    ``names``: slug to name. A picture with an odd side gains one pixel there, as H.264 needs. ``on_progress``: time
    done and whole length in ms. Raises OutputUnwritable, and the UserErrors of videos.
    """
    ink = Ink(result.detections, names or {})
    duration = result.video.duration_ms
    frames = 0
    with whole_file(out) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        writer = _Writer(container, result.video.width, result.video.height)
        for item in read_segment(source, 0, duration, "every-1", limits, thumbs=False):
            if isinstance(item, Drawing):
                writer.add(item.pts_ms, ink.on(item.picture, item.pts_ms))
                frames += 1
                if on_progress is not None:
                    on_progress(item.pts_ms, duration)
            elif isinstance(item, SegmentEnd):
                writer.close(item.end_ms)
                if on_progress is not None:
                    on_progress(duration, duration)
    return frames


class _Writer:
    """Encodes frames with their own times; each lasts until the next."""

    def __init__(self, container: av.container.OutputContainer, width: int, height: int) -> None:
        self.container = container
        stream = container.add_stream("libx264", options=X264)
        assert isinstance(stream, VideoStream)
        self.stream = stream
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        stream.codec_context.time_base = MILLISECONDS
        stream.time_base = MILLISECONDS
        self.waiting: tuple[int, Picture] | None = None
        self.lengths: dict[int, int] = {}

    def add(self, pts_ms: int, picture: Picture) -> None:
        if self.waiting is not None:
            self._encode(*self.waiting, until_ms=pts_ms)
        self.waiting = (pts_ms, picture)

    def close(self, end_ms: int) -> None:
        if self.waiting is not None:
            self._encode(*self.waiting, until_ms=end_ms)
        self._write(None)

    def _encode(self, pts_ms: int, picture: Picture, until_ms: int) -> None:
        height, width = picture.shape[:2]
        even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
        frame.pts, frame.time_base = pts_ms, MILLISECONDS
        self.lengths[pts_ms] = until_ms - pts_ms
        self._write(frame)

    def _write(self, frame: av.VideoFrame | None) -> None:
        for packet in self.stream.encode(frame):
            if packet.pts is not None and packet.time_base == MILLISECONDS:
                packet.duration = self.lengths.pop(packet.pts, 0)
            self.container.mux(packet)


@dataclass(slots=True)
class Ink:
    """Draws the faces that stand at a time."""

    detections: Sequence[Detection]
    names: Mapping[str, str]

    def __post_init__(self) -> None:
        self.detections = sorted(self.detections, key=lambda d: d.pts_ms)

    def on(self, picture: Picture, pts_ms: int) -> Picture:
        """A copy with everything drawn in; the picture itself where there is nothing to draw."""
        here = [d for d in self.detections if d.pts_ms <= pts_ms < d.pts_ms + d.shown_ms]
        if not here:
            return picture
        drawn = picture.copy()
        for face in here:
            self._face(drawn, face)
        return drawn

    def _face(self, picture: Picture, face: Detection) -> None:
        colour = colour_of(face.character)
        if face.mask is not None and face.mask.size == picture.shape[:2]:
            inside = decode_mask(face.mask)
            tint = np.array(colour, np.float32) * TINT
            picture[inside] = (picture[inside] * (1 - TINT) + tint).astype(np.uint8)
            edges, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            cv2.drawContours(picture, edges, -1, colour, max(1, picture.shape[0] // 360))
        x1, y1, x2, y2 = (round(v) for v in face.box)
        cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1), colour, 1)
        _label(picture, (x1, y1, y2), self.caption(face), colour)

    def caption(self, face: Detection) -> str:
        """Who and what, in the letters that OpenCV can draw; who alone where no emotion is modelled."""
        slug = face.character or "unknown"
        name = self.names.get(slug, slug)
        shown = name if name.isascii() else slug
        if not face.emotions:
            return shown
        emotion = UNCLEAR if face.emotion is None else f"{face.emotion} {100 * face.confidence:.0f}%"
        return f"{shown}: {emotion}"


def colour_of(character: str | None) -> Colour:
    """The same for a character in every video."""
    return UNKNOWN_COLOUR if character is None else COLOURS[sum(character.encode()) % len(COLOURS)]


def _label(picture: Picture, place: tuple[int, int, int], text: str, colour: Colour) -> None:
    """Above the box, or below its lower edge where there is no room; always inside the picture."""
    height, width = picture.shape[:2]
    scale = max(0.35, height / 900)
    (text_width, text_height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x1, y1, y2 = place
    x = min(max(0, x1), max(0, width - text_width - 4))
    lower = y1 - 2 if y1 - text_height - base - 4 >= 0 else min(y2 + text_height + base + 4, height - 1)
    cv2.rectangle(picture, (x, lower - text_height - base - 2), (x + text_width + 4, lower), (20, 20, 20), -1)
    at = (x + 2, lower - base)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
