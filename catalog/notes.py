"""Videos beside their notes (NFO): what both say together."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.discovery import Candidate, Found, Skipped
from catalog.naming import shown
from catalog.nfo import NOTE_BYTES, Note, episode_note, is_note, show_note
from catalog.parsing import ParsedName

SHOW_NOTE = "tvshow.nfo"
LEVELS_UP = 3  # folders above a video in which the note of its show may lie


@dataclass(frozen=True, slots=True)
class Noted:
    name: ParsedName
    synopsis: str = ""
    series_synopsis: str = ""
    warnings: tuple[str, ...] = ()


Read = Callable[[str], tuple[bytes, str] | None]


def noted(found: Iterable[Found]) -> Iterator[Found]:
    """The same, with what the notes beside videos say. Lists speak for themselves; notes are not counted as skipped."""
    for item in found:
        if isinstance(item, Candidate) and not item.from_list:
            yield with_notes(item)
        elif not (isinstance(item, Skipped) and is_note(item.path.name)):
            yield item


def with_notes(item: Candidate, *, within: Path | None = None) -> Candidate:
    """``within``: the folder above which no note is looked for."""
    own = _read(item.path.with_name(_stem(item.path.name) + ".nfo"))
    above = [f for f in list(item.path.parents)[:LEVELS_UP] if within is None or f.is_relative_to(within)]
    show = next((s for folder in above if (s := _read(folder / SHOW_NOTE))), None)
    said = together(item.name, own, show, series=item.name.series if item.series_named else None)
    return replace(
        item,
        name=said.name,
        synopsis=item.synopsis or said.synopsis,
        series_synopsis=said.series_synopsis,
        warnings=(*item.warnings, *said.warnings),
    )


def together(
    name: ParsedName, own: tuple[bytes, str] | None, show: tuple[bytes, str] | None, *, series: str | None = None
) -> Noted:
    """``own``, ``show``: bytes and name of a note of the video, and of its show. ``series`` wins over all of them."""
    episode = episode_note(*own) if own else Note()
    whole = show_note(*show) if show else Note()
    warnings = [*episode.warnings, *whole.warnings]
    merged = _numbers(name, episode.name)
    if own and merged.number != name.number and name.number is not None:
        warnings.append(f"{shown(own[1])} says {merged.identity}, the file’s name {name.identity}; the note was taken.")
    merged = replace(merged, title=episode.name.title or name.title, year=episode.name.year or name.year)
    if series is not None:
        return Noted(merged, episode.synopsis, whole.synopsis, tuple(warnings))
    called = whole.name.series or episode.name.series
    year = whole.name.series_year or name.series_year
    if called and not _same_but_for_year(called, name.series or "", year):
        merged = replace(merged, series=called, series_year=year)
    return Noted(merged, episode.synopsis, whole.synopsis, tuple(warnings))


def _numbers(name: ParsedName, said: ParsedName) -> ParsedName:
    if said.number is None:
        return name
    season = said.season if said.season is not None else name.season
    end = said.number_end
    if end is None and said.number == name.number:
        end = name.number_end
    return replace(name, season=season, number=said.number, number_end=end)


def _same_but_for_year(called: str, folder: str, year: int | None) -> bool:
    """``Tom and Jerry`` in a folder ``Tom and Jerry (1975)``: the folder keeps two series of one title apart."""
    return year is not None and folder.casefold() == f"{called} ({year})".casefold()


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def note_for(name: str, among: dict[str, tuple[bytes, str]]) -> tuple[bytes, str] | None:
    """The note of a video among files that were sent together, by their names in lower case."""
    return among.get(f"{_stem(name)}.nfo".casefold())


def _read(path: Path) -> tuple[bytes, str] | None:
    """An ordinary file beside the video, a little more than may be read of it; None where there is none to be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        data = b""
        while len(data) <= NOTE_BYTES and (block := os.read(fd, NOTE_BYTES + 1 - len(data))):
            data += block
        return data, path.name
    except OSError:
        return None
    finally:
        os.close(fd)
