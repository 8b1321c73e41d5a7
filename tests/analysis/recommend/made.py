"""Catalogues of made-up features, and a look at all of them that lets everything through."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.recommend.features import BINS, KINDS, Catalogue, Features, Ints, catalogue_of


def made_features(rng: np.random.Generator, episode: int, series: int) -> Features:
    """Two characters of the series; shares that sum to 1 and intervals around them."""
    share = rng.dirichlet(np.full(KINDS, 1.2))
    half = rng.uniform(0.01, 0.15)
    first = rng.uniform(0.2, 0.8)
    arc = rng.dirichlet(8 * share + 0.05, size=BINS)
    return Features(
        episode=episode,
        series=series,
        duration_ms=int(rng.integers(120, 1500)) * 1000 + int(rng.integers(0, 1000)),
        readable_ms=int(rng.integers(60, 900)) * 1000,
        share=share,
        low=np.maximum(0.0, share - half),
        high=np.minimum(1.0, share + half),
        pace=float(rng.uniform(2, 30)),
        cast={2 * series: first * share, 2 * series + 1: (1 - first) * share},
        arc=arc,
    )


def made_catalogue(seed: int, episodes: int = 120, series: int = 12) -> Catalogue:
    rng = np.random.default_rng(seed)
    return catalogue_of([made_features(rng, 100 + i, int(rng.integers(series))) for i in range(episodes)])


def everything(ids: Ints) -> NDArray[np.bool_]:
    return np.ones(len(ids), dtype=bool)


def again(features: Features, episode: int, series: int, rng: np.random.Generator) -> Features:
    """A re-encode: as long to a frame, shares to half a point."""
    share = np.clip(features.share + rng.uniform(-0.004, 0.004, KINDS), 0, 1)
    return replace(features, episode=episode, series=series, duration_ms=features.duration_ms + 40, share=share)
