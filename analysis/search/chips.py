"""What was understood, in parts that can be taken away or changed. Pure: every link is a question in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from analysis.search.echo import adjective, clause_words, condition_words, echo, plain_names
from analysis.search.lexicon import Registry
from analysis.search.query import How, Order, Query, QueryInvalid, Shows, Target, settled


@dataclass(frozen=True, slots=True)
class Change:
    label: str
    question: str


@dataclass(frozen=True, slots=True)
class Chip:
    """``without``: the question without it, or None where nothing would be left to ask."""

    label: str
    without: str | None
    changes: tuple[Change, ...] = ()


def chips_of(query: Query, registry: Registry) -> list[Chip]:
    """In the order of the echo."""

    def ask(changed: Query) -> str | None:
        try:
            return echo(settled(changed), registry)
        except QueryInvalid:
            return None

    def changes(*options: tuple[str, Query]) -> tuple[Change, ...]:
        asked = ((label, ask(changed)) for label, changed in options)
        return tuple(Change(label, question) for label, question in asked if question is not None)

    return list(_chips(query, registry, ask, changes))


Ask = Callable[[Query], str | None]
Changes = Callable[..., tuple[Change, ...]]


def _chips(query: Query, registry: Registry, ask: Ask, changes: Changes) -> Iterator[Chip]:
    ranked = adjective(query)
    if ranked:
        other = [o for o in (Order.MOST, Order.LEAST) if o is not query.order and query.emotion is not None]
        turned = [(adjective(replace(query, order=o)), replace(query, order=o)) for o in other]
        yield Chip(ranked, ask(replace(query, emotion=None, order=Order.MOST)), changes(*turned))
    targets = [(str(t), replace(query, target=t)) for t in Target if t is not query.target]
    yield Chip(str(query.target), None, changes(*targets))
    names = plain_names(registry)
    if query.character is not None:
        yield Chip(f"of {names(query.character)}", ask(replace(query, character=None)))
    for condition in query.where:
        rest = tuple(c for c in query.where if c != condition)
        options = []
        if isinstance(condition, Shows):
            turned_to = (Shows(h, condition.atom) for h in How if h is not condition.how)
            options = [(f"{c.how}", replace(query, where=(*rest, c))) for c in turned_to]
        label = condition_words(condition, names, query.target)
        if condition in query.about_episode and query.finds_scenes:
            label = f"in episodes {label}"
        yield Chip(label, ask(replace(query, where=rest)), changes(*options))
    for clause in query.clauses:
        rest_clauses = tuple(c for c in query.clauses if c != clause)
        yield Chip(clause_words(clause, registry), ask(replace(query, clauses=rest_clauses)))
