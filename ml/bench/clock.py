"""Seconds per stage, wall clock and processor, of work that is made of nested calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any


class Clock:
    """What runs inside an inner stage does not count for the outer one: the stages add up to the whole."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self._open: list[str] = []
        self._since = (0.0, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._credit()
        self._open.append(name)
        try:
            yield
        finally:
            self._credit()
            self._open.pop()

    def _credit(self) -> None:
        now = time.perf_counter(), time.process_time()
        if self._open:
            name = self._open[-1]
            self.wall[name] = self.wall.get(name, 0.0) + now[0] - self._since[0]
            self.cpu[name] = self.cpu.get(name, 0.0) + now[1] - self._since[1]
        self._since = now

    def watch(self, owner: Any, method: str, name: str) -> None:
        """From now on every call of ``owner.method`` is the stage ``name``."""
        original: Callable[..., Any] = getattr(owner, method)

        @wraps(original)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return original(*args, **kwargs)

        setattr(owner, method, timed)

    def take(self) -> tuple[dict[str, float], dict[str, float]]:
        """What was counted since the last call: seconds of wall clock and of processor time per stage."""
        taken = self.wall, self.cpu
        self.wall, self.cpu = {}, {}
        return taken
