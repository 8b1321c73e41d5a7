"""What the files of a plan are to the catalogue as it is now. Reads only; the same plan may be asked again later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from catalog.errors import CatalogError
from catalog.models import Choice, Episode, Finding, ImportItem, SourceFile
from catalog.naming import shown, slug_of
from catalog.parsing import ParsedName
from catalog.services import storage
from catalog.services.imports import name_check

CHOICES: dict[str, tuple[Choice, ...]] = {
    Finding.NEW: (Choice.ADD, Choice.SKIP),
    Finding.FILLS: (Choice.ADD, Choice.SKIP),
    Finding.SAME_TITLE: (Choice.ADD, Choice.SKIP),
    Finding.RESTORES: (Choice.ADD, Choice.SKIP),
    Finding.COLLIDES: (Choice.SKIP, Choice.PART, Choice.REPLACE),
    Finding.KNOWN: (Choice.SKIP,),
    Finding.TWICE: (Choice.SKIP,),
    Finding.REFUSED: (Choice.SKIP,),
}
Key = tuple[str, str, str]  # slug of the series, ordering, identity


def choices_of(item: ImportItem) -> tuple[Choice, ...]:
    """What may be done with it, the usual first. What is replaced is a file of the catalogue, none of the same plan."""
    found = CHOICES.get(item.finding, (Choice.SKIP,))
    unable = {Choice.REPLACE} if item.against_source is None else set()
    unable |= {Choice.PART} if item.part is None else set()
    return tuple(c for c in found if c not in unable)


def name_of(item: ImportItem) -> ParsedName:
    return ParsedName(**item.name)


def name_values(name: ParsedName) -> dict[str, Any]:
    return asdict(name)


def classify(items: Sequence[ImportItem]) -> None:
    """Sets finding, sentence, ``against`` and the offered part of each item, in their order. Saves nothing."""
    known = _Known(items)
    for item in items:
        item.finding_code = item.finding_detail = ""
        item.against, item.against_source, item.part = None, None, None
        known.judge(item)


def digest_of(items: Sequence[ImportItem]) -> str:
    """Over all that a person was shown and that decides what would be written."""
    rows = [
        (
            (i.position, bytes(i.path).hex(), i.upload_id, i.size, i.mtime_ns, i.sha256, i.name, i.synopsis),
            (i.error_code, i.finding, i.finding_code, i.against_id, i.against_source, i.part),
        )
        for i in items
    ]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


class _Known:
    """Of the catalogue what the plan touches, in a few queries; of the plan what came before."""

    def __init__(self, items: Sequence[ImportItem]) -> None:
        names = [name_of(item) for item in items]
        slugs = {slug_of(name.series or "") for name in names if name.series}
        digests = {item.sha256 for item in items if item.sha256}
        sources = SourceFile.objects.filter(sha256__in=digests, episode__isnull=False)
        self.sources = {s.sha256: s for s in sources.select_related("episode__series")}
        episodes = list(Episode.objects.filter(series__slug__in=slugs).select_related("series", "source"))
        self.by_key = {(e.series.slug, e.ordering, e.identity): e for e in episodes}
        self.by_title = {(e.series.slug, e.title.casefold()): e for e in reversed(episodes)}
        self.parts: dict[Key, set[int]] = {}
        for e in episodes:
            if e.part is not None:
                self.parts.setdefault(_whole(e.series.slug, e.ordering, e.identity), set()).add(e.part)
        self.contents: dict[str, ImportItem] = {}
        self.taken: dict[Key, ImportItem] = {}

    def judge(self, item: ImportItem) -> None:
        called = shown(_base(item))
        if item.error_code:
            _found(item, Finding.REFUSED, item.error_code, item.error_detail)
            return
        if item.sha256 in self.sources:
            self._there(item, self.sources[item.sha256])
            return
        if item.sha256 in self.contents:
            other = shown(_base(self.contents[item.sha256]))
            _found(item, Finding.TWICE, "", f"{called} is the same file as {other}.")
            return
        name = name_of(item)
        try:
            name_check(name, called)
        except CatalogError as error:
            said = str(error)
            if error.code == "series_unknown":
                said = f"{called} does not say to which series it belongs; say it, and look again."
            _found(item, Finding.REFUSED, error.code, said)
            return
        self.contents[item.sha256] = item
        self._by_name(item, name)

    def _there(self, item: ImportItem, source: SourceFile) -> None:
        item.against = source.episode
        if storage.is_kept(source.stored_name, source.size_bytes):
            _found(item, Finding.KNOWN, "", f"This very file is there already: {source.episode}.")
        else:
            said = (
                f"This very file belongs to {source.episode}, whose video is gone from the disk; it would be put back."
            )
            _found(item, Finding.RESTORES, "", said)

    def _by_name(self, item: ImportItem, name: ParsedName) -> None:
        slug = slug_of(name.series or "")
        key: Key = (slug, name.ordering, name.identity)
        episode, other = self.by_key.get(key), self.taken.get(key)
        if other is not None or (episode is not None and episode.source is not None):
            self._collides(item, name, key, episode, other)
            return
        self.taken[key] = item
        same = self.by_title.get((slug, name.shown_title.casefold())) if name.title else None
        if episode is not None:
            item.against = episode
            _found(item, Finding.FILLS, "", f"{episode} is known without a video; this becomes it.")
        elif same is not None:
            item.against = same
            said = f"{same.series.title} has an episode of that title already: {same.identity}."
            _found(item, Finding.SAME_TITLE, "", said)
        else:
            _found(item, Finding.NEW, "", "")

    def _collides(
        self, item: ImportItem, name: ParsedName, key: Key, episode: Episode | None, other: ImportItem | None
    ) -> None:
        said = f"{name.identity} of {shown(name.series or '')}"
        if episode is not None and episode.source is not None:
            item.against, item.against_source = episode, episode.source.pk
            said += f" is another video already: {shown(episode.source.original_name)}."
        elif other is not None:
            said += f" is what {shown(_base(other))} says as well."
        used = self.parts.setdefault(_whole(*key), set())
        offered = max(used | {1}) + 1
        if offered <= 32_767:
            used.add(offered)
            item.part = offered
            self.taken.setdefault((key[0], key[1], replace(name, part=offered).identity), item)
        _found(item, Finding.COLLIDES, "identity_conflict", said)


def _whole(slug: str, ordering: str, identity: str) -> Key:
    """The key without the part: parts of one episode share it."""
    return slug, ordering, identity.rpartition(".P")[0] or identity


def _base(item: ImportItem) -> str:
    return item.shown.rpartition("/")[2]


def _found(item: ImportItem, finding: Finding, code: str, detail: str) -> None:
    item.finding, item.finding_code, item.finding_detail = finding, code, detail
