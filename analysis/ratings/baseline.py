"""What a character usually shows in its series, and how far a single episode is drawn toward it.

Empirical Bayes: the episodes of a series have shares that lie around a common baseline as a Dirichlet distribution of
some strength does. Strength and baseline are estimated from the series' other published episodes; an episode of which
little is known is then drawn far toward the baseline, one of which much is known hardly at all. Only the published
point is drawn. The interval is not: the exceptional episode is what a limit must not miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_EPISODES = 4  # others, from which a strength can be told
MOST_STRENGTH = 40.0  # in shots; episodes are never taken to be more alike than that
LEAST_WORTH = 1.0  # shots; an episode worth less says nothing of the series

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Peer:
    """Another episode: the character's corrected shares (k,) and how many shots they are worth."""

    run_id: int
    share: Floats
    worth: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """``share``: (k,), sums to 1. ``strength``: how many shots of this episode it counts for; 0 draws nothing."""

    share: Floats
    strength: float
    episodes: int


def baseline_of(peers: Sequence[Peer]) -> Baseline | None:
    """By moments; None where fewer than LEAST_EPISODES others say something.

    Between episodes, shares vary by ``b (1 - b) (r + (1 - r) / n)``: r = 1 / (strength + 1) for how unlike the episodes
    are, 1 / n for how well each is known. The spread among J episodes is divided by J - 3, not J - 1, as Morris (1983)
    does, so that few episodes draw little.
    """
    told = sorted((p for p in peers if p.worth >= LEAST_WORTH), key=lambda p: p.run_id)
    if len(told) < LEAST_EPISODES:
        return None
    table = np.stack([p.share for p in told])
    worth = np.array([p.worth for p in told])
    count = len(table)
    unlike = 1.0
    for _ in range(3):
        weights = 1.0 / (unlike + (1.0 - unlike) / worth)
        share = weights @ table / weights.sum()
        possible = float((share * (1.0 - share)).sum())
        if possible <= 0:
            return Baseline(share, MOST_STRENGTH, count)
        spread = float(((table - share) ** 2).sum()) / (count - 3)
        noise = float(np.mean(1.0 / worth))
        unlike = min(1.0, max(1.0 / (MOST_STRENGTH + 1.0), (spread / possible - noise) / max(1e-9, 1.0 - noise)))
    return Baseline(share, 1.0 / unlike - 1.0, count)


def shrink(share: Floats, worth: float, baseline: Baseline | None) -> Floats:
    """(k,) shares of an episode worth so many shots, drawn toward the baseline; as they are where there is none."""
    if baseline is None or baseline.strength <= 0:
        return share
    drawn: Floats = (worth * share + baseline.strength * baseline.share) / (worth + baseline.strength)
    return drawn
