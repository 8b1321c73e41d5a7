"""Adding episodes, as people and the clock ask for it: the catalogue's own services, who asked, and word to workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from analysis.errors import AnalysisError
from analysis.services.audit import audit_record
from analysis.services.bundles import bundle_find
from analysis.services.messages import import_carries_send, import_looks_send, upload_checks_send
from analysis.services.runs import run_request
from catalog.models import Episode, ImportItem, ImportPlan, Upload, UploadStatus, WatchedFile
from catalog.services import plans
from catalog.services.imports import Imported, ImportStatus
from catalog.services.plan_carry import plan_carry_out
from catalog.services.upload_checks import uploads_due, uploads_sweep
from catalog.services.uploads import Checksum, upload_append, upload_create, upload_remove, upload_take
from catalog.services.watching import watch_look

logger = structlog.get_logger(__name__)


def upload_begin(*, owner: AbstractBaseUser, name: str, size: int, sha256: str = "") -> Upload:
    """Raises what ``upload_create`` raises."""
    upload = upload_create(owner=owner, name=name, size=size, sha256=sha256)
    audit_record(action="upload.begin", subject=upload, actor=owner, after={"name": upload.name, "size": size})
    return upload


def upload_go_on(
    upload: Upload, *, offset: int, length: int, read: Callable[[int], bytes], checksum: Checksum | None = None
) -> Upload:
    """Takes a piece; with the last one a worker is asked to look at the file. Raises what ``upload_append`` raises."""
    before = upload.status
    upload = upload_append(upload, offset=offset, length=length, read=read, checksum=checksum)
    if upload.status == UploadStatus.RECEIVED and before == UploadStatus.OPEN:
        _ask_to_check(upload)
    return upload


def upload_whole(*, owner: AbstractBaseUser, name: str, size: int, read: Callable[[int], bytes]) -> Upload:
    """Raises what ``upload_take`` raises."""
    upload = upload_take(owner=owner, name=name, size=size, read=read)
    audit_record(action="upload.begin", subject=upload, actor=owner, after={"name": upload.name, "size": size})
    _ask_to_check(upload)
    return upload


def _ask_to_check(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(sent_at=timezone.now())
    upload_checks_send([upload.pk])


def upload_give_up(upload: Upload, *, actor: AbstractBaseUser) -> None:
    """Raises UploadBusy."""
    before = {"name": upload.name, "size": upload.size, "status": upload.status}
    pk = upload.pk
    upload_remove(upload)
    upload.pk = pk
    audit_record(action="upload.remove", subject=upload, actor=actor, before=before)


@transaction.atomic
def preview_of_uploads(*, owner: AbstractBaseUser, tokens: Sequence[str], series: str = "") -> ImportPlan:
    return _asked(plans.plan_of_uploads(owner=owner, tokens=tokens, series=series), owner)


@transaction.atomic
def preview_of_folder(*, owner: AbstractBaseUser, address: str, series: str = "") -> ImportPlan:
    return _asked(plans.plan_of_folder(owner=owner, address=address, series=series), owner)


@transaction.atomic
def preview_of_list(
    *,
    owner: AbstractBaseUser,
    data: bytes,
    called: str,
    address: str = "",
    tokens: Sequence[str] = (),
    series: str = "",
) -> ImportPlan:
    plan = plans.plan_of_list(owner=owner, data=data, called=called, address=address, tokens=tokens, series=series)
    return _asked(plan, owner)


def _asked(plan: ImportPlan, owner: AbstractBaseUser) -> ImportPlan:
    audit_record(action="import.preview", subject=plan, actor=owner, after={"kind": plan.kind, "title": plan.title})
    import_looks_send([plan.pk])
    return plan


def import_confirm(
    *,
    plan: ImportPlan,
    digest: str,
    choices: Mapping[int, str],
    actor: AbstractBaseUser,
    analyse: bool = False,
    bundle: str = "",
) -> ImportPlan:
    """Raises what ``plan_confirm`` raises, and BundleUnknown where an analysis is asked of one that does not exist."""
    if analyse:
        bundle_find(bundle or None)
    confirmed = plans.plan_confirm(
        plan=plan, digest=digest, choices=choices, actor=actor, analyse=analyse, bundle=bundle
    )
    after = {"digest": digest, "analyse": analyse, "choices": {str(k): v for k, v in choices.items()}}
    audit_record(action="import.confirm", subject=confirmed, actor=actor, after=after)
    import_carries_send([confirmed.pk])
    return confirmed


@transaction.atomic
def import_name(*, plan: ImportPlan, position: int, said: plans.Said, actor: AbstractBaseUser) -> ImportItem:
    """What a person says that one file of a preview is. Raises what ``plan_name`` raises."""
    item = plans.plan_name(plan=plan, position=position, said=said)
    audit_record(action="import.name", subject=plan, actor=actor, after={"position": position, "name": item.name})
    return item


def import_discard(*, plan: ImportPlan, actor: AbstractBaseUser) -> None:
    """Raises PlanNotReady."""
    pk = plan.pk
    plans.plan_discard(plan)
    plan.pk = pk
    audit_record(action="import.discard", subject=plan, actor=actor, before={"title": plan.title})


def import_carry_out(plan_id: int) -> bool:
    """A worker's part of a confirmed import: each episode is written into the history, and analysed where asked."""
    return plan_carry_out(plan_id, _carried)


def _carried(plan: ImportPlan, item: ImportItem, imported: Imported) -> None:
    _remember(imported, plan.confirmed_by, {"plan": plan.pk, "file": item.shown})
    if not plan.analyse:
        return
    try:
        run_request(episode=imported.episode, bundle_name=plan.bundle or None, requested_by=plan.confirmed_by)
    except AnalysisError as error:
        item.outcome_code, item.outcome_detail = error.code, f"It was added, but not analysed: {error}"


def _remember(imported: Imported, actor: AbstractBaseUser | None, how: dict[str, object]) -> None:
    if imported.status == ImportStatus.ALREADY:
        return
    source = imported.episode.source
    after = {**how, "sha256": source.sha256 if source else ""}
    audit_record(action=f"episode.{imported.status}", subject=imported.episode, actor=actor, after=after)


def folder_watch() -> int:
    """The clock's part: what has come into the watched folder."""
    return watch_look(_watched)


def _watched(row: WatchedFile, imported: Imported) -> None:
    _remember(imported, None, {"watched": row.shown})
    if not settings.TOONEMO_WATCH_ANALYSE or imported.status == ImportStatus.ALREADY:
        return
    episode = Episode.objects.select_related("source").get(pk=imported.episode.pk)
    try:
        run_request(episode=episode)
    except AnalysisError as error:
        logger.warning("watched_not_analysed", episode_id=episode.pk, code=error.code)


def incoming_sweep() -> None:
    """Sets right what got lost, and forgets what nobody went on with."""
    uploads_sweep()
    plans.plans_forget()
    looking, confirmed = plans.plans_due()
    with transaction.atomic():
        upload_checks_send(uploads_due())
        import_looks_send(looking)
        import_carries_send(confirmed)
