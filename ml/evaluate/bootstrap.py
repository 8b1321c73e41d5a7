"""Intervals by resampling whole groups (shots, episodes), as frames of one shot are near-copies of each other.

A replicate draws as many groups as there are, with replacement; what it measures is weighted by how often each group
was drawn. Seeds are fixed: the same input gives the same interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

ROUNDS = 1000
SEED = 20210
LEVEL = 0.95
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def group_index(groups: Sequence[str]) -> Ints:
    """The number of each name, counted in the order of first appearance."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in groups], np.int64)


def frame_weights(groups: Sequence[str], rounds: int = ROUNDS, seed: int = SEED) -> Ints:
    """(rounds, frames): how often each frame counts in each replicate. Frames of one group count alike."""
    index = group_index(groups)
    count = int(index.max()) + 1 if len(index) else 0
    if count == 0:
        return np.zeros((rounds, 0), np.int64)
    drawn = np.random.default_rng(seed).multinomial(count, [1 / count] * count, size=rounds)
    return np.asarray(drawn[:, index], np.int64)


def interval(values: Sequence[float | None], level: float = LEVEL) -> tuple[float, float] | None:
    """The middle ``level`` of the replicates that measure something; None where fewer than half do."""
    real = np.array([v for v in values if v is not None and np.isfinite(v)], np.float64)
    if len(values) == 0 or len(real) < 2 or 2 * len(real) < len(values):
        return None
    low, high = np.quantile(real, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def figure(measure: Callable[[Ints], float | None], weights: Ints) -> dict[str, float | None]:
    """``measure`` of frame weights: the value with every frame once, and the bounds of its interval.

    One group alone says nothing about others: then there is no interval.
    """
    frames = weights.shape[1]
    value = measure(np.ones(frames, np.int64))
    varies = bool((weights != 1).any())
    bounds = interval([measure(w) for w in weights]) if varies else None
    low, high = bounds or (None, None)
    return {"value": rounded(value), "low": rounded(low), "high": rounded(high)}


def rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), digits)
