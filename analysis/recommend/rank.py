"""From scores to a short list: the best few of each series, no re-encodes, and not all alike.

Diversity is by maximal marginal relevance: of what is left, next comes whatever has the highest score after taking off
ALIKE for how like it is to the nearest one listed above it. Ties go to the lower id, so equal inputs give equal lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.recommend.features import BINS, Catalogue, Floats, Ints, Singles
from analysis.recommend.score import Scores

MOST_PER_SERIES = 2
PER_SERIES_IN_POOL = 10
POOL = 300
ALIKE = 0.5  # in units of the score
ALIKE_SHARES = 0.10  # shares that differ by this in all are not alike any more
SAME_LENGTH = 0.01
SAME_SHARE = 0.01  # a re-encode moves no rating by more than half a point
SAME_ARC = 0.97
SAME_CAST = 0.97

Visible = Callable[[Ints], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Pick:
    """``row`` in the catalogue; ``alike``: how like (0 to 1) it is to the nearest pick above it."""

    row: int
    score: float
    alike: float


def pool_of(
    scores: Singles, catalogue: Catalogue, visible: Visible, allowed: NDArray[np.bool_], size: int = POOL
) -> Ints:
    """Rows from the best down, at most PER_SERIES_IN_POOL of a series, that are allowed and may be seen.

    ``visible`` is asked about the ids of episodes, in growing portions, until there are ``size`` rows or none are left.
    """
    candidates = np.flatnonzero(allowed)
    kept: list[Ints] = []
    many: Counter[int] = Counter()
    found, begin, portion = 0, 0, 2 * size
    while found < size and begin < len(candidates):
        rows = _from(scores, catalogue, candidates, begin, begin + portion)
        begin, portion = begin + portion, portion * 4
        rows = rows[visible(catalogue.episode[rows])]
        rows = rows[_first_of_series(catalogue.series[rows], many)]
        many.update(catalogue.series[rows].tolist())
        kept.append(rows)
        found += len(rows)
    return np.concatenate(kept)[:size] if kept else np.zeros(0, dtype=np.int64)


def _from(scores: Singles, catalogue: Catalogue, candidates: Ints, begin: int, end: int) -> Ints:
    """Candidates ``begin`` to ``end`` in the order (score down, id up)."""
    mine = scores[candidates]
    if end < len(candidates):
        edge = np.partition(mine, len(mine) - end)[len(mine) - end]
        candidates = candidates[mine >= edge]
    order = np.lexsort((catalogue.episode[candidates], -scores[candidates]))
    return candidates[order][begin:end]


def _first_of_series(series: Ints, many: Counter[int]) -> NDArray[np.bool_]:
    """Which come before their series has had its number; ``many``: how many it had already."""
    seen = Counter(many)
    keep = np.zeros(len(series), dtype=bool)
    for place, one in enumerate(series.tolist()):
        keep[place] = seen[one] < PER_SERIES_IN_POOL
        seen[one] += 1
    return keep


def picks_of(
    scores: Scores, pool: Ints, catalogue: Catalogue, count: int, *, liked: Sequence[int] = (), alike: float = ALIKE
) -> list[Pick]:
    """At most ``count`` of the pool, at most MOST_PER_SERIES of a series, none the same as another or as one liked.

    ``liked``: rows. ``alike`` 0: by score alone.
    """
    rows = once(pool, catalogue, liked)
    if not len(rows):
        return []
    total = scores.total[rows].astype(np.float64)
    series = catalogue.series[rows]
    shares, arcs = catalogue.mean[:, rows], catalogue.arc[rows]
    near = np.zeros(len(rows))
    open_ = np.ones(len(rows), dtype=bool)
    many: Counter[int] = Counter()
    picks: list[Pick] = []
    while len(picks) < count and open_.any():
        value = np.where(open_, total - alike * near, -np.inf)
        best = int(np.argmax(value))  # the pool is in order, so the first of equals has the lower id
        picks.append(Pick(int(rows[best]), float(total[best]), float(near[best])))
        open_[best] = False
        many[int(series[best])] += 1
        if many[int(series[best])] >= MOST_PER_SERIES:
            open_ &= series != series[best]
        near = np.maximum(near, likeness(shares, arcs, best))
    return picks


def likeness(shares: Singles, arcs: Singles, one: int) -> Floats:
    """(m,) 0 to 1, of (7, m) shares and (m, 70) arcs: 1 where both equal those of ``one``, 0 where either is far."""
    gap = ((shares - shares[:, [one]]) ** 2).sum(axis=0)
    like: Floats = np.exp(-gap / (2 * ALIKE_SHARES**2)) * np.clip(arcs @ arcs[one] / BINS, 0, 1)
    return like


def once(pool: Ints, catalogue: Catalogue, liked: Sequence[int] = ()) -> Ints:
    """The pool without what is the same film as one liked, or as one that comes before it in the pool.

    The same: as long, the same shares, the same course over time and the same cast, as near as a re-encode keeps them.
    """
    rows = np.concatenate([np.asarray(liked, dtype=np.int64), pool])
    lengths = catalogue.duration_ms[rows].astype(np.float64)
    near = np.abs(lengths[:, None] - lengths) <= np.maximum(1000.0, SAME_LENGTH * lengths[:, None])
    for column in catalogue.mean[:, rows]:
        near &= np.abs(column[:, None] - column) <= SAME_SHARE
    dropped = np.zeros(len(rows), dtype=bool)
    for first, second in zip(*np.nonzero(np.triu(near, 1)), strict=True):
        if not dropped[first] and not dropped[second] and second >= len(liked):
            dropped[second] = is_same(catalogue, int(rows[first]), int(rows[second]))
    kept: Ints = rows[len(liked) :][~dropped[len(liked) :]]
    return kept


def is_same(catalogue: Catalogue, one: int, other: int) -> bool:
    """Whether the courses over time and the casts are, too, what a re-encode keeps."""
    ours, theirs = catalogue.arc[one], catalogue.arc[other]
    if float(ours @ theirs) < SAME_ARC * max(float(ours @ ours), float(theirs @ theirs)):
        return False
    mine, yours = catalogue.cast_of(one), catalogue.cast_of(other)
    return sum(float(np.sqrt(part) @ np.sqrt(yours[c])) for c, part in mine.items() if c in yours) >= SAME_CAST
