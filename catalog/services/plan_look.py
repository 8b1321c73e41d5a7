"""A worker looks at every file of a plan and says what would become of it. Nothing of the catalogue is written."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog
from django.db import IntegrityError

from catalog import places
from catalog.discovery import Candidate, Refusal, Skipped, discover, name_in_line
from catalog.errors import CatalogError, FolderForbidden, ListInvalid, NothingToImport, TooMuchAtOnce
from catalog.lists import BadLine, Line, lines_of
from catalog.models import ImportItem, ImportPlan, PlanKind, PlanStatus, SourceFile, Upload, UploadStatus
from catalog.naming import shown
from catalog.nfo import is_note
from catalog.notes import SHOW_NOTE, note_for, noted, together
from catalog.parsing import ParsedName, parse_path
from catalog.probing import max_bytes, max_duration_ms, video_probe
from catalog.services import storage
from catalog.services import upload_files as files
from catalog.services.findings import classify, digest_of, name_values
from catalog.services.lease import ATTEMPTS, LeaseLost, lease_end, lease_keep, lease_keeper, lease_take
from catalog.services.plans import FOUND_FIELDS, MOST_FILES

NAMED_SKIPPED = 12
SYNOPSIS_LENGTH = 10_000
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row to be, and the file to look at for it; None where that is known already."""

    item: ImportItem
    file: Path | None = None


def plan_look(plan_id: int) -> bool:
    """False: nothing was to be done, or not by us. A preview of before that was cut off begins anew."""
    token = lease_take(ImportPlan.objects.filter(status=PlanStatus.LOOKING), plan_id)
    if token is None:
        return False
    plan = ImportPlan.objects.get(pk=plan_id)
    values: dict[str, Any]
    try:
        if plan.attempts > ATTEMPTS:
            said = f"The files could not be looked at in {ATTEMPTS} attempts; the log says why."
            values = {"status": PlanStatus.FAILED, "error_code": "check_failed", "error_detail": said}
        else:
            values = _look(plan, token)
    except (LeaseLost, IntegrityError):  # somebody else is at it, or it was discarded
        return False
    except CatalogError as error:
        values = {"status": PlanStatus.FAILED, "error_code": error.code, "error_detail": str(error)}
    try:
        lease_end(ImportPlan, plan_id, token, sent_at=None, **values)
    except LeaseLost:
        return False
    logger.info("import_looked_at", plan=plan_id, status=str(values["status"]), code=values.get("error_code", ""))
    return True


def _look(plan: ImportPlan, token: uuid.UUID) -> dict[str, Any]:
    """Raises LeaseLost and CatalogErrors that concern the plan as a whole."""
    keep = lease_keeper(ImportPlan, plan.pk, token)
    plan.items.all().delete()
    notes: list[dict[str, str]] = []
    if plan.inputs.get("guessed"):
        notes.append({"kind": "warning", "text": plan.inputs["guessed"]})
    wanted = _enough(_wanted(plan, notes))
    ImportPlan.objects.filter(pk=plan.pk).update(total=len(wanted))
    items = []
    for position, want in enumerate(wanted, 1):
        lease_keep(ImportPlan, plan.pk, token)
        item = want.item
        item.plan, item.position = plan, position
        if want.file is not None and not item.error_code:
            _fill(item, want.file, keep)
        item.save()
        items.append(item)
    lease_keep(ImportPlan, plan.pk, token)
    classify(items)
    ImportItem.objects.bulk_update(items, FOUND_FIELDS)
    return {"status": PlanStatus.READY, "digest": digest_of(items), "notes": notes, "attempts": 0}


def _enough(wanted: Iterator[Wanted]) -> list[Wanted]:
    found: list[Wanted] = []
    for want in wanted:
        found.append(want)
        if len(found) > MOST_FILES:
            raise TooMuchAtOnce(f"There are more than {MOST_FILES} videos; choose a smaller folder.")
    if not found:
        raise NothingToImport("There is no video, judged by the names of the files.")
    return found


def _wanted(plan: ImportPlan, notes: list[dict[str, str]]) -> Iterator[Wanted]:
    inputs = plan.inputs
    series = inputs.get("series") or None
    if plan.kind == PlanKind.FOLDER:
        yield from _of_folder(places.resolve(inputs["folder"]), series, notes)
        return
    uploads = list(Upload.objects.filter(owner_id=plan.owner_id, token__in=inputs.get("uploads", [])))
    by_token = {u.token: u for u in uploads}
    sent = [by_token[t] for t in inputs.get("uploads", []) if t in by_token]
    if plan.kind == PlanKind.UPLOADS:
        yield from _of_uploads(sent, series)
    else:
        yield from _of_list(inputs, sent, series)


# ------------------------------------------------------------------------------------------------ folders


def _of_folder(folder: Path, series: str | None, notes: list[dict[str, str]]) -> Iterator[Wanted]:
    skipped: list[str] = []
    for found in noted(discover(folder, series)):
        if isinstance(found, Skipped):
            skipped.append(found.path.name)
        elif isinstance(found, Refusal):
            yield Wanted(_refused(_below(found.path, folder), found.error, found.line))
        else:
            yield Wanted(_item(found, _below(found.path, folder)), found.path)
    if skipped:
        said = ", ".join(shown(n) for n in skipped[:NAMED_SKIPPED])
        more = f" and {len(skipped) - NAMED_SKIPPED} more" if len(skipped) > NAMED_SKIPPED else ""
        notes.append({"kind": "skipped", "text": f"No videos by their names: {said}{more}."})


