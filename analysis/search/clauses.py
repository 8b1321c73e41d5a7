"""The clauses of the grammar: length, season, year, title. Pure: tokens in, a clause and the tokens it took out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from analysis.search.lexicon import Token, lexicon, meaning_of
from analysis.search.query import MOST_MS, YEARS, Clause, Length, Of, Op, Season, Title, Years

_UNIT_MS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000}
_GLUED = re.compile(r"(\d+(?:[.,]\d+)?)([a-z]+)\Z")
_DECADE = re.compile(r"(\d{3}0)s\Z")
_SEASON = re.compile(r"s0*(\d{1,3})\Z")


@dataclass(frozen=True, slots=True)
class Found:
    clause: Clause
    used: int


def clause_at(tokens: Sequence[Token], at: int) -> Found | None:
    """The clause that begins at ``at``, or None."""
    if tokens[at].quoted:
        return None
    return _length(tokens, at) or _years(tokens, at) or _season(tokens, at) or _title(tokens, at)


def _norm(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].norm if at < len(tokens) and not tokens[at].quoted else ""


@lru_cache(maxsize=1)
def _comparisons() -> list[tuple[tuple[str, ...], Op]]:
    """The longest first."""
    found = [(tuple(p.split()), Op(op)) for op, phrases in lexicon()["length"].items() for p in phrases]
    return sorted(found, key=lambda item: -len(item[0]))


def _length(tokens: Sequence[Token], at: int) -> Found | None:
    """``under 8 minutes``, ``length < 8 min``, ``shorter than 30s``."""
    start = at + 1 if _norm(tokens, at) in ("length", "duration") else at
    for phrase, op in _comparisons():
        if tuple(_norm(tokens, start + i) for i in range(len(phrase))) == phrase:
            measured = _duration(tokens, start + len(phrase))
            if measured is None:
                continue
            ms, used = measured
            end = start + len(phrase) + used
            end += _norm(tokens, end) == "long"
            return Found(Length(Of.EPISODE, op, ms), end - at)
    return None


def _duration(tokens: Sequence[Token], at: int) -> tuple[int, int] | None:
    """(milliseconds, tokens used) of ``8 min``, ``8min``, ``1.5 hours``."""
    number, unit, used = _norm(tokens, at), _norm(tokens, at + 1), 2
    if glued := _GLUED.match(number):
        number, unit, used = glued.group(1), glued.group(2), 1
    known = next((u for u, names in lexicon()["units"].items() if unit in names), None)
    number = number.replace(",", ".")
    if known is None or not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", number, re.ASCII):
        return None
    ms = round(float(number) * _UNIT_MS[known])
    return (ms, used) if 1 <= ms <= MOST_MS else None


def _year(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{4}", text, re.ASCII) and YEARS[0] <= int(text) <= YEARS[1] else None


def _years(tokens: Sequence[Token], at: int) -> Found | None:
    """``from 1936``, ``before 1940``, ``from 1930 to 1939``, ``between 1930 and 1939``, ``1930s``, ``1936``."""
    word, following = _norm(tokens, at), _year(_norm(tokens, at + 1))
    joint, until = _norm(tokens, at + 2), _year(_norm(tokens, at + 3))
    if following is not None:
        if word in ("from", "between", "years") and joint in ("to", "and", "until") and until is not None:
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
        first = _year(decade.group(1))
        return None if first is None or first + 9 > YEARS[1] else Found(Years(first, first + 9), 1)
    bare = _year(word)
    return None if bare is None or _norm(tokens, at + 1) in _all_units() else Found(Years(bare, bare), 1)


@lru_cache(maxsize=1)
def _all_units() -> frozenset[str]:
    return frozenset(name for names in lexicon()["units"].values() for name in names) | {"%", "percent"}


def _season(tokens: Sequence[Token], at: int) -> Found | None:
    """``season 2``, ``s02``."""
    word, number = _norm(tokens, at), _norm(tokens, at + 1)
    if meaning_of(word) == ("clause", "season") and re.fullmatch(r"\d{1,3}", number, re.ASCII):
        return Found(Season(int(number)), 2)
    glued = _SEASON.match(word)
    return Found(Season(int(glued.group(1))), 1) if glued else None


def _title(tokens: Sequence[Token], at: int) -> Found | None:
    """``titled "the missing cheese"``, or one word after ``title``."""
    if meaning_of(_norm(tokens, at)) != ("clause", "title") or at + 1 >= len(tokens):
        return None
    words = tokens[at + 1]
    return Found(Title(words.norm), 2) if words.quoted or words.norm.isalnum() else None
