"""Notes that Kodi and Jellyfin lay beside videos (NFO): what they say of an episode and of its show.

Read: ``title showtitle season episode plot outline aired premiered year`` of ``<episodedetails>``, ``title plot outline
premiered year`` of ``<tvshow>``. A file may hold several ``<episodedetails>`` one after the other, for a video with
several episodes. XML that declares types or entities is not read. A note that cannot be used is never an error: it is
a sentence beside what was read.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from catalog.naming import plain_text, shown
from catalog.parsing import MOST, TITLE_LENGTH, ParsedName

NOTE_BYTES = 1_000_000
SYNOPSIS_LENGTH = 10_000
EPISODE, SHOW = "episodedetails", "tvshow"
MOST_EPISODES = 20
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}encoding=["']([A-Za-z0-9._-]{1,40})["']""")
_MARKUP = re.compile(r"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST)", re.IGNORECASE)
_YEAR = re.compile(r"(?:^|\D)(1[89]\d\d|20\d\d)(?:\D|$)")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ALLOWED = re.compile(r"(?:utf-?(?:8|16)|us-ascii|iso-8859-\d+|windows-125\d|cp125\d|latin-?1|koi8-[ru]|gbk|gb2312"
                      r"|gb18030|big5|shift[_-]jis|euc-(?:jp|kr))", re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """What a note says; None and "": it does not say. ``warnings``: sentences that name the file."""

    name: ParsedName = field(default_factory=ParsedName)
    synopsis: str = ""
    warnings: tuple[str, ...] = ()


def is_note(name: str) -> bool:
    return name.casefold().endswith(".nfo")


def episode_note(data: bytes, called: str) -> Note:
    """Of one video. Several episodes in it become one name with a range of numbers."""
    found, warnings = _elements(data, called, EPISODE)
    notes = [_episode(element) for element in found]
    if not notes:
        return Note(warnings=warnings)
    first = notes[0]
    if len(notes) > 1:
        first, more = _together(notes, called)
        warnings += more
    return replace(first, warnings=warnings)


def show_note(data: bytes, called: str) -> Note:
    """Of a series: ``name.series`` and ``name.series_year``."""
    found, warnings = _elements(data, called, SHOW)
    if not found:
        return Note(warnings=warnings)
    show = found[0]
    name = ParsedName(series=_text(show, "title")[:TITLE_LENGTH] or None, series_year=_year(show, "premiered", "year"))
    return Note(name, _plot(show), warnings)


def _elements(data: bytes, called: str, root: str) -> tuple[list[Element], tuple[str, ...]]:
    text, problem = _decoded(data)
    if problem:
        return [], (f"{shown(called)} {problem}",)
    pieces = _pieces(text, root)
    if not pieces:
        said = text.strip()
        if said.startswith(("http://", "https://")) or not said.startswith("<"):
            return [], (f"{shown(called)} holds only an address or plain words, so nothing of it was used.",)
        return [], (f"{shown(called)} has no <{root}>, or is cut off, so nothing of it was used.",)
    if _MARKUP.search(text):
        return [], (f"{shown(called)} declares types or entities, which is not safe to read; nothing of it was used.",)
    try:
        found = [fromstring(piece, forbid_dtd=True) for piece in pieces]
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        return [], (f"{shown(called)} is no sound XML, so nothing of it was used.",)
    return found, ()


def _pieces(text: str, root: str) -> list[str]:
    """Each ``<root>`` to its end; in one pass, whatever the text."""
    opening, closing = re.compile(rf"<{root}[\s>]"), f"</{root}"
    pieces: list[str] = []
    at = 0
    while len(pieces) < MOST_EPISODES and (match := opening.search(text, at)):
        end = text.find(closing, match.end())
        last = text.find(">", end) if end >= 0 else -1
        if last < 0:
            break
        pieces.append(text[match.start() : last + 1])
        at = last + 1
    return pieces


def _decoded(data: bytes) -> tuple[str, str]:
    if len(data) > NOTE_BYTES:
        return "", f"is larger than {NOTE_BYTES // 1000} kB, so nothing of it was used."
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "")
    if not encoding:
        match = _DECLARED.match(data[:300])
        encoding = match[1].decode("ascii") if match else "utf-8"
    if not _ALLOWED.fullmatch(encoding.removesuffix("-sig")):
        return "", "is written in an encoding that is not read, so nothing of it was used."
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            return "", "is written in an encoding that is not read, so nothing of it was used."
    return text, ""


def _episode(element: Element) -> Note:
    name = ParsedName(
        series=_text(element, "showtitle")[:TITLE_LENGTH] or None,
        season=_number(element, "season"),
        number=_number(element, "episode"),
        year=_year(element, "aired", "premiered", "year"),
        title=_text(element, "title")[:TITLE_LENGTH],
    )
    if name.number is None:
        name = replace(name, season=None)
    return Note(name, _plot(element))


def _together(notes: list[Note], called: str) -> tuple[Note, tuple[str, ...]]:
    """Several episodes of one file: the first and the last number, all titles."""
    first = notes[0]
    numbers = [n.name.number for n in notes]
    title = " / ".join(dict.fromkeys(n.name.title for n in notes if n.name.title))[:TITLE_LENGTH].strip()
    synopsis = "\n\n".join(n.synopsis for n in notes if n.synopsis)[:SYNOPSIS_LENGTH]
    whole = [n for n in numbers if n is not None]
    in_a_row = len(whole) == len(numbers) and whole == list(range(whole[0], whole[0] + len(whole)))
    if not in_a_row or len({n.name.season for n in notes}) > 1:
        said = f"{shown(called)} has several episodes whose numbers are not in a row; only its first was used."
        return first, (said,)
    return Note(replace(first.name, number_end=whole[-1], title=title), synopsis), ()


def _text(element: Element, tag: str) -> str:
    return plain_text("".join(found.itertext())) if (found := element.find(tag)) is not None else ""


def _plot(element: Element) -> str:
    return (_text(element, "plot") or _text(element, "outline"))[:SYNOPSIS_LENGTH]


def _number(element: Element, tag: str) -> int | None:
    text = _text(element, tag)
    most = MOST["season" if tag == "season" else "number"]
    if text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= most:
        return int(text)
    return None


def _year(element: Element, *tags: str) -> int | None:
    for tag in tags:
        match = _YEAR.search(_text(element, tag)[:40])
        if match:
            return int(match[1])
    return None
