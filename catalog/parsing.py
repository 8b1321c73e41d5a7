"""What the names of files and folders say about an episode. Pure; never raises, whatever the name.

    Series - S01E05 - Title.mkv        S01E05, s01e05, 1x05, Season 1 Episode 5
    S01E05E06, S01E05-E06, S01E05-06   two episodes in one file
    S00E03, Special 3                  specials are season 0
    005 - Title, Episode 5, E05, #5    an absolute number; with a folder "Season 2", an episode of that season
    Title (part 2), Title pt2, Title (2), part1      one piece of an episode
    Title (1936), title_1936           the year

Dots and underscores stand for spaces where a name has none. ``[group]`` and everything from ``1080p``, ``x264``,
``WEB-DL`` and the like on is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from catalog.naming import plain_text, slug_of

_EXTENSIONS = "3g2 3gp asf avi divx f4v flv m2ts m2v m4v mkv mov mp4 mpe mpeg mpg mts ogm ogv ts vob webm wmv"
VIDEO_EXTENSIONS = frozenset(_EXTENSIONS.split())
TITLE_LENGTH = 300
MOST_IN_ONE_FILE = 20
_SMALL, _WHOLE = 32_767, 2_147_483_647
MOST = {"season": _SMALL, "number": _WHOLE, "number_end": _WHOLE, "part": _SMALL, "year": _SMALL}  # what is kept
Ordering = Literal["aired", "absolute", "title"]


@dataclass(frozen=True, slots=True)
class ParsedName:
    """``season`` 0: specials. ``number_end``: last number of a file that holds several. None or "": not said."""

    series: str | None = None
    season: int | None = None
    number: int | None = None
    number_end: int | None = None
    part: int | None = None
    year: int | None = None
    title: str = ""
    series_year: int | None = None

    @property
    def ordering(self) -> Ordering:
        if self.number is None:
            return "title"
        return "absolute" if self.season is None else "aired"

    @property
    def identity(self) -> str:
        """The canonical spelling within the ordering. Empty where the name says neither number nor title."""
        part = f".P{self.part}" if self.part is not None else ""
        if self.number is None:
            if not self.title:
                return ""
            return slug_of(self.title) + (f"-{self.year}" if self.year else "") + part
        season = f"S{self.season:02d}" if self.season is not None else ""
        width = 3 if self.season is None else 2
        last = f"-E{self.number_end:0{width}d}" if self.number_end is not None else ""
        return f"{season}E{self.number:0{width}d}{last}{part}"

    @property
    def shown_title(self) -> str:
        """A title for people, never empty; the parts of an episode can be told apart by it."""
        title = self.title
        if not title and self.number is not None:
            title = "Special" if self.season == 0 else "Episode"
            title += f" {self.number}" if self.number_end is None else f"s {self.number} to {self.number_end}"
        part = f", part {self.part}" if self.part is not None else ""
        return (title or "Untitled")[: TITLE_LENGTH - len(part)] + part


def canonical_name(name: ParsedName) -> str:
    """The spelling that ``parse_name`` reads back exactly, for a name whose texts hold no markers of their own."""
    number = "" if name.number is None else name.identity.partition(".P")[0]
    head = " - ".join(p for p in (name.series or "", number, name.title) if p)
    year = f" ({name.year})" if name.year else ""
    part = f" (part {name.part})" if name.part is not None else ""
    return f"{head}{year}{part}".strip()


# ------------------------------------------------------------------------------------------------ markers

_A, _Z = r"(?<![^\W_])", r"(?![^\W_])"  # no letter or digit on this side
_DIGITS = r"\d{1,250}"  # after a word that says what they are: also numbers too large to be kept, which is told later
_MORE = rf"(?P<more>(?:\s?-?\s?ep?{_DIGITS}|-\d{{2,4}})*)"
_EPISODE_WORD = r"(?:episode|episodio|épisode|episódio|folge|серия|ep)"
_SEASON_WORD = r"(?:season|saison|staffel|temporada|stagione|сезон|series)"
_NUMBERED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_A}s(?P<season>{_DIGITS})\s?[-.]?\s?e(?:p\.?|pisode)?\s?(?P<number>{_DIGITS}){_MORE}{_Z}",
        rf"{_A}(?P<season>\d{{1,2}})x(?P<number>\d{{2,3}})(?P<more>(?:-(?:\d{{1,2}}x)?\d{{2,3}})*){_Z}",
        rf"{_A}{_SEASON_WORD}\s?(?P<season>{_DIGITS})[\s,.-]{{0,3}}{_EPISODE_WORD}[\s.]{{0,2}}(?P<number>{_DIGITS}){_Z}",
        rf"{_A}(?P<special>special|sp)(?(special)\s?)(?P<number>\d{{1,3}}){_Z}",
        rf"{_A}{_EPISODE_WORD}[\s.#]{{0,2}}(?P<number>{_DIGITS}){_MORE}{_Z}",
        rf"{_A}e(?P<number>{_DIGITS}){_MORE}{_Z}",
        r"第\s?(?P<number>\d{1,4})\s?[話话集回]",
        rf"(?<!\w)#(?P<number>\d{{1,4}}){_Z}",
        r"^(?P<number>\d{1,4})$",
        r"^(?P<number>0\d{1,3})(?=[\s-]|$)",
        r"^(?P<number>\d{1,3})(?=\s?[-–—.]\s)",
        r"(?<=\s[-–—]\s)(?P<number>\d{1,4})(?:v\d)?(?=\s[-–—]\s|$)",
        r"(?<=\s)(?P<number>0\d{1,3})$",
    )
)
_FIRST_BARE = 8  # patterns from here on are bare numbers, which may as well be a year
_PART_NUMBER = r"(?P<part>\d{1,2}|i{1,3}|iv|v|vi{1,3}|ix|x|one|two|three|four|five|six|seven|eight|nine|ten)"
_PART = re.compile(rf"{_A}(?:part|pt|teil|partie|parte)[\s.]{{0,2}}{_PART_NUMBER}{_Z}", re.IGNORECASE)
_PART_BRACKETED = re.compile(r"(?P<part>\d{1,2})(?:\s?(?:/|of)\s?\d{1,2})?", re.IGNORECASE)
_PARTS = (
    "",
    "i one",
    "ii two",
    "iii three",
    "iv four",
    "v five",
    "vi six",
    "vii seven",
    "viii eight",
    "ix nine",
    "x ten",
)
_YEAR = r"(?P<year>18[89]\d|19\d\d|20\d\d)"
_YEAR_LAST = re.compile(r"(?<=\S)[\s,-]+(?P<year>189\d|19\d\d|20[0-3]\d)$")
_BRACKETS = re.compile(r"\[([^][]*)\]|\{([^{}]*)\}|\(([^()]*)\)")
_STRONG_NOISE = (
    r"(?:\d{3,4}[pi]\d{0,3}|[hx]\.?26[45]|hevc|avc|xvid|divx|vp[89]|av1|10\s?bit|8\s?bit|uhd|web[\s-]?(?:dl|rip)|hd-?rip"
    r"|blu-?ray|bd-?rip|br-?rip|dvd-?rip|dvd-?scr|hd-?tv|pdtv|ds[ra]?rip|tv-?rip|vhs-?rip|aac\d?(?:\.\d)?|ac3|e?ac-?3|dts"
    r"|ddp?\d\.\d|flac|remux)"
)
_WEAK_NOISE = r"(?:web|hd|sd|4k|dvd|proper|repack|internal|complete|uncensored|multi|dual|remastered|amzn|nf|hmax|dsnp)"
_NOISE = re.compile(rf"(?<![^\W_])(?:{_WEAK_NOISE}[\s.-]+)*{_STRONG_NOISE}(?![^\W_]).*$", re.IGNORECASE)
_SEASON_FOLDER = re.compile(rf"(?P<series>.*?)[\s,-]*{_A}(?:{_SEASON_WORD}|s)\s?(?P<season>\d{{1,2}})$", re.IGNORECASE)
_SPECIALS_FOLDER = re.compile(r"(?P<series>.*?)[\s,-]*\b(?:specials?|extras)$", re.IGNORECASE)
_NO_SERIES = (
    "archive cartoon cartoons data desktop download downloads episodes film films home import incoming input media mnt"
    " movie movies new output root series shows srv temp test tmp tv upload uploads var video videos work"
)
_SAYS_NOTHING = frozenset(_NO_SERIES.split())


# ------------------------------------------------------------------------------------------------ names


def parse_name(name: str) -> ParsedName:
    """What the name of one file says, with or without its extension."""
    whole = _spaced(_without_extension(plain_text(name)))
    text, found = _take_brackets(whole)
    cut = _NOISE.sub("", text)
    text = cut if _tidy(cut) or found != ParsedName() else text
    before, after, found = _take_number(text, found)
    if found.part is None:
        before, after, found = _take_part(before, after, found)
    if found.year is None:
        before, after, found = _take_year(before, after, found)
    if found.number is None:
        title = _tidy(f"{before} {after}")
        nothing = found == ParsedName()
        return replace(found, title=_capital(title or (_tidy(whole) if nothing else "")))
    return replace(found, series=_tidy(before) or None, title=_capital(_tidy(after)))


def parse_folder(name: str) -> ParsedName:
    """What a folder's name says: series, its year, season. A name that says nothing ("Downloads") gives nothing."""
    text, found = _take_brackets(_spaced(plain_text(name).strip("/")))
    text = _tidy(_NOISE.sub("", text) or text)
    season = None
    match = _SEASON_FOLDER.fullmatch(text)
    if match:
        text, season = match["series"], int(match["season"])
    else:
        match = _SPECIALS_FOLDER.fullmatch(text)
        if match:
            text, season = match["series"], 0
    text, _, found = _take_year(text, "", found)
    series = _tidy(text)
    if series.casefold() in _SAYS_NOTHING:
        return ParsedName(season=season)
    if series == series.lower():
        series = " ".join(_capital(word) for word in series.split(" "))
    return ParsedName(series=series or None, season=season, series_year=found.year if series else None)


