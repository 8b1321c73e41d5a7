"""Which work may begin, which worker is there, and what waits in which order and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Count, Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from analysis.models import AnalysisRun, Queue, QueueName, RunStatus, Segment, SegmentStatus, Worker

ALIVE_S = 20.0  # a worker that was seen so lately lives; it tells of itself every 5 s
FORGET_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pause:
    """``by`` None: nobody, or somebody who is gone."""

    name: str
    since: datetime
    by: User | None
    reason: str

    @property
    def label(self) -> str:
        return str(QueueName(self.name).label)


@dataclass(frozen=True, slots=True)
class WorkerState:
    """``parts``: (run, index) of the segments that it holds. ``ended``: it went in order; else it stopped answering."""

    name: str
    queues: tuple[str, ...]
    processes: int
    alive: bool
    ended: bool
    seen_at: datetime | None
    parts: tuple[tuple[int, int], ...]

    @property
    def reads(self) -> bool:
        """Whether it takes segments at all."""
        return QueueName.INFERENCE.value in self.queues


def is_paused(name: QueueName) -> bool:
    return Queue.objects.filter(name__in=[QueueName.ALL, name], paused_at__isnull=False).exists()


def pauses() -> dict[str, Pause]:
    """By name of the queue, those that are paused."""
    rows = Queue.objects.filter(paused_at__isnull=False).select_related("paused_by")
    return {q.name: Pause(q.name, q.paused_at, q.paused_by, q.reason) for q in rows if q.paused_at is not None}


def workers(now: datetime | None = None) -> list[WorkerState]:
    """Those that live first. Also one that only holds a segment and never told of itself. ``now`` is for tests."""
    at = now or timezone.now()
    held: dict[str, list[tuple[int, int]]] = {}
    busy: set[str] = set()
    rows = Segment.objects.filter(status=SegmentStatus.RUNNING).order_by("run_id", "index")
    for name, run, index, until in rows.values_list("worker", "run_id", "index", "lease_expires_at"):
        held.setdefault(name, []).append((run, index))
        if until is not None and until > at:
            busy.add(name)
    found = [
        WorkerState(
            w.name,
            tuple(w.queues),
            w.processes,
            w.ended_at is None and (w.name in busy or (at - w.seen_at).total_seconds() < ALIVE_S),
            w.ended_at is not None,
            w.seen_at,
            tuple(held.pop(w.name, ())),
        )
        for w in Worker.objects.all()
    ]
    unknown = [
        WorkerState(name, (QueueName.INFERENCE.value,), 1, name in busy, False, None, tuple(parts))
        for name, parts in held.items()
    ]
    return sorted(found + unknown, key=lambda w: (not w.alive, w.name))


def workers_forget() -> int:
    """Rows of workers that were not seen for a day."""
    return Worker.objects.filter(seen_at__lt=Now() - FORGET_AFTER).delete()[0]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run of which parts wait. ``place`` from 1, in the order in which parts are taken. ``later``: all of its parts
    failed a moment ago and are tried again then.
    """

    run: AnalysisRun
    place: int
    parts: int
    under_way: int
    later: datetime | None


def waiting(among: Iterable[int] | None = None) -> list[Waiting]:
    """What waits, in the order in which workers take it. ``among``: only runs of these ids, in their places."""
    open_parts = Count("segments", filter=Q(segments__status=SegmentStatus.PENDING))
    runs = (
        AnalysisRun.objects.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING], cancel_requested_at__isnull=True)
        .annotate(
            open_parts=open_parts,
            under_way=Count("segments", filter=Q(segments__status=SegmentStatus.RUNNING)),
            ready=Count(
                "segments",
                filter=Q(segments__status=SegmentStatus.PENDING)
                & (Q(segments__not_before__isnull=True) | Q(segments__not_before__lte=Now())),
            ),
            soonest=Min("segments__not_before", filter=Q(segments__status=SegmentStatus.PENDING)),
        )
        .filter(open_parts__gt=0)
        .select_related("episode__series", "bundle", "requested_by")
        .order_by("-priority", "created_at", "pk")
    )
    chosen = None if among is None else set(among)
    found = []
    for place, run in enumerate(runs, 1):
        row = run.__dict__
        if chosen is None or run.pk in chosen:
            later = row["soonest"] if row["ready"] == 0 else None
            found.append(Waiting(run, place, row["open_parts"], row["under_way"], later))
    return found
