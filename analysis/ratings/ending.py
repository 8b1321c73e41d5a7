"""How an episode ends for a character: what its face shows in the last half minute of the story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.ratings.readings import Readings, shares
from ml.types import Emotion

ENDING_MS = 30_000
READABLE_LEAST_MS = 3_000  # less than that of a readable face tells no ending
CLEAR = 0.5  # an emotion that takes at least this share is the ending; otherwise it is mixed


@dataclass(frozen=True, slots=True)
class Ending:
    """[start_ms, end_ms) with its ``shares`` as read, not corrected. ``emotion`` None: mixed."""

    start_ms: int
    end_ms: int
    readable_ms: int
    shares: Mapping[Emotion, float]
    emotion: Emotion | None


def ending_of(readings: Readings, story_end_ms: int) -> Ending | None:
    """None where the face can be read for less than READABLE_LEAST_MS there. Credits come after ``story_end_ms``."""
    start_ms = max(0, story_end_ms - ENDING_MS)
    inside = readings.between(start_ms, story_end_ms)
    if inside.readable_ms < READABLE_LEAST_MS:
        return None
    found = {e: float(x) for e, x in zip(inside.emotions, shares(inside), strict=True)}
    emotion, most = max(found.items(), key=lambda item: item[1])
    return Ending(start_ms, story_end_ms, inside.readable_ms, found, emotion if most >= CLEAR else None)