def parse_path(parts: Sequence[str]) -> ParsedName:
    """What a file's name says, completed by the folders it lies in: ``parts`` from the outermost folder to the file.

    The nearest folder that is no season names the series. Where a season folder lies between, it wins over the file's
    own text before the number, since that is how collections are kept.
    """
    name = parse_name(parts[-1]) if parts else ParsedName()
    folder, season = _folder_of(parts[:-1])
    series = name.series
    if folder.series and (series is None or season is not None):
        series = folder.series
        if folder.series_year:
            series = f"{series} ({folder.series_year})"
    if name.season is None and name.number is not None:
        name = replace(name, season=season)
    if name.number is None and not name.title and folder.series:  # "part1" in a folder that has the title
        name = replace(name, title=folder.series, year=name.year or folder.series_year)
    title = name.title
    if folder.series and name.number is None:
        prefix = re.compile(rf"{re.escape(folder.series)}\s+[-–—:]\s+(?=\S)", re.IGNORECASE)
        title = _capital(prefix.sub("", title, count=1))
    return replace(name, series=series, title=title, series_year=folder.series_year)


def _folder_of(folders: Sequence[str]) -> tuple[ParsedName, int | None]:
    """The folder that names the series, and the season of one between it and the file."""
    season = None
    for folder in reversed(folders[-3:]):
        found = parse_folder(folder)
        season = found.season if season is None else season
        if found.series is not None or found.season is None:
            return found, season
    return ParsedName(), season


