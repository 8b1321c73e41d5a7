"""Which work may begin, which worker is there, and what waits in which order and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from analysis.models import AnalysisRun, Queue, QueueName, RunStatus, Segment, SegmentStatus, Worker

ALIVE_S = 20.0  # a worker that was seen so lately lives; it tells of itself every 5 s


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


def waiting(most: int | None = None) -> list[Waiting]:
    """What waits, in the order in which workers take it; of the first ``most`` runs that go on."""
    runs = _going().select_related("episode__series", "bundle", "requested_by")
    return _waiting(list(runs.order_by("-priority", "created_at", "pk")[:most]), 1)


def waiting_place(run: AnalysisRun) -> Waiting | None:
    """Where one run stands; None where nothing of it waits."""
    if not _with_open_parts().filter(pk=run.pk).exists():
        return None
    older = Q(created_at__lt=run.created_at) | Q(created_at=run.created_at, pk__lt=run.pk)
    before = _with_open_parts().filter(Q(priority__gt=run.priority) | (Q(priority=run.priority) & older)).count()
    return next(iter(_waiting([run], before + 1)), None)


def _with_open_parts() -> QuerySet[AnalysisRun]:
    return _going().filter(Exists(Segment.objects.filter(run=OuterRef("pk"), status=SegmentStatus.PENDING)))


def _going() -> QuerySet[AnalysisRun]:
    active = [RunStatus.QUEUED, RunStatus.RUNNING]
    return AnalysisRun.objects.filter(status__in=active, cancel_requested_at__isnull=True)


def _waiting(runs: list[AnalysisRun], first: int) -> list[Waiting]:
    pending = Q(status=SegmentStatus.PENDING)
    ready = pending & (Q(not_before__isnull=True) | Q(not_before__lte=Now()))
    rows = (
        Segment.objects.filter(run__in=[run.pk for run in runs])
        .order_by()
        .values_list("run_id")
        .annotate(
            parts=Count("pk", filter=pending),
            under_way=Count("pk", filter=Q(status=SegmentStatus.RUNNING)),
            ready=Count("pk", filter=ready),
            soonest=Min("not_before", filter=pending),
        )
    )
    counts = {row[0]: row[1:] for row in rows}
    found: list[Waiting] = []
    for run in runs:
        parts, under_way, can_begin, soonest = counts.get(run.pk, (0, 0, 0, None))
        if parts:
            later = soonest if can_begin == 0 else None
            found.append(Waiting(run, first + len(found), parts, under_way, later))
    return found
