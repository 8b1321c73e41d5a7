"""Many files, one after the other: each is imported, or reported with the reason why not, and the next one follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from catalog.discovery import Candidate, Found, Refusal, Skipped
from catalog.errors import CatalogError, IdentityConflict
from catalog.models import Episode
from catalog.naming import shown
from catalog.services.imports import Imported, ImportStatus, Watcher, episode_import

REFUSED, SKIPPED = "refused", "skipped"
DONE = (ImportStatus.IMPORTED, ImportStatus.ALREADY, ImportStatus.RESTORED, ImportStatus.REPLACED)


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one file. ``path`` is text to show: what cannot be seen in a name is escaped."""

    path: str
    status: str  # one of ImportStatus, REFUSED, SKIPPED
    code: str = ""
    reason: str = ""
    line: int | None = None
    episode_id: int | None = None  # None as well where it is only said what would happen
    series: str = ""
    identity: str = ""
    title: str = ""
    duration_ms: int | None = None
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value not in ("", None, ())}


@dataclass(slots=True)
class Summary:
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, report: Report) -> None:
        self.counts[report.status] += 1

    @property
    def done(self) -> int:
        return sum(self.counts[status] for status in DONE)

    @property
    def refused(self) -> int:
        return self.counts[REFUSED]

    @property
    def exit_status(self) -> int:
        """0: all fine; 1: something was refused; 2: nothing could be done."""
        if self.done == 0:
            return 2
        return 1 if self.refused else 0


def import_all(
    found: Iterable[Found],
    *,
    replace: bool = False,
    dry_run: bool = False,
    watch: Callable[[Candidate], Watcher] | None = None,
) -> Iterator[Report]:
    """Imports as the reports are taken. ``dry_run``: looks at every file, says what would happen, changes nothing."""
    plan = _Plan(replace)
    for item in found:
        if isinstance(item, Skipped):
            yield Report(_path(item), SKIPPED)
            continue
        if isinstance(item, Refusal):
            yield _refused(item, item.error, item.line)
            continue
        watcher = watch(item) if watch else None
        try:
            imported = plan.add(_try(item, replace, watcher)) if dry_run else _import(item, replace, watcher)
        except CatalogError as error:
            yield _refused(item, error)
            continue
        yield _report(item, imported)


def _import(item: Candidate, replace: bool, watcher: Watcher | None, keep_file: bool = True) -> Imported:
    return episode_import(
        path=item.path,
        name=item.name,
        synopsis=item.synopsis,
        series_synopsis=item.series_synopsis,
        replace=replace,
        keep_file=keep_file,
        watcher=watcher,
    )


def _try(item: Candidate, replace: bool, watcher: Watcher | None) -> Imported:
    """The same, undone."""
    with transaction.atomic():
        imported = _import(item, replace, watcher, keep_file=False)
        transaction.set_rollback(True)
    return imported


class _Plan:
    """What earlier files of a dry run would have brought, since their rows were undone."""

    def __init__(self, replace: bool) -> None:
        self.replace = replace
        self.contents: dict[str, Episode] = {}
        self.identities: dict[tuple[str, str, str], Episode] = {}

    def add(self, imported: Imported) -> Imported:
        episode = imported.episode
        if imported.status not in (ImportStatus.IMPORTED, ImportStatus.REPLACED) or episode.source is None:
            return imported
        if imported.status is ImportStatus.IMPORTED:
            episode.pk = None  # its row was undone
        same = self.contents.setdefault(episode.source.sha256, episode)
        if same is not episode:
            return Imported(ImportStatus.ALREADY, same)
        key = (episode.series.slug, episode.ordering, episode.identity)
        if key in self.identities:
            if self.replace:
                return Imported(ImportStatus.REPLACED, episode)
            other = shown(self.identities[key].source.original_name)  # type: ignore[union-attr]
            raise IdentityConflict(f"It says {episode.identity} of {shown(episode.series.title)}, as {other} does.")
        self.identities[key] = episode
        return imported


def _path(item: Found) -> str:
    return shown(str(item.path))[1:-1]


def _refused(item: Candidate | Refusal, error: CatalogError, line: int | None = None) -> Report:
    warnings = item.warnings if isinstance(item, Candidate) else ()
    return Report(_path(item), REFUSED, code=error.code, reason=str(error), line=line, warnings=warnings)


def _report(item: Candidate, imported: Imported) -> Report:
    episode = imported.episode
    return Report(
        _path(item),
        imported.status,
        episode_id=episode.pk,
        series=episode.series.title,
        identity=episode.identity,
        title=episode.title,
        duration_ms=episode.duration_ms,
        warnings=item.warnings,
    )
