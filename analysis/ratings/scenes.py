"""How well a scene shows an emotion of a character: the shrunken lower bound that search ranks by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.ratings.readings import Readings, emotion_spans, shares
from ml.timeline import Span
from ml.types import Emotion

SCENE_TAU_S = 5.0
SCENE_PRIOR = 4.0
SCENE_LEAST_MS = 1_500


@dataclass(frozen=True, slots=True)
class SceneScore:
    """A scene's standing for one emotion of one character; ``score`` is the shrunken lower bound."""

    visible_ms: int
    readable_ms: int
    share: float
    baseline: float
    score: float
    best: Span | None


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
