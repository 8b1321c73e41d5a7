"""A progress bar on a terminal; silent elsewhere, so that logs hold no control characters."""

from __future__ import annotations

import sys
import time
from typing import TextIO

WIDTH = 24
EVERY_S = 0.2


class Progress:
    """``total``: steps. One line that is written over; ``close`` wipes it away."""

    def __init__(self, total: int, done: int = 0, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._shown = self._stream.isatty()
        self._total, self._first = max(1, total), done
        self._started = time.monotonic()
        self._last = 0.0

    def update(self, done: int, text: str) -> None:
        now = time.monotonic()
        if not self._shown or (now - self._last < EVERY_S and done < self._total):
            return
        self._last = now
        share = min(1.0, done / self._total)
        each = (now - self._started) / max(1, done - self._first)
        left = each * max(0, self._total - done)
        bar = "#" * round(WIDTH * share)
        line = f"[{bar:<{WIDTH}}] {done}/{self._total}  {text}  {_clock(left)} left"
        self._stream.write(f"\r\x1b[K{line[:118]}")
        self._stream.flush()

    def close(self) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
