"""Series with their casts, and what each of them shows on average at every point of the series. Pure and seeded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.planted.words import names, series_titles
from ml.types import EMOTIONS

MOST_SERIES = 200
EPISODES_PER_SERIES = 25  # at least, so that small catalogues have few series
CAST = (2, 8)
LENGTHS_S = (240, 420, 660, 1_320)  # what an episode of a series lasts, about
SHARES = np.array([0.30, 0.10, 0.13, 0.10, 0.09, 0.05, 0.23])  # of all cartoons, in the order of EMOTIONS
LIKENESS = 6.0  # how like each other characters are (Dirichlet)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """``shares``: (cast, k) on average; ``drift`` and ``wave``: (cast, k), how that changes over the series, as the
    logarithm of a factor: in one direction, and up and down. ``episodes``: how many.
    """

    title: str
    year: int
    season_length: int
    length_ms: int
    episodes: int
    cast: tuple[str, ...]
    shares: Floats
    drift: Floats
    wave: Floats

    def mean(self, at: Floats) -> Floats:
        """(n, cast, k): the shares at points of the series, from 0, its beginning, to 1."""
        t = at[:, None, None]
        found: Floats = self.shares * np.exp(self.drift * (t - 0.5) + self.wave * np.sin(2 * np.pi * t))
        found /= found.sum(axis=2, keepdims=True)
        return found


def series_of(rng: np.random.Generator, episodes: int) -> list[Series]:
    """As many series as fit; some run for long and most do not."""
    count = max(1, min(MOST_SERIES, episodes // EPISODES_PER_SERIES))
    sizes = _sizes(rng, count, episodes)
    casts = rng.integers(CAST[0], CAST[1], size=count, endpoint=True)
    people = names(rng, int(casts.sum()))
    found = []
    for title, size, cast in zip(series_titles(rng, count), sizes, casts.tolist(), strict=True):
        members, people = people[:cast], people[cast:]
        found.append(_series(rng, title, size, tuple(members)))
    return found


def _sizes(rng: np.random.Generator, count: int, episodes: int) -> list[int]:
    weights = rng.lognormal(0.0, 0.6, count)
    sizes = np.maximum(1, np.floor(episodes * weights / weights.sum())).astype(int)
    sizes[int(sizes.argmax())] += episodes - int(sizes.sum())
    return [int(n) for n in sizes]


def _series(rng: np.random.Generator, title: str, episodes: int, cast: tuple[str, ...]) -> Series:
    k = len(EMOTIONS)
    return Series(
        title=title,
        year=int(rng.integers(1928, 2015)),
        season_length=int(rng.integers(8, 27)),
        length_ms=1000 * int(rng.choice(LENGTHS_S, p=[0.15, 0.45, 0.25, 0.15])),
        episodes=episodes,
        cast=cast,
        shares=rng.dirichlet(LIKENESS * SHARES, size=len(cast)) * 0.98 + 0.02 / k,
        drift=rng.normal(0.0, 0.6, (len(cast), k)),
        wave=rng.normal(0.0, 0.4, (len(cast), k)),
    )
