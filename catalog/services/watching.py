"""The watched folder: files that have stopped growing are imported, each once, and what became of each is kept.

Nothing is moved, and nothing in the catalogue is replaced. Links, files with several names (hard links) and everything
outside the folder are refused. A file that is refused is looked at again when it has changed; a fault of ours is tried
again a few times, ever later, and then given up.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from catalog.discovery import Candidate
from catalog.errors import CatalogError, MediaRejected
from catalog.models import WatchedFile, WatchedStatus
from catalog.naming import natural_key, shown
from catalog.notes import with_notes
from catalog.parsing import has_video_extension, parse_path
from catalog.services.imports import Imported, ImportStatus, Watcher, episode_import
from catalog.services.lease import LeaseLost, lease_end, lease_keeper, lease_take

ATTEMPTS = 4
FIRST_WAIT = timedelta(minutes=5)
OURS = {"disk_full", "storage_failed"}
MOST_FILES = 20_000
DEEPEST = 12
FORGET_AFTER = timedelta(days=30)
logger = structlog.get_logger(__name__)
Done = Callable[[WatchedFile, Imported], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry that is a video by its name. ``problem``: why it is not taken, whatever it holds."""

    path: Path
    key: str
    shown: str
    size: int
    mtime_ns: int
    problem: str = ""


def watched_folder() -> Path | None:
    """None where the setting is off or the folder is not there."""
    text = settings.TOONEMO_WATCH_DIR.strip()
    if not text:
        return None
    try:
        path = Path(text).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return None
    return path if path.is_dir() else None


def watch_look(done: Done) -> int:
    """Imports what has been quiet in the folder for long enough. Gives how many files were dealt with."""
    folder = watched_folder()
    if folder is None:
        if settings.TOONEMO_WATCH_DIR.strip():
            logger.warning("watch_folder_missing")
        return 0
    dealt = 0
    for seen in _scan(folder):
        row = _noticed(seen)
        if row is not None and _deal(folder, seen, row, done):
            dealt += 1
    WatchedFile.objects.filter(seen_at__lt=timezone.now() - FORGET_AFTER).delete()
    return dealt


def _scan(folder: Path) -> Iterator[Seen]:
    """Depth first, links not followed, hidden entries left out."""
    waiting, count = [(folder, 0)], 0
    while waiting:
        at, depth = waiting.pop()
        try:
            with os.scandir(at) as scan:
                entries = sorted(scan, key=lambda e: natural_key(e.name))
        except OSError as error:
            logger.warning("watch_folder_unreadable", reason=error.strerror)
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(status.st_mode) and depth < DEEPEST:
                waiting.append((Path(entry.path), depth + 1))
            elif has_video_extension(entry.name) and not stat.S_ISDIR(status.st_mode):
                count += 1
                if count > MOST_FILES:
                    logger.warning("watch_folder_too_full", most=MOST_FILES)
                    return
                yield _seen(folder, Path(entry.path), status)


def _seen(folder: Path, path: Path, status: os.stat_result) -> Seen:
    below = path.relative_to(folder)
    name = shown(path.name)
    problem = ""
    if stat.S_ISLNK(status.st_mode):
        problem = f"{name} is a link; put the file itself into the folder."
    elif not stat.S_ISREG(status.st_mode):
        problem = f"{name} is no ordinary file, so it is not read."
    elif status.st_nlink > 1:
        problem = (
            f"{name} has a second name elsewhere (a hard link), so it may change unseen; put a copy into the folder."
        )
    key = hashlib.sha256(os.fsencode(below)).hexdigest()
    return Seen(path, key, shown(str(below))[1:-1], status.st_size, status.st_mtime_ns, problem)


