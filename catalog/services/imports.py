"""Bringing a video into the catalogue.

Content decides first: a file whose bytes are known is *already there*, whatever it is called. Then the name: the same
series and number with other content is refused unless it is to be replaced. A file is looked at by the probe before it
is copied, so what is refused leaves no trace; file and rows appear together or not at all.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import structlog
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import QuerySet

from catalog.access.services.audit import audit_record
from catalog.errors import IdentityConflict, MediaRejected, NameUnusable, SeriesUnknown
from catalog.events import announce
from catalog.models import Episode, Series, SourceFile
from catalog.naming import plain_text, shown, slug_of
from catalog.parsing import MOST, TITLE_LENGTH, ParsedName
from catalog.probing import VideoFacts, VideoProbe, max_bytes, max_duration_ms, video_probe
from catalog.services import storage
from catalog.services.series import series_get_or_create

logger = structlog.get_logger(__name__)

# What stored files are called, by FFmpeg's name of the container; never by the name they came with.
EXTENSIONS = (
    ("mp4", "mp4"),
    ("webm", "webm"),
    ("matroska", "mkv"),
    ("avi", "avi"),
    ("flv", "flv"),
    ("mpegts", "ts"),
    ("mpeg", "mpg"),
    ("ogg", "ogv"),
    ("asf", "wmv"),
)


class ImportStatus(StrEnum):
    IMPORTED = "imported"  # a new episode, or the file of one that had none
    ALREADY = "already"  # the same content is there
    RESTORED = "restored"  # likewise, but its file was gone from the disk and is back
    REPLACED = "replaced"  # the episode has this file now; the one before is kept


@dataclass(frozen=True, slots=True)
class Imported:
    status: ImportStatus
    episode: Episode


@dataclass(frozen=True, slots=True)
class _Said:
    """What names and people say of a file."""

    name: ParsedName
    synopsis: str
    series_synopsis: str
    original_name: str


@dataclass(frozen=True, slots=True)
class _Replacing:
    """Whose place a file may take: anybody's, or that of one file by its id."""

    whichever: bool
    source: int | None

    def allows(self, episode: Episode) -> bool:
        return self.whichever or (self.source is not None and episode.source_id == self.source)


@dataclass(frozen=True, slots=True)
class Watcher:
    """Told how far one file is: bytes when it is read, milliseconds of content when it is looked at."""

    on_bytes: Callable[[int, int], None] | None = None
    on_pts: Callable[[int], None] | None = None


def episode_import(
    *,
    path: Path,
    name: ParsedName,
    synopsis: str = "",
    series_synopsis: str = "",
    replace: bool = False,
    replaces: int | None = None,
    keep_file: bool = True,
    original_name: str = "",
    probe: VideoProbe | None = None,
    watcher: Watcher | None = None,
    actor: AbstractBaseUser | None = None,
) -> Imported:
    """Imports one file as the episode that ``name`` says; doing it again changes nothing.

    ``replaces``: the id of the one file that it may take the place of; ``replace``: of whichever is there.
    ``series_synopsis``: for a series that has none yet.
    ``keep_file`` False: rows only, for saying what would happen inside a transaction that is rolled back.
    ``original_name``: what people called the file, where that is not the path's own name.
    Raises MediaRejected, IdentityConflict, SeriesUnknown, NameUnusable, DiskFull, StorageFailed.
    """
    watcher = watcher or Watcher()
    with storage.opened(path, max_bytes()) as file:
        sha256 = _digest_if_known(file, watcher)
        if sha256 is not None:
            source = SourceFile.objects.select_related("episode__series").filter(sha256=sha256).first()
            if source is not None and _episode_of(source) is not None:
                return _already(file, source, keep_file, watcher, actor)
        name_check(name, file.name)
        may_replace = _Replacing(replace, replaces)
        _refuse_conflict(name, file, sha256, may_replace)
        facts = _probed(file, probe or video_probe(), watcher)
        with contextlib.ExitStack() as stack:
            incoming = None
            if keep_file:
                incoming = stack.enter_context(storage.copied(file, watcher.on_bytes))
            if (incoming.sha256 if incoming else sha256 or facts.sha256) != facts.sha256:
                raise MediaRejected("file_changed", f"The file {file.name} was changed while it was imported.")
            said = _Said(name, plain_text(synopsis), plain_text(series_synopsis), original_name or path.name)
            return _record(said, may_replace, file, facts, incoming, actor)


