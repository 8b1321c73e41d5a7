"""Watches runs until they have ended: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from analysis.models import RunStatus
from analysis.selectors.runs import RunProgress, runs_progress, work_under_way
from workers.patience import patiently

LOOK_EVERY_S = 0.5
LINE_EVERY_S = 10.0  # where there is no terminal
NO_WORKER_AFTER_S = 20.0
BAR_WIDTH = 24


@dataclass(slots=True)
class _Pace:
    """Content analysed since the waiting began, so that time left is honest also for runs that began long ago."""

    begun: float
    first_ms: int

    def rate(self, done_ms: int, now: float) -> float | None:
        """Content seconds per second; None until three seconds have shown something."""
        seconds = now - self.begun
        return (done_ms - self.first_ms) / 1000 / seconds if seconds >= 3 and done_ms > self.first_ms else None


def wait_for_runs(run_ids: Sequence[int], stream: TextIO, *, timeout_s: float | None = None) -> list[RunProgress]:
    """Returns when all runs have ended, or when ``timeout_s`` is over, with how each stands, in the order asked for.

    Says so, once, where nobody works on them.
    """
    begun = time.monotonic()
    pace: _Pace | None = None
    warned = False
    last_line = -LINE_EVERY_S
    while True:
        progress = patiently(lambda: runs_progress(run_ids))
        now = time.monotonic()
        found = [progress[pk] for pk in run_ids if pk in progress]
        done_ms = sum(p.total_ms if p.ended else p.done_ms for p in found)
        pace = pace or _Pace(now, done_ms)
        ended = all(p.ended for p in found)
        if stream.isatty():
            stream.write("\r" + bar(found, pace.rate(done_ms, now)) + ("\n" if ended else ""))
        elif ended or now - last_line >= LINE_EVERY_S:
            last_line = now
            stream.write(bar(found, pace.rate(done_ms, now)) + "\n")
        stream.flush()
        if ended or (timeout_s is not None and now - begun >= timeout_s):
            return found
        if not warned and now - begun >= NO_WORKER_AFTER_S and _nobody_works(found):
            warned = True
            stream.write("\n" + NO_WORKER + "\n")
        time.sleep(LOOK_EVERY_S)


NO_WORKER = (
    "No worker has taken up the work yet. Start one with: celery -A toonemo_site worker -B -Q default,inference"
    " (this goes on waiting; the work is not lost)."
)


def _nobody_works(found: Sequence[RunProgress]) -> bool:
    return all(p.status == RunStatus.QUEUED for p in found if not p.ended) and work_under_way() == 0


def bar(found: Sequence[RunProgress], rate: float | None) -> str:
    """One line: how much, how fast, how long still."""
    total = sum(p.total_ms for p in found)
    done = sum(p.total_ms if p.ended else p.done_ms for p in found)
    share = done / total if total else 1.0
    filled = int(BAR_WIDTH * share)
    text = f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {share:4.0%}  {_clock(done)} of {_clock(total)}"
    text += f"  {sum(p.faces for p in found)} faces"
    if rate is not None and done < total:
        text += f"  {rate:.1f}x  {_left((total - done) / 1000 / rate)} left"
    return text.ljust(96)


def _clock(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes}:{seconds:02d}"


def _left(seconds: float) -> str:
    """Rounded the way a person would say it."""
    if seconds < 60:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
