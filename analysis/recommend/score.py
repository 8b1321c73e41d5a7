"""How well each episode fits what is wanted: a sum of named terms, which reasons are made of and nothing else.

A share is known within an interval, so its fit is an expectation: with mean m and variance v of the share and a wanted
share w, the mean of (x - w)² is (m - w)² + v, and of its half above or below w the same closed form cut at w. A vague
rating therefore fits worse than a sure one with the same share, and a sure near miss can be better than a vague hit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.recommend.features import BINS, Catalogue, Floats, Ints, Singles, normal_cdf
from analysis.recommend.taste import Wanted
from ml.types import EMOTIONS

FIT = 0.5  # of a Gaussian log-likelihood: expected squared miss over twice the spread
PACE_NEAR = 0.35  # in logarithms: paces that differ by 40 % are told apart
LENGTH_NEAR = 0.25
WORST = -8.0  # no single term may cost more, so that one emotion does not decide alone

TERMS = (*(str(e) for e in EMOTIONS), "pace", "length", "cast", "arc")


@dataclass(frozen=True, slots=True)
class Weights:
    """How much casts and arcs count beside shares; docs/recommendations.md tells how they were chosen.

    ``uncertain`` False takes every share as if it were known exactly; it is there to be compared with.
    """

    cast: float = 0.5
    arc: float = 3.0
    uncertain: bool = True


WEIGHTS = Weights()


@dataclass(frozen=True)
class Scores:
    """``total`` (n,) is the sum of ``terms``, each (n,) and 0 for a usual episode of the catalogue."""

    terms: Mapping[str, Singles]
    total: Singles

    def without(self, term: str) -> Singles:
        """The totals, were the term not counted."""
        rest = sum((values for name, values in self.terms.items() if name != term), np.zeros_like(self.total))
        return np.asarray(rest, dtype=np.float32)


def scores_of(wanted: Wanted, catalogue: Catalogue, weights: Weights = WEIGHTS) -> Scores:
    """Of every episode of the catalogue, also of those that are liked."""
    found: dict[str, Singles] = {}
    for i, emotion in enumerate(EMOTIONS):
        if wanted.known[i]:
            variance = catalogue.variance[i] if weights.uncertain else np.zeros_like(catalogue.variance[i])
            missed = expected_miss(catalogue.mean[i], variance, float(wanted.share[i]), int(wanted.side[i]))
            found[str(emotion)] = _centred(np.maximum(WORST, -FIT * missed / float(wanted.spread[i])))
    if wanted.pace is not None:
        found["pace"] = _ratio(np.maximum(catalogue.pace, 0.1), wanted.pace, PACE_NEAR)
    if wanted.duration_ms is not None:
        found["length"] = _ratio(catalogue.duration_ms, wanted.duration_ms, LENGTH_NEAR)
    if wanted.cast is not None:
        found["cast"] = _centred(weights.cast * cast_affinity(wanted.cast, catalogue))
    if wanted.arc is not None:
        found["arc"] = _centred(weights.arc * arc_affinity(wanted.arc, catalogue))
    total = sum(found.values(), np.zeros(len(catalogue), dtype=np.float32))
    return Scores(found, np.asarray(total, dtype=np.float32))


def expected_miss(mean: Singles | Floats, variance: Singles | Floats, wanted: float, side: int) -> Floats:
    """The mean of (x - w)² for x normal; with ``side`` -1 only of what is above w, with 1 only of what is below."""
    gap = (np.asarray(mean, dtype=np.float64) - wanted) * (-side or 1)
    square: Floats = np.asarray(gap * gap + variance, dtype=np.float64)
    if side == 0:
        return square
    deviation = np.sqrt(np.maximum(variance, 1e-10))
    z = gap / deviation
    density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    halved: Floats = np.maximum(0.0, square * normal_cdf(z) + gap * deviation * density)
    return halved


def cast_affinity(cast: Mapping[int, Floats], catalogue: Catalogue) -> Singles:
    """(n,) from 0 (nobody in common, or nothing) to 1: Bhattacharyya's, over character and emotion together."""
    found = np.zeros(len(catalogue), dtype=np.float32)
    for character, root in cast.items():
        theirs = catalogue.with_character(character)
        found[catalogue.member_row[theirs]] += catalogue.member_root[theirs] @ root.astype(np.float32)
    return found


def arc_affinity(arc: Floats, catalogue: Catalogue) -> Singles:
    """(n,) from 0 to 1: the mean over tenths of Bhattacharyya's affinity of what is shown in them."""
    return np.asarray(catalogue.arc @ arc.astype(np.float32) / BINS, dtype=np.float32)


def _ratio(values: Singles | Ints, wanted: tuple[float, int], near: float) -> Singles:
    """One-sided squared misses of logarithms."""
    target, side = wanted
    gap = np.maximum(0.0, (np.log(values) - np.log(max(target, 1e-9))) * -side)
    return _centred(np.maximum(WORST, -FIT * (gap / near) ** 2))


def _centred(values: Floats | Singles) -> Singles:
    """As single precision, 0 on average: what an episode has beyond a usual one."""
    mean = values.mean(dtype=np.float64) if len(values) else 0.0
    return np.asarray(values - mean, dtype=np.float32)