def _digest_if_known(file: storage.OpenedFile, watcher: Watcher) -> str | None:
    """The digest, where a file of this very size is known; else the content is new and need not be read for that."""
    if not SourceFile.objects.filter(size_bytes=file.size).exists():
        return None
    return storage.digest(file, watcher.on_bytes)


def _episode_of(source: SourceFile) -> Episode | None:
    return getattr(source, "episode", None)


def _already(
    file: storage.OpenedFile, source: SourceFile, keep_file: bool, watcher: Watcher, actor: AbstractBaseUser | None
) -> Imported:
    episode = source.episode
    if storage.is_kept(source.stored_name, source.size_bytes):
        return Imported(ImportStatus.ALREADY, episode)
    if keep_file:
        with storage.copied(file, watcher.on_bytes) as incoming:
            if incoming.sha256 != source.sha256:
                raise MediaRejected("file_changed", f"The file {file.name} was changed while it was imported.")
            stored_name = storage.keep(incoming, _extension(source.container), file)
        with transaction.atomic():
            SourceFile.objects.filter(pk=source.pk).update(stored_name=stored_name)
            audit_record(action="source.restore", subject=source, actor=actor, after={"episode": episode.pk})
        logger.warning("source_restored", source_id=source.pk, episode_id=episode.pk)
    return Imported(ImportStatus.RESTORED, episode)


def name_check(name: ParsedName, file_name: str) -> None:
    """Raises SeriesUnknown, NameUnusable."""
    if not name.series:
        raise SeriesUnknown(f"The file {file_name} does not say to which series it belongs: name one with --series.")
    if not name.identity:
        raise NameUnusable(f"The file {file_name} says neither a number nor a title.")
    for what, most in MOST.items():
        value = getattr(name, what)
        if value is not None and not 0 <= value <= most:
            said = "number" if what == "number_end" else what
            raise NameUnusable(f"The {said} in the name of the file {file_name} is not from 0 to {most}.")
    if name.number_end is not None and (name.number is None or name.number_end <= name.number):
        raise NameUnusable(f"The last number of {file_name} is not after its first.")
    if len(name.title) > TITLE_LENGTH:
        raise NameUnusable(f"The title of {file_name} has more than {TITLE_LENGTH} characters.")


def _refuse_conflict(name: ParsedName, file: storage.OpenedFile, sha256: str | None, replacing: _Replacing) -> None:
    """Early, before the work of looking at the video; ``_record`` decides again under a lock."""
    series = Series.objects.filter(slug=slug_of(name.series or "")).first()
    episode = series and _same_identity(series, name).first()
    if (
        episode
        and episode.source
        and not replacing.allows(episode)
        and (sha256 or file.size) != (episode.source.sha256 if sha256 else episode.source.size_bytes)
    ):
        raise _conflict(file, episode)


def _conflict(file: storage.OpenedFile, episode: Episode) -> IdentityConflict:
    other = shown(episode.source.original_name) if episode.source else "another file"
    return IdentityConflict(
        f"The file {file.name} says {episode.identity} of {shown(episode.series.title)}, which is another video there"
        f" ({other}); rename it, or replace that one with --replace."
    )


def _probed(file: storage.OpenedFile, probe: VideoProbe, watcher: Watcher) -> VideoFacts:
    most = max_duration_ms()
    facts = probe(file.path, max_duration_ms=most, on_progress=watcher.on_pts)
    if facts.duration_ms > most:
        minutes = facts.duration_ms / 60_000
        reason = f"The file {file.name} is {minutes:.0f} min long, longer than the limit of {most // 60_000} min."
        raise MediaRejected("video_too_long", reason)
    return facts


