"""Asking for runs, stopping them and doing again what failed. Rows first; messages after commit, with ids only.

Locks are always taken in the order episode, run, segment, so that no two services can wait for each other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Now

from analysis.errors import EpisodeWithoutSource, RunConfigInvalid, RunNotCancellable, RunNotRetryable
from analysis.models import AnalysisRun, ModelBundle, RunEventKind, RunPace, RunStatus, Segment, SegmentStatus
from analysis.services.audit import audit_record
from analysis.services.bundles import bundle_find
from analysis.services.leases import run_end_cancelled
from analysis.services.messages import finalise_send, segments_send
from analysis.services.run_events import event_record
from catalog.models import Episode, SourceFile
from ml.timeline import SEGMENT_MS, plan_segments

SAMPLING = "drawings"
LEAST_SEGMENT_MS, MOST_SEGMENT_MS = 1_000, 600_000


@transaction.atomic
def run_request(
    *,
    episode: Episode,
    bundle_name: str | None = None,
    config: Mapping[str, Any] | None = None,
    requested_by: AbstractBaseUser | None = None,
    priority: int = 0,
    force: bool = False,
) -> AnalysisRun:
    """A run of ``episode``; the same request twice gives the same run, active or succeeded.

    ``config``: ``sampling`` (``drawings``, ``every-N``, ``per-second``) and ``segment_ms``; what is left out takes its
    default. ``force``: analyse again although it succeeded before; one that is still going is never doubled.
    Raises EpisodeWithoutSource, BundleUnknown, RunConfigInvalid.
    """
    locked = Episode.objects.select_for_update(no_key=True).get(pk=episode.pk)
    source = locked.source
    if source is None:
        raise EpisodeWithoutSource(f"{locked} has no video file to analyse.")
    bundle = bundle_find(bundle_name)
    options = run_config(config)
    fingerprint = run_fingerprint(source, bundle, options)
    wanted = [RunStatus.QUEUED, RunStatus.RUNNING] if force else [*_ACTIVE, RunStatus.SUCCEEDED]
    same = AnalysisRun.objects.filter(episode=locked, fingerprint=fingerprint, status__in=wanted)
    found = same.order_by("-id").first()
    if found is not None:
        return found
    run = AnalysisRun.objects.create(
        episode=locked,
        bundle=bundle,
        source_sha256=source.sha256,
        config=options,
        fingerprint=fingerprint,
        priority=priority,
        requested_by_id=None if requested_by is None else requested_by.pk,
    )
    pieces = plan_segments(source.duration_ms, options["segment_ms"])
    segments = Segment.objects.bulk_create(
        Segment(run=run, index=i, start_ms=start, end_ms=end) for i, (start, end) in enumerate(pieces)
    )
    audit_record(action="run.request", subject=run, actor=requested_by, after={"fingerprint": fingerprint})
    event_record(run.pk, RunEventKind.REQUESTED, actor=requested_by)
    segments_send(s.pk for s in segments)
    return run


_ACTIVE = (RunStatus.QUEUED, RunStatus.RUNNING)


def run_config(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The whole configuration of a run, checked. Raises RunConfigInvalid naming the option."""
    config: dict[str, Any] = {"sampling": SAMPLING, "segment_ms": SEGMENT_MS}
    for name, value in (given or {}).items():
        if name not in config:
            raise RunConfigInvalid(f"A run has no option {name!r}; it has {', '.join(sorted(config))}.")
        config[name] = value
    sampling, segment_ms = config["sampling"], config["segment_ms"]
    every = str(sampling).removeprefix("every-")
    if sampling not in ("drawings", "per-second") and not (
        sampling == f"every-{every}" and every.isdecimal() and 1 <= int(every) <= 10_000
    ):
        raise RunConfigInvalid(f"sampling is {sampling!r}; it must be drawings, per-second or every-N.")
    if isinstance(segment_ms, bool) or not isinstance(segment_ms, int):
        raise RunConfigInvalid(f"segment_ms is {segment_ms!r}; it must be a whole number of milliseconds.")
    if not LEAST_SEGMENT_MS <= segment_ms <= MOST_SEGMENT_MS:
        raise RunConfigInvalid(f"segment_ms is {segment_ms}; it must be {LEAST_SEGMENT_MS} to {MOST_SEGMENT_MS}.")
    return config