# ------------------------------------------------------------------------------------------------ steps


def has_video_extension(name: str) -> bool:
    return name.rpartition(".")[2].casefold() in VIDEO_EXTENSIONS and "." in name.strip(".")


def _without_extension(name: str) -> str:
    stem = name.rpartition(".")[0] if has_video_extension(name) else name
    return stem.strip()


def _spaced(name: str) -> str:
    """Underscores, and dots where they stand for spaces, as spaces."""
    text = name.replace("_", " ").strip()
    if " " not in text:
        text = text.replace(".", " ")
    return " ".join(text.lstrip("-–— .").split())


def _take_brackets(text: str) -> tuple[str, ParsedName]:
    """Without what stands in brackets: the year, the part and noise. Anything else in round ones stays as it is."""
    found = ParsedName()

    def sort_out(match: re.Match[str]) -> str:
        nonlocal found
        inside = next(g for g in match.groups() if g is not None).strip()
        year = re.fullmatch(_YEAR, inside)
        if year and found.year is None:
            found = replace(found, year=int(year["year"]))
            return " "
        part = (match[3] is not None and _PART_BRACKETED.fullmatch(inside)) or _PART.fullmatch(inside)
        if part and found.part is None and _part_number(part["part"]):
            found = replace(found, part=_part_number(part["part"]))
            return " "
        if any(p.search(inside) for p in _NUMBERED[:2]):
            return f" {inside} "
        return match[0] if match[3] is not None and inside and not _NOISE.search(inside) else " "

    return " ".join(_BRACKETS.sub(sort_out, text).split()), found


