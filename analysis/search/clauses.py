"""The clauses of the grammar: length, season, year, title. Pure: tokens in, a clause and the tokens it took out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from analysis.search.lexicon import Token, lexicon, meaning_of, one_typo
from analysis.search.query import (
    MOST_MS,
    YEARS,
    Clause,
    Length,
    Of,
    Op,
    QueryInvalid,
    Season,
    Title,
    Words,
    Years,
    plain_text,
)

_UNIT_MS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000}
_GLUED_PART = re.compile(r"(\d+(?:[.,]\d+)?)([a-z]+)")
_GLUED = re.compile(rf"(?:{_GLUED_PART.pattern})+")
_DECADE = re.compile(r"(\d{3}0)s\Z")
_DASHES = ("-", "–", "—")
_SEASON = re.compile(r"s0*(\d{1,3})\Z")


class Unreadable(ValueError):
    """What is said as a length is none; ``str`` is what was said."""


@dataclass(frozen=True, slots=True)
class Found:
    clause: Clause
    used: int


def clause_at(tokens: Sequence[Token], at: int) -> Found | None:
    """The clause that begins at ``at``, or None. Raises Unreadable."""
    if tokens[at].quoted:
        return None
    return _length(tokens, at) or _years(tokens, at) or _season(tokens, at) or _title(tokens, at) or _about(tokens, at)


def norm_at(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].norm if at < len(tokens) and not tokens[at].quoted else ""


@lru_cache(maxsize=1)
def comparisons() -> list[tuple[tuple[str, ...], Op]]:
    """The longest first."""
    found = [(tuple(p.split()), Op(op)) for op, phrases in lexicon()["length"].items() for p in phrases]
    return sorted(found, key=lambda item: -len(item[0]))


def _length(tokens: Sequence[Token], at: int) -> Found | None:
    """``under 8 minutes``, ``length < 8 min``, ``shorter than 30s``, ``over 1 hour 20 minutes``. Raises Unreadable."""
    start = at + 1 if norm_at(tokens, at) in ("length", "duration") else at
    for phrase, op in comparisons():
        if tuple(norm_at(tokens, start + i) for i in range(len(phrase))) == phrase:
            begin = start + len(phrase)
            measured = duration_at(tokens, begin)
            if measured is None:
                if _looks_measured(tokens, begin):
                    raise _unreadable(tokens, begin, begin + 3)
                continue
            ms, used = measured
            end = begin + used
            if not 1 <= ms <= MOST_MS or goes_on(tokens, end):
                raise _unreadable(tokens, begin, end if not 1 <= ms <= MOST_MS else end + 3)
            end += norm_at(tokens, end) == "long"
            return Found(Length(Of.EPISODE, op, ms), end - at)
    return None


def _unreadable(tokens: Sequence[Token], start: int, end: int) -> Unreadable:
    said = " ".join(t.said for t in tokens[start:end])
    return Unreadable(re.sub(r" ?([-–—−/:]) ?(?=\d)", r"\1", said))


def duration_at(tokens: Sequence[Token], at: int) -> tuple[int, int] | None:
    """(milliseconds, tokens used) of ``8 min``, ``8min``, ``1.5 hours``, ``1 hour and 20 minutes``, ``1h20m``."""
    first = _quantity(tokens, at)
    if first is None:
        return None
    total, unit, used = first
    while True:
        joint = at + used + (norm_at(tokens, at + used) == "and")
        more = _quantity(tokens, joint)
        if more is None or more[1] >= unit or _is_decade(norm_at(tokens, joint)):
            return round(total), used
        total, unit, used = total + more[0], more[1], joint + more[2] - at


def goes_on(tokens: Sequence[Token], at: int) -> bool:
    """Whether a number follows that belongs to the length and cannot be added: ``1 hour 20``, ``5 min and 8 min``."""
    at += norm_at(tokens, at) == "and"
    word = norm_at(tokens, at)
    if _is_decade(word) or (year_of(word) is not None and norm_at(tokens, at + 1) not in _all_units()):
        return False
    return word[:1].isdecimal() or (word in lexicon()["numbers"] and word not in ("a", "an")) or _is_sign(tokens, at)


def _looks_measured(tokens: Sequence[Token], at: int) -> bool:
    """A number or sign that was meant as a length; not one that counts or is a percentage."""
    word, following = norm_at(tokens, at), norm_at(tokens, at + 1)
    if _is_sign(tokens, at):
        return True
    if not word[:1].isdecimal() and word[:1] not in (".", ","):
        return False
    ends = following == "" or following in _all_units() or _is_sign(tokens, at + 1) or not word.isdecimal()
    return ends and following not in ("%", "percent")


def _is_sign(tokens: Sequence[Token], at: int) -> bool:
    return at < len(tokens) and tokens[at].sign


def _quantity(tokens: Sequence[Token], at: int) -> tuple[float, int, int] | None:
    """(milliseconds, its smallest unit in ms, tokens used) of one number with its unit."""
    word = norm_at(tokens, at)
    if _GLUED.fullmatch(word):
        parts = _GLUED_PART.findall(word)
        numbers = [n for digits, _ in parts if (n := _number(digits)) is not None]
        units = [u for _, name in parts if (u := unit_ms(name)) is not None]
        if len(numbers) < len(parts) or len(units) < len(parts) or units != sorted(set(units), reverse=True):
            return None
        return sum(n * u for n, u in zip(numbers, units, strict=True)), units[-1], 1
    number, used = _number(word), 1
    if number is None:
        number, used = _number_words(word, norm_at(tokens, at + 1))
    unit = unit_ms(norm_at(tokens, at + used))
    return None if number is None or unit is None else (number * unit, unit, used + 1)


def _number(text: str) -> float | None:
    """None too for ``1,500``, which is one and a half to some and fifteen hundred to others."""
    if not re.fullmatch(r"\d{0,300}([.,]\d{1,300})?", text, re.ASCII) or not text or re.fullmatch(r"\d+,\d{3}", text):
        return None
    return float(text.replace(",", "."))


def _number_words(word: str, following: str) -> tuple[float | None, int]:
    """``eight``, ``twenty five``."""
    numbers: dict[str, int] = lexicon()["numbers"]
    value, ones = numbers.get(word), numbers.get(following, 10)
    if value is not None and value >= 20 and ones < 10 and following not in ("a", "an"):
        return float(value + ones), 2
    return (None if value is None else float(value)), 1


def unit_ms(name: str) -> int | None:
    """In ms; one typo is forgiven as in other words: ``minuts``."""
    units = lexicon()["units"].items()
    exact = next((_UNIT_MS[u] for u, names in units if name in names), None)
    return exact or next((_UNIT_MS[u] for u, names in units if any(one_typo(name, n) for n in names)), None)


def _is_decade(word: str) -> bool:
    decade = _DECADE.match(word)
    return decade is not None and year_of(decade.group(1)) is not None


def year_of(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{4}", text, re.ASCII) and YEARS[0] <= int(text) <= YEARS[1] else None


def _years(tokens: Sequence[Token], at: int) -> Found | None:
    """``from 1936``, ``before 1940``, ``from 1930 to 1939``, ``between 1930 and 1939``, ``1930-1939``, ``1930s``."""
    word, following = norm_at(tokens, at), year_of(norm_at(tokens, at + 1))
    joint, until = norm_at(tokens, at + 2), year_of(norm_at(tokens, at + 3))
    if following is not None:
        if word in ("from", "between", "years") and joint in (*_DASHES, "to", "and", "until") and until is not None:
            return Found(Years(min(following, until), max(following, until)), 4)
        match word:
            case "before" if following > YEARS[0]:
                return Found(Years(None, following - 1), 2)
            case "until":
                return Found(Years(None, following), 2)
            case "after" if following < YEARS[1]:
                return Found(Years(following + 1, None), 2)
            case "since":
                return Found(Years(following, None), 2)
            case "from" | "in" | "year" | "of":
                return Found(Years(following, following), 2)
    if decade := _DECADE.match(word):
        first = year_of(decade.group(1))
        return None if first is None or first + 9 > YEARS[1] else Found(Years(first, first + 9), 1)
    bare = year_of(word)
    if bare is not None and norm_at(tokens, at + 1) in _DASHES and (last := year_of(joint)) is not None:
        return Found(Years(min(bare, last), max(bare, last)), 3)
    return None if bare is None or norm_at(tokens, at + 1) in _all_units() else Found(Years(bare, bare), 1)


@lru_cache(maxsize=1)
def _all_units() -> frozenset[str]:
    return frozenset(name for names in lexicon()["units"].values() for name in names) | {"%", "percent"}


def _season(tokens: Sequence[Token], at: int) -> Found | None:
    """``season 2``, ``s02``."""
    word, number = norm_at(tokens, at), norm_at(tokens, at + 1)
    if meaning_of(word) == ("clause", "season") and re.fullmatch(r"\d{1,3}", number, re.ASCII):
        return Found(Season(int(number)), 2)
    glued = _SEASON.match(word)
    return Found(Season(int(glued.group(1))), 1) if glued else None


def _title(tokens: Sequence[Token], at: int) -> Found | None:
    """``titled "the missing cheese"``, or one word after ``title``."""
    if meaning_of(norm_at(tokens, at)) != ("clause", "title") or at + 1 >= len(tokens):
        return None
    words = tokens[at + 1]
    if not (words.quoted or words.norm.isalnum()):
        return None
    try:
        return Found(Title(plain_text(words.said)), 2)
    except QueryInvalid:
        raise Unreadable(words.said) from None


def _about(tokens: Sequence[Token], at: int) -> Found | None:
    """``about "the lost key"``."""
    if norm_at(tokens, at) not in lexicon()["about"] or at + 1 >= len(tokens) or not tokens[at + 1].quoted:
        return None
    try:
        return Found(Words(plain_text(tokens[at + 1].said)), 2)
    except QueryInvalid:
        raise Unreadable(tokens[at + 1].said) from None
