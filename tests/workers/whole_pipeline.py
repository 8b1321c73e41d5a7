"""Ratings of a film as a worker would make them, and the same film told otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from analysis import ratings
from ml import timeline
from ml.pipeline import AnalyseConfig, analyse
from ml.runtime import Models
from ml.types import EMOTIONS

Frame = NDArray[np.uint8]


def shares_of(path: Path, models: Models) -> dict[str, NDArray[np.float64]]:
    """Per character (k,) the published share of each emotion, as it is without a series to be drawn toward."""
    result = analyse(path, models, AnalyseConfig())
    faces, shots = result.detections, result.shots
    tracks = timeline.link_tracks(faces, shots)
    table = timeline.smoothed(faces, tracks, EMOTIONS)
    members: dict[str, list[int]] = {}
    for track in tracks:
        if track.character is not None:
            members.setdefault(track.character, []).extend(track.members)
    confusion = ratings.confusion_of_card({"confusion": models.bundle.confusion}, EMOTIONS)
    found = {}
    for slug, chosen in members.items():
        own = timeline.once_per_drawing(chosen, faces)
        shot_of = {i: timeline.shot_at(shots, faces[i].pts_ms) for i in own}
        read = [i for i in own if timeline.is_readable(faces[i], shots[shot_of[i]])]
        readings = ratings.Readings(
            EMOTIONS,
            table[read],
            np.array([faces[i].pts_ms for i in read], np.int64),
            np.array([faces[i].shown_ms for i in read], np.int64),
            np.array([shot_of[i] for i in read], np.int64),
        )
        rating = ratings.rate_character(readings, confusion=confusion)
        found[slug] = np.array([rating.emotions[e].share for e in EMOTIONS])
    return found


def frames_of(path: Path) -> Iterator[Frame]:
    with av.open(str(path)) as film:
        for frame in film.decode(video=0):
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def written(path: Path, frames: Iterable[Frame], rate: Fraction, quality: int = 16) -> Path:
    with av.open(str(path), "w") as film:
        stream = None
        for picture in frames:
            if stream is None:
                stream = film.add_stream("libx264", rate=rate, options={"crf": str(quality), "preset": "fast"})
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        assert stream is not None
        film.mux(stream.encode(None))
    return path


def rate_of(path: Path) -> Fraction:
    with av.open(str(path)) as film:
        rate = film.streams.video[0].average_rate
        assert rate is not None
        return Fraction(rate)


TELLINGS: dict[str, Callable[[Path, Path], Path]] = {
    "mirrored": lambda a, b: written(b, (np.ascontiguousarray(f[:, ::-1]) for f in frames_of(a)), rate_of(a)),
    "encoded again": lambda a, b: written(b, frames_of(a), rate_of(a), 26),
    "every frame twice": lambda a, b: written(b, (f for g in frames_of(a) for f in (g, g)), 2 * rate_of(a)),
    "half the frames": lambda a, b: written(b, list(frames_of(a))[::2], rate_of(a) / 2),
    "backwards": lambda a, b: written(b, list(frames_of(a))[::-1], rate_of(a)),
}  # fmt: skip
