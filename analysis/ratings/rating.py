"""The rating of one character in one episode, put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from analysis.ratings.baseline import Baseline, shrink
from analysis.ratings.checked import Checks, estimate_checked
from analysis.ratings.confusion import Confusion
from analysis.ratings.ending import Ending, ending_of
from analysis.ratings.interval import estimate, hold
from analysis.ratings.readings import Readings, emotion_spans, shares
from ml.timeline import Span
from ml.types import Emotion

# Of the arithmetic here and in ml.timeline: raised whenever equal detections give other numbers. 0 is what was stored
# before versions were kept.
RATINGS_VERSION = 1

ENOUGH_READABLE_MS = 20_000
ENOUGH_SHOTS = 8
ENOUGH_HALF_WIDTH = 0.15


@dataclass(frozen=True, slots=True)
class Needed:
    """The least evidence that carries a published rating."""

    readable_ms: int = ENOUGH_READABLE_MS
    shots: int = ENOUGH_SHOTS
    half_width: float = ENOUGH_HALF_WIDTH


@dataclass(frozen=True, slots=True)
class EmotionRating:
    """``share`` of the readable time, the published one, with its 95 % interval [low, high].

    ``raw``: as the model reads it; ``corrected``: by its confusion matrix; ``share``: that, drawn toward ``baseline``,
    the character's share in its series (None: not known). ``longest`` and ``peak``: spans or None.
    """

    share: float
    low: float
    high: float
    raw: float
    corrected: float
    baseline: float | None
    runs_per_minute: float
    longest: Span | None
    peak: Span | None


@dataclass(frozen=True, slots=True)
class CharacterRating:
    """``enough``: whether the evidence carries a published rating at all. ``worth``: see ``Estimate``.

    ``bias_corrected``: whether the bundle had a matrix to correct by. ``strength``: that of the baseline, 0 for none.
    ``unchecked``: where people checked a sample of shots, the bounds (low, high) that there would be without;
    ``power``: how far the model was trusted beside it.
    """

    readable_ms: int
    drawings: int
    shots: int
    enough: bool
    worth: float = 0.0
    bias_corrected: bool = False
    strength: float = 0.0
    emotions: Mapping[Emotion, EmotionRating] = field(default_factory=dict)
    ending: Ending | None = None
    unchecked: Mapping[Emotion, tuple[float, float]] | None = None
    power: float | None = None

    @property
    def wider(self) -> bool:
        """Whether the check left the shares less sure, on average, than the model alone had them."""
        if self.unchecked is None:
            return False
        return sum(r.high - r.low for r in self.emotions.values()) > sum(b - a for a, b in self.unchecked.values())


def rate_character(
    readings: Readings,
    *,
    confusion: Confusion | None = None,
    baseline: Baseline | None = None,
    needed: Needed | None = None,
    checks: Checks | None = None,
    story_end_ms: int | None = None,
    seed: int = 0,
) -> CharacterRating:
    """``baseline``: over the same emotions. ``checks``: what people saw in a random sample, of which shares and bounds
    are then made. ``story_end_ms``: where credits begin, else the end of what was read.
    """
    needed = needed or Needed()
    found = estimate(readings, confusion, seed)
    raw = shares(readings)
    published = shrink(found.share, found.worth, baseline) if readings.readable_ms else found.share
    bounds = hold(found.bounds, published)
    checked = None if checks is None else estimate_checked(checks, seed)
    unchecked = (
        None
        if checked is None
        else {e: (_unit(a), _unit(b)) for e, (a, b) in zip(readings.emotions, bounds, strict=True)}
    )
    if checked is not None:
        published, bounds = checked.share, checked.bounds
    minutes = readings.readable_ms / 60_000
    rated: dict[Emotion, EmotionRating] = {}
    for j, emotion in enumerate(readings.emotions):
        spans = emotion_spans(readings, emotion)
        rated[emotion] = EmotionRating(
            share=_unit(published[j]),
            low=_unit(bounds[j, 0]),
            high=_unit(bounds[j, 1]),
            raw=_unit(raw[j]),
            corrected=_unit(found.share[j]),
            baseline=None if baseline is None else _unit(baseline.share[j]),
            runs_per_minute=len(spans) / minutes if minutes else 0.0,
            longest=max(spans, key=lambda s: (s.end_ms - s.start_ms, -s.start_ms), default=None),
            peak=max(spans, key=lambda s: (s.strength, -s.start_ms), default=None),
        )
    shots = len(np.unique(readings.shot))
    widest = max(((r.high - r.low) / 2 for r in rated.values()), default=1.0)
    end_ms = story_end_ms if story_end_ms is not None else _end_of(readings)
    return CharacterRating(
        readable_ms=readings.readable_ms,
        drawings=len(readings.pts_ms),
        shots=shots,
        enough=readings.readable_ms >= needed.readable_ms and shots >= needed.shots and widest <= needed.half_width,
        worth=found.worth,
        bias_corrected=confusion is not None,
        strength=0.0 if baseline is None else baseline.strength,
        emotions=rated,
        ending=ending_of(readings, end_ms),
        unchecked=unchecked,
        power=None if checked is None else checked.power,
    )


def _end_of(readings: Readings) -> int:
    return int((readings.pts_ms + readings.shown_ms).max()) if len(readings.pts_ms) else 0


def _unit(value: float) -> float:
    return float(min(1.0, max(0.0, value)))
