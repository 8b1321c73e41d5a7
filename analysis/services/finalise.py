"""The last step of a run: from the faces of its segments to shots, tracks, scenes, scores and profiles.

One transaction under the lock of the run. What is derived is deleted and written anew, so doing it twice gives equal
rows, as long as the series' other published episodes stay (the baseline is made from them). All arithmetic is in
``ml.timeline`` and ``analysis.ratings``.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from analysis.models import AnalysisRun, Publication, RunEventKind, RunStatus, Segment, SegmentStatus
from analysis.ratings import RATINGS_VERSION
from analysis.services.deliveries import run_ended_tell
from analysis.services.derived import derived_rewrite
from analysis.services.messages import thumbnails_send
from analysis.services.publishing import publish_by_rule
from analysis.services.run_events import event_record
from analysis.services.shown import shown_refresh
from catalog.models import Episode

MOST_FINALISE_ATTEMPTS = 3

logger = structlog.get_logger(__name__)


def run_finalise(run_id: int, *, again: bool = False) -> AnalysisRun | None:
    """Ends a run whose segments have all ended. ``again``: derives everything anew for one that succeeded.

    None: not yet (a segment is still to do), not any more, gone, or somebody else is at it. A run for which this was
    begun MOST_FINALISE_ATTEMPTS times without an end fails, so that a fault of ours is not repeated for ever.
    """
    if again:
        return _finalise(run_id, [RunStatus.SUCCEEDED])
    attempts = _attempt(run_id)
    if attempts is None:
        return None
    if attempts > MOST_FINALISE_ATTEMPTS:
        return _give_up(run_id)
    return _finalise(run_id, _ACTIVE)


_ACTIVE = [RunStatus.QUEUED, RunStatus.RUNNING]


@transaction.atomic
def _attempt(run_id: int) -> int | None:
    """Counts an attempt, in a transaction of its own so that a crash is counted too."""
    run = _locked(run_id, _ACTIVE)
    if run is None:
        return None
    AnalysisRun.objects.filter(pk=run_id).update(finalise_attempts=F("finalise_attempts") + 1)
    return run.finalise_attempts + 1


@transaction.atomic
def _finalise(run_id: int, statuses: list[RunStatus]) -> AnalysisRun | None:
    run = _locked(run_id, statuses)
    if run is None:
        return None
    segments = list(run.segments.order_by("index"))
    by_status = Counter(s.status for s in segments)
    was_active = run.is_active
    if by_status[SegmentStatus.CANCELLED]:
        return _ended(run, RunStatus.CANCELLED)
    failed = [s for s in segments if s.status == SegmentStatus.FAILED]
    if failed and not by_status[SegmentStatus.DONE]:
        return _ended(run, RunStatus.FAILED, error_code=failed[0].error_code, error_detail=failed[0].error_detail)
    derived_rewrite(run, segments)
    changes: dict[str, Any] = {
        "partial": bool(failed),
        "frames": sum(s.frames for s in segments),
        "drawings": sum(s.drawings for s in segments if s.status == SegmentStatus.DONE),
        "faces": sum(s.faces for s in segments if s.status == SegmentStatus.DONE),
        "timings": _timings(segments),
        "ratings_version": RATINGS_VERSION,
    }
    if failed:
        changes |= {"error_code": failed[0].error_code, "error_detail": failed_detail(segments)}
    run = _ended(run, RunStatus.SUCCEEDED, **changes)
    if was_active:
        publish_by_rule(run)
    elif Publication.objects.filter(run=run, withdrawn_at__isnull=True).exists():
        shown_refresh([run.episode_id])
    thumbnails_send(run.pk)
    return run


@transaction.atomic
def _give_up(run_id: int) -> AnalysisRun | None:
    run = _locked(run_id, _ACTIVE)
    if run is None:
        return None
    detail = f"The results could not be put together in {MOST_FINALISE_ATTEMPTS} attempts; the log says why."
    return _ended(run, RunStatus.FAILED, error_code="finalise_failed", error_detail=detail)


def _locked(run_id: int, statuses: list[RunStatus]) -> AnalysisRun | None:
    """The run, locked after its episode as every service locks them; None where there is nothing to do for us.

    Locks are not waited for: who holds them is at it already, and the sweep comes round again.
    """
    episodes = Episode.objects.select_for_update(no_key=True, skip_locked=True).filter(runs__pk=run_id)
    if not list(episodes.values_list("pk")):
        return None
    runs = AnalysisRun.objects.select_for_update(no_key=True, skip_locked=True)
    run = runs.filter(pk=run_id, status__in=statuses).first()
    open_ones = Segment.objects.filter(run_id=run_id, status__in=[SegmentStatus.PENDING, SegmentStatus.RUNNING])
    return None if run is None or open_ones.exists() else run


def _ended(run: AnalysisRun, status: RunStatus, **changes: Any) -> AnalysisRun:
    was_active = run.is_active
    if was_active:
        changes["finished_at"] = Now()
        event_record(run.pk, RunEventKind.ENDED, code=status, detail=changes.get("error_detail", ""))
    AnalysisRun.objects.filter(pk=run.pk).update(status=status, **changes)
    run.refresh_from_db()
    if was_active:
        run_ended_tell(run)
    logger.info("run_ended", run=run.pk, status=run.status, partial=run.partial, faces=run.faces)
    return run


def failed_detail(segments: list[Segment]) -> str:
    """Which parts are missing and why, in one sentence per part."""
    return " ".join(
        f"Missing {_clock(s.start_ms)} to {_clock(s.end_ms)}: {s.error_detail}"
        for s in segments
        if s.status == SegmentStatus.FAILED
    )


def _clock(ms: int) -> str:
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes}:{seconds:02d}"


def _timings(segments: list[Segment]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for segment in segments:
        total.update(segment.timings)
    return {stage: round(seconds, 4) for stage, seconds in sorted(total.items())}
