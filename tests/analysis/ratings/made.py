"""Readings for tests: of two emotions by hand, of a planted episode by lot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.ratings import Readings
from analysis.ratings.planted import Planted, plant
from ml.types import Emotion

EMOTIONS = (Emotion.HAPPY, Emotion.SAD)


def readings(happy: Sequence[float], *, per_shot: int = 10, shown_ms: int = 500) -> Readings:
    """Drawings of ``shown_ms`` each, one after the other, with that probability of *happy*."""
    p = np.array([[x, 1 - x] for x in happy], dtype=np.float64)
    n = len(happy)
    return Readings(EMOTIONS, p.reshape(n, 2), np.arange(n) * shown_ms, np.full(n, shown_ms), np.arange(n) // per_shot)


def episode(seed: int, shots: int = 20) -> Planted:
    return plant(np.random.default_rng(seed), shots=shots)


def taken(r: Readings, rows: np.ndarray) -> Readings:
    """The same drawings in the order of ``rows``."""
    return replace(
        r, probabilities=r.probabilities[rows], pts_ms=r.pts_ms[rows], shown_ms=r.shown_ms[rows], shot=r.shot[rows]
    )


def split(r: Readings, rows: np.ndarray) -> Readings:
    """The drawings at ``rows`` looked at twice: each becomes two rows that share its time."""
    twice = np.sort(np.concatenate([np.arange(len(r.pts_ms)), rows]))
    second = np.concatenate([[False], twice[1:] == twice[:-1]])
    halved = np.isin(twice, rows)
    first_ms = r.shown_ms[twice] // 2
    shown = np.where(halved, np.where(second, r.shown_ms[twice] - first_ms, first_ms), r.shown_ms[twice])
    return replace(taken(r, twice), pts_ms=r.pts_ms[twice] + np.where(second, first_ms, 0), shown_ms=shown)


def backwards(r: Readings) -> Readings:
    """The film played from its end."""
    end = int((r.pts_ms + r.shown_ms).max())
    turned = taken(r, np.arange(len(r.pts_ms))[::-1])
    return replace(turned, pts_ms=end - turned.pts_ms - turned.shown_ms, shot=r.shot.max() - turned.shot)