def _record(
    said: _Said,
    replacing: _Replacing,
    file: storage.OpenedFile,
    facts: VideoFacts,
    incoming: storage.Incoming | None,
    actor: AbstractBaseUser | None,
) -> Imported:
    """The rows, and the file in its place, under a lock on the content."""
    name = said.name
    with transaction.atomic():
        _lock_content(facts.sha256)
        source = SourceFile.objects.select_related("episode__series").filter(sha256=facts.sha256).first()
        there = _episode_of(source) if source else None
        if there is not None:  # somebody else was faster
            return Imported(ImportStatus.ALREADY, there)
        series = series_get_or_create(title=name.series or "", year=name.series_year, actor=actor)
        Series.objects.select_for_update(no_key=True).get(pk=series.pk)
        episode = _same_identity(series, name).first()
        if episode is not None and episode.source is not None and not replacing.allows(episode):
            raise _conflict(file, episode)
        source = _source(source, file, facts, incoming, said.original_name)
        if said.series_synopsis and not series.synopsis:
            Series.objects.filter(pk=series.pk, synopsis="").update(synopsis=said.series_synopsis)
        return _attach(episode, series, name, said.synopsis, source, actor)


def _lock_content(sha256: str) -> None:
    """Until the end of the transaction no other process imports the same content."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(sha256[:15], 16)])


def _same_identity(series: Series, name: ParsedName) -> QuerySet[Episode]:
    return Episode.objects.select_related("source", "series").filter(
        series=series, ordering=name.ordering, identity=name.identity
    )


def _source(
    known: SourceFile | None,
    file: storage.OpenedFile,
    facts: VideoFacts,
    incoming: storage.Incoming | None,
    original_name: str,
) -> SourceFile:
    """The row of this content, with the file behind it."""
    extension = _extension(facts.container)
    stored_name = storage.stored_name_for(facts.sha256, extension)
    if incoming is not None:
        stored_name = storage.keep(incoming, extension, file)
    if known is not None:
        SourceFile.objects.filter(pk=known.pk).update(stored_name=stored_name)
        return known
    return SourceFile.objects.create(
        sha256=facts.sha256,
        size_bytes=file.size,
        stored_name=stored_name,
        original_name=plain_text(original_name) or "unnamed",
        container=facts.container[:40],
        codec=facts.codec[:40],
        width=facts.width,
        height=facts.height,
        duration_ms=facts.duration_ms,
        frames=facts.frames,
    )


def _attach(
    episode: Episode | None,
    series: Series,
    name: ParsedName,
    synopsis: str,
    source: SourceFile,
    actor: AbstractBaseUser | None,
) -> Imported:
    if episode is None:
        episode = Episode.objects.create(
            series=series,
            ordering=name.ordering,
            identity=name.identity,
            season=name.season,
            number=name.number,
            number_end=name.number_end,
            part=name.part,
            title=name.shown_title,
            year=name.year,
            synopsis=synopsis,
            source=source,
        )
        _told(episode, None, actor)
        transaction.on_commit(lambda: logger.debug("episode_imported", episode_id=episode.pk, source_id=source.pk))
        return Imported(ImportStatus.IMPORTED, episode)
    before = episode.source_id
    episode.source = source
    episode.save(update_fields=["source", "updated_at"])
    _told(episode, before, actor)
    ids = {"episode_id": episode.pk, "source_id": source.pk, "before": before}
    transaction.on_commit(lambda: logger.info("episode_source_set", **ids))
    return Imported(ImportStatus.IMPORTED if before is None else ImportStatus.REPLACED, episode)


def _told(episode: Episode, before: int | None, actor: AbstractBaseUser | None) -> None:
    audit_record(
        action="episode.import",
        subject=episode,
        actor=actor,
        before=None if before is None else {"source": before},
        after={"source": episode.source_id, "series": episode.series.slug, "identity": episode.identity},
    )
    announce("episode.imported", episode=episode.pk, replaced=before is not None)


def _extension(container: str) -> str:
    names = container.lower().split(",")
    return next((ending for name, ending in EXTENSIONS if name in names), "video")
