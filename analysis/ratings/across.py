"""A character over many episodes: what is usual, how far episodes differ, which are exceptions, how a feeling runs.

Random effects: each episode has a share of its own, which lies around the character's mean with some spread between
episodes, and is measured with an error that its worth in shots gives. The spread is estimated by DerSimonian and Laird
(1986), the interval of the mean by Hartung and Knapp (2001), which holds for few episodes too, where the ordinary one
is far too narrow. The usual range is where 95 of 100 further episodes would lie (Higgins et al. 2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_EPISODES = 3  # from which a mean has an interval
LEAST_OTHERS = 4  # from which one more episode can be called an exception
LEAST_PART = 0.01  # a mean this close to 0 or 1 is taken to vary as this one does
TENTHS = 10

# The 97.5 % point of Student's t for 1, 2, ... degrees of freedom.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
      2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045,
      2.042)  # fmt: skip

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EpisodeShare:
    """One emotion of a character in one episode: the share measured there, its interval, its worth in shots."""

    episode_id: int
    share: float
    low: float
    high: float
    worth: float


@dataclass(frozen=True, slots=True)
class Across:
    """``share`` with [low, high]: the mean over episodes; None in the bounds: too few episodes to say.

    ``usual_low``, ``usual_high``: where 95 of 100 episodes lie. ``spread``: standard deviation between episodes, beyond
    what measuring explains. ``unlike``: the part of all variation that is between episodes, in [0, 1].
    ``exceptions``: episodes whose interval lies wholly outside what the others make usual.
    """

    episodes: int
    share: float
    low: float | None
    high: float | None
    usual_low: float | None
    usual_high: float | None
    spread: float
    unlike: float
    exceptions: tuple[int, ...]


def t_of(freedom: int) -> float:
    """The 97.5 % point of Student's t; of 30 and more to three digits."""
    if freedom < 1:
        raise ValueError("there is no t distribution with less than one degree of freedom")
    return _T[freedom - 1] if freedom <= len(_T) else 1.96 + 2.46 / freedom


def pool(episodes: Sequence[EpisodeShare]) -> Across:
    """One emotion over all episodes. Raises ValueError where there is none."""
    if not episodes:
        raise ValueError("there is no episode to pool")
    mean = _mean(episodes)
    exceptions = []
    for i, one in enumerate(episodes):
        others = [*episodes[:i], *episodes[i + 1 :]]
        if len(others) >= LEAST_OTHERS:
            usual = _mean(others).usual
            if usual is not None and (one.low > usual[1] or one.high < usual[0]):
                exceptions.append(one.episode_id)
    low, high = mean.interval or (None, None)
    usual_low, usual_high = mean.usual or (None, None)
    return Across(
        len(episodes), mean.share, low, high, usual_low, usual_high, mean.spread, mean.unlike, tuple(exceptions)
    )


@dataclass(frozen=True, slots=True)
class _Mean:
    share: float
    spread: float
    unlike: float
    interval: tuple[float, float] | None
    usual: tuple[float, float] | None


def _mean(episodes: Sequence[EpisodeShare]) -> _Mean:
    share = np.array([e.share for e in episodes])
    worth = np.maximum(np.array([e.worth for e in episodes]), 1.0)
    count = len(episodes)
    centre = float(worth @ share / worth.sum())
    # Every episode's error is taken from the common mean: one that measured 0 is not known without error.
    part = min(max(centre, LEAST_PART), 1.0 - LEAST_PART)
    error = part * (1.0 - part) / worth
    between, unlike = _between(share, error)
    weights = 1.0 / (error + between)
    mean = float(weights @ share / weights.sum())
    if count < LEAST_EPISODES:
        return _Mean(mean, float(between**0.5), unlike, None, None)
    variance = float(weights @ (share - mean) ** 2 / ((count - 1) * weights.sum()))
    half = t_of(count - 1) * max(variance, 1e-12) ** 0.5
    usual = t_of(count - 2) * (between + variance) ** 0.5
    return _Mean(mean, float(between**0.5), unlike, _unit(mean, half), _unit(mean, usual))


def _between(share: Floats, error: Floats) -> tuple[float, float]:
    """Variance between episodes, and its part of all variation (I squared)."""
    if len(share) < 2:
        return 0.0, 0.0
    weights = 1.0 / error
    mean = weights @ share / weights.sum()
    q = float(weights @ (share - mean) ** 2)
    free = len(share) - 1
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    return max(0.0, (q - free) / scale), max(0.0, (q - free) / q) if q > 0 else 0.0


def _unit(middle: float, half: float) -> tuple[float, float]:
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Piece:
    """What is shown in [start, end) of an episode, both in [0, 1] of its length: ``share`` of ``readable_ms``."""

    start: float
    end: float
    readable_ms: float
    share: float


@dataclass(frozen=True, slots=True)
class ArcPoint:
    """The mean over episodes of the share in one tenth; bounds None where too few episodes show the face there."""

    share: float | None
    low: float | None
    high: float | None
    episodes: int


def arc(episodes: Sequence[Sequence[Piece]]) -> tuple[ArcPoint, ...]:
    """How a feeling runs over an episode's time, in TENTHS parts; each episode counts the same."""
    table = np.array([_tenths(pieces) for pieces in episodes]).reshape(-1, TENTHS)
    return tuple(_arc_point(table[~np.isnan(table[:, i]), i]) for i in range(TENTHS))


def _tenths(pieces: Sequence[Piece]) -> Floats:
    """(TENTHS,) shares of one episode; NaN where the face is not read. A piece counts in each tenth that it touches."""
    shown, read = np.zeros(TENTHS), np.zeros(TENTHS)
    edges = np.linspace(0.0, 1.0, TENTHS + 1)
    for piece in pieces:
        length = max(piece.end - piece.start, 1e-9)
        inside = np.clip(np.minimum(edges[1:], piece.end) - np.maximum(edges[:-1], piece.start), 0.0, None) / length
        read += inside * piece.readable_ms
        shown += inside * piece.readable_ms * piece.share
    found: Floats = np.where(read > 0, shown / np.where(read > 0, read, 1.0), np.nan)
    return found


def _arc_point(column: Floats) -> ArcPoint:
    count = len(column)
    if count == 0:
        return ArcPoint(None, None, None, 0)
    mean = float(column.mean())
    if count < LEAST_EPISODES:
        return ArcPoint(mean, None, None, count)
    low, high = _unit(mean, t_of(count - 1) * float(column.std(ddof=1)) / count**0.5)
    return ArcPoint(mean, low, high, count)
