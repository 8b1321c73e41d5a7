"""A whole catalogue over to another bundle, and back: each in one transaction, with an audit row over the runs' own.

Only whole runs of the video that an episode has now are shown this way, and only where the episode shows something
already: an episode that shows nothing, or a partial run, follows the rule or a person (``publishing``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from analysis.errors import NothingToPublish
from analysis.models import AnalysisRun, Audit, ModelBundle, Publication, RunStatus
from analysis.selectors.comparing import newest_whole
from analysis.services.audit import audit_record
from analysis.services.publishing import run_show
from catalog.models import Episode


@dataclass(frozen=True, slots=True)
class Switched:
    """``runs``: per episode id, (the run it showed, the run it shows). ``left``: episodes that stay as they are,
    because the bundle has no whole run of them, or because they show another run by now.
    """

    runs: Mapping[int, tuple[int, int]]
    left: int
    dry_run: bool = False


@transaction.atomic
def bundle_publish(*, bundle: ModelBundle, actor: AbstractBaseUser | None = None, dry_run: bool = False) -> Switched:
    """Every episode that shows a run of another bundle shows its newest whole run of this one.

    All of them or none. Raises NothingToPublish where no episode waits for it.
    """
    newest = newest_whole(bundle)
    episodes = _locked(set(Publication.objects.filter(withdrawn_at__isnull=True).values_list("episode_id", flat=True)))
    shown = _shown(episodes)
    wanted = {
        pk: (shown[pk], newest[pk])
        for pk in episodes
        if pk in newest and pk in shown and shown[pk].bundle_id != bundle.pk
    }
    left = sum(1 for pk, run in shown.items() if run.bundle_id != bundle.pk and pk not in wanted)
    if not wanted:
        raise NothingToPublish(f"No episode that shows another bundle has a whole run of {bundle}.")
    switched = {pk: (old.pk, new.pk) for pk, (old, new) in wanted.items()}
    if not dry_run:
        for pk, (_, run) in wanted.items():
            run_show(episodes[pk], run, actor, "run.publish")
        _record("bundle.publish", bundle, actor, switched)
    return Switched(switched, left, dry_run)


@transaction.atomic
def bundle_rollback(*, bundle: ModelBundle, actor: AbstractBaseUser | None = None) -> Switched:
    """Undoes the last ``bundle_publish`` of this bundle: its episodes show again what they showed before it.

    An episode that somebody gave another run since then keeps that. Raises NothingToPublish where the bundle was not
    published as a whole, or nothing of that is left.
    """
    last = _last(bundle)
    if last is None:
        raise NothingToPublish(f"{bundle} was not published as a whole, or was rolled back already.")
    before = {int(pk): run for pk, run in (last.before or {})["runs"].items()}
    after = {int(pk): run for pk, run in (last.after or {})["runs"].items()}
    episodes = _locked(set(after))
    shown = _shown(episodes)
    earlier = AnalysisRun.objects.filter(status=RunStatus.SUCCEEDED).in_bulk(before.values())
    switched = {}
    for pk, episode in episodes.items():
        if pk in shown and shown[pk].pk == after[pk] and before[pk] in earlier:
            run_show(episode, earlier[before[pk]], actor, "run.rollback")
            switched[pk] = (after[pk], before[pk])
    if not switched:
        raise NothingToPublish(f"No episode still shows the run that the publication of {bundle} gave it.")
    _record("bundle.rollback", bundle, actor, switched)
    return Switched(switched, len(after) - len(switched))


def _last(bundle: ModelBundle) -> Audit | None:
    """The last publication of the bundle as a whole that was not undone since."""
    rows = Audit.objects.filter(object_type=bundle._meta.label_lower, object_id=bundle.pk)
    last = rows.filter(action__in=["bundle.publish", "bundle.rollback"]).order_by("-id").first()
    return last if last is not None and last.action == "bundle.publish" else None


def _locked(ids: set[int]) -> dict[int, Episode]:
    """In the order of their ids, so that two of these wait for each other and never for ever."""
    rows = Episode.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    return {episode.pk: episode for episode in rows}


def _shown(episodes: Mapping[int, Episode]) -> dict[int, AnalysisRun]:
    current = Publication.objects.filter(episode_id__in=list(episodes), withdrawn_at__isnull=True)
    return {p.episode_id: p.run for p in current.select_related("run").order_by("episode_id")}


def _record(
    action: str, bundle: ModelBundle, actor: AbstractBaseUser | None, switched: Mapping[int, tuple[int, int]]
) -> None:
    before = {"runs": {str(pk): old for pk, (old, _) in switched.items()}}
    after = {"runs": {str(pk): new for pk, (_, new) in switched.items()}}
    audit_record(action=action, subject=bundle, actor=actor, before=before, after=after)
