"""A worker does what a confirmed plan says, file after file. What no longer is as it was shown is left alone, and said.

Each file's outcome is kept as soon as it is known, so a worker that takes over goes on with the next one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog

from catalog import places
from catalog.errors import CatalogError, MediaRejected
from catalog.models import Choice, Episode, ImportItem, ImportPlan, PlanKind, PlanStatus, Upload
from catalog.naming import shown
from catalog.nfo import is_note
from catalog.probing import VideoFacts, VideoProbe
from catalog.services import upload_files as files
from catalog.services.findings import name_of
from catalog.services.imports import Imported, Watcher, episode_import
from catalog.services.lease import ATTEMPTS, LeaseLost, lease_end, lease_keep, lease_keeper, lease_take
from catalog.services.uploads import upload_remove

LEFT_OUT, CHANGED, REFUSED = "left_out", "changed", "refused"
HAS_CHANGED = {"identity_conflict", "file_changed", "folder_forbidden", "video_missing"}
Done = Callable[[ImportPlan, ImportItem, Imported], None]
logger = structlog.get_logger(__name__)


def plan_carry_out(plan_id: int, done: Done) -> bool:
    """``done(plan, item, imported)`` after each file that is in the catalogue now. False: nothing was to be done."""
    token = lease_take(ImportPlan.objects.filter(status=PlanStatus.CONFIRMED), plan_id)
    if token is None:
        return False
    plan = ImportPlan.objects.select_related("confirmed_by").get(pk=plan_id)
    if plan.attempts > ATTEMPTS:
        said = f"The import broke off {ATTEMPTS} times; what was added until then stays, and the log says more."
        lease_end(
            ImportPlan, plan_id, token, status=PlanStatus.FAILED, error_code="import_broken_off", error_detail=said
        )
        return True
    keep = lease_keeper(ImportPlan, plan_id, token)
    try:
        for item in plan.items.filter(outcome="").select_related("upload", "against").order_by("position"):
            lease_keep(ImportPlan, plan_id, token)
            _carry(plan, item, done, Watcher(on_bytes=lambda *_: keep(), on_pts=lambda _: keep()))
        lease_end(ImportPlan, plan_id, token, status=PlanStatus.DONE, attempts=0, sent_at=None)
    except LeaseLost:
        return False
    _tidy(plan)
    logger.info("import_done", plan=plan_id)
    return True


def _carry(plan: ImportPlan, item: ImportItem, done: Done, watcher: Watcher) -> None:
    """Raises LeaseLost."""
    if item.choice == Choice.SKIP:
        item.outcome = LEFT_OUT
    else:
        try:
            imported = _import(item, watcher)
        except CatalogError as error:
            item.outcome = CHANGED if error.code in HAS_CHANGED else REFUSED
            item.outcome_code, item.outcome_detail = error.code, str(error)
        else:
            item.outcome, item.episode = str(imported.status), imported.episode
            done(plan, item, imported)
    item.save(update_fields=["outcome", "outcome_code", "outcome_detail", "episode"])


def _import(item: ImportItem, watcher: Watcher) -> Imported:
    """Raises what importing raises, and MediaRejected where the file is not the one that was looked at."""
    path = _path(item)
    name = name_of(item)
    if item.choice == Choice.PART:
        name = replace(name, part=item.part)
    imported = episode_import(
        path=path,
        name=name,
        synopsis=item.synopsis,
        series_synopsis=item.series_synopsis,
        replaces=item.against_source if item.choice == Choice.REPLACE else None,
        original_name=item.shown.rpartition("/")[2],
        probe=_as_seen(item),
        watcher=watcher,
    )
    source = imported.episode.source
    if source is None or source.sha256 != item.sha256:
        raise MediaRejected("file_changed", f"{shown(item.shown)} is no longer the file that was looked at.")
    return imported


def _path(item: ImportItem) -> Path:
    called = shown(item.shown)
    if not item.path:
        if item.upload is None:
            raise MediaRejected("video_missing", f"{called} was removed before it could be added.")
        return files.path_of(item.upload.token)
    path = places.beneath(Path(os.fsdecode(bytes(item.path))))
    status = path.stat()
    if (status.st_size, status.st_mtime_ns) != (item.size, item.mtime_ns):
        raise MediaRejected("file_changed", f"{called} was changed after it was looked at; look again.")
    return path


def _as_seen(item: ImportItem) -> VideoProbe | None:
    """What was seen when the plan was made, so that nothing is decoded twice. The copy's digest must be the same."""
    if item.facts is None:
        return None
    facts = VideoFacts(**item.facts)

    def probe(path: Path, *, max_duration_ms: int, on_progress: Callable[[int], None] | None = None) -> VideoFacts:
        return facts

    return probe


def _tidy(plan: ImportPlan) -> None:
    """Sent files that are in the catalogue now, and the notes that came with them, are no longer needed."""
    if plan.kind == PlanKind.FOLDER:
        return
    settled = plan.items.filter(upload__isnull=False, episode__isnull=False).values_list("upload", flat=True)
    gone = list(Upload.objects.filter(pk__in=list(settled)))
    if not plan.items.exclude(outcome__in=["imported", "already", "restored", "replaced"]).exists():
        sent = Upload.objects.filter(owner_id=plan.owner_id, token__in=plan.inputs.get("uploads", []))
        gone += [u for u in sent if is_note(u.name)]
    for upload in gone:
        upload_remove(upload)


def episodes_of(plan: ImportPlan) -> list[Episode]:
    return [i.episode for i in plan.items.select_related("episode__series") if i.episode is not None]
