"""What runs are there, how far are they, and which one does an episode show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Now
from django.utils import timezone

from analysis.models import AnalysisRun, Publication, RunStatus, Segment, SegmentStatus
from catalog.models import Episode

LEAST_RATE_S = 3.0  # seconds of work before a rate means anything


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is. ``rate``: content seconds per second; ``left_s``: seconds left at that rate; None: unknown."""

    run_id: int
    status: str
    partial: bool
    total_ms: int
    done_ms: int
    drawings: int
    faces: int
    segments: int
    segments_done: int
    segments_failed: int
    segments_running: int
    rate: float | None
    left_s: float | None

    @property
    def share(self) -> float:
        """In [0, 1]."""
        return min(1.0, self.done_ms / self.total_ms) if self.total_ms else 0.0

    @property
    def percent(self) -> int:
        return int(100 * self.share)

    @property
    def ended(self) -> bool:
        return self.status not in (RunStatus.QUEUED, RunStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class MissingPart:
    start_ms: int
    end_ms: int
    code: str
    reason: str


def run_list(*, status: str | None = None, episode: Episode | None = None) -> QuerySet[AnalysisRun]:
    """Newest first, with what a list shows already joined."""
    runs = AnalysisRun.objects.select_related("episode__series", "bundle", "requested_by")
    if status:
        runs = runs.filter(status=status)
    if episode is not None:
        runs = runs.filter(episode=episode)
    return runs


def run_published(episode: Episode) -> AnalysisRun | None:
    """The run that the episode shows."""
    shown = Publication.objects.filter(episode=episode, withdrawn_at__isnull=True)
    publication = shown.select_related("run__bundle", "run__episode__series").first()
    return None if publication is None else publication.run


def runs_published() -> QuerySet[AnalysisRun]:
    """Every run that some episode shows now: what search and ratings may read."""
    current = Publication.objects.filter(withdrawn_at__isnull=True)
    return AnalysisRun.objects.filter(pk__in=current.values("run_id"))


def runs_progress(run_ids: Iterable[int], now: datetime | None = None) -> dict[int, RunProgress]:
    """Progress by run id; a run that is gone is left out. ``now`` is for tests."""
    runs = AnalysisRun.objects.filter(pk__in=list(run_ids)).annotate(
        content_ms=Max("segments__end_ms"),
        analysed_ms=Sum("segments__done_ms"),
        seen_drawings=Sum("segments__drawings"),
        seen_faces=Sum("segments__faces"),
        parts=Count("segments"),
        parts_done=Count("segments", filter=Q(segments__status=SegmentStatus.DONE)),
        parts_failed=Count("segments", filter=Q(segments__status=SegmentStatus.FAILED)),
        parts_running=Count("segments", filter=Q(segments__status=SegmentStatus.RUNNING)),
    )
    return {run.pk: _progress(run, now or timezone.now()) for run in runs}


def run_progress(run: AnalysisRun, now: datetime | None = None) -> RunProgress:
    return runs_progress([run.pk], now)[run.pk]


def _progress(run: AnalysisRun, now: datetime) -> RunProgress:
    row = run.__dict__  # the annotations of runs_progress
    total, done = row["content_ms"] or 0, row["analysed_ms"] or 0
    rate = left = None
    if run.started_at is not None:
        worked = ((run.finished_at or now) - run.started_at).total_seconds()
        new = done - run.kept_ms
        if new > 0 and (worked >= LEAST_RATE_S or run.finished_at):
            rate = new / 1000 / max(worked, 0.001)
    if rate and run.is_active:
        left = max(0.0, (total - done) / 1000 / rate)
    return RunProgress(
        run_id=run.pk,
        status=run.status,
        partial=run.partial,
        total_ms=total,
        done_ms=min(done, total),
        drawings=row["seen_drawings"] or 0,
        faces=row["seen_faces"] or 0,
        segments=row["parts"],
        segments_done=row["parts_done"],
        segments_failed=row["parts_failed"],
        segments_running=row["parts_running"],
        rate=rate,
        left_s=left,
    )


def run_missing_parts(run: AnalysisRun) -> list[MissingPart]:
    """The parts that failed, in content order, with the reason for each."""
    failed = run.segments.filter(status=SegmentStatus.FAILED).order_by("index")
    return [MissingPart(s.start_ms, s.end_ms, s.error_code, s.error_detail) for s in failed]


def segments_due(*, abandoned: bool = False, most_attempts: int | None = None) -> QuerySet[Segment]:
    """What waits for a worker, in the order in which it is taken: priority, then who asked first.

    What failed a moment ago is left out until its pause is over. ``abandoned``: also what a dead worker holds.
    """
    open_ones = Q(status=SegmentStatus.PENDING) & (Q(not_before__isnull=True) | Q(not_before__lte=Now()))
    if abandoned:
        open_ones |= Q(status=SegmentStatus.RUNNING, lease_expires_at__lt=Now())
    waiting = Segment.objects.filter(
        open_ones,
        run__status__in=[RunStatus.QUEUED, RunStatus.RUNNING],
        run__cancel_requested_at__isnull=True,
    )
    if most_attempts is not None:
        waiting = waiting.filter(attempts__lt=most_attempts)
    return waiting.order_by("-run__priority", "run__created_at", "run_id", "index")


def runs_to_finalise() -> list[int]:
    """Active runs of which every segment has ended: the message that should have finalised them got lost."""
    open_ones = [SegmentStatus.PENDING, SegmentStatus.RUNNING]
    active = AnalysisRun.objects.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
    ended = active.annotate(open_parts=Count("segments", filter=Q(segments__status__in=open_ones)))
    return list(ended.filter(open_parts=0).values_list("pk", flat=True))


def work_under_way() -> int:
    """How many segments some worker holds now."""
    return Segment.objects.filter(status=SegmentStatus.RUNNING, lease_expires_at__gt=timezone.now()).count()
