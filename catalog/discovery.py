"""Which files to import: those a person names, those of a folder and all below it, those of a list (CSV).

Nothing is opened here but lists. What is found may be gone a moment later; whoever imports it says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catalog.errors import CatalogError, FolderUnreadable, ListInvalid, MediaRejected
from catalog.lists import LIST_BYTES, BadLine, Line, lines_of, text_of
from catalog.naming import natural_key, plain_text, shown
from catalog.parsing import ParsedName, has_video_extension, parse_path


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a video, and what its name, its folders or its line in a list say. ``series_named``: by a
    person, so that no note changes it. ``warnings``: sentences about notes beside it that could not be used."""

    path: Path
    name: ParsedName
    synopsis: str = ""
    series_synopsis: str = ""
    from_list: bool = False
    series_named: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """``path``: what was refused; for a line of a list, the list itself and the number of the line."""

    path: Path
    error: CatalogError
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """By its name no video: pictures, texts, subtitles, hidden files."""

    path: Path


Found = Candidate | Refusal | Skipped


def discover(path: Path, series: str | None = None) -> Iterator[Found]:
    """Everything that ``path`` stands for, in the order in which people would list it. ``series`` wins over names.

    A path that a person named may be a link; what lies in a folder may not.
    """
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        yield Refusal(path, _missing(path, error))
        return
    if real.is_dir():
        yield from _folder(real, series)
    elif path.suffix.casefold() == ".csv":
        yield from _list(real, series)
    else:
        yield _candidate(real, series)


def _missing(path: Path, error: OSError | RuntimeError | ValueError) -> MediaRejected:
    name = shown(str(path))
    if isinstance(error, PermissionError):
        return MediaRejected("video_forbidden", f"{name} cannot be read: permission is denied.")
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return MediaRejected("video_missing", f"{name} is a link to a file that does not exist.")
    if isinstance(error, RuntimeError):
        return MediaRejected("video_missing", f"{name} is a link that leads back to itself.")
    return MediaRejected("video_missing", f"{name} does not exist.")


def _candidate(path: Path, series: str | None) -> Candidate:
    name = parse_path(path.parts)
    named = replace(name, series=plain_text(series), series_year=None) if series else name
    return Candidate(path, named, series_named=bool(series))


# ------------------------------------------------------------------------------------------------ folders


def _folder(folder: Path, series: str | None) -> Iterator[Found]:
    """Depth first; what a person would look for first comes first."""
    waiting = [iter(_entries(folder))]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
        elif isinstance(entry, Refusal):
            yield entry
        elif entry.name.startswith("."):
            yield Skipped(Path(entry.path))
        elif entry.is_dir(follow_symlinks=False):
            inside = _entries(Path(entry.path))
            if not inside and has_video_extension(entry.name):
                inside = [Refusal(Path(entry.path), MediaRejected("not_a_file", f"{shown(entry.name)} is a folder."))]
            waiting.append(iter(inside))
        elif has_video_extension(entry.name) or _leads_to_folder(entry):
            yield _file(entry, series)
        else:
            yield Skipped(Path(entry.path))


def _entries(folder: Path) -> list[os.DirEntry[str] | Refusal]:
    """Files before folders, numbers in the order of their value."""
    try:
        with os.scandir(folder) as scan:
            entries = list(scan)
    except PermissionError:
        reason = f"The folder {shown(folder.name)} cannot be read: permission is denied."
        return [Refusal(folder, FolderUnreadable(reason))]
    except OSError as error:
        reason = f"The folder {shown(folder.name)} cannot be read: {error.strerror}."
        return [Refusal(folder, FolderUnreadable(reason))]
    return [*sorted(entries, key=lambda e: (e.is_dir(follow_symlinks=False), natural_key(e.name)))]


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:
        return False


def _file(entry: os.DirEntry[str], series: str | None) -> Candidate | Refusal:
    if entry.is_symlink():
        reason = f"{shown(entry.name)} is a symbolic link; name the file that it leads to."
        return Refusal(Path(entry.path), MediaRejected("not_a_file", reason))
    return _candidate(Path(entry.path), series)


# ------------------------------------------------------------------------------------------------ lists


def _list(path: Path, series: str | None) -> Iterator[Found]:
    """The lines of a CSV with a heading; paths count from the folder that the list lies in."""
    try:
        text = _text_of(path)
    except ListInvalid as error:
        yield Refusal(path, error)
        return
    for line in lines_of(text, path.name):
        if isinstance(line, BadLine):
            yield Refusal(path, line.error, line.line)
        else:
            yield _line(path.parent / line.path, line, series)


def _text_of(path: Path) -> str:
    name = shown(path.name)
    try:
        if not path.is_file():
            raise ListInvalid(f"{name} is no ordinary file, so it is not read.")
        if path.stat().st_size > LIST_BYTES:
            raise ListInvalid(f"The list {name} is larger than {LIST_BYTES // 1_000_000} MB.")
        return text_of(path.read_bytes(), path.name)[0]
    except OSError as error:
        raise ListInvalid(f"The list {name} cannot be read: {error.strerror}.") from error


def _line(file: Path, line: Line, series: str | None) -> Found:
    try:
        file = file.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        return Refusal(file, _missing(file, error), line.line)
    name = name_in_line(line, parse_path(file.parts), series)
    return Candidate(file, name, line.texts["synopsis"], from_list=True)


def name_in_line(line: Line, name: ParsedName, series: str | None = None) -> ParsedName:
    """What a line says, completed by the file's own name. ``series`` wins over both."""
    numbers: dict[str, Any] = dict(line.numbers)
    name = replace(name, **numbers)
    if "number" in numbers and "number_end" not in numbers:
        name = replace(name, number_end=None)
    name = replace(name, title=line.texts["title"] or name.title)
    title = plain_text(series or line.texts["series"])
    return replace(name, series=title, series_year=None) if title else name
