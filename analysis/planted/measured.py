"""The numbers that a run would have found for planted episodes, as arrays. Pure.

Shares, scores, spans and best spans follow from the stretches as in ``analysis.ratings``. The intervals are an
approximation, because a bootstrap for every character of 100,000 episodes takes hours; episodes whose detections are
planted too get theirs from the real arithmetic (``services.planting``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.planted.episodes import Episodes, Flags, Floats, Ints
from analysis.ratings import LOW_READS_ZERO, Needed
from analysis.ratings.scenes import SCENE_LEAST_MS, SCENE_PRIOR, SCENE_TAU_S
from ml.timeline import SPAN_LEAST_MS
from ml.types import EMOTIONS

K = len(EMOTIONS)
SHOTS_PER_STRETCH = 4
UNSEEN = 1.3  # shots: how far one that was not seen can move a share, at most


@dataclass(frozen=True, slots=True)
class Measured:
    """(appearances, k) and (pairs, k) where there is an emotion. ``scored``: appearances that are seen long enough.

    ``best``: index of the clearest stretch of an appearance and emotion, -1 where there is none; ``span``: which
    stretches are spans; ``longest_ms``, ``peak``: of a pair and emotion; peak is a stretch or -1.
    """

    visible_ms: Ints
    readable_ms: Ints
    share: Floats
    baseline: Floats
    score: Floats
    best: Ints
    scored: Flags
    span: Flags
    pair_visible_ms: Ints
    pair_readable_ms: Ints
    raw: Floats
    decided: Floats
    low: Floats
    high: Floats
    enough: Flags
    shots: Ints
    runs_per_minute: Floats
    longest_ms: Ints
    peak: Ints


def measure(found: Episodes, needed: Needed) -> Measured:
    length = found.end_ms - found.start_ms
    pair = found.appearance_pair[found.stretch_appearance]
    appearances, pairs = len(found.appearance_pair), len(found.pair_episode)
    span = length >= SPAN_LEAST_MS
    own = length * found.strength
    readable, share = _shares(found.stretch_appearance, found.emotion, length, own, appearances)
    pair_readable, raw = _shares(pair, found.emotion, length, own, pairs)
    _, decided = _shares(pair, found.emotion, length, length.astype(float), pairs)
    visible = np.round(readable / found.clear[found.appearance_pair]).astype(np.int64)
    shots = SHOTS_PER_STRETCH * np.bincount(pair, minlength=pairs)
    low, high = _bounds(decided, shots * found.fine)
    widest = ((high - low) / 2).max(axis=1)
    keys = pair[span] * K + found.emotion[span]
    longest = np.zeros(pairs * K, np.int64)
    np.maximum.at(longest, keys, length[span])
    minutes = np.maximum(pair_readable, 1)[:, None] / 60_000
    return Measured(
        visible_ms=visible,
        readable_ms=readable,
        share=share,
        baseline=raw[found.appearance_pair],
        score=_score(share, readable),
        best=_surest(found.stretch_appearance * K + found.emotion, own, span, appearances * K),
        scored=readable >= SCENE_LEAST_MS,
        span=span,
        pair_visible_ms=np.bincount(found.appearance_pair, visible, pairs).astype(np.int64),
        pair_readable_ms=pair_readable,
        raw=raw,
        decided=decided,
        low=low,
        high=high,
        enough=(pair_readable >= needed.readable_ms) & (shots >= needed.shots) & (widest <= needed.half_width),
        shots=shots,
        runs_per_minute=np.bincount(keys, minlength=pairs * K).reshape(pairs, K) / minutes,
        longest_ms=longest.reshape(pairs, K),
        peak=_surest(pair * K + found.emotion, found.strength, span, pairs * K),
    )


def _shares(group: Ints, emotion: Ints, length: Ints, own: Floats, groups: int) -> tuple[Ints, Floats]:
    """(groups,) time and (groups, k) shares of it: ``own`` of each stretch is its emotion's, the rest even."""
    time = np.bincount(group, length, groups)
    even = np.bincount(group, (length - own) / (K - 1), groups)
    mine = np.bincount(group * K + emotion, own - (length - own) / (K - 1), groups * K).reshape(groups, K)
    return time.astype(np.int64), np.clip((mine + even[:, None]) / np.maximum(time, 1)[:, None], 0.0, 1.0)


def _score(share: Floats, readable_ms: Ints) -> Floats:
    """``ratings.lower_bound`` for many at once, shrunken toward an even share."""
    n = readable_ms[:, None] / 1000 / SCENE_TAU_S
    shrunk = (n * share + SCENE_PRIOR / K) / (n + SCENE_PRIOR)
    score: Floats = np.maximum(0.0, shrunk - np.sqrt(shrunk * (1 - shrunk) / (n + SCENE_PRIOR + 1)))
    return score


def _bounds(share: Floats, worth: Floats) -> tuple[Floats, Floats]:
    """About as wide as the real ones: by how many shots a share is known."""
    n = np.maximum(worth, 1.0)[:, None] + 1
    half = 1.96 * np.sqrt(share * (1 - share) / n)
    low = np.maximum(0.0, share - half - UNSEEN / n)
    return np.where(low < LOW_READS_ZERO, 0.0, low), np.minimum(1.0, share + half + UNSEEN / n)


def _surest(keys: NDArray[np.int64], weight: Floats, span: Flags, size: int) -> Ints:
    """Per key the index of the span with the highest weight, the first of equal ones; -1 without any."""
    order = np.lexsort((-np.arange(len(keys)), weight))
    order = order[span[order]]
    best = np.full(size, -1, np.int64)
    best[keys[order]] = order
    return best
