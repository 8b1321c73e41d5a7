"""Watches runs until they have ended: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, TextIO

from django.core.management.base import OutputWrapper

from analysis.models import RunStatus
from analysis.selectors.runs import RunProgress, runs_progress, work_under_way
from workers.patience import patiently

LOOK_EVERY_S = 0.5
LINE_EVERY_S = 10.0  # where there is no terminal
NO_WORKER_AFTER_S = 20.0
BAR_WIDTH, WIDTH = 24, 96


@dataclass(slots=True)
class _Pace:
    """Content analysed since the waiting began, so that time left is honest also for runs that began long ago."""

    begun: float
    first_ms: int

    def rate(self, done_ms: int, now: float) -> float | None:
        """Content seconds per second; None until three seconds have shown something."""
        seconds = now - self.begun
        return (done_ms - self.first_ms) / 1000 / seconds if seconds >= 3 and done_ms > self.first_ms else None


def wait_for_runs(
    run_ids: Sequence[int], stream: TextIO | OutputWrapper, *, timeout_s: float | None = None
) -> list[RunProgress]:
    """Returns when all runs have ended, or when ``timeout_s`` is over, with how each stands, in the order asked for.

    Says so, once, where nobody works on them. Ctrl-C ends the waiting, not the work: raises KeyboardInterrupt after
    one sentence, and callers end with status 130.
    """
    screen = _Screen(stream)
    try:
        return _watch(run_ids, screen, timeout_s)
    except KeyboardInterrupt:
        screen.say(INTERRUPTED)
        raise


def _watch(run_ids: Sequence[int], screen: _Screen, timeout_s: float | None) -> list[RunProgress]:
    begun = monotonic()
    pace: _Pace | None = None
    warned = False
    while True:
        progress = patiently(lambda: runs_progress(run_ids))
        now = monotonic()
        found = [progress[pk] for pk in run_ids if pk in progress]
        done_ms = sum(_done_ms(p) for p in found)
        pace = pace or _Pace(now, done_ms)
        ended = all(p.ended for p in found)
        screen.show(bar(found, pace.rate(done_ms, now)), last=ended)
        if ended or (timeout_s is not None and now - begun >= timeout_s):
            return found
        if not warned and now - begun >= NO_WORKER_AFTER_S and _nobody_works(found):
            warned = True
            screen.say(NO_WORKER)
        sleep(LOOK_EVERY_S)


class _Screen:
    """One line that is written over on a terminal; a line now and then elsewhere."""

    def __init__(self, stream: TextIO | OutputWrapper) -> None:
        self._out: Any = getattr(stream, "_out", stream)  # Django's wrapper would end every write with a new line
        self._terminal = bool(self._out.isatty())
        self._shown_at = -LINE_EVERY_S

    def show(self, line: str, *, last: bool) -> None:
        if self._terminal:
            self._out.write(f"\r{line.ljust(WIDTH)}" + ("\n" if last else ""))
        elif last or monotonic() - self._shown_at >= LINE_EVERY_S:
            self._shown_at = monotonic()
            self._out.write(line + "\n")
        self._out.flush()

    def say(self, sentence: str) -> None:
        self._out.write(("\n" if self._terminal else "") + sentence + "\n")
        self._out.flush()


NO_WORKER = (
    "No worker has taken up the work yet. Start one with: celery -A toonemo_site worker -B -Q default,inference"
    " (this goes on waiting; the work is not lost)."
)

INTERRUPTED = "Stopped waiting. The runs are not lost; `manage.py runs` shows how far they are."


def _nobody_works(found: Sequence[RunProgress]) -> bool:
    return all(p.status == RunStatus.QUEUED for p in found if not p.ended) and work_under_way() == 0


def bar(found: Sequence[RunProgress], rate: float | None) -> str:
    """One line: how much, how fast, how long still."""
    total = sum(p.total_ms for p in found)
    done = sum(_done_ms(p) for p in found)
    share = done / total if total else 1.0
    filled = int(BAR_WIDTH * share)
    text = f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {share:4.0%}  {_clock(done)} of {_clock(total)}"
    text += f"  {sum(p.faces for p in found)} faces"
    if rate is not None and done < total:
        text += f"  {rate:.{1 if rate >= 1 else 2}f}x  {_left((total - done) / 1000 / rate)} left"
    return text


def _done_ms(progress: RunProgress) -> int:
    """A run that ended has nothing left to do, however it ended."""
    return progress.total_ms if progress.ended else progress.done_ms


def _clock(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes}:{seconds:02d}"


def _left(seconds: float) -> str:
    """Rounded the way a person would say it."""
    if seconds < 60:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