def run_fingerprint(source: SourceFile, bundle: ModelBundle, config: Mapping[str, Any]) -> str:
    """SHA-256 over everything that decides the result."""
    parts = {"source": source.sha256, "bundle": bundle.digest, "config": dict(config)}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def run_cancel(*, run: AnalysisRun, actor: AbstractBaseUser | None = None) -> AnalysisRun:
    """Stops a run: what waits is cancelled now, what a worker holds within two seconds. Twice is as good as once.

    Raises RunNotCancellable where the run has ended.
    """
    locked = AnalysisRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if not locked.is_active:
        raise RunNotCancellable(f"Run {locked.pk} has {locked.status} already.")
    if locked.cancel_requested_at is None:
        before = {"status": locked.status}
        AnalysisRun.objects.filter(pk=locked.pk).update(cancel_requested_at=Now())
        audit_record(action="run.cancel", subject=locked, actor=actor, before=before)
        event_record(locked.pk, RunEventKind.CANCEL, actor=actor)
        locked.segments.filter(status=SegmentStatus.PENDING).update(status=SegmentStatus.CANCELLED)
    under_way = locked.segments.filter(status=SegmentStatus.RUNNING).exists()
    if not under_way and not run_end_cancelled(locked.pk):
        finalise_send(locked.pk)
    locked.refresh_from_db()
    return locked


@transaction.atomic
def run_retry(*, run: AnalysisRun, actor: AbstractBaseUser | None = None) -> AnalysisRun:
    """Does again what failed or was cancelled, and only that. What the run found so far stays.

    Raises RunNotRetryable where nothing is to do again, or where an equal request is under way.
    """
    episode = Episode.objects.select_for_update(no_key=True).get(pk=run.episode_id)
    locked = AnalysisRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if locked.is_active:
        raise RunNotRetryable(f"Run {locked.pk} is still {locked.status}.")
    again = locked.segments.filter(status__in=[SegmentStatus.FAILED, SegmentStatus.CANCELLED])
    ids = list(again.values_list("pk", flat=True))
    if not ids and locked.status == RunStatus.SUCCEEDED:
        raise RunNotRetryable(f"Run {locked.pk} has succeeded in every part; there is nothing to do again.")
    others = AnalysisRun.objects.filter(episode=episode, fingerprint=locked.fingerprint, status__in=_ACTIVE)
    if others.exists():
        raise RunNotRetryable(f"An equal run of {episode} is under way already.")
    again.update(
        status=SegmentStatus.PENDING, attempts=0, not_before=None, done_ms=0, worker="", error_code="", error_detail=""
    )
    RunPace.objects.filter(run=locked).delete()  # what was measured before says nothing of now
    done = locked.segments.filter(status=SegmentStatus.DONE)
    before = {"status": locked.status, "partial": locked.partial, "error_code": locked.error_code}
    AnalysisRun.objects.filter(pk=locked.pk).update(
        status=RunStatus.QUEUED,
        partial=False,
        started_at=None,
        finished_at=None,
        cancel_requested_at=None,
        kept_ms=done.aggregate(ms=Sum("done_ms"))["ms"] or 0,
        finalise_attempts=0,
        error_code="",
        error_detail="",
    )
    audit_record(action="run.retry", subject=locked, actor=actor, before=before, after={"segments": len(ids)})
    event_record(locked.pk, RunEventKind.RETRIED, actor=actor)
    segments_send(ids)
    if not ids:
        finalise_send(locked.pk)
    locked.refresh_from_db()
    return locked
