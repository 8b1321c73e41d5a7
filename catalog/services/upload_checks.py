"""What is in a file that was sent: looked at by the limited probe, never by the web process."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import structlog
from django.db.models import Q
from django.utils import timezone

from catalog.errors import CatalogError, MediaRejected, UploadBusy
from catalog.models import ImportItem, PlanStatus, Upload, UploadStatus
from catalog.naming import shown
from catalog.nfo import is_note
from catalog.probing import VideoFacts, max_bytes, max_duration_ms, video_probe
from catalog.services import storage
from catalog.services import upload_files as files
from catalog.services.lease import ATTEMPTS, LeaseLost, due, lease_end, lease_keeper, lease_take
from catalog.services.uploads import upload_remove

logger = structlog.get_logger(__name__)


def upload_check(upload_id: int) -> bool:
    """Says of a received file what it is, or why it is refused. False: nothing was to be done, or not by us."""
    received = Upload.objects.filter(status=UploadStatus.RECEIVED)
    token = lease_take(received, upload_id)
    if token is None:
        return False
    upload = Upload.objects.get(pk=upload_id)
    if upload.attempts > ATTEMPTS:
        said = f"{shown(upload.name)} could not be looked at in {ATTEMPTS} attempts; the log says why."
        values: dict[str, Any] = _refused("check_failed", said)
    else:
        keep = lease_keeper(Upload, upload_id, token)
        try:
            values = _looked_at(upload, lambda *_: keep())
        except LeaseLost:
            return False
        except CatalogError as error:
            values = _refused(error.code, _named(str(error), upload))
    try:
        lease_end(Upload, upload_id, token, sent_at=None, **values)
    except LeaseLost:
        return False
    if values["status"] == UploadStatus.REFUSED:
        files.remove(upload.token)
    logger.info("upload_checked", status=str(values["status"]), code=values.get("error_code", ""), size=upload.size)
    return True


def _looked_at(upload: Upload, keep: Any) -> dict[str, Any]:
    """Raises MediaRejected, LeaseLost."""
    path = files.path_of(upload.token)
    with storage.opened(path, max_bytes()) as file:
        if file.size != upload.size:
            raise MediaRejected("file_changed", f"{shown(upload.name)} is no longer whole; send it again.")
        if upload.sha256 and storage.digest(file, keep) != upload.sha256:
            said = f"{shown(upload.name)} did not arrive as it was sent: its SHA-256 is another one; send it again."
            raise MediaRejected("upload_altered", said)
        if is_note(upload.name):
            return {"status": UploadStatus.READY, "facts": None}
        most = max_duration_ms()
        facts = video_probe()(path, max_duration_ms=most, on_progress=keep)
    if facts.duration_ms > most:
        reason = f"{shown(upload.name)} is longer than the limit of {most // 60_000} min."
        raise MediaRejected("video_too_long", reason)
    return {"status": UploadStatus.READY, "facts": asdict(facts), "sha256": facts.sha256}


def facts_of(values: dict[str, Any]) -> VideoFacts:
    return VideoFacts(**values)


def _refused(code: str, detail: str) -> dict[str, Any]:
    return {"status": UploadStatus.REFUSED, "error_code": code[:60], "error_detail": detail}


def _named(reason: str, upload: Upload) -> str:
    """The file as its sender calls it, not as we do."""
    return reason.replace(shown(files.path_of(upload.token).name), shown(upload.name))


def uploads_due() -> list[int]:
    """Received files that nobody looks at."""
    return due(Upload.objects.filter(status=UploadStatus.RECEIVED))


def uploads_sweep() -> int:
    """Away with what has expired, unless a preview still names it, and with files that no row knows."""
    waiting = (PlanStatus.LOOKING, PlanStatus.READY, PlanStatus.CONFIRMED)
    needed = ImportItem.objects.filter(plan__status__in=waiting, upload__isnull=False).values("upload")
    gone = 0
    for upload in Upload.objects.filter(expires_at__lte=timezone.now()).exclude(pk__in=needed)[:500]:
        try:
            upload_remove(upload)
        except UploadBusy:
            continue
        gone += 1
    for token in list(files.orphans()):
        if not Upload.objects.filter(Q(token=token)).exists():
            files.remove(token)
            gone += 1
    return gone