def _below(path: Path, folder: Path) -> str:
    text = str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name
    return shown(text)[1:-1]


def _item(found: Candidate, called: str, line: int | None = None) -> ImportItem:
    return ImportItem(
        path=os.fsencode(found.path),
        shown=called,
        line=line,
        name=name_values(found.name),
        synopsis=found.synopsis[:SYNOPSIS_LENGTH],
        series_synopsis=found.series_synopsis[:SYNOPSIS_LENGTH],
        warnings=list(found.warnings),
    )


def _refused(called: str, error: CatalogError, line: int | None = None) -> ImportItem:
    return ImportItem(
        shown=called, line=line, name=name_values(ParsedName()), error_code=error.code, error_detail=str(error)
    )


# ------------------------------------------------------------------------------------------------ sent files


def _of_uploads(sent: Iterable[Upload], series: str | None) -> Iterator[Wanted]:
    beside = {u.name.casefold(): (_bytes_of(u), u.name) for u in sent if _is_readable_note(u)}
    for upload in sent:
        if is_note(upload.name):
            continue
        name = parse_path([upload.name])
        if series:
            name = ParsedName(**{**asdict(name), "series": series, "series_year": None})
        said = together(name, note_for(upload.name, beside), beside.get(SHOW_NOTE), series=series)
        yield Wanted(_of_upload(upload, said.name, said.synopsis, said.series_synopsis, list(said.warnings)))


def _is_readable_note(upload: Upload) -> bool:
    return is_note(upload.name) and upload.status == UploadStatus.READY


def _bytes_of(upload: Upload) -> bytes:
    try:
        with storage.opened(files.path_of(upload.token), max_bytes()) as file:
            return b"".join(storage.blocks(file))
    except CatalogError:
        return b""


def _of_upload(
    upload: Upload, name: ParsedName, synopsis: str = "", series_synopsis: str = "", warnings: list[str] | None = None
) -> ImportItem:
    item = ImportItem(
        upload=upload,
        shown=upload.name,
        size=upload.size,
        sha256=upload.sha256 if upload.status == UploadStatus.READY else "",
        facts=upload.facts,
        name=name_values(name),
        synopsis=synopsis[:SYNOPSIS_LENGTH],
        series_synopsis=series_synopsis[:SYNOPSIS_LENGTH],
        warnings=warnings or [],
    )
    if upload.status != UploadStatus.READY:
        item.error_code = upload.error_code or "upload_not_ready"
        item.error_detail = upload.error_detail or f"{shown(upload.name)} was not checked yet; look again."
    return item


# ------------------------------------------------------------------------------------------------ lists


def _of_list(inputs: dict[str, Any], sent: list[Upload], series: str | None) -> Iterator[Wanted]:
    folder = places.resolve(inputs["folder"]) if inputs.get("folder") else None
    by_name = {u.name: u for u in sent if not is_note(u.name)}
    for line in lines_of(inputs["list"], inputs["called"]):
        if isinstance(line, BadLine):
            yield Wanted(_refused(inputs["called"], line.error, line.line))
        elif line.path in by_name:
            name = name_in_line(line, parse_path([line.path]), series)
            item = _of_upload(by_name[line.path], name, line.texts["synopsis"])
            item.line = line.line
            yield Wanted(item)
        else:
            yield _in_folder(line, folder, series, inputs["called"])


def _in_folder(line: Line, folder: Path | None, series: str | None, called: str) -> Wanted:
    where = f"Line {line.line} of {shown(called)}"
    said = shown(line.path)[1:-1]
    if folder is None:
        reason = f"{where} names {shown(line.path)}, which is none of the files that were sent."
        return Wanted(_refused(said, ListInvalid(reason), line.line))
    try:
        path = places.beneath(folder / line.path)
    except FolderForbidden as error:
        return Wanted(_refused(said, FolderForbidden(f"{where}: {error}"), line.line))
    name = name_in_line(line, parse_path(path.parts), series)
    return Wanted(_item(Candidate(path, name, line.texts["synopsis"], from_list=True), said, line.line), path)


# ------------------------------------------------------------------------------------------------ one file


def _fill(item: ImportItem, path: Path, keep: Callable[[], None]) -> None:
    """Size, content and what the probe sees; what is wrong with it is kept as well. Raises LeaseLost."""
    try:
        places.beneath(path)
        with storage.opened(path, max_bytes()) as file:
            item.size, item.mtime_ns = file.size, os.fstat(file.fd).st_mtime_ns
            if SourceFile.objects.filter(size_bytes=file.size).exists():
                item.sha256 = storage.digest(file, lambda *_: keep())
                if SourceFile.objects.filter(sha256=item.sha256, episode__isnull=False).exists():
                    return
            facts = video_probe()(path, max_duration_ms=max_duration_ms(), on_progress=lambda _: keep())
    except CatalogError as error:
        item.error_code, item.error_detail = error.code, str(error)
        return
    if facts.duration_ms > max_duration_ms():
        item.error_code = "video_too_long"
        limit = max_duration_ms() // 60_000
        item.error_detail = f"The file {shown(path.name)} is longer than the limit of {limit} min."
        return
    item.sha256, item.facts = facts.sha256, asdict(facts)
