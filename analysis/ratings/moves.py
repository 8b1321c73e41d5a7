"""How far a rating moved from one model to another, and whether that is more than either knows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ml.types import EMOTIONS, Emotion

LEAST_MOVE = 0.005  # half a point: less is rounding


@dataclass(frozen=True, slots=True)
class Bounds:
    """A rating's share with its interval, and its level for parents in words; empty where there is no rating."""

    share: float
    low: float
    high: float
    level: str


@dataclass(frozen=True, slots=True)
class Move:
    """One emotion of one character, before and after; None: that model says nothing of it."""

    emotion: Emotion
    before: Bounds | None
    after: Bounds | None

    @property
    def sides(self) -> tuple[Bounds | None, Bounds | None]:
        return self.before, self.after

    @property
    def points(self) -> float | None:
        """The difference of the shares; None where one of them is not there."""
        return None if self.before is None or self.after is None else self.after.share - self.before.share

    @property
    def moved(self) -> bool:
        """By half a point or more; also where only one of the models says anything."""
        if self.before is None or self.after is None:
            return self.before is not self.after
        return abs(self.after.share - self.before.share) >= LEAST_MOVE

    @property
    def beyond(self) -> bool:
        """The intervals do not meet: what either model knows does not explain the move."""
        if self.before is None or self.after is None:
            return False
        return self.before.high < self.after.low or self.after.high < self.before.low

    @property
    def level_changed(self) -> bool:
        """For parents; a rating that comes or goes changes it too."""
        return (self.before.level if self.before else "") != (self.after.level if self.after else "")


def moves(before: Mapping[Emotion, Bounds], after: Mapping[Emotion, Bounds]) -> tuple[Move, ...]:
    """In the canonical order, one for each emotion that either model says something of."""
    return tuple(Move(e, before.get(e), after.get(e)) for e in EMOTIONS if e in before or e in after)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over many moves. ``mean_points``: the mean size of those that have one."""

    ratings: int
    moved: int
    beyond: int
    levels: int
    mean_points: float


def tally(found: Iterable[Move]) -> Tally:
    rows = list(found)
    sizes = [abs(m.points) for m in rows if m.points is not None]
    return Tally(
        ratings=len(rows),
        moved=sum(m.moved for m in rows),
        beyond=sum(m.beyond for m in rows),
        levels=sum(m.level_changed for m in rows),
        mean_points=sum(sizes) / len(sizes) if sizes else 0.0,
    )


@dataclass(frozen=True, slots=True)
class Gate:
    """What a limit on an emotion reads of a run: the highest upper bound; None: unknown, so over every limit."""

    high: float | None

    def keeps(self, most: float) -> bool:
        return self.high is not None and self.high <= most


@dataclass(frozen=True, slots=True)
class LimitChange:
    """A limit of ``most`` of the emotion shows the episode with one model and hides it with the other."""

    emotion: Emotion
    most: float
    shown_before: bool


def limit_changes(
    before: Mapping[Emotion, Gate], after: Mapping[Emotion, Gate], steps: Iterable[float]
) -> tuple[LimitChange, ...]:
    """For each emotion and each of ``steps``, where the two models decide otherwise."""
    unknown = Gate(None)
    return tuple(
        LimitChange(e, most, shown)
        for e in EMOTIONS
        for most in steps
        if (shown := before.get(e, unknown).keeps(most)) != after.get(e, unknown).keeps(most)
    )
