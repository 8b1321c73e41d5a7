"""The arithmetic of ratings, in this one place. Pure: arrays and dataclasses in, dataclasses out; seeded.

The unit is one distinct drawing of one face, weighted by the milliseconds it is shown; the denominator is the time in
which the face can be read. Uncertainty comes from resampling whole shots, because the drawings of a shot look alike
and share their errors: counting every frame as independent gives intervals that cover 30 % where they claim 95 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ml.timeline import Span, find_spans
from ml.types import Emotion

ENOUGH_READABLE_MS = 20_000
ENOUGH_SHOTS = 8
ENOUGH_HALF_WIDTH = 0.15
BOOTSTRAP_DRAWS = 400
LOW_READS_ZERO = 0.02
SCENE_TAU_S = 5.0
SCENE_PRIOR = 4.0
SCENE_LEAST_MS = 1_500


@dataclass(frozen=True, slots=True)
class Readings:
    """One character's readable drawings in time order.

    ``probabilities``: (n, k), rows sum to 1; ``pts_ms``, ``shown_ms``, ``shot``: (n,) integers.
    """

    emotions: tuple[Emotion, ...]
    probabilities: NDArray[np.float64]
    pts_ms: NDArray[np.int64]
    shown_ms: NDArray[np.int64]
    shot: NDArray[np.int64]

    def between(self, start_ms: int, end_ms: int) -> Readings:
        """The drawings that begin in [start_ms, end_ms)."""
        keep = (self.pts_ms >= start_ms) & (self.pts_ms < end_ms)
        return Readings(
            self.emotions, self.probabilities[keep], self.pts_ms[keep], self.shown_ms[keep], self.shot[keep]
        )

    @property
    def readable_ms(self) -> int:
        return int(self.shown_ms.sum())


@dataclass(frozen=True, slots=True)
class EmotionRating:
    """``share`` of the readable time with its 95 % interval [low, high]; ``longest`` and ``peak`` spans or None."""

    share: float
    low: float
    high: float
    runs_per_minute: float
    longest: Span | None
    peak: Span | None


@dataclass(frozen=True, slots=True)
class CharacterRating:
    """``enough``: whether the evidence carries a published rating at all."""

    readable_ms: int
    drawings: int
    shots: int
    enough: bool
    emotions: Mapping[Emotion, EmotionRating] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SceneScore:
    """A scene's standing for one emotion of one character; ``score`` is the shrunken lower bound."""

    visible_ms: int
    readable_ms: int
    share: float
    baseline: float
    score: float
    best: Span | None


def shares(readings: Readings) -> NDArray[np.float64]:
    """(k,) shares of the readable time; zeros where nothing was read."""
    total = readings.shown_ms.sum()
    if total == 0:
        return np.zeros(len(readings.emotions))
    weighted: NDArray[np.float64] = readings.shown_ms.astype(np.float64) @ readings.probabilities
    return weighted / float(total)


def share_intervals(readings: Readings, seed: int = 0) -> NDArray[np.float64]:
    """(k, 2) bounds of the shares at 95 %, by resampling whole shots; [0, 1] where fewer than two shots are seen."""
    k = len(readings.emotions)
    groups = np.unique(readings.shot)
    if len(groups) < 2:
        return np.tile(np.array([0.0, 1.0]), (k, 1))
    member = (readings.shot[:, None] == groups[None, :]).astype(np.float64) * readings.shown_ms[:, None]
    weight = member.sum(axis=0)
    total = member.T @ readings.probabilities
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=BOOTSTRAP_DRAWS)
    drawn = (counts @ total) / (counts @ weight)[:, None]
    bounds: NDArray[np.float64] = np.quantile(drawn, [0.025, 0.975], axis=0).T
    bounds[:, 0] = np.where(bounds[:, 0] < LOW_READS_ZERO, 0.0, bounds[:, 0])
    return np.clip(bounds, 0.0, 1.0)


def rate_character(readings: Readings, seed: int = 0) -> CharacterRating:
    """The rating of one character in one episode."""
    point = shares(readings)
    bounds = share_intervals(readings, seed)
    minutes = readings.readable_ms / 60_000
    rated: dict[Emotion, EmotionRating] = {}
    for j, emotion in enumerate(readings.emotions):
        spans = emotion_spans(readings, emotion)
        rated[emotion] = EmotionRating(
            share=float(point[j]),
            low=float(min(bounds[j, 0], point[j])),
            high=float(max(bounds[j, 1], point[j])),
            runs_per_minute=len(spans) / minutes if minutes else 0.0,
            longest=max(spans, key=lambda s: (s.end_ms - s.start_ms, -s.start_ms), default=None),
            peak=max(spans, key=lambda s: (s.strength, -s.start_ms), default=None),
        )
    shot_count = len(np.unique(readings.shot))
    widest = max(((r.high - r.low) / 2 for r in rated.values()), default=1.0)
    enough = readings.readable_ms >= ENOUGH_READABLE_MS and shot_count >= ENOUGH_SHOTS and widest <= ENOUGH_HALF_WIDTH
    return CharacterRating(readings.readable_ms, len(readings.pts_ms), shot_count, enough, rated)


def emotion_spans(readings: Readings, emotion: Emotion) -> list[Span]:
    """Where the emotion shows, never across a cut."""
    column = readings.probabilities[:, readings.emotions.index(emotion)]
    found: list[Span] = []
    for shot in np.unique(readings.shot):
        inside = readings.shot == shot
        found += find_spans(column[inside], readings.pts_ms[inside].tolist(), readings.shown_ms[inside].tolist())
    return found


def lower_bound(share: float, readable_ms: int, baseline: float) -> float:
    """RATINGS: n = V / tau, p~ = (n p + k p0) / (n + k), score = p~ - sqrt(p~ (1 - p~) / (n + k + 1)); at least 0."""
    n = readable_ms / 1000 / SCENE_TAU_S
    shrunk = (n * share + SCENE_PRIOR * baseline) / (n + SCENE_PRIOR)
    return max(0.0, shrunk - float(np.sqrt(shrunk * (1 - shrunk) / (n + SCENE_PRIOR + 1))))


def score_scene(inside: Readings, visible_ms: int, baselines: Mapping[Emotion, float]) -> dict[Emotion, SceneScore]:
    """One character in one scene. Empty where the face can be read for less than SCENE_LEAST_MS.

    ``inside``: the readings within the scene; ``baselines``: the character's shares over the episode, kept beside the
    score. The score shrinks toward an even share of the emotions, which is the same for every episode: shrunk toward
    the episode's own share, a short scene of a happy episode would outrank a happier one of a calm episode.
    """
    readable = inside.readable_ms
    if readable < SCENE_LEAST_MS:
        return {}
    even = 1 / len(inside.emotions)
    found = shares(inside)
    result: dict[Emotion, SceneScore] = {}
    for j, emotion in enumerate(inside.emotions):
        share, baseline = float(np.clip(found[j], 0, 1)), float(baselines.get(emotion, 0.0))
        spans: Sequence[Span] = emotion_spans(inside, emotion)
        result[emotion] = SceneScore(
            visible_ms=visible_ms,
            readable_ms=readable,
            share=share,
            baseline=baseline,
            score=lower_bound(share, readable, even),
            best=max(spans, key=lambda s: (s.strength * (s.end_ms - s.start_ms), -s.start_ms), default=None),
        )
    return result
