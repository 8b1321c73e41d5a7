"""Intervals that were measured beside ours and not taken. For ``python -m analysis.ratings.coverage`` alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from analysis.ratings.confusion import Confusion, correct
from analysis.ratings.interval import DRAWS, bounds, concentration, corrected, redrawn
from analysis.ratings.planted import LIKENESS, SERIES
from analysis.ratings.readings import Readings, ShotTotals, likeliest, shares, shot_totals

Z = 1.959964
FRAMES_PER_SECOND = 24

Floats = NDArray[np.float64]


def frame_counting(readings: Readings) -> Floats:
    """(k, 2): the naive one. Wilson's interval with every frame as an independent witness, and nothing corrected."""
    said = shares(likeliest(readings))
    frames = readings.readable_ms * FRAMES_PER_SECOND / 1000
    middle = (said + Z**2 / (2 * frames)) / (1 + Z**2 / frames)
    half = Z / (1 + Z**2 / frames) * np.sqrt(said * (1 - said) / frames + Z**2 / (4 * frames**2))
    return np.stack([middle - half, middle + half], axis=1)


def all_of(readings: Readings, confusion: Confusion, seed: int = 0) -> Mapping[str, Floats]:
    """(k, 2) bounds by the name of each alternative."""
    totals = shot_totals(likeliest(readings))
    rng = np.random.default_rng(seed)
    point = corrected(readings, confusion)
    matrices = confusion.draw(rng, DRAWS)
    middle = np.broadcast_to(confusion.mean(), matrices.shape)
    resampled = _with_replacement(totals, rng)
    percentile = bounds(correct(resampled, matrices), point)
    weighted = redrawn(totals, np.random.default_rng(seed))
    plain = redrawn(totals, np.random.default_rng(seed), shape=1.0)
    no_unseen = redrawn(totals, np.random.default_rng(seed), unseen_shots=0.0)
    ours = correct(weighted, matrices)
    return {
        "percentile": percentile,
        "percentile, matrix as if known": bounds(correct(resampled, middle), point),
        "percentile, not corrected": bounds(resampled, shares(likeliest(readings))),
        "basic": np.clip(2 * point[:, None] - percentile[:, ::-1], 0.0, 1.0),
        "t, widened by sqrt(n/(n-1)) and t/z": _widened(percentile, point, totals.worth),
        "ours, matrix as if known": bounds(correct(weighted, middle), point),
        "ours, weights of shape 1": bounds(correct(plain, matrices), point),
        "ours, no unseen shot": bounds(correct(no_unseen, matrices), point),
        "ours, drawn toward the series": _drawn(ours, rng),
        "ours, errors alone": _errors_alone(bounds(ours, point), point, confusion.mean()),
    }


def _with_replacement(totals: ShotTotals, rng: np.random.Generator) -> Floats:
    m = len(totals.weight)
    counts = rng.multinomial(m, np.full(m, 1 / m), size=DRAWS)
    drawn: Floats = (counts @ totals.shown) / (counts @ totals.weight)[:, None]
    return drawn


def _widened(found: Floats, point: Floats, worth: float) -> Floats:
    by = float(np.sqrt(worth / max(worth - 1, 0.5))) * t_quantile(worth - 1) / Z
    return _stretched(found, point, np.full(len(point), by))


def _stretched(found: Floats, point: Floats, by: Floats) -> Floats:
    """The ends moved away from the point by these factors (k,), or toward it."""
    ends: Floats = np.clip(point[:, None] + by[:, None] * (found - point[:, None]), 0.0, 1.0)
    return ends


def t_quantile(freedom: float) -> float:
    """97.5 % point of Student's t by the Cornish-Fisher expansion; within 0.5 % from 4 degrees of freedom on."""
    v, z = max(freedom, 1.5), Z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / v + second / v**2 + third / v**3


def _drawn(ours: Floats, rng: np.random.Generator) -> Floats:
    """As an empirical Bayesian would, who even knows the series exactly: each draw with one of another episode."""
    other = rng.dirichlet(LIKENESS * SERIES, size=len(ours))
    worth = concentration(ours)
    drawn = (worth * ours + LIKENESS * other) / (worth + LIKENESS)
    return bounds(drawn, drawn.mean(axis=0))


def _errors_alone(found: Floats, point: Floats, matrix: Floats) -> Floats:
    """For what this cut shows: only the model's errors are uncertain, not which shots there are.

    The bootstrap spread, cut down to the part that the matrix gives to errors when a shot has one error in common.
    """
    inverse = np.linalg.pinv(matrix)
    said = point @ matrix
    whole = np.diag(said) - np.outer(said, said)
    errors = sum(p * (np.diag(row) - np.outer(row, row)) for p, row in zip(point, matrix, strict=True))
    part = np.diag(inverse.T @ errors @ inverse) / np.maximum(np.diag(inverse.T @ whole @ inverse), 1e-12)
    return _stretched(found, point, np.sqrt(np.clip(part, 0.0, 1.0)))
