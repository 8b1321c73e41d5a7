"""What runs are there, how far are they, and which one does an episode show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Now
from django.utils import timezone

from analysis.models import AnalysisRun, Publication, RunPace, RunStatus, Segment, SegmentStatus
from analysis.pace import WINDOW_S, Pace, Sample, Unknown, pace_of
from catalog.models import Episode

RUNS_AT_ONCE = 20


class Stage(StrEnum):
    """Where a run is on its way."""

    WAITING = "waiting"
    READING = "reading"
    STOPPING = "stopping"
    TOGETHER = "together"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is. ``rate``: seconds of film per second, ``drawings_rate``: drawings per second, over the last
    minutes while it goes on, over all of it when it has ended. ``left_s`` lies between ``left_low_s`` and
    ``left_high_s``; where it is None, ``unknown`` says why nobody can tell.
    """

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
    drawings_rate: float | None = None
    left_low_s: float | None = None
    left_high_s: float | None = None
    unknown: Unknown | None = None
    stage: Stage = Stage.WAITING

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
    at = now or timezone.now()
    runs = list(
        AnalysisRun.objects.filter(pk__in=list(run_ids)).annotate(
            content_ms=Max("segments__end_ms"),
            analysed_ms=Sum("segments__done_ms"),
            seen_drawings=Sum("segments__drawings"),
            seen_faces=Sum("segments__faces"),
            parts=Count("segments"),
            parts_done=Count("segments", filter=Q(segments__status=SegmentStatus.DONE)),
            parts_failed=Count("segments", filter=Q(segments__status=SegmentStatus.FAILED)),
            parts_running=Count("segments", filter=Q(segments__status=SegmentStatus.RUNNING)),
            parts_open=Count("segments", filter=Q(segments__status=SegmentStatus.PENDING)),
        )
    )
    paces = _paces([run.pk for run in runs if run.is_active], at)
    return {run.pk: _progress(run, paces.get(run.pk)) for run in runs}


def run_progress(run: AnalysisRun, now: datetime | None = None) -> RunProgress:
    return runs_progress([run.pk], now)[run.pk]


def _paces(run_ids: list[int], now: datetime) -> dict[int, Pace]:
    """Of runs that go on; two queries."""
    if not run_ids:
        return {}
    samples: dict[int, list[Sample]] = {pk: [] for pk in run_ids}
    since = now - timedelta(seconds=WINDOW_S)
    for row in RunPace.objects.filter(run_id__in=run_ids, at__gte=since).order_by("at", "id"):
        samples[row.run_id].append(Sample(row.at.timestamp(), row.done_ms, row.drawings, row.working))
    held: dict[int, list[int]] = {pk: [] for pk in run_ids}
    waits: dict[int, list[int]] = {pk: [] for pk in run_ids}
    open_ones = Segment.objects.filter(
        run_id__in=run_ids, status__in=[SegmentStatus.PENDING, SegmentStatus.RUNNING]
    ).order_by("run_id", "index")
    for run_id, status, start, end, done in open_ones.values_list("run_id", "status", "start_ms", "end_ms", "done_ms"):
        lengths = held if status == SegmentStatus.RUNNING else waits
        lengths[run_id].append(max(0, end - start - done))
    return {pk: pace_of(samples[pk], now.timestamp(), held[pk], waits[pk]) for pk in run_ids}


def _stage(run: AnalysisRun, under_way: int, open_parts: int) -> Stage:
    if not run.is_active:
        return Stage.ENDED
    if run.cancel_requested_at is not None:
        return Stage.STOPPING
    if under_way:
        return Stage.READING
    return Stage.WAITING if open_parts else Stage.TOGETHER


def _progress(run: AnalysisRun, pace: Pace | None) -> RunProgress:
    row = run.__dict__  # the annotations of runs_progress
    total, done = row["content_ms"] or 0, row["analysed_ms"] or 0
    drawings = row["seen_drawings"] or 0
    rate = drawings_rate = None
    if pace is not None:
        rate, drawings_rate = pace.film, pace.drawings
    elif run.started_at is not None and run.finished_at is not None and done > run.kept_ms:
        worked = max((run.finished_at - run.started_at).total_seconds(), 0.001)
        rate = (done - run.kept_ms) / 1000 / worked
        drawings_rate = drawings / worked if run.kept_ms == 0 else None
    left = None if pace is None else pace.left
    return RunProgress(
        run_id=run.pk,
        status=run.status,
        partial=run.partial,
        total_ms=total,
        done_ms=min(done, total),
        drawings=drawings,
        faces=row["seen_faces"] or 0,
        segments=row["parts"],
        segments_done=row["parts_done"],
        segments_failed=row["parts_failed"],
        segments_running=row["parts_running"],
        rate=rate,
        left_s=None if left is None else left.seconds,
        drawings_rate=drawings_rate,
        left_low_s=None if left is None else left.low_s,
        left_high_s=None if left is None else left.high_s,
        unknown=None if pace is None else pace.unknown,
        stage=_stage(run, row["parts_running"], row["parts_open"]),
    )


def run_missing_parts(run: AnalysisRun) -> list[MissingPart]:
    """The parts that failed, in content order, with the reason for each."""
    failed = run.segments.filter(status=SegmentStatus.FAILED).order_by("index")
    return [MissingPart(s.start_ms, s.end_ms, s.error_code, s.error_detail) for s in failed]


def segments_due(*, abandoned: bool = False) -> QuerySet[Segment]:
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
    return waiting.order_by("-run__priority", "run__created_at", "run_id", "index")


def segment_first_due(most_attempts: int) -> int | None:
    """The segment that is to be taken next, also one that a dead worker holds. Runs are looked at in their order, some
    at a time: of tens of thousands of segments that wait, few are read.
    """
    active = AnalysisRun.objects.filter(
        status__in=[RunStatus.QUEUED, RunStatus.RUNNING], cancel_requested_at__isnull=True
    )
    runs = list(active.order_by("-priority", "created_at", "pk").values_list("pk", flat=True))
    due = segments_due(abandoned=True).filter(attempts__lt=most_attempts)
    for start in range(0, len(runs), RUNS_AT_ONCE):
        first = due.filter(run_id__in=runs[start : start + RUNS_AT_ONCE]).values_list("pk", flat=True).first()
        if first is not None:
            return first
    return None


def runs_to_finalise() -> list[int]:
    """Active runs of which every segment has ended: the message that should have finalised them got lost."""
    open_ones = [SegmentStatus.PENDING, SegmentStatus.RUNNING]
    active = AnalysisRun.objects.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
    ended = active.annotate(open_parts=Count("segments", filter=Q(segments__status__in=open_ones)))
    return list(ended.filter(open_parts=0).values_list("pk", flat=True))


def work_under_way() -> int:
    """How many segments some worker holds now."""
    return Segment.objects.filter(status=SegmentStatus.RUNNING, lease_expires_at__gt=timezone.now()).count()
