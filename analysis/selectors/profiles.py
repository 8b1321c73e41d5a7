"""Ratings as a page or a client reads them: rows of ``EmotionProfile`` turned into typed values. No query in here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analysis.models import EmotionProfile
from analysis.ratings import Needed
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
        return (
            pgettext("level", "none"),
            pgettext("level", "a little"),
            pgettext("level", "some"),
            pgettext("level", "a lot"),
        )[self]


LEVEL_EDGES = (0.02, 0.15, 0.35)


def level_of(share: float) -> Level:
    """Raises nothing: any share in [0, 1] has a level."""
    return Level(sum(share >= edge for edge in LEVEL_EDGES))


@dataclass(frozen=True, slots=True)
class EmotionShare:
    """``share`` of the readable time, the published one, with its bounds; None in ``peak_*``: never showed a span.

    ``raw``: as the model reads it; ``corrected``: by its confusion matrix; ``baseline``: in the character's series.
    """

    emotion: Emotion
    share: float
    low: float
    high: float
    runs_per_minute: float
    longest_ms: int
    peak_start_ms: int | None
    peak_end_ms: int | None
    raw: float | None = None
    corrected: float | None = None
    baseline: float | None = None

    @property
    def level(self) -> str:
        """From the bounds, never from the point: "some", or "a little to some" where the bounds disagree."""
        low, high = level_of(self.low), level_of(self.high)
        return high.words if low == high else _("%(low)s to %(high)s") % {"low": low.words, "high": high.words}

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    @property
    def drawn_from(self) -> float | None:
        """What was measured in this episode alone, where that differs by a point or more; else None."""
        return self.corrected if self.corrected is not None and abs(self.corrected - self.share) >= 0.01 else None


@dataclass(frozen=True, slots=True)
class EndingShown:
    """What a character shows at the end of the story. ``emotion`` None: mixed."""

    start_ms: int
    end_ms: int
    readable_ms: int
    shares: Mapping[str, float]
    emotion: Emotion | None


@dataclass(frozen=True, slots=True)
class ReactionShown:
    """A character begins to show ``emotion`` after ``to`` (a slug) did: ``times`` of ``of``, more than by chance."""

    to: str
    emotion: Emotion
    times: int
    of: int
    by_chance: float
    p: float
    at_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CheckedShown:
    """A random sample of ``shots`` of ``of`` shots that people checked. ``applied`` False: the run sees the character
    too much in shots that could not be drawn, so it has no part in the shares. ``wider``: it left them less sure.
    """

    shots: int
    of: int
    people: int
    applied: bool
    wider: bool
    power: float | None


@dataclass(frozen=True, slots=True)
class Rating:
    """One character in one run. ``lacking``: what the evidence falls short of; empty where it is enough.

    ``bias_corrected``: the bundle brought a matrix of its mistakes; ``others``: how many episodes made the baseline.
    ``known_ms``: for how long people said what the face shows; ``checked``: their random sample.
    """

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
    bias_corrected: bool = False
    others: int = 0
    ending: EndingShown | None = None
    reactions: tuple[ReactionShown, ...] = ()
    known_ms: int = 0
    checked: CheckedShown | None = None

    @property
    def strongest(self) -> tuple[EmotionShare, ...]:
        """By share, largest first; emotions of which nothing was seen are left out."""
        shown = [e for e in self.emotions if e.share >= LEVEL_EDGES[0]]
        return tuple(sorted(shown, key=lambda e: (-e.share, EMOTIONS.index(e.emotion))))


def rating_of(profile: EmotionProfile) -> Rating:
    """``profile.character`` should be loaded already."""
    emotions = tuple(_share(e, profile.shares[e]) for e in EMOTIONS if e in profile.shares)
    missing = tuple(e for e in EMOTIONS if e not in profile.shares)
    details: Mapping[str, Any] = profile.details
    ending = details.get("ending")
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
        bias_corrected=bool(details.get("bias_corrected")),
        others=len((details.get("basis") or {}).get("runs") or []) if _is_drawn(emotions, details) else 0,
        ending=None if ending is None else _ending(ending),
        reactions=tuple(_reaction(row) for row in details.get("reactions") or []),
        known_ms=int(details.get("known_ms") or 0),
        checked=_checked(details.get("checked")),
    )


def _checked(row: Mapping[str, Any] | None) -> CheckedShown | None:
    return None if row is None else CheckedShown(**{name: row[name] for name in CheckedShown.__slots__})


def _is_drawn(emotions: Sequence[EmotionShare], details: Mapping[str, Any]) -> bool:
    """What people checked is drawn toward no other episode."""
    checked = details.get("checked") or {}
    return not checked.get("applied") and any(e.baseline is not None for e in emotions)


def _ending(row: Mapping[str, Any]) -> EndingShown:
    return EndingShown(**{**row, "emotion": None if row["emotion"] is None else Emotion(row["emotion"])})


def _reaction(row: Mapping[str, Any]) -> ReactionShown:
    return ReactionShown(**{**row, "emotion": Emotion(row["emotion"]), "at_ms": tuple(row["at_ms"])})


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
        raw=row.get("raw"),
        corrected=row.get("corrected"),
        baseline=row.get("baseline"),
    )


def _lacking(profile: EmotionProfile, emotions: Sequence[EmotionShare]) -> tuple[str, ...]:
    needed = Needed(**profile.details["needed"]) if "needed" in profile.details else Needed()
    reasons = []
    if profile.readable_ms < needed.readable_ms:
        reasons.append(
            _("the face can be read for %(seconds)s s, and a rating takes %(needed)s s")
            % {"seconds": f"{profile.readable_ms / 1000:.0f}", "needed": f"{needed.readable_ms / 1000:.0f}"}
        )
    if profile.shots < needed.shots:
        said = ngettext(
            "it is seen in %(shots)s shot, and a rating takes %(needed)s",
            "it is seen in %(shots)s shots, and a rating takes %(needed)s",
            profile.shots,
        )
        reasons.append(said % {"shots": profile.shots, "needed": needed.shots})
    if any(e.half_width > needed.half_width for e in emotions):
        reasons.append(
            _("the shots differ too much: a share is known to ±%(points)s points only, and a rating takes ±%(needed)s")
            % {
                "points": f"{100 * max(e.half_width for e in emotions):.0f}",
                "needed": f"{100 * needed.half_width:.0f}",
            }
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


@dataclass(frozen=True, slots=True)
class Follows:
    """``who`` begins to show the emotion soon after ``to`` did, more often than chance gives."""

    who: Character
    to: Character
    told: ReactionShown

    @property
    def by_chance(self) -> int:
        """How often chance would give it, in whole times."""
        return round(self.told.by_chance)


def follows_of(ratings: Iterable[Rating]) -> tuple[Follows, ...]:
    """Who reacts to whom in a run, the most frequent first."""
    ratings = list(ratings)
    characters = {r.character.slug: r.character for r in ratings}
    found = [
        Follows(r.character, characters[told.to], told)
        for r in ratings
        for told in r.reactions
        if told.to in characters
    ]
    return tuple(sorted(found, key=lambda f: (-f.told.times, f.who.slug, f.to.slug, str(f.told.emotion))))