def _take_number(text: str, found: ParsedName) -> tuple[str, str, ParsedName]:
    """The text before and after the first marker of an episode's number."""
    for rank, pattern in enumerate(_NUMBERED):
        match = pattern.search(text)
        if match is None:
            continue
        groups = match.groupdict()
        number = int(groups["number"])
        if rank >= _FIRST_BARE and len(groups["number"]) == 4 and 1888 <= number <= 2099:
            continue
        season = 0 if groups.get("special") else int(groups["season"]) if groups.get("season") else None
        last, end = _last_number(number, groups.get("more") or ""), match.end()
        if last is None and groups.get("more"):
            end = match.start("more")
        found = replace(found, season=season, number=number, number_end=last)
        return text[: match.start()], text[end:], found
    return text, "", found


def _last_number(first: int, more: str) -> int | None:
    """The last of ``E06``, ``-E07``, ``-08``; None where it is no range that one file would hold."""
    numbers = [int(n) for n in re.findall(r"\d+(?!\d*x)", more)]
    last = numbers[-1] if numbers else 0
    return last if first < last <= first + MOST_IN_ONE_FILE else None


def _take_part(before: str, after: str, found: ParsedName) -> tuple[str, str, ParsedName]:
    sides = [before, after]
    for side in (1, 0):
        match = _PART.search(sides[side])
        number = _part_number(match["part"]) if match else None
        if match and number:
            sides[side] = f"{sides[side][: match.start()]} {sides[side][match.end() :]}"
            return sides[0], sides[1], replace(found, part=number)
    return before, after, found


def _part_number(text: str) -> int | None:
    if text.isdecimal():
        return int(text) or None
    return next((n for n, words in enumerate(_PARTS) if text.casefold() in words.split()), None)


def _take_year(before: str, after: str, found: ParsedName) -> tuple[str, str, ParsedName]:
    """A year without brackets counts at the end of a text only: ``popeye_1936``."""
    sides = [_tidy(before), _tidy(after)]
    for side in (1, 0):
        match = _YEAR_LAST.search(sides[side])
        if match and found.year is None:
            sides[side] = sides[side][: match.start()]
            return sides[0], sides[1], replace(found, year=int(match["year"]))
    return sides[0], sides[1], found


def _tidy(text: str) -> str:
    """Without the dashes and commas that stood between the pieces; at most as long as a title may be."""
    return " ".join(text.split()).lstrip(" .").strip(_EDGES)[:TITLE_LENGTH].strip(_EDGES)


_EDGES = " -–—_,:;~|"


def _capital(text: str) -> str:
    """An initial capital where a name is all lower case."""
    return text[:1].upper() + text[1:] if text == text.lower() and len(text[:1].upper()) == 1 else text
