"""A query as a sentence that, parsed again, gives the same query. Pure."""

from __future__ import annotations

from collections.abc import Callable

from analysis.search.lexicon import Named, Registry, lexicon
from analysis.search.parse import parse
from analysis.search.query import (
    YEARS,
    Atom,
    Clause,
    Condition,
    How,
    InSeries,
    Lasts,
    Length,
    MoreThan,
    Of,
    Op,
    Order,
    Query,
    Relation,
    Season,
    ShareOf,
    Shows,
    Target,
    Title,
    Together,
    Words,
    Years,
)

_OPS = {Op.LT: "shorter than", Op.LE: "no longer than", Op.GT: "longer than", Op.GE: "at least"}
_MORE = {Op.LT: "less than", Op.LE: "at most", Op.GT: "more than", Op.GE: "at least"}
_STYLES = ("plain", "quoted", "slug")
Naming = Callable[[str], str]  # a character's slug -> how the sentence calls them


def echo(query: Query, registry: Registry) -> str:
    """Names are written plainly; where that would be read as something else, in quotes; else by their slug."""
    for style in _STYLES:
        sentence = _sentence(query, registry, style)
        if parse(sentence, registry).query == query:
            return sentence
    return sentence


def _sentence(query: Query, registry: Registry, style: str) -> str:
    def who(slug: str) -> str:
        return _name(registry.character(slug), slug, style)

    parts = [adjective(query), str(query.target)]
    if query.character is not None:
        parts.append(f"of {who(query.character)}")
    own = [length_words(c) for c in query.clauses if isinstance(c, Length) and c.of is Of.RESULT]
    whole = [length_words(c) for c in query.clauses if isinstance(c, Length) and c.of is Of.EPISODE]
    conditions = [condition_words(c, who, query.target) for c in query.about_episode]
    if query.finds_scenes:
        parts += own
        parts.append(" and ".join(condition_words(c, who, query.target) for c in query.about_result))
    if (whole or conditions) and query.target not in (Target.EPISODES, Target.CHARACTERS):
        parts.append("in episodes")
    if query.target is Target.CHARACTERS:  # "in episodes" after the conditions, which are about the characters
        parts.append(" and ".join(conditions))
        parts += ["in episodes", *whole] if whole else []
    else:
        parts += [*whole, " and ".join(conditions)]
    parts += [clause_words(c, registry, style) for c in query.clauses if not isinstance(c, Length)]
    return " ".join(p for p in parts if p)


def adjective(query: Query) -> str:
    """``happiest``, ``least angry``, ``calmest``, or nothing."""
    if query.order is Order.CALMEST:
        return "calmest"
    if query.emotion is None:
        return ""
    if query.order is Order.LEAST:
        return f"least {query.emotion}"
    return superlative(query.emotion)


def clause_words(clause: Clause, registry: Registry, style: str = "plain") -> str:
    match clause:
        case Length(of):
            return length_words(clause) if of is Of.RESULT else f"in episodes {length_words(clause)}"
        case InSeries(slug):
            return f"in the series {_name(registry.series_named(slug), slug, style)}"
        case Season(number):
            return f"in season {number}"
        case Years():
            return years_words(clause)
        case Title(words):
            return f'titled "{words}"'
        case Words(words):
            return f'about "{words}"'


def plain_names(registry: Registry) -> Naming:
    """Names as people read them, whatever a question would have to say."""
    return lambda slug: _name(registry.character(slug), slug, "plain")


def superlative(emotion: str) -> str:
    """``happiest``, ``most surprised``."""
    word: str = lexicon()["emotions"][emotion]["superlative"]
    return word


def condition_words(condition: Condition, who: Naming, target: Target) -> str:
    """``where Tom is never angry``; of characters ``who are never angry``."""
    match condition:
        case Shows(how, atom):
            subject = {How.NEVER: "nobody is ever", How.EVER: "somebody is ever", How.ALWAYS: "everybody is always"}[
                how
            ]
            return _phrase(atom, who, target, f"is {how}", subject)
        case ShareOf(_, atom, op, percent):
            said = _phrase(atom, who, target, "is", "the cast is")
            return f"{said} {_MORE[op]} {percent} % of the time"
        case Lasts(_, atom, op, ms):
            if op in (Op.GT, Op.GE):
                said = _phrase(atom, who, target, "is", "somebody is")
                return f"{said} for {_MORE[op]} {duration_words(ms)}"
            said = _phrase(atom, who, target, "is never", "nobody is ever")
            return f"{said} for {_MORE[Op.GT if op is Op.LE else Op.GE]} {duration_words(ms)}"
        case MoreThan(_, atom, other):
            return f"where {who(atom.character or '')} is more {atom.emotion} than {who(other)}"
        case Together(_, first, relation, second, ms):
            joint = str(relation)
            if ms is not None:
                joint = f"within {duration_words(ms)} {'of' if relation is Relation.WITHIN else relation}"
            then = _phrase(second, who, target, "is", "somebody is").removeprefix("where ")
            return f"{_phrase(first, who, target, 'is', 'somebody is')} {joint} {'when ' * (ms is not None)}{then}"


def _phrase(atom: Atom, who: Naming, target: Target, verb: str, without_name: str) -> str:
    if target is Target.CHARACTERS:
        return f"who {verb.replace('is', 'are', 1)} {atom.emotion}"
    if atom.character is None:
        return f"where {without_name} {atom.emotion}"
    return f"where {who(atom.character)} {verb} {atom.emotion}"


def _name(named: Named | None, slug: str, style: str) -> str:
    if style == "slug" or named is None:
        return f'"{slug}"'
    plain = named.name.replace('"', " ").replace("“", " ").replace("”", " ")
    return plain if style == "plain" else f'"{plain}"'


def duration_words(ms: int) -> str:
    """``8 minutes``, ``90 seconds``, ``1500 ms``: in the largest unit that it is a whole number of."""
    for unit_ms, one, many in ((60_000, "minute", "minutes"), (1_000, "second", "seconds"), (1, "ms", "ms")):
        if ms % unit_ms == 0:
            count = ms // unit_ms
            return f"{count} {one if count == 1 else many}"
    raise AssertionError(ms)


def length_words(clause: Length) -> str:
    return f"{_OPS[clause.op]} {duration_words(clause.ms)}"


def years_words(clause: Years) -> str:
    first, last = clause.first, clause.last
    if first is None and last is not None:
        return f"before {last + 1}" if last < YEARS[1] else f"until {last}"
    if last is None:
        return f"since {first}"
    return f"from {first}" if first == last else f"from {first} to {last}"
