"""Lists of episodes (CSV) as text: in which encoding, with which separator, and what each line says. Pure."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.errors import ListInvalid
from catalog.naming import plain_text, shown
from catalog.parsing import MOST

COLUMNS = ("path", "series", "season", "number", "number_end", "part", "title", "year", "synopsis")
LIST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line that can be used. ``numbers``: of season, number and so on, those that are given."""

    line: int
    path: str
    numbers: dict[str, int]
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class BadLine:
    line: int | None
    error: ListInvalid


def text_of(data: bytes, called: str, *, lenient: bool = False) -> tuple[str, str]:
    """The text, and a sentence where its encoding had to be guessed. ``lenient``: also what is no UTF-8.

    Raises ListInvalid.
    """
    if len(data) > LIST_BYTES:
        raise ListInvalid(f"The list {shown(called)} is larger than {LIST_BYTES // 1_000_000} MB.")
    if lenient and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16"), ""
        except UnicodeDecodeError as error:
            raise ListInvalid(f"The list {shown(called)} is written in an encoding that is not read.") from error
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        if not lenient or b"\0" in data:
            raise ListInvalid(f"The list {shown(called)} is not written in UTF-8.") from error
    text = data.decode("cp1252", errors="replace")
    return text, f"The list {shown(called)} is not written in UTF-8; it was read as Windows-1252. Look at its letters."


def lines_of(text: str, called: str) -> Iterator[Line | BadLine]:
    """Every line below the heading; a heading that cannot be used is the only answer."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        headings = [h.strip().casefold() for h in reader.fieldnames or ()]
        reader.fieldnames = headings
        problem = _heading_problem(headings, called)
        if problem:
            yield BadLine(None, problem)
            return
        for row in reader:
            yield _line(called, reader.line_num, row)
    except csv.Error as error:
        line = reader.reader.line_num
        said = f"The list {shown(called)} cannot be read from line {line} on: {error}."
        yield BadLine(line, ListInvalid(said))


def _heading_problem(headings: list[str], called: str) -> ListInvalid | None:
    name = shown(called)
    unknown = [h for h in headings if h not in COLUMNS]
    if "path" not in headings:
        return ListInvalid(f"The list {name} has no column “path”; its first line must name the columns.")
    if unknown:
        return ListInvalid(f"The list {name} has a column {shown(unknown[0])}; known are {', '.join(COLUMNS)}.")
    if len(set(headings)) < len(headings):
        return ListInvalid(f"The list {name} names a column twice.")
    return None


def _line(called: str, line: int, row: Mapping[str | None, str | list[str] | Any | None]) -> Line | BadLine:
    where = f"Line {line} of {shown(called)}"
    if None in row or any(not isinstance(v, str) for v in row.values()):
        return BadLine(line, ListInvalid(f"{where} has another number of columns than the first line."))
    cells = {str(key): str(value).strip() for key, value in row.items()}
    if not cells["path"] or "\0" in cells["path"]:
        return BadLine(line, ListInvalid(f"{where} names no file."))
    numbers: dict[str, int] = {}
    for key, most in MOST.items():
        if cells.get(key):
            digits = cells[key].lstrip("0") or "0"
            said = shown(cells[key] if len(cells[key]) <= 40 else cells[key][:40] + "…")
            if not (cells[key].isascii() and cells[key].isdecimal()):
                return BadLine(line, ListInvalid(f"{where} has {said} as {key}, which is no whole number from 0 on."))
            if len(digits) > len(str(most)) or int(digits) > most:
                return BadLine(line, ListInvalid(f"{where} has {said} as {key}; at most {most} can be kept."))
            numbers[key] = int(digits)
    texts = {key: plain_text(cells.get(key, "")) for key in ("series", "title", "synopsis")}
    return Line(line, cells["path"], numbers, texts)
