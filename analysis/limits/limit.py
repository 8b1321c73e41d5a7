"""Limits as values. Empty ones are falsy; ``meet`` makes of two what keeps both."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.utils.translation import gettext as _

from ml.types import EMOTIONS, Emotion

LENGTH = "length"  # how the length of an episode is called where limits are written
MOST_LIMITS = 64
MOST_MS = 86_400_000
SHARE_STEPS = 10_000  # a share is said in hundredths of a percent, so that what is written is what is kept

Number = TypeVar("Number", int, float)


class LimitsInvalid(ValueError):
    """Limits that cannot be read or kept; ``str(error)`` names the part that is bad."""

    code = "limits_invalid"


@dataclass(frozen=True, slots=True)
class Limit:
    """Of one emotion, for one character (its slug) or for all ("").

    ``most``: of the time in which the face can be read, 0..1, in steps of 0.0001. ``longest_ms``: of one run. None:
    not limited; one of them is. Raises LimitsInvalid.
    """

    emotion: Emotion
    most: float | None = None
    longest_ms: int | None = None
    character: str = ""

    def __post_init__(self) -> None:
        if self.emotion not in EMOTIONS:
            raise LimitsInvalid(_("There is no emotion %(emotion)s.") % {"emotion": repr(str(self.emotion))})
        if self.most is None and self.longest_ms is None:
            raise LimitsInvalid(_("A limit on %(name)s says neither how much nor how long.") % {"name": self.name})
        if self.most is not None and not (0 <= self.most <= 1 and round(self.most, 4) == self.most):
            raise LimitsInvalid(_("%(name)s: a share is 0 %% to 100 %%, in steps of 0.01 %%.") % {"name": self.name})
        if self.longest_ms is not None and not 0 <= self.longest_ms <= MOST_MS:
            raise LimitsInvalid(_("%(name)s: a run is limited to 0 s to 24 h.") % {"name": self.name})

    @property
    def key(self) -> tuple[str, Emotion]:
        return self.character, self.emotion

    @property
    def name(self) -> str:
        return f"{self.character}:{self.emotion}" if self.character else str(self.emotion)


@dataclass(frozen=True, slots=True)
class Limits:
    """In a fixed order, one per character and emotion. ``closed``: nothing at all may be shown.

    Raises LimitsInvalid.
    """

    limits: tuple[Limit, ...] = ()
    longest_episode_ms: int | None = None
    closed: bool = False

    def __post_init__(self) -> None:
        if len(self.limits) > MOST_LIMITS:
            raise LimitsInvalid(_("There are more than %(most_limits)s limits.") % {"most_limits": MOST_LIMITS})
        if self.longest_episode_ms is not None and not 1 <= self.longest_episode_ms <= MOST_MS:
            raise LimitsInvalid(_("%(length)s: an episode is limited to 1 ms to 24 h.") % {"length": LENGTH})
        ordered = tuple(sorted(self.limits, key=lambda x: (x.character, EMOTIONS.index(x.emotion))))
        for one, two in itertools.pairwise(ordered):
            if one.key == two.key:
                raise LimitsInvalid(_("%(name)s is limited twice.") % {"name": one.name})
        object.__setattr__(self, "limits", ordered)

    def __bool__(self) -> bool:
        return self.closed or bool(self.limits) or self.longest_episode_ms is not None

    @property
    def characters(self) -> tuple[str, ...]:
        """Slugs of those who have limits of their own."""
        return tuple(dict.fromkeys(x.character for x in self.limits if x.character))

    def meet(self, other: Limits) -> Limits:
        """What keeps both: of each number the smaller."""
        found = {x.key: x for x in self.limits}
        for x in other.limits:
            found[x.key] = _stricter(found[x.key], x) if x.key in found else x
        return Limits(
            tuple(found.values()),
            _least((self.longest_episode_ms, other.longest_episode_ms)),
            self.closed or other.closed,
        )


def _stricter(one: Limit, two: Limit) -> Limit:
    most = _least((one.most, two.most))
    return Limit(one.emotion, most, _least((one.longest_ms, two.longest_ms)), one.character)


def _least(values: Iterable[Number | None]) -> Number | None:
    return min((v for v in values if v is not None), default=None)


NO_LIMITS = Limits()
NOTHING = Limits(closed=True)  # where limits were set and cannot be read
