"""Pausing work and letting it go on. A row says so, so it outlives every process; what is under way is finished."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models.functions import Now

from analysis.errors import QueueUnknown
from analysis.models import Queue, QueueName, RunEventKind
from analysis.selectors.queue import is_paused
from analysis.selectors.runs import runs_to_finalise, segments_due
from analysis.services.audit import audit_record
from analysis.services.messages import finalise_send, segments_send
from analysis.services.run_events import event_record

MOST_REASON = 200
MOST_SENT = 500  # messages at once; the sweep sends the rest


@transaction.atomic
def queue_pause(*, name: str, actor: AbstractBaseUser | None = None, reason: str = "") -> Queue:
    """Nothing of this queue is begun from now on. Twice is as good as once, and keeps the first reason.

    Raises QueueUnknown.
    """
    queue = _locked(name)
    if queue.paused_at is None:
        queue.paused_by_id = None if actor is None else actor.pk
        queue.reason = " ".join(reason.split())[:MOST_REASON]
        Queue.objects.filter(pk=queue.pk).update(paused_at=Now(), paused_by_id=queue.paused_by_id, reason=queue.reason)
        audit_record(action="queue.pause", subject=queue, actor=actor, after={"queue": name, "reason": queue.reason})
        event_record(None, RunEventKind.PAUSED, actor=actor, code=name, detail=queue.reason)
    queue.refresh_from_db()
    return queue


@transaction.atomic
def queue_resume(*, name: str, actor: AbstractBaseUser | None = None) -> Queue:
    """Work goes on, where no other pause stands over it. Twice is as good as once. Raises QueueUnknown."""
    queue = _locked(name)
    if queue.paused_at is not None:
        before = {"queue": name, "reason": queue.reason}
        Queue.objects.filter(pk=queue.pk).update(paused_at=None, paused_by=None, reason="")
        audit_record(action="queue.resume", subject=queue, actor=actor, before=before)
        event_record(None, RunEventKind.RESUMED, actor=actor, code=name)
        _send()
    queue.refresh_from_db()
    return queue


def _locked(name: str) -> Queue:
    if name not in QueueName.values:
        raise QueueUnknown(f"There is no queue {name!r}; there are {', '.join(QueueName.values)}.")
    Queue.objects.get_or_create(name=name)
    return Queue.objects.select_for_update().get(name=name)


def _send() -> None:
    """Messages that came during the pause were thrown away."""
    if not is_paused(QueueName.INFERENCE):
        segments_send(list(segments_due().values_list("pk", flat=True)[:MOST_SENT]))
    if not is_paused(QueueName.DEFAULT):
        for run_id in runs_to_finalise():
            finalise_send(run_id)
