"""By which number an episode is hidden, and what limits would show it. Pure.

``selectors.visible`` says the same in SQL; tests compare the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

from analysis.limits.limit import MOST_MS, Limit, Limits
from ml.types import Emotion

NOT_ANALYSED = "not_analysed"
NO_LENGTH = "no_length"
NOT_SEEN = "not_seen"
EVIDENCE = "evidence"
UNSURE_WHO = ("partial", "nobody", "strangers", NOT_ANALYSED)  # whoever was not seen may be there all the same


@dataclass(frozen=True, slots=True)
class Bound:
    """Of one character's emotion. ``enough``: the numbers may be relied on."""

    high: float | None
    longest_ms: int | None
    enough: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one episode. ``bounds``: by slug and emotion; ``lacking``: why nothing is known of an emotion
    over all characters, empty where something is; ``strangers``: the share of faces' time that is nobody's.
    """

    duration_ms: int | None
    bounds: Mapping[tuple[str, str], Bound]
    lacking: Mapping[str, str]
    strangers: float = 0.0

    def lacking_of(self, emotion: Emotion) -> str:
        return self.lacking.get(str(emotion), NOT_ANALYSED)


@dataclass(frozen=True, slots=True)
class Reason:
    """One limit that is not kept. ``limit`` None: the length.

    ``high``, ``longest_ms``, ``duration_ms``: the number that is over; ``lacking``: why there is none. ``character``:
    the slug of whose number it is, "" where it is nobody's.
    """

    limit: Limit | None
    character: str = ""
    high: float | None = None
    longest_ms: int | None = None
    duration_ms: int | None = None
    lacking: str = ""


def reasons_of(evidence: Evidence, limits: Limits) -> tuple[Reason, ...]:
    """In the order of the limits, the length last. Empty: the episode is visible, unless the limits are closed."""
    found = [reason for limit in limits.limits for reason in _broken(evidence, limit)]
    most = limits.longest_episode_ms
    if most is not None and (evidence.duration_ms is None or evidence.duration_ms > most):
        lacking = NO_LENGTH if evidence.duration_ms is None else ""
        found.append(Reason(None, duration_ms=evidence.duration_ms, lacking=lacking))
    return tuple(found)


def _broken(evidence: Evidence, limit: Limit) -> list[Reason]:
    lacking = evidence.lacking_of(limit.emotion)
    theirs = {who: b for (who, emotion), b in evidence.bounds.items() if emotion == limit.emotion}
    if limit.character:
        if limit.character not in theirs:
            return [Reason(limit, limit.character, lacking=lacking)] if lacking in UNSURE_WHO else []
        theirs = {limit.character: theirs[limit.character]}
    elif lacking and lacking != EVIDENCE:
        return [Reason(limit, lacking=lacking)]
    return [reason for who in sorted(theirs) if (reason := _over(limit, who, theirs[who], lacking)) is not None]


def _over(limit: Limit, who: str, bound: Bound, lacking: str) -> Reason | None:
    if not bound.enough or bound.high is None or bound.longest_ms is None:
        return Reason(limit, who, lacking=lacking if lacking in ("partial", "not_modelled") else EVIDENCE)
    high = bound.high if limit.most is not None and bound.high > limit.most else None
    longest = bound.longest_ms if limit.longest_ms is not None and bound.longest_ms > limit.longest_ms else None
    return None if high is None and longest is None else Reason(limit, who, high, longest)


def loosened(limits: Limits, reasons: tuple[Reason, ...]) -> Limits:
    """The limits with each one that is broken raised as far as it must be, in round numbers; where no number would do,
    without it. They show the episode that the reasons are of.
    """
    found: list[Limit] = []
    for limit in limits.limits:
        broken = [r for r in reasons if r.limit == limit]
        if any(r.lacking for r in broken):
            continue
        most = max([r.high for r in broken if r.high is not None], default=None)
        longest = max([r.longest_ms for r in broken if r.longest_ms is not None], default=None)
        raised = replace(
            limit,
            most=limit.most if most is None else percent_up(most),
            longest_ms=limit.longest_ms if longest is None else _up(longest, 100),
        )
        found.append(raised)
    length = limits.longest_episode_ms
    for reason in reasons:
        if reason.limit is None:
            length = None if reason.duration_ms is None else _up(reason.duration_ms, 60_000)
    return Limits(tuple(found), length)


def percent_up(share: float) -> float:
    """The next whole percent."""
    return float((Decimal(repr(share)) * 100).to_integral_value(ROUND_CEILING) / 100)


def _up(ms: int, step: int) -> int:
    return min(MOST_MS, -(-ms // step) * step)
