"""Two characters of an episode side by side over time, by one emotion."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.over_time import Drawings, Stretch, edges_of, stretches
from analysis.selectors.timelines import Lane, Timeline
from catalog.models import Character
from ml.types import EMOTIONS, Emotion


@dataclass(frozen=True, slots=True)
class Side:
    character: Character
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """``sides``: one or two. ``known``: everybody to choose from."""

    emotion: Emotion
    sides: tuple[Side, ...]
    known: tuple[Character, ...]
    duration_ms: int

    @property
    def rows(self) -> Iterator[tuple[Stretch, list[Stretch]]]:
        """Each stretch of time with what every side shows in it."""
        for found in zip(*(side.stretches for side in self.sides), strict=True):
            yield found[0], list(found)


def pair_of(timeline: Timeline, who: Sequence[str] = (), emotion: str = "") -> Pair | None:
    """``who``: up to two slugs. Who is not there, or no emotion, gives way to the usual: those seen longest, and what
    they show most besides neutral. None where nobody known is seen.
    """
    lanes = [(lane, lane.character) for lane in timeline.known if lane.character is not None]
    if not lanes or timeline.duration_ms <= 0:
        return None
    named = [(lane, c) for slug in dict.fromkeys(who) for lane, c in lanes if c.slug == slug]
    chosen = [*named, *(pair for pair in lanes if pair not in named)][:2]
    shown = Emotion(emotion) if emotion in EMOTIONS else _most_shown([lane for lane, _ in chosen])
    edges = edges_of(timeline.duration_ms)
    starts = [shot.start_ms for shot in timeline.shots]
    sides = tuple(Side(c, stretches(_drawings(lane, shown, starts), edges)) for lane, c in chosen)
    return Pair(shown, sides, tuple(c for _, c in lanes), timeline.duration_ms)


def _most_shown(lanes: Sequence[Lane]) -> Emotion:
    time = dict.fromkeys((str(e) for e in EMOTIONS if e is not Emotion.NEUTRAL), 0)
    for lane in lanes:
        for span in lane.spans:
            if span.emotion in time:
                time[span.emotion] += span.end_ms - span.start_ms
    return Emotion(max(time, key=lambda e: time[e]))


def _drawings(lane: Lane, emotion: Emotion, shots: Sequence[int]) -> Drawings:
    which = EMOTIONS.index(emotion)
    read = [r for r in lane.readings if r.shares]
    middle = [(r.start_ms + r.end_ms) // 2 for r in read]
    return Drawings(
        np.array(middle, dtype=np.int64),
        np.array([r.end_ms - r.start_ms for r in read], dtype=np.int64),
        np.array([max(0, bisect_right(shots, at) - 1) for at in middle], dtype=np.int64),
        np.array([min(1.0, r.shares[which]) for r in read], dtype=np.float64),
    )
