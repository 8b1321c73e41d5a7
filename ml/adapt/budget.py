"""The time that adapting may take: every part asks how much of it is left, so that the whole ends when it should."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


class Budget:
    """``now``: a clock in seconds. ``begun``: what it showed at the beginning, where that was before."""

    def __init__(self, minutes: float, now: Callable[[], float] = time.monotonic, begun: float | None = None) -> None:
        self._now = now
        self._begun = now() if begun is None else begun
        self._whole = minutes * 60

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return self._now() - self._begun

    @property
    def left(self) -> float:
        """Seconds, never below 0."""
        return max(0.0, self._whole - self.spent)

    def within(self, items: Iterable[Item], share: float, least: int = 0) -> Iterator[Item]:
        """The items until ``share`` of the whole time is spent since the first was asked for; ``least`` in any case."""
        until = self.spent + share * self._whole
        for count, item in enumerate(items):
            yield item
            if count + 1 >= least and (self.spent > until or not self.left):
                return
