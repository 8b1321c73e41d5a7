"""Who may work on a segment, and whose rows count.

A claim is one conditional UPDATE that writes a lease token. Whoever holds the token may heartbeat, complete, fail or
release; anybody else's call finds no row and writes nothing (fencing), however late it comes. Times are the database's,
so workers' clocks do not matter. Which segment is next is asked of the rows at the moment of the claim, never of the
message, so a priority counts for work that waits already.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from analysis.models import AnalysisRun, QueueName, RunEventKind, RunStatus, Segment, SegmentStatus
from analysis.selectors.queue import is_paused
from analysis.selectors.runs import segment_first_due
from analysis.services.deliveries import run_ended_tell
from analysis.services.messages import finalise_send, segments_send
from analysis.services.observations import observations_write, result_check
from analysis.services.run_events import event_record
from analysis.services.run_pace import pace_note
from ml.types import SegmentResult

MOST_ATTEMPTS = 3
RETRY_AFTER_S = 2.0  # doubled with each attempt
CLOCKS_DIFFER_S = 0.5  # a message that comes before the pause is over would find nothing due
MOST_RACES = 50  # segments that others took first, before a claim gives up

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """All that a worker needs to analyse a segment. ``stored_name`` is relative to MEDIA_ROOT."""

    token: uuid.UUID
    segment_id: int
    run_id: int
    episode_id: int
    index: int
    start_ms: int
    end_ms: int
    attempt: int
    config: Mapping[str, Any]
    bundle_name: str
    bundle_version: str
    bundle_digest: str
    stored_name: str
    original_name: str
    source_sha256: str


@dataclass(frozen=True, slots=True)
class Pulse:
    """``held`` False: the lease is lost; stop and write nothing. ``cancelled``: stop and say so."""

    held: bool
    cancelled: bool


def _lease_end() -> Any:
    return Now() + timedelta(seconds=settings.TOONEMO_LEASE_SECONDS)


def segment_claim_next(worker: str) -> Claim | None:
    """Takes the lease on the first segment that is due: highest priority, then oldest request. None: nothing is.

    Nothing is locked while it is looked for; whoever is beaten to it looks again.
    """
    if is_paused(QueueName.INFERENCE):
        return None
    for _ in range(MOST_RACES):
        first = segment_first_due(MOST_ATTEMPTS)
        if first is None:
            return None
        claim = segment_claim(first, worker)
        if claim is not None:
            return claim
    return None


@transaction.atomic
def segment_claim(segment_id: int, worker: str) -> Claim | None:
    """Takes the lease on a segment that waits, or whose lease ran out. None: it is not to be had, or work is paused.

    A segment that was begun MOST_ATTEMPTS times without an end is not to be had either: ``leases_reclaim`` fails it.
    """
    if is_paused(QueueName.INFERENCE):
        return None
    run = AnalysisRun.objects.select_for_update(no_key=True).filter(segments__pk=segment_id).first()
    if run is None or not run.is_active or run.cancel_requested_at is not None:
        return None
    token = uuid.uuid4()
    waiting = Q(status=SegmentStatus.PENDING)
    abandoned = Q(status=SegmentStatus.RUNNING, lease_expires_at__lt=Now())
    won = Segment.objects.filter(waiting | abandoned, pk=segment_id, attempts__lt=MOST_ATTEMPTS).update(
        status=SegmentStatus.RUNNING,
        lease_token=token,
        lease_expires_at=_lease_end(),
        worker=worker[:200],
        attempts=F("attempts") + 1,
        not_before=None,
        done_ms=0,
        drawings=0,
        faces=0,
    )
    if not won:
        return None
    if run.status == RunStatus.QUEUED:
        AnalysisRun.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING)
        AnalysisRun.objects.filter(pk=run.pk, started_at__isnull=True).update(started_at=Now())
    segment = Segment.objects.select_related("run__bundle", "run__episode__source").get(pk=segment_id)
    source = segment.run.episode.source
    event_record(run.pk, RunEventKind.CLAIMED, part=segment.index, worker=worker)
    return Claim(
        token=token,
        segment_id=segment_id,
        run_id=run.pk,
        episode_id=run.episode_id,
        index=segment.index,
        start_ms=segment.start_ms,
        end_ms=segment.end_ms,
        attempt=segment.attempts,
        config=run.config,
        bundle_name=segment.run.bundle.name,
        bundle_version=segment.run.bundle.version,
        bundle_digest=segment.run.bundle.digest,
        stored_name="" if source is None or source.sha256 != run.source_sha256 else source.stored_name,
        original_name="" if source is None else source.original_name,
        source_sha256=run.source_sha256,
    )


def segment_heartbeat(token: uuid.UUID, *, done_ms: int, drawings: int, faces: int) -> Pulse:
    """Keeps the lease and tells the progress; also after the lease ran out, as long as nobody took it."""
    held = Segment.objects.filter(lease_token=token, status=SegmentStatus.RUNNING).update(
        lease_expires_at=_lease_end(), done_ms=done_ms, drawings=drawings, faces=faces
    )
    if not held:
        return Pulse(held=False, cancelled=False)
    pace_note(token)
    cancelled = AnalysisRun.objects.filter(segments__lease_token=token, cancel_requested_at__isnull=False).exists()
    return Pulse(held=True, cancelled=cancelled)


@transaction.atomic
def segment_complete(token: uuid.UUID, result: SegmentResult) -> bool:
    """Writes what the segment showed, all of it or nothing. False: the token no longer holds, and nothing was written.

    Raises ResultInvalid where a number is not finite or lies outside the segment; nothing is written then either.
    """
    segment = _held(token)
    if segment is None:
        return False
    result_check(result, segment)
    observations_write(segment, result.detections)
    event_record(segment.run_id, RunEventKind.DONE, part=segment.index, worker=segment.worker)
    _end(
        segment,
        SegmentStatus.DONE,
        done_ms=segment.end_ms - segment.start_ms,
        frames=result.frames,
        drawings=result.drawings,
        faces=len(result.detections),
        cuts_ms=list(result.cuts_ms),
        kinds=[[piece.start_ms, piece.end_ms, str(piece.kind)] for piece in result.kinds],
        timings=dict(result.timings),
        error_code="",
        error_detail="",
    )
    return True


@transaction.atomic
def segment_fail(token: uuid.UUID, code: str, detail: str, *, final: bool = False) -> bool:
    """Says that the attempt failed. ``final``: the input is at fault, so trying again is no use.

    Otherwise it is tried MOST_ATTEMPTS times. False: the token no longer holds, and nothing was written.
    """
    segment = _held(token)
    if segment is None:
        return False
    told: dict[str, Any] = {"part": segment.index, "worker": segment.worker, "code": code, "detail": detail}
    if final or segment.attempts >= MOST_ATTEMPTS:
        event_record(segment.run_id, RunEventKind.FAILED, **told)
        _end(segment, SegmentStatus.FAILED, error_code=code[:60], error_detail=detail)
    elif _is_cancelled(segment):
        _stop(segment)
    else:
        pause_s = RETRY_AFTER_S * 2 ** (segment.attempts - 1)
        event_record(segment.run_id, RunEventKind.TRY_AGAIN, **told)
        later = Now() + timedelta(seconds=pause_s)
        _give_back(segment, error_code=code[:60], error_detail=detail, not_before=later)
        segments_send([segment.pk], countdown=pause_s + CLOCKS_DIFFER_S)
    return True


@transaction.atomic
def segment_cancel(token: uuid.UUID) -> bool:
    """The worker stopped because it was asked to. False: the token no longer holds."""
    segment = _held(token)
    if segment is None:
        return False
    _stop(segment)
    return True


@transaction.atomic
def segment_release(token: uuid.UUID) -> bool:
    """The worker goes home and hands the segment back as it was; the attempt does not count.

    Of a run that was cancelled it is handed back to nobody: it ends.
    """
    segment = _held(token)
    if segment is None:
        return False
    if _is_cancelled(segment):
        _stop(segment)
        return True
    event_record(segment.run_id, RunEventKind.RELEASED, part=segment.index, worker=segment.worker)
    _give_back(segment, attempts=segment.attempts - 1)
    segments_send([segment.pk])
    return True


def leases_reclaim() -> list[int]:
    """Takes back what dead workers hold. Gives the ids of the segments that wait again.

    A segment whose worker died MOST_ATTEMPTS times fails: something about it kills workers.
    """
    expired = Segment.objects.filter(status=SegmentStatus.RUNNING, lease_expires_at__lt=Now())
    return [pk for pk in expired.values_list("pk", flat=True) if _reclaim(pk)]


@transaction.atomic
def _reclaim(segment_id: int) -> bool:
    """Whether the segment waits again."""
    run = AnalysisRun.objects.select_for_update(no_key=True).filter(segments__pk=segment_id).first()
    expired = Segment.objects.filter(pk=segment_id, status=SegmentStatus.RUNNING, lease_expires_at__lt=Now())
    segment = expired.select_for_update(no_key=True).first()
    if run is None or segment is None:
        return False
    logger.warning("lease_expired", run=run.pk, segment=segment.pk, worker=segment.worker)
    event_record(run.pk, RunEventKind.LEASE_LOST, part=segment.index, worker=segment.worker)
    if run.cancel_requested_at is not None:
        _end(segment, SegmentStatus.CANCELLED)
    elif segment.attempts >= MOST_ATTEMPTS:
        detail = f"The worker stopped answering {segment.attempts} times in this part."
        event_record(run.pk, RunEventKind.FAILED, part=segment.index, code="worker_lost", detail=detail)
        _end(segment, SegmentStatus.FAILED, error_code="worker_lost", error_detail=detail)
    else:
        _give_back(segment)
        return True
    return False


def _held(token: uuid.UUID) -> Segment | None:
    """The segment under this token, locked after its run: two that end at once then see each other's end."""
    list(AnalysisRun.objects.select_for_update(no_key=True).filter(segments__lease_token=token).values_list("pk"))
    held = Segment.objects.select_for_update(no_key=True).filter(lease_token=token, status=SegmentStatus.RUNNING)
    return held.first()


