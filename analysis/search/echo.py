"""A query as a sentence that, parsed again, gives the same query. Pure."""

from __future__ import annotations

from analysis.search.lexicon import Named, Registry, lexicon
from analysis.search.parse import parse
from analysis.search.query import YEARS, InSeries, Length, Of, Op, Order, Query, Season, Target, Title, Years

_OPS = {Op.LT: "shorter than", Op.LE: "no longer than", Op.GT: "longer than", Op.GE: "at least"}


def echo(query: Query, registry: Registry) -> str:
    """Names are written plainly; where that would be read as something else, in quotes; else by their slug."""
    for style in ("plain", "quoted", "slug"):
        sentence = _sentence(query, registry, style)
        if parse(sentence, registry).query == query:
            return sentence
    return sentence


def _sentence(query: Query, registry: Registry, style: str) -> str:
    parts = [_adjective(query), str(query.target)]
    if query.character is not None:
        parts.append(f"of {_name(registry.character(query.character), query.character, style)}")
    own = [c for c in query.clauses if isinstance(c, Length) and c.of is Of.RESULT]
    whole = [c for c in query.clauses if isinstance(c, Length) and c.of is Of.EPISODE]
    parts += [_length(c) for c in own]
    if whole and query.target is not Target.EPISODES:
        parts.append("in episodes")
    parts += [_length(c) for c in whole]
    for clause in query.clauses:
        match clause:
            case InSeries(slug):
                parts.append(f"in the series {_name(registry.series_named(slug), slug, style)}")
            case Season(number):
                parts.append(f"in season {number}")
            case Years():
                parts.append(_years(clause))
            case Title(words):
                parts.append(f'titled "{words}"')
            case Length():
                pass
    return " ".join(p for p in parts if p)


def _adjective(query: Query) -> str:
    if query.emotion is None:
        return ""
    if query.order is Order.LEAST:
        return f"least {query.emotion}"
    return superlative(query.emotion)


def superlative(emotion: str) -> str:
    """``happiest``, ``most surprised``."""
    word: str = lexicon()["emotions"][emotion]["superlative"]
    return word


def _name(named: Named | None, slug: str, style: str) -> str:
    if style == "slug" or named is None:
        return f'"{slug}"'
    plain = named.name.replace('"', " ").replace("“", " ").replace("”", " ")
    return plain if style == "plain" else f'"{plain}"'


def _length(clause: Length) -> str:
    for unit_ms, one, many in ((60_000, "minute", "minutes"), (1_000, "second", "seconds"), (1, "ms", "ms")):
        if clause.ms % unit_ms == 0:
            count = clause.ms // unit_ms
            return f"{_OPS[clause.op]} {count} {one if count == 1 else many}"
    raise AssertionError(clause)


def _years(clause: Years) -> str:
    first, last = clause.first, clause.last
    if first is None and last is not None:
        return f"before {last + 1}" if last < YEARS[1] else f"until {last}"
    if last is None:
        return f"since {first}"
    return f"from {first}" if first == last else f"from {first} to {last}"
