"""An evening: episodes that fit in the time there is, from the liveliest to the calmest, the last one calm.

What is made as large as can be is the well spent time: the sum over episodes of length x quality, where quality is
exp(score - best score). At most two episodes of a series. It is a knapsack whose items come in groups, solved exactly
over the pool by going through the seconds; ``Evening.bound`` says what no choice from the whole catalogue can exceed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from analysis.recommend.features import Catalogue, Floats, Ints, Singles
from analysis.recommend.rank import MOST_PER_SERIES, Visible, once, pool_of

LONGEST_MS = 6 * 3_600_000
POOL_PER_SERIES = 4
POOL = 60

Step = tuple[list[tuple[int, ...]], NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class Evening:
    """``rows`` in the order of playing. ``worth``: well spent milliseconds; no choice has more than ``bound``."""

    rows: tuple[int, ...]
    total_ms: int
    worth: float
    bound: float


@dataclass(frozen=True, slots=True)
class NoEvening:
    """``code``: ``nothing_fits`` or ``no_calm_end``. ``shortest_ms``: the least time that would do, if any."""

    code: str
    shortest_ms: int | None


def evening_of(
    totals: Singles, catalogue: Catalogue, visible: Visible, allowed: NDArray[np.bool_], most_ms: int
) -> Evening | NoEvening:
    """``totals`` (n,): scores. Only rows that are allowed and ``visible`` are taken, each film once."""
    fits = allowed & (catalogue.duration_ms <= most_ms)
    calm = catalogue.calm >= catalogue.calm_enough
    pool = once(pool_of(totals, catalogue, visible, fits), catalogue)
    calm_ones = once(pool_of(totals, catalogue, visible, fits & calm, POOL // 3), catalogue)
    if not len(calm_ones):
        lengths = -catalogue.duration_ms.astype(np.float32)
        shortest = pool_of(lengths, catalogue, visible, allowed & calm, 1)
        needed = int(catalogue.duration_ms[shortest[0]]) if len(shortest) else None
        return NoEvening("no_calm_end" if len(pool) else "nothing_fits", needed)
    quality = np.exp(totals.astype(np.float64) - float(totals[pool].max()))
    return plan(_merged(pool, calm_ones, totals, catalogue), pool, quality, catalogue, most_ms)


def plan(taken: Ints, pool: Ints, quality: Floats, catalogue: Catalogue, most_ms: int) -> Evening:
    """The best evening from ``taken``, one of them calm and all of them short enough. ``quality`` (n,).

    ``pool``: the best rows there are, from the best down, that the bound is reckoned from.
    """
    worth = quality * catalogue.duration_ms
    chosen = _knapsack(
        [-(-int(catalogue.duration_ms[row]) // 1000) for row in taken],
        [float(worth[row]) for row in taken],
        [bool(catalogue.calm[row] >= catalogue.calm_enough) for row in taken],
        [int(catalogue.series[row]) for row in taken],
        most_ms // 1000,
    )
    rows = sorted((int(taken[i]) for i in chosen), key=lambda r: (float(catalogue.calm[r]), int(catalogue.episode[r])))
    return Evening(
        rows=tuple(rows),
        total_ms=int(sum(catalogue.duration_ms[row] for row in rows)),
        worth=float(sum(worth[row] for row in rows)),
        bound=_bound(pool, quality, catalogue, most_ms),
    )


def _merged(pool: Ints, calm_ones: Ints, totals: Singles, catalogue: Catalogue) -> Ints:
    """The POOL best with few of a series, and the calm ones; each film once, from the best down."""
    many: Counter[int] = Counter()
    best = []
    for row in pool.tolist():
        series = int(catalogue.series[row])
        many[series] += 1
        if many[series] <= POOL_PER_SERIES:
            best.append(row)
    rows = np.unique(np.array([*best[:POOL], *calm_ones.tolist()], dtype=np.int64))
    return once(rows[np.lexsort((catalogue.episode[rows], -totals[rows]))], catalogue)


def _knapsack(
    seconds: Sequence[int], worth: Sequence[float], calm: Sequence[bool], series: Sequence[int], most: int
) -> list[int]:
    """The places chosen: the largest sum of worth within ``most`` seconds, at most two of a series, one of them calm.

    ``best[c]`` (most + 1,): the largest worth within so many seconds, with (1) or without (0) a calm one.
    """
    groups: dict[int, list[int]] = {}
    for i, one in enumerate(series):
        if seconds[i] <= most:
            groups.setdefault(one, []).append(i)
    best = np.full((2, most + 1), -np.inf)
    best[0] = 0.0
    steps: list[Step] = []
    for members in groups.values():
        options = [o for k in range(1, MOST_PER_SERIES + 1) for o in combinations(members, k)]
        best, choice = _with_group(best, options, seconds, worth, calm, most)
        steps.append((options, choice))
    return _backwards(steps, seconds, most)


def _with_group(
    best: Floats,
    options: Sequence[tuple[int, ...]],
    seconds: Sequence[int],
    worth: Sequence[float],
    calm: Sequence[bool],
    most: int,
) -> tuple[Floats, NDArray[np.int32]]:
    """The table after one more series, and for each state: 0, or 1 + the option x 2 + the state before it."""
    after = best.copy()
    choice = np.zeros(best.shape, dtype=np.int32)
    for number, option in enumerate(options):
        long = sum(seconds[i] for i in option)
        if long > most:
            continue
        for before in (0, 1):
            state = 1 if before or any(calm[i] for i in option) else 0
            value = best[before, : most + 1 - long] + sum(worth[i] for i in option)
            better = value > after[state, long:]
            after[state, long:][better] = value[better]
            choice[state, long:][better] = 1 + 2 * number + before
    return after, choice


def _backwards(steps: Sequence[Step], seconds: Sequence[int], most: int) -> list[int]:
    state, left = 1, most
    chosen: list[int] = []
    for options, choice in reversed(steps):
        told = int(choice[state, left])
        if told:
            option = options[(told - 1) // 2]
            chosen += option
            left -= sum(seconds[i] for i in option)
            state = (told - 1) % 2
    return chosen


def _bound(pool: Ints, quality: Floats, catalogue: Catalogue, most_ms: int) -> float:
    """Time filled from the best down, each series for as long as two of its longest that fit: more than any choice."""
    fits = catalogue.duration_ms <= most_ms
    left, worth = float(most_ms), 0.0
    seen: set[int] = set()
    for row in pool.tolist():
        series = int(catalogue.series[row])
        if series not in seen:
            seen.add(series)
            longest = float(catalogue.duration_ms[fits & (catalogue.series == series)].max())
            part = min(left, MOST_PER_SERIES * longest)
            worth += part * float(quality[row])
            left -= part
        if left <= 0:
            break
    return worth + left * float(quality[pool[-1]])