def _is_cancelled(segment: Segment) -> bool:
    return AnalysisRun.objects.filter(pk=segment.run_id, cancel_requested_at__isnull=False).exists()


def _stop(segment: Segment) -> None:
    event_record(segment.run_id, RunEventKind.STOPPED, part=segment.index, worker=segment.worker)
    _end(segment, SegmentStatus.CANCELLED)


def _give_back(segment: Segment, **changes: Any) -> None:
    Segment.objects.filter(pk=segment.pk).update(
        status=SegmentStatus.PENDING, lease_token=None, lease_expires_at=None, worker="", done_ms=0, **changes
    )


def _end(segment: Segment, status: SegmentStatus, **changes: Any) -> None:
    """Ends a segment; the one that ends last asks for the run to be finalised, or ends it where it was cancelled."""
    Segment.objects.filter(pk=segment.pk).update(status=status, lease_token=None, lease_expires_at=None, **changes)
    open_ones = Segment.objects.filter(run_id=segment.run_id, status__in=[SegmentStatus.PENDING, SegmentStatus.RUNNING])
    if not open_ones.exists() and not run_end_cancelled(segment.run_id):
        finalise_send(segment.run_id)


def run_end_cancelled(run_id: int) -> bool:
    """Ends a run of which a segment was cancelled and none is open: there is nothing to put together, so nobody has to
    wait for that. To be called under the lock of the run. False: it is not such a run.
    """
    if not Segment.objects.filter(run_id=run_id, status=SegmentStatus.CANCELLED).exists():
        return False
    active = AnalysisRun.objects.filter(pk=run_id, status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
    if active.update(status=RunStatus.CANCELLED, finished_at=Now()):
        event_record(run_id, RunEventKind.ENDED, code=RunStatus.CANCELLED)
        run_ended_tell(AnalysisRun.objects.get(pk=run_id))
    return True
