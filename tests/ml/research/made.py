"""Made-up faces whose features hold what they show: enough for every idea to be measured without drawing anything."""

from __future__ import annotations

import numpy as np

from ml.research.faces import Faces, joined
from ml.research.features import Features, Head, Reader
from ml.research.heads import Base
from ml.research.study import Measured, Study

WIDTH = 12
DIRECTIONS = np.random.default_rng(1).normal(size=(7, WIDTH))


def faces_of(show: str, shots: int, each: int, seed: int) -> Faces:
    rng = np.random.default_rng(seed)
    count = shots * each
    return Faces(
        np.zeros((count, 96, 96, 3), np.uint8),
        np.repeat(rng.permutation(np.arange(shots) % 7), each).astype(np.int64),
        np.full(count, show),
        np.repeat([f"{show}/{n}" for n in range(shots)], each),
        np.array([f"{show}/{'ab'[n % 2]}" for n in np.repeat(np.arange(shots), each)]),
        np.tile(np.arange(each), shots).astype(np.int64),
        rng.normal(size=(count, 19)).astype(np.float32),
    )


def measured(name: str, faces: Faces, head: Head, offset: float = 0.0, noise: float = 0.6) -> Measured:
    """``offset``: how far every character of the show lies off what the head knows."""
    rng = np.random.default_rng(2)
    x = DIRECTIONS[faces.emotion] + noise * rng.normal(size=(len(faces), WIDTH))
    for number, who in enumerate(sorted(set(faces.character.tolist()))):
        x[faces.character == who] += offset * np.roll(DIRECTIONS[3], number)
    return Measured(name, faces, Features(x, head(x), faces.parts.astype(np.float64)))


def study(offset: float = 0.0, noise: float = 0.6) -> Study:
    head = Head(DIRECTIONS.copy(), -0.5 * (DIRECTIONS**2).sum(1))
    replay = measured("replay", faces_of("replay", 70, 4, 3), head)
    base = Base(head, 1.0, replay.seen.features, replay.faces.emotion)
    shows = measured("shows", joined_shows(), head, offset, noise)
    reader = Reader("made", head, 1.0, lambda crops: replay.seen)
    return Study(reader, base, replay, shows, (shows,))


def joined_shows() -> Faces:
    return joined([faces_of(name, 14, 6, seed) for seed, name in enumerate(("one", "two"))])
