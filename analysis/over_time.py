"""How much of an emotion a face shows, stretch by stretch, and how well that is known. Pure.

A drawing that is read as happy with 0.9 is something else one time in ten, by the model's own word; drawings of one
shot share that mistake, drawings of different shots do not. The band is what that leaves open, 95 times of 100. It does
not know of mistakes that the model is sure of: the range of the whole episode does (``analysis.ratings.interval``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

STRETCH_MS = 4_000  # of a stretch, where that makes neither too few of them nor too many
FEWEST, MOST = 10, 90
WIDE = 1.96


@dataclass(frozen=True, slots=True)
class Stretch:
    """``share`` in [low, high] of ``readable_ms``; all None where the face cannot be read."""

    start_ms: int
    end_ms: int
    readable_ms: int
    share: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Drawings:
    """One character's readable drawings: (n,) each. ``probability``: of the emotion. ``shot``: its number."""

    middle_ms: NDArray[np.int64]
    shown_ms: NDArray[np.int64]
    shot: NDArray[np.int64]
    probability: NDArray[np.float64]


def edges_of(duration_ms: int) -> list[int]:
    """Where stretches begin, and where the last ends; all are as long, to a millisecond."""
    count = min(MOST, max(FEWEST, round(duration_ms / STRETCH_MS)))
    return [duration_ms * i // count for i in range(count + 1)]


def stretches(drawings: Drawings, edges: Sequence[int]) -> tuple[Stretch, ...]:
    """One for each pair of neighbouring edges. What lies outside of them is left out."""
    place = np.searchsorted(np.asarray(edges), drawings.middle_ms, side="right") - 1
    found = []
    for i, (start, end) in enumerate(pairwise(edges)):
        here = place == i
        weight = drawings.shown_ms[here].astype(np.float64)
        whole = float(weight.sum())
        if whole <= 0:
            found.append(Stretch(start, end, 0))
            continue
        p = drawings.probability[here]
        share = float(weight @ p) / whole
        doubt = WIDE * _deviation(weight, p, drawings.shot[here]) / whole
        found.append(Stretch(start, end, int(whole), share, max(0.0, share - doubt), min(1.0, share + doubt)))
    return tuple(found)


def _deviation(weight: NDArray[np.float64], p: NDArray[np.float64], shot: NDArray[np.int64]) -> float:
    """Of the time that the emotion takes, in the unit of the weights."""
    by_shot = np.zeros(int(shot.max()) + 1)
    np.add.at(by_shot, shot, weight * np.sqrt(p * (1.0 - p)))
    return float(np.sqrt((by_shot**2).sum()))
