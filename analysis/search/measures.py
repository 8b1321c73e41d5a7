"""How much, how long and how near: the measures of conditions. Pure: tokens in, a measure and its tokens out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from analysis.search.clauses import Unreadable, comparisons, duration_at, goes_on, norm_at, year_of
from analysis.search.lexicon import Token, lexicon, starts_with
from analysis.search.query import MOST_MS, NEVER_MET, Op, Relation
from analysis.search.refusals import Refused, no_share


def share_at(tokens: Sequence[Token], at: int) -> tuple[Op, int, int] | None:
    """``at least 20 %``, ``more than half``: (op, percent, tokens). Raises Refused."""
    for phrase, op in comparisons():
        if starts_with(tokens, at, phrase):
            found = _percent(tokens, at + len(phrase))
            if found is not None:
                used = len(phrase) + found[1]
                if found[0] > 100 or (op, found[0]) in NEVER_MET:
                    raise Refused(no_share(" ".join(t.said for t in tokens[at : at + used])))
                return op, found[0], used
    return None


def _percent(tokens: Sequence[Token], at: int) -> tuple[int, int] | None:
    """(percent, tokens)."""
    data = lexicon()
    for part in sorted(data["parts"], key=lambda words: -len(words)):
        words = part.split()
        if starts_with(tokens, at, words):
            return data["parts"][part], len(words)
    word = norm_at(tokens, at)
    number = int(word) if re.fullmatch(r"\d{1,4}", word, re.ASCII) else data["numbers"].get(word)
    signs = (s.split() for s in data["percent"])
    sign = next((len(s) for s in signs if starts_with(tokens, at + 1, s)), 0)
    if number is None or not sign:
        return None
    return number, 1 + sign


def lasts_at(tokens: Sequence[Token], at: int) -> tuple[Op, int, int] | None:
    """``for more than 10 s``, ``for 10 s`` (at least): (op, ms, tokens). Raises Unreadable."""
    if norm_at(tokens, at) not in lexicon()["for"]:
        return None
    for phrase, op in [*comparisons(), ((), Op.GE)]:
        if starts_with(tokens, at + 1, phrase):
            begin = at + 1 + len(phrase)
            measured = duration_at(tokens, begin)
            if measured is not None:
                if goes_on(tokens, begin + measured[1]):
                    raise Unreadable(" ".join(t.said for t in tokens[begin : begin + measured[1] + 2]))
                return op, _within_a_day(tokens, begin, measured), 1 + len(phrase) + measured[1]
    return None


def near_at(tokens: Sequence[Token], at: int) -> tuple[Relation, int, int] | None:
    """``within 5 s of``, ``within 5 s before``, ``less than 5 s after``: (relation, ms, tokens). Raises Unreadable."""
    opening = [(w.split(), True) for w in lexicon()["relations"]["within"]]
    opening += [(list(phrase), op in (Op.LT, Op.LE)) for phrase, op in comparisons()]
    for phrase, bounds in [*opening, ([], False)]:
        if not starts_with(tokens, at, phrase):
            continue
        begin = at + len(phrase)
        measured = duration_at(tokens, begin)
        if measured is None:
            continue
        relation = _relation(tokens, begin + measured[1], of=phrase == ["within"])
        if relation is None:
            continue
        if not bounds:
            raise Unreadable(" ".join(t.said for t in tokens[at : begin + measured[1] + 1]))
        return relation, _within_a_day(tokens, begin, measured), len(phrase) + measured[1] + 1
    return None


def _relation(tokens: Sequence[Token], at: int, *, of: bool) -> Relation | None:
    """Before and after, unless a year follows; ``of`` where a time goes before it that is no length."""
    word = norm_at(tokens, at)
    if of and word == "of":
        return Relation.WITHIN
    if word in (Relation.BEFORE, Relation.AFTER) and year_of(norm_at(tokens, at + 1)) is None:
        return Relation(word)
    return None


def _within_a_day(tokens: Sequence[Token], at: int, measured: tuple[int, int]) -> int:
    if not 1 <= measured[0] <= MOST_MS:
        raise Unreadable(" ".join(t.said for t in tokens[at : at + measured[1]]))
    return measured[0]