def _noticed(seen: Seen) -> WatchedFile | None:
    """The row, where there is something to do for it now."""
    now = timezone.now()
    row, new = WatchedFile.objects.get_or_create(
        key=seen.key,
        defaults={
            "shown": seen.shown, "size": seen.size, "mtime_ns": seen.mtime_ns, "since": now, "seen_at": now,
        },
    )  # fmt: skip
    busy = row.lease_until is not None and row.lease_until > now
    if not new and (row.size, row.mtime_ns) != (seen.size, seen.mtime_ns) and not busy:
        _begin_anew(row, seen, now)
        return row if seen.problem else None
    WatchedFile.objects.filter(pk=row.pk).update(seen_at=now)
    if row.status == WatchedStatus.GROWING:
        waited = now - row.since >= timedelta(seconds=settings.TOONEMO_WATCH_QUIET_SECONDS)
        ready = seen.problem or (waited and not new)
        return row if ready and (row.retry_at is None or row.retry_at <= now) else None
    return row if row.status == WatchedStatus.IMPORTING and not busy else None  # its worker was killed


def _begin_anew(row: WatchedFile, seen: Seen, now: datetime) -> None:
    WatchedFile.objects.filter(pk=row.pk).update(
        size=seen.size, mtime_ns=seen.mtime_ns, since=now, seen_at=now, status=WatchedStatus.GROWING, attempts=0,
        error_code="", error_detail="", warnings=[], retry_at=None,
    )  # fmt: skip


def _deal(folder: Path, seen: Seen, row: WatchedFile, done: Done) -> bool:
    open_rows = WatchedFile.objects.filter(
        Q(status=WatchedStatus.GROWING) | Q(status=WatchedStatus.IMPORTING), size=seen.size, mtime_ns=seen.mtime_ns
    )
    token = lease_take(open_rows, row.pk, status=WatchedStatus.IMPORTING)
    if token is None:
        return False
    row.refresh_from_db()
    keep = lease_keeper(WatchedFile, row.pk, token)
    try:
        values = _imported(folder, seen, row, done, Watcher(lambda *_: keep(), lambda _: keep()))
        lease_end(WatchedFile, row.pk, token, **values)
    except LeaseLost:
        return False
    logger.info("watched_file", status=str(values["status"]), code=values.get("error_code", ""))
    return True


def _imported(folder: Path, seen: Seen, row: WatchedFile, done: Done, watcher: Watcher) -> dict[str, Any]:
    """What is to be kept of it. Raises LeaseLost."""
    if row.attempts > ATTEMPTS:
        said = f"{shown(seen.path.name)} was begun {ATTEMPTS} times and never ended; the log says more."
        return {"status": WatchedStatus.GAVE_UP, "error_code": "check_failed", "error_detail": said}
    warnings: tuple[str, ...] = ()
    try:
        if seen.problem:
            raise MediaRejected("not_a_file", seen.problem)
        item = with_notes(Candidate(seen.path, parse_path(seen.path.relative_to(folder).parts)), within=folder)
        warnings = item.warnings
        if seen.path.resolve(strict=True) != seen.path:
            raise MediaRejected("not_a_file", f"{shown(seen.path.name)} lies behind a link, so it is not read.")
        imported = episode_import(
            path=seen.path,
            name=item.name,
            synopsis=item.synopsis,
            series_synopsis=item.series_synopsis,
            watcher=watcher,
        )
    except CatalogError as error:
        return {**_not_imported(error, row), "warnings": list(warnings)}
    except OSError as error:
        gone = MediaRejected("video_missing", f"{shown(seen.path.name)} cannot be read: {error.strerror}.")
        return {**_not_imported(gone, row), "warnings": list(warnings)}
    done(row, imported)
    there = imported.status == ImportStatus.ALREADY
    status = WatchedStatus.ALREADY if there else WatchedStatus.DONE
    return {"status": status, "episode": imported.episode, "warnings": list(warnings), "retry_at": None}


def _not_imported(error: CatalogError, row: WatchedFile) -> dict[str, Any]:
    values: dict[str, Any] = {"error_code": error.code, "error_detail": str(error), "retry_at": None}
    if error.code not in OURS:
        return {**values, "status": WatchedStatus.REFUSED}
    if row.attempts >= ATTEMPTS:
        return {**values, "status": WatchedStatus.GAVE_UP}
    wait = FIRST_WAIT * 2 ** (row.attempts - 1)
    return {**values, "status": WatchedStatus.GROWING, "retry_at": timezone.now() + wait}
