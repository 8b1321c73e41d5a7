"""Ratings as a page or a client reads them: rows of ``EmotionProfile`` turned into typed values. No query in here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from analysis.models import EmotionProfile
from analysis.ratings import ENOUGH_HALF_WIDTH, ENOUGH_READABLE_MS, ENOUGH_SHOTS
from catalog.models import Character
from ml.types import EMOTIONS, Emotion


class Level(IntEnum):
    """How much of an emotion, for parents. The edges are shares of the time in which the face can be read."""

    NONE = 0
    LITTLE = 1
    SOME = 2
    LOT = 3

    @property
    def words(self) -> str:
        return ("none", "a little", "some", "a lot")[self]


LEVEL_EDGES = (0.02, 0.15, 0.35)


def level_of(share: float) -> Level:
    """Raises nothing: any share in [0, 1] has a level."""
    return Level(sum(share >= edge for edge in LEVEL_EDGES))


@dataclass(frozen=True, slots=True)
class EmotionShare:
    """``share`` of the readable time with its bounds; ``None`` in ``longest_ms`` or ``peak_*``: never showed a span."""

    emotion: Emotion
    share: float
    low: float
    high: float
    runs_per_minute: float
    longest_ms: int
    peak_start_ms: int | None
    peak_end_ms: int | None

    @property
    def level(self) -> str:
        """From the bounds, never from the point: "some", or "a little to some" where the bounds disagree."""
        low, high = level_of(self.low), level_of(self.high)
        return high.words if low == high else f"{low.words} to {high.words}"

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Rating:
    """One character in one run. ``lacking``: what the evidence falls short of; empty where it is enough."""

    profile_id: int
    run_id: int
    character: Character
    visible_ms: int
    readable_ms: int
    drawings: int
    shots: int
    enough: bool
    emotions: tuple[EmotionShare, ...]
    not_modelled: tuple[Emotion, ...]
    lacking: tuple[str, ...]

    @property
    def strongest(self) -> tuple[EmotionShare, ...]:
        """By share, largest first; emotions of which nothing was seen are left out."""
        shown = [e for e in self.emotions if e.share >= LEVEL_EDGES[0]]
        return tuple(sorted(shown, key=lambda e: (-e.share, EMOTIONS.index(e.emotion))))


def rating_of(profile: EmotionProfile) -> Rating:
    """``profile.character`` should be loaded already."""
    emotions = tuple(_share(e, profile.shares[e]) for e in EMOTIONS if e in profile.shares)
    missing = tuple(e for e in EMOTIONS if e not in profile.shares)
    return Rating(
        profile_id=profile.pk,
        run_id=profile.run_id,
        character=profile.character,
        visible_ms=profile.visible_ms,
        readable_ms=profile.readable_ms,
        drawings=profile.drawings,
        shots=profile.shots,
        enough=profile.enough,
        emotions=emotions,
        not_modelled=missing if emotions else (),
        lacking=() if profile.enough else _lacking(profile, emotions),
    )


def _share(emotion: Emotion, row: dict[str, Any]) -> EmotionShare:
    share = float(row["share"])
    return EmotionShare(
        emotion=emotion,
        share=share,
        low=float(row.get("low", share)),
        high=float(row.get("high", share)),
        runs_per_minute=float(row.get("runs_per_minute", 0.0)),
        longest_ms=int(row.get("longest_ms") or 0),
        peak_start_ms=row.get("peak_start_ms"),
        peak_end_ms=row.get("peak_end_ms"),
    )


def _lacking(profile: EmotionProfile, emotions: Sequence[EmotionShare]) -> tuple[str, ...]:
    reasons = []
    if profile.readable_ms < ENOUGH_READABLE_MS:
        reasons.append(
            f"the face can be read for {profile.readable_ms / 1000:.0f} s, and a rating takes "
            f"{ENOUGH_READABLE_MS // 1000} s"
        )
    if profile.shots < ENOUGH_SHOTS:
        shots = "1 shot" if profile.shots == 1 else f"{profile.shots} shots"
        reasons.append(f"it is seen in {shots}, and a rating takes {ENOUGH_SHOTS}")
    if any(e.half_width > ENOUGH_HALF_WIDTH for e in emotions):
        reasons.append(
            f"the shots differ too much: a share is known to ±{100 * max(e.half_width for e in emotions):.0f} "
            f"points only, and a rating takes ±{100 * ENOUGH_HALF_WIDTH:.0f}"
        )
    return tuple(reasons)


@dataclass(frozen=True, slots=True)
class Glance:
    """An episode's emotions in one strip: shares over its characters, weighted by readable time.

    ``enough``: over rated characters. Without any, over all that were measured, and a page has to say so.
    """

    emotions: tuple[EmotionShare, ...]
    enough: bool
    unrated: tuple[str, ...]

    @property
    def strongest(self) -> tuple[EmotionShare, ...]:
        shown = [e for e in self.emotions if e.share >= LEVEL_EDGES[0]]
        return tuple(sorted(shown, key=lambda e: (-e.share, EMOTIONS.index(e.emotion))))[:3]


def glance_of(ratings: Iterable[Rating]) -> Glance:
    """Only characters with enough evidence count, as long as there is one. A mean of bounds is a bound, a wide one."""
    ratings = [r for r in ratings if r.readable_ms]
    rated = [r for r in ratings if r.enough]
    counted = rated or ratings
    emotions = []
    for emotion in EMOTIONS:
        parts = [(r.readable_ms, e) for r in counted for e in r.emotions if e.emotion is emotion]
        total = sum(weight for weight, _ in parts)
        if parts:
            share, low, high = (
                sum(weight * getattr(e, name) for weight, e in parts) / total for name in ("share", "low", "high")
            )
            longest = max(e.longest_ms for _, e in parts)
            emotions.append(EmotionShare(emotion, share, low, high, 0.0, longest, None, None))
    unrated = tuple(r.character.name for r in ratings if not r.enough)
    return Glance(emotions=tuple(emotions), enough=bool(rated), unrated=unrated)
