"""Renders an episode: a real H.264 file, and the truth about every drawing in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from ml.render.canvas import Image
from ml.render.design import Design
from ml.render.looks import LOOKS, Dress
from ml.render.stage import Frame, Stage
from ml.render.story import FPS, Script, ShotPlan, write_script
from ml.render.styles import CLEAN, Style, apply_style
from ml.render.truth import Truth, TruthDrawing, profiles_of, write_truth
from ml.types import Shot, VideoInfo

STYLES: dict[str, Style] = {
    "modern": CLEAN,
    "film": Style("film", saturation=0.78, tint=(1.04, 0.98, 0.86), contrast=0.94, blur=0.0015, vignette=0.3),
    "grey": Style("grey", saturation=0.0, contrast=0.92, blur=0.002, vignette=0.35),
}

ALL_STYLES = (*STYLES, *LOOKS)  # names that an episode's style may have

Progress = Callable[[int, int], None]  # frames done, frames in all


def frame_ms(frame: int) -> int:
    """Presentation time of a frame, as a decoder reports it in whole milliseconds."""
    return round(frame * 1000 / FPS)


def drawings(script: Script, stage: Stage) -> Iterator[tuple[int, ShotPlan, Frame]]:
    """Every distinct drawing with the frame of the episode in which it first shows."""
    last: Image | None = None
    for shot in script.shots:
        for local in range(shot.frames):
            if not stage.changes(shot, local):
                continue
            frame = stage.draw(shot, local)
            if last is not None and np.array_equal(last, frame.picture):
                continue
            last = frame.picture
            yield shot.start + local, shot, frame


def render_episode(
    path: str | Path,
    seed: int,
    *,
    duration_s: float = 40.0,
    size: tuple[int, int] = (640, 360),
    style: str = "modern",
    cast: Mapping[str, Design] | None = None,
    on_progress: Progress | None = None,
) -> Truth:
    """Writes ``path`` (MP4) and ``NAME.truth.json`` beside it. The same arguments give the same bytes.

    ``style``: one of ALL_STYLES; a look's free numbers follow from ``seed``. ``cast``: who acts, by slug; None: the
    four friends. Raises ValueError for an odd or tiny size, an unknown style, a length under one second, a cast of
    fewer than two.
    """
    path = Path(path)
    width, height = size
    if width % 2 or height % 2 or width < 64 or height < 64:
        raise ValueError(f"the picture's width and height are even and at least 64, not {width} x {height}")
    if style not in ALL_STYLES:
        raise ValueError(f"there is no style {style!r}; there are {', '.join(ALL_STYLES)}")
    script = write_script(seed, duration_s, width=360.0 * width / height, cast=cast)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        found = _render(path, script, size, style_for(style, seed, width / height), on_progress)
    finally:
        cv2.setNumThreads(threads)
    truth = Truth(
        video=VideoInfo(width, height, frame_ms(script.frames), script.frames, _digest(path)),
        seed=seed,
        style=style,
        title=script.title,
        shots=tuple(Shot(frame_ms(s.start), frame_ms(s.start + s.frames), s.kind) for s in script.shots if s.frames),
        drawings=found,
        profiles=profiles_of(found),
    )
    write_truth(truth_path(path), truth)
    return truth


def style_for(name: str, seed: int, aspect: float) -> Style | Dress:
    """What an episode of that style and seed goes through: a film style, or a look with its numbers drawn."""
    return STYLES[name] if name in STYLES else LOOKS[name].dress(np.random.default_rng([seed, 23]), aspect)


def truth_path(video: Path) -> Path:
    return video.with_name(video.stem + ".truth.json")


def _render(
    path: Path, script: Script, size: tuple[int, int], style: Style | Dress, on_progress: Progress | None
) -> tuple[TruthDrawing, ...]:
    part = path.with_name(path.name + ".part")
    stage = Stage(script, *size, dress=style if isinstance(style, Dress) else None)
    starts: list[tuple[int, Frame]] = []
    try:
        with _Encoder(part, size) as encoder:
            shown: Image | None = None
            for start, _, frame in drawings(script, stage):
                if shown is not None:
                    encoder.hold(shown, start)
                rng = np.random.default_rng([script.seed, 17, start])
                shown = shown_as(frame.picture, style, rng)
                starts.append((start, Frame(frame.picture[:0], frame.faces)))
                if on_progress is not None:
                    on_progress(start, script.frames)
            if shown is not None:
                encoder.hold(shown, script.frames)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    if on_progress is not None:
        on_progress(script.frames, script.frames)
    ends = [start for start, _ in starts[1:]] + [script.frames]
    return tuple(
        TruthDrawing(frame_ms(start), frame_ms(end) - frame_ms(start), frame.faces)
        for (start, frame), end in zip(starts, ends, strict=True)
    )


def shown_as(picture: Image, style: Style | Dress, rng: np.random.Generator) -> Image:
    """A drawing as the viewer sees it."""
    if isinstance(style, Dress):
        return style.project(picture, rng)
    return picture if style == CLEAN else apply_style(picture, style, rng)


class _Encoder:
    """H.264 in MP4, 24 frames a second; one thread and no timestamps of its own, so that bytes repeat."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.container = av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"})
        self.stream = self.container.add_stream("libx264", rate=FPS)
        self.stream.width, self.stream.height = size
        self.stream.pix_fmt = "yuv420p"
        self.stream.codec_context.time_base = Fraction(1, FPS)
        self.stream.codec_context.thread_count = 1
        self.stream.codec_context.options = {
            "preset": "veryfast",
            "tune": "animation",
            "crf": "18",
            "g": "96",
            "x264-params": "threads=1:lookahead-threads=1",
        }
        self.next = 0

    def __enter__(self) -> _Encoder:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None:
                self.container.mux(self.stream.encode(None))
        finally:
            self.container.close()

    def hold(self, picture: Image, until: int) -> None:
        """Shows ``picture`` from the next frame to before frame ``until``."""
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.time_base = Fraction(1, FPS)
        for pts in range(self.next, until):
            frame.pts = pts
            self.container.mux(self.stream.encode(frame))
        self.next = max(self.next, until)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
