"""Which run an episode shows. Publishing is one transaction, rolling back is another; both are kept in the audit.

By rule, a whole run is published when its episode shows nothing yet, or shows a partial run of the same bundle. A
partial run, and a run of another bundle over one that is shown, wait for a person.

A run that was derived before people corrected something of the episode is derived anew as it is shown.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models.functions import Now

from analysis.errors import NothingToRollBack, RunNotPublishable
from analysis.models import AnalysisRun, Publication, RunEventKind, RunStatus, WebhookEvent
from analysis.selectors.layer import layer_of
from analysis.services.audit import audit_record
from analysis.services.deliveries import webhooks_tell
from analysis.services.derived import derived_rewrite
from analysis.services.messages import find_index_send
from analysis.services.run_events import event_record
from analysis.services.shown import shown_refresh
from catalog.models import Episode


@transaction.atomic
def run_publish(*, run: AnalysisRun, actor: AbstractBaseUser | None = None) -> Publication:
    """The episode shows this run from now on. Publishing what is shown already changes nothing.

    Raises RunNotPublishable unless the run succeeded.
    """
    episode = Episode.objects.select_for_update(no_key=True).get(pk=run.episode_id)
    run = AnalysisRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if run.status != RunStatus.SUCCEEDED:
        raise RunNotPublishable(f"Run {run.pk} is {run.status}; only a run that succeeded can be shown.")
    return run_show(episode, run, actor, "run.publish")


@transaction.atomic
def run_rollback(*, episode: Episode, actor: AbstractBaseUser | None = None) -> Publication:
    """The episode shows again what it showed before. Twice goes back and forth.

    Raises NothingToRollBack where it never showed another run.
    """
    episode = Episode.objects.select_for_update(no_key=True).get(pk=episode.pk)
    current = Publication.objects.filter(episode=episode, withdrawn_at__isnull=True).first()
    shown = Publication.objects.filter(episode=episode, run__status=RunStatus.SUCCEEDED)
    earlier = shown.exclude(run_id=current.run_id if current else None).order_by("-withdrawn_at", "-id").first()
    if current is None or earlier is None:
        raise NothingToRollBack(f"{episode} has shown no other run before.")
    return run_show(episode, earlier.run, actor, "run.rollback")


def publish_by_rule(run: AnalysisRun) -> Publication | None:
    """Called inside the transaction that finalised ``run``, which holds the locks."""
    if run.status != RunStatus.SUCCEEDED or run.partial:
        return None
    current = Publication.objects.filter(episode_id=run.episode_id, withdrawn_at__isnull=True).first()
    if current is not None and not (current.run.partial and current.run.bundle_id == run.bundle_id):
        return None
    return run_show(run.episode, run, None, "run.publish")


def run_show(episode: Episode, run: AnalysisRun, actor: AbstractBaseUser | None, action: str) -> Publication:
    """Inside a transaction of the caller, who holds the lock of the episode and knows that the run succeeded."""
    current = Publication.objects.filter(episode=episode, withdrawn_at__isnull=True).first()
    if current is not None and current.run_id == run.pk:
        return current
    if run.layer != layer_of(run).digest:
        derived_rewrite(run, list(run.segments.order_by("index")))
    Publication.objects.filter(episode=episode, withdrawn_at__isnull=True).update(withdrawn_at=Now())
    shown = Publication.objects.create(episode=episode, run=run)
    shown_refresh([episode.pk])
    before = None if current is None else {"run": current.run_id}
    audit_record(action=action, subject=run, actor=actor, before=before, after={"run": run.pk})
    event_record(run.pk, RunEventKind.PUBLISHED, actor=actor, code=action)
    webhooks_tell(
        WebhookEvent.RUN_PUBLISHED, {"run": run.pk, "episode": episode.pk, "before": before and before["run"]}
    )
    find_index_send(run.pk)
    if current is not None:
        find_index_send(current.run_id)
    return shown
