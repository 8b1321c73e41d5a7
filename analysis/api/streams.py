"""Server-sent events of runs: what happened, and how far runs are, to whoever keeps a connection open.

Rows are asked every POLL_S; nothing listens, so that a stream needs no connection of its own kind, and whoever comes
back with ``Last-Event-ID`` gets what it missed. A stream holds a thread of the web process. Hence few may be open at
once, and each ends by itself.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from analysis.errors import TooManyStreams
from analysis.models import AnalysisRun, RunStatus
from analysis.selectors.run_events import Place, event_json, events_pending, events_since, place_now, place_parse
from analysis.selectors.runs import RunProgress, runs_progress

logger = structlog.get_logger(__name__)

MOST_WATCHED = 100  # active runs whose progress one stream tells
MOST_OF_ONE = 2  # streams of one person in one process
RETRY_MS = 3000


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds."""

    poll_s: float = 1.0
    beat_s: float = 10.0
    lasts_s: float = 300.0


_lock = threading.Lock()
_open: Counter[int] = Counter()  # by person


def stream_take(person: int) -> Callable[[], None]:
    """A place for one stream; gives what frees it, which may be called twice. Raises TooManyStreams."""
    most = settings.TOONEMO_STREAMS_PER_PROCESS
    with _lock:
        if _open.total() >= most:
            raise TooManyStreams(f"This process serves {most} streams of events already; ask again in a while.")
        if _open[person] >= MOST_OF_ONE:
            raise TooManyStreams(f"You have {MOST_OF_ONE} streams of events open already; close one of them.")
        _open[person] += 1
    freed = threading.Event()

    def free() -> None:
        with _lock:
            if not freed.is_set():
                freed.set()
                _open[person] -= 1

    return free


def streams_open() -> int:
    with _lock:
        return _open.total()


class EventStream:
    """The body of an answer. ``close`` frees the place, whether anything was read or not."""

    def __init__(
        self, *, person: int, last: str = "", run: AnalysisRun | None = None, timing: Timing | None = None
    ) -> None:
        self._free = stream_take(person)
        self._parts = _parts(last, run, timing or Timing())

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._parts)

    def close(self) -> None:
        self._free()
        self._parts.close()


def _parts(last: str, run: AnalysisRun | None, timing: Timing) -> Generator[str, None, None]:
    """Blocks of the stream. Ends when it lasted long enough, the run has ended, or the database is away."""
    try:
        yield from _told(last, run, timing)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("stream_broken", reason=" ".join(str(error).split()))
        connection.close()
        yield ": the database is away\n\n"


def _told(last: str, run: AnalysisRun | None, timing: Timing) -> Iterator[str]:
    ends = time.monotonic() + timing.lasts_s
    given = place_parse(last)
    now = place_now()
    yield f"retry: {RETRY_MS}\n: begins\n\n"
    if last and (given is None or given > now):
        yield block("reset", {})  # a place that this database never gave: what is shown must be read anew
        given = None
    place = given or now
    seen: dict[int, RunProgress] = {}
    told_at = time.monotonic()
    while True:
        ended = run is not None and not AnalysisRun.objects.filter(pk=run.pk, status__in=_ACTIVE).exists()
        events = events_since(place, run=run)
        blocks = [block("run" if e.run_id else "queue", event_json(e), str(Place(e.xact, e.pk))) for e in events]
        if events:
            place = Place(events[-1].xact, events[-1].pk)
        blocks += _progress(run, seen)
        if not blocks and time.monotonic() - told_at >= timing.beat_s:
            blocks = [": still here\n\n"]
        if blocks:
            told_at = time.monotonic()
            yield "".join(blocks)
        over = run is not None and ended and not events_pending(place, run)
        if over or time.monotonic() >= ends:
            yield block("end", {"ended": over})
            return
        time.sleep(timing.poll_s)


_ACTIVE = [RunStatus.QUEUED, RunStatus.RUNNING]


def _progress(run: AnalysisRun | None, seen: dict[int, RunProgress]) -> list[str]:
    """Of active runs, where something is new; without an id, since nobody needs to catch up on it."""
    active = AnalysisRun.objects.filter(status__in=_ACTIVE)
    if run is not None:
        active = active.filter(pk=run.pk)
    ids = list(active.order_by("-started_at", "pk").values_list("pk", flat=True)[:MOST_WATCHED])
    now = runs_progress(ids)
    fresh = [p for pk, p in now.items() if seen.get(pk) != p]
    seen.clear()
    seen.update(now)
    return [block("progress", progress_json(p)) for p in fresh]


def nothing_to_come(last: str, run: AnalysisRun) -> bool:
    """Whether somebody who comes back to a run with this ``Last-Event-ID`` has read all there will be."""
    place = place_parse(last)
    return place is not None and not run.is_active and not events_pending(place, run)


def progress_json(progress: RunProgress) -> dict[str, Any]:
    return {
        "run": progress.run_id,
        "status": progress.status,
        "stage": str(progress.stage),
        "progress": round(progress.share, 4),
        "done_ms": progress.done_ms,
        "total_ms": progress.total_ms,
        "drawings": progress.drawings,
        "faces": progress.faces,
        "film_per_second": _round(progress.rate),
        "drawings_per_second": _round(progress.drawings_rate),
        "seconds_left": _round(progress.left_s),
        "seconds_left_low": _round(progress.left_low_s),
        "seconds_left_high": _round(progress.left_high_s),
        "seconds_left_unknown": None if progress.unknown is None else str(progress.unknown),
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def block(event: str, data: dict[str, Any], place: str = "") -> str:
    """One event. JSON has no line ends outside of strings, and escapes those within."""
    head = f"id: {place}\n" if place else ""
    return f"{head}event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
