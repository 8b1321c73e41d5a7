"""How fast a run goes and how long it still takes, from what was measured of it. Pure: no clock, no database.

Rates are of film read per second by one worker at a time, over the last minutes in which somebody was at it; so a pause
does not make a run look slow. The time left comes with the range in which it lies nine times in ten, made from how much
the rate varied so far; where that says too little, there is no time left at all, and a word that says why.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import sqrt

WINDOW_S = 300.0
BLOCK_S = 5.0
LEAST_BLOCKS = 5
STALLED_S = 30.0
MOST_SPREAD = 0.5  # of the rate: with a wider range a number would say nothing
# However even it went so far, what comes may be otherwise: stretches of film of so many blocks differ by so much.
FILM_VARIES, FILM_BLOCKS, MOST_BY_FILM = 0.2, 8, 0.45
T_90 = 1.645  # half of the normal distribution's range of 90 %


class Unknown(StrEnum):
    """Why nobody can tell how long it takes."""

    TOO_SOON = "too_soon"
    NOBODY = "nobody"
    STALLED = "stalled"
    UNSTEADY = "unsteady"


@dataclass(frozen=True, slots=True)
class Sample:
    """At ``at_s``, so much film and so many drawings were read, and ``working`` segments were under way."""

    at_s: float
    done_ms: int
    drawings: int
    working: int


@dataclass(frozen=True, slots=True)
class Left:
    """Seconds; the truth lies between ``low_s`` and ``high_s`` nine times in ten."""

    seconds: float
    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class Pace:
    """``film``: seconds of film per second, ``drawings`` per second, by all workers together. None: not known."""

    film: float | None
    drawings: float | None
    left: Left | None
    unknown: Unknown | None


@dataclass(frozen=True, slots=True)
class _Block:
    seconds: float
    worked_s: float  # times those who worked
    film_ms: int
    drawings: int

    @property
    def rate(self) -> float:
        """Film milliseconds per second of one worker's time."""
        return self.film_ms / self.worked_s


def pace_of(samples: Sequence[Sample], now_s: float, under_way_ms: Sequence[int], waiting_ms: Sequence[int]) -> Pace:
    """``samples`` in order of time. ``under_way_ms``: what each segment that somebody holds still has to read;
    ``waiting_ms``: the lengths of those that wait, in order.
    """
    recent = [s for s in samples if now_s - s.at_s <= WINDOW_S]
    blocks = _blocks(recent)
    seconds = sum(b.seconds for b in blocks)
    film = sum(b.film_ms for b in blocks)
    film_rate = drawings_rate = None
    if seconds and film > 0:
        film_rate, drawings_rate = film / 1000 / seconds, sum(b.drawings for b in blocks) / seconds
    unknown = _unknown(recent, blocks, now_s, under_way_ms)
    left = None
    if unknown is None:
        left = _left(blocks, under_way_ms, waiting_ms)
        unknown = Unknown.UNSTEADY if left is None else None
    return Pace(film_rate, drawings_rate, left, unknown)


def _blocks(samples: Sequence[Sample]) -> list[_Block]:
    """Stretches of at least BLOCK_S each in which somebody was at it; what is left over at the end does not count."""
    found = []
    seconds = worked = 0.0
    film = drawings = 0
    for before, after in pairwise(samples):
        working = max(before.working, after.working) if min(before.working, after.working) == 0 else before.working
        step = after.at_s - before.at_s
        if step <= 0 or (before.working == 0 and after.working == 0) or step > STALLED_S:
            continue  # nobody was at it, or nobody told of it
        seconds, worked = seconds + step, worked + step * working
        film, drawings = film + after.done_ms - before.done_ms, drawings + max(0, after.drawings - before.drawings)
        if seconds >= BLOCK_S:
            found.append(_Block(seconds, worked, film, drawings))
            seconds = worked = 0.0
            film = drawings = 0
    return found


def _unknown(
    recent: Sequence[Sample], blocks: Sequence[_Block], now_s: float, under_way_ms: Sequence[int]
) -> Unknown | None:
    if not under_way_ms:
        return Unknown.NOBODY
    if len(blocks) < LEAST_BLOCKS:
        return Unknown.TOO_SOON
    moved = max((a.at_s for b, a in pairwise(recent) if a.done_ms > b.done_ms), default=None)
    if moved is None or now_s - moved > STALLED_S:
        return Unknown.STALLED
    return None


def _left(blocks: Sequence[_Block], under_way_ms: Sequence[int], waiting_ms: Sequence[int]) -> Left | None:
    worked = sum(b.worked_s for b in blocks)
    rate = sum(b.film_ms for b in blocks) / worked
    if rate <= 0:
        return None
    seconds = longest_way(under_way_ms, waiting_ms) / rate
    spread = _spread([b.rate for b in blocks], rate, seconds * len(blocks) / sum(b.seconds for b in blocks))
    if spread > MOST_SPREAD:
        return None
    return Left(seconds, seconds / (1 + spread), seconds / (1 - spread))


def _spread(rates: Sequence[float], mean: float, ahead: float) -> float:
    """Half of the range of the mean rate over the next ``ahead`` blocks, as a part of ``mean``.

    Two things are unsure: the mean of those seen, and how the next ones differ from it. Neighbouring blocks are alike
    (a crowd stays on the screen), so each says less than one drawn by lot.
    """
    n, ahead = len(rates), max(1.0, ahead)
    by_film = min(MOST_BY_FILM, T_90 * FILM_VARIES * sqrt(FILM_BLOCKS / n + FILM_BLOCKS / ahead))
    plain = sum(rates) / n
    variance = sum((r - plain) ** 2 for r in rates) / (n - 1)
    if variance == 0:
        return by_film
    alike = sum((a - plain) * (b - plain) for a, b in pairwise(rates)) / ((n - 1) * variance)
    alike = min(0.8, max(0.0, alike + 1 / n))  # the estimate from few blocks is too low
    together = (1 + alike) / (1 - alike)
    times = T_90 + 2.1 / (n - 1)  # Student's, near enough
    return max(by_film, times * sqrt(variance * together * (1 / n + 1 / ahead)) / mean)


def longest_way(under_way_ms: Sequence[int], waiting_ms: Sequence[int]) -> int:
    """Film that the busiest of those who work now has to read, where each takes the next segment as it gets free."""
    lanes = list(under_way_ms)
    heapq.heapify(lanes)
    for ms in waiting_ms:
        heapq.heappush(lanes, heapq.heappop(lanes) + ms)
    return max(lanes, default=0)
