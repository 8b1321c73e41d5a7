"""A random sample of shots and what people said of it. Pure: no database, no clock, no lot but a seed's.

Answers count once a person has answered every shot of the sample: who stops half-way may have stopped for a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analysis.layer import Says, Statement
from analysis.ratings import Checks, Readings, likeliest
from ml.types import EMOTIONS, UNCLEAR, Emotion

NOT_THEM = "not_them"
LABELS = (*map(str, EMOTIONS), UNCLEAR, NOT_THEM)
LEAST_PIECE_MS = 400  # a stretch shorter than this is not asked about on its own
MOST_OUTSIDE = 0.1  # of the readable time; where more of it could not be drawn, the sample says too little of the run

Piece = tuple[int, int, str]
Answers = Mapping[int, tuple[Piece, ...]]  # by place in the frame


@dataclass(frozen=True, slots=True)
class Sample:
    """``people``: the answers of everybody who answered all, the one who did so last at the end. ``base``: what was
    laid over the faces when the sample was drawn. ``frame``: [start_ms, end_ms) of the shots it was drawn from.
    """

    number: int
    character: str
    frame: tuple[tuple[int, int], ...]
    picked: tuple[int, ...]
    people: tuple[Answers, ...]
    base: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Faces:
    """One character's drawings in time order, all that are visible: (n,) each. ``settled``: people said what they show,
    or that it cannot be read.
    """

    middle_ms: NDArray[np.int64]
    shown_ms: NDArray[np.int64]
    settled: NDArray[np.bool_]


def draw(count: int, wanted: int, seed: int) -> list[int]:
    """Places of ``wanted`` of ``count`` shots in the order of asking, every set as likely as any other."""
    return [int(i) for i in np.random.default_rng(seed).choice(count, wanted, replace=False)]


def label_at(pieces: Sequence[Piece], at_ms: int) -> str | None:
    return next((label for start, end, label in pieces if start <= at_ms < end), None)


def main_label(pieces: Sequence[Piece]) -> str:
    """The label that takes most of the shot, the first of several equal ones."""
    times: Counter[str] = Counter()
    for start, end, label in pieces:
        times[label] += end - start
    return times.most_common(1)[0][0]


def settled(sample: Sample) -> Iterator[tuple[Statement, bool]]:
    """What the sample says of each stretch, and whether all said so. Most people decide; of as many, who was last."""
    for place in sorted(sample.picked):
        answers = [person[place] for person in sample.people]
        edges = sorted({edge for pieces in answers for start, end, _ in pieces for edge in (start, end)})
        for start, end in pairwise(edges):
            labels = [label for pieces in answers if (label := label_at(pieces, start)) is not None]
            counted = Counter(labels)
            most = max(counted.values())
            last = next(label for label in reversed(labels) if counted[label] == most)
            yield _statement(sample.character, start, end, last), len(counted) == 1


def _statement(character: str, start_ms: int, end_ms: int, label: str) -> Statement:
    if label == NOT_THEM:
        return Statement(start_ms, end_ms, character, None, Says.NOBODY, None, "")
    return Statement(start_ms, end_ms, character, None, Says.CHARACTER, character, label)


def checks_of(sample: Sample, base: Readings, seen: Faces, now: Readings, faces: Faces) -> Checks:
    """``base``, ``seen``: the character by the model and what had been corrected when the sample was drawn; ``now``,
    ``faces``: with everything that people said since. Only the former is compared with the sample, since what was
    corrected later was chosen by people who may have known it; the latter says what is sure.
    """
    said, outside = _by_shot(sample, base)
    k = len(base.emotions)
    truth = np.zeros((len(sample.picked), k))
    places = _places(sample.frame, seen.middle_ms)
    for row, place in enumerate(sample.picked):
        for i in np.flatnonzero(places == place):
            for person in sample.people:
                label = label_at(person[place], int(seen.middle_ms[i]))
                if label in base.emotions:
                    truth[row, base.emotions.index(Emotion(label))] += seen.shown_ms[i] / len(sample.people)
    agreed = ~_disputed(sample, now.pts_ms + now.shown_ms // 2)
    known = now.where(agreed & now.known if now.known is not None else agreed & False)
    unsettled = faces.shown_ms[~faces.settled & ~_disputed(sample, faces.middle_ms)]
    return Checks(
        said=said,
        picked=np.array(sample.picked, dtype=np.int64),
        truth=truth,
        outside_ms=outside,
        sure=known.shown_ms.astype(np.float64) @ known.probabilities,
        open_ms=float(unsettled.sum() + seen.shown_ms[_disputed(sample, seen.middle_ms)].sum()),
    )


def outside_share(checks: Checks) -> float:
    """Of the time read, how much lies in shots that could not be drawn."""
    whole = float(checks.said.sum()) + checks.outside_ms
    return checks.outside_ms / whole if whole else 0.0


def _by_shot(sample: Sample, base: Readings) -> tuple[NDArray[np.float64], float]:
    places = _places(sample.frame, base.pts_ms + base.shown_ms // 2)
    said = np.zeros((len(sample.frame), len(base.emotions)))
    timed = likeliest(base).probabilities * base.shown_ms[:, None]
    inside = places >= 0
    np.add.at(said, places[inside], timed[inside])
    return said, float(base.shown_ms[~inside].sum())


def _places(frame: Sequence[tuple[int, int]], at_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which shot of the frame holds each time; -1: none. Shots of a frame are in order and never overlap."""
    starts, ends = (np.array([shot[i] for shot in frame], dtype=np.int64) for i in (0, 1))
    found = np.searchsorted(starts, at_ms, side="right") - 1
    held = (found >= 0) & (at_ms < ends[np.maximum(found, 0)])
    return np.where(held, found, -1)


def _disputed(sample: Sample, middle_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) whether people said different things of the drawings with these middles."""
    found = np.zeros(len(middle_ms), dtype=np.bool_)
    for statement, agreed in settled(sample):
        if not agreed:
            found |= (middle_ms >= statement.start_ms) & (middle_ms < statement.end_ms)
    return found
