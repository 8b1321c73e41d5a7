"""Conditions without a name, answered from summaries: which verdict, in which order, and how many of each.

A table of summaries has one row per emotion of each episode (character). Rows are read in the order of an index, yes
first, then unknown, then no, so an answer's first page costs the same in a catalogue of any size.
"""

# ruff: noqa: S608 - pieces of SQL of our own are put together; values are parameters, always

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection

from analysis.search.query import (
    Atom,
    Condition,
    How,
    Lasts,
    Op,
    Order,
    Query,
    Relation,
    ShareOf,
    Shows,
    Target,
    Together,
)
from analysis.search.spans_sql import Sql, of_episode, shown
from analysis.search.verdicts import Judged, Verdict, judged_by


@dataclass(frozen=True, slots=True)
class _Piece:
    """A condition on a row ``x{i}`` of summaries. ``maybe``: what is no ``no``, so that an index can be read for it;
    ``whole``: no index knows that. ``order``: its score from high to low, as an index has it. About two
    emotions: the row is that of the first, ``second`` the alias of the other's, ``joins`` what is read beside it.
    """

    emotion: str
    yes: Sql
    maybe: Sql
    score: Sql
    order: str
    low: str
    span: str
    strangers: bool = True
    mean: bool = False
    whole: bool = False
    second: str = ""
    joins: Sql = field(default_factory=lambda: Sql(""))


def is_summed(query: Query) -> bool:
    """Whether summaries hold all that the conditions ask."""
    conditions = query.about_episode
    plain = all(_is_plain(c) for c in conditions)
    return bool(conditions) and plain and (query.target is not Target.CHARACTERS or _characters_summed(query))


def _is_plain(condition: Condition) -> bool:
    if isinstance(condition, Together):
        nobody = condition.first.character is None and condition.second.character is None
        return nobody and condition.relation is Relation.WHILE
    return isinstance(condition, Shows | ShareOf | Lasts) and condition.atom.character is None


def _characters_summed(query: Query) -> bool:
    """Summaries are over all episodes, and may be missing for a while where some were taken away."""
    return not of_episode(query) and not characters_missing()


def characters_missing() -> bool:
    """Whether some character is shown of whom there is no summary."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM catalog_character c WHERE NOT EXISTS"
            " (SELECT 1 FROM analysis_charactersummary s WHERE s.character_id = c.id) AND EXISTS"
            " (SELECT 1 FROM analysis_emotionprofile p JOIN analysis_shownepisode e ON e.run_id = p.run_id"
            " WHERE p.character_id = c.id))"
        )
        return bool(cursor.fetchone()[0])


def summed_counts(query: Query) -> Counter[Verdict]:
    """How many there are of each verdict; of those that the rest of the query ranks, where it does."""
    table = _Table(query)
    yes, maybe, rows, every = table.yes(), table.maybe(), table.rows, table.every
    whole = len(table.pieces) == 1 and table.pieces[0].whole
    if whole or (len(table.pieces) == 1 and table.shown is not None and not table.counted):  # looked at once
        text = f"SELECT COUNT(*) FILTER (WHERE {yes.text}), COUNT(*) FILTER (WHERE {maybe.text}), COUNT(*) {rows.text}"
        values = [*yes.values, *maybe.values, *rows.values]
    else:  # an index knows all, and those that are not a no
        total = f"(SELECT COUNT(*) {every.text})"  # or the narrow rows do
        text = f"SELECT COUNT(*) FILTER (WHERE {yes.text}), COUNT(*), {total} {rows.text} AND {maybe.text}"
        values = [*yes.values, *every.values, *rows.values, *maybe.values]
    with connection.cursor() as cursor:
        cursor.execute(*table.statement(text, values))
        found, possible, count = cursor.fetchone()
    return Counter({Verdict.YES: found, Verdict.UNKNOWN: possible - found, Verdict.NO: count - possible})


def summed_keys(query: Query, most: int) -> list[int]:
    """The first episodes (characters): yes, then unknown, then no; among these as the query ranks them."""
    table = _Table(query)
    yes, maybe = table.yes(), table.maybe()
    neither = Sql(f"{maybe.text} AND NOT {yes.text}", [*maybe.values, *yes.values])
    no = Sql(f"NOT {maybe.text}", maybe.values)
    keys: list[int] = []
    with connection.cursor() as cursor:
        for which in (yes, neither, no):
            if len(keys) < most:
                text = (
                    f"SELECT {table.key} {table.rows.text} AND {which.text}"
                    f" ORDER BY {table.order.text}, {table.key} LIMIT {most - len(keys)}"
                )
                cursor.execute(*table.statement(text, [*table.rows.values, *which.values, *table.order.values]))
                keys += [key for (key,) in cursor.fetchall()]
    return keys


def summed_yes(query: Query) -> Sql:
    """SELECT of the ids whose verdict is yes."""
    table = _Table(query)
    yes = table.yes()
    return Sql(
        *table.statement(f"SELECT {table.key} {table.rows.text} AND {yes.text}", [*table.rows.values, *yes.values])
    )


def summed_judged(query: Query, keys: Sequence[int]) -> list[Judged]:
    """What the conditions found for these; in the order of ``judged_from_profiles``."""
    table = _Table(query)
    return judged_by([], [table.facts(i, list(keys)) for i in range(len(table.pieces))])


class _Table:
    """FROM and WHERE of a query's conditions: one row of summaries for each of them."""

    def __init__(self, query: Query) -> None:
        characters = query.target is Target.CHARACTERS
        self.table = "analysis_charactersummary" if characters else "analysis_episodesummary"
        self.id = "character_id" if characters else "episode_id"
        self.key = f"x0.{self.id}"
        self.pieces = [_piece(c, f"x{i}") for i, c in enumerate(query.about_episode)]
        self.shown = shown(query) if of_episode(query) else None
        self.order = self._order(query)
        self.rows = self._rows(query, self.pieces)
        self.every = self._rows(query, [replace(self.pieces[0], joins=Sql(""))])
        # Whoever has a profile has a summary. With limits it costs more to ask twice whom they leave.
        self.counted = self.shown is not None and not query.limits and self._unranked(query)
        if self.counted:
            self.every = Sql("FROM shown WHERE shown.people > 0")

    def statement(self, text: str, values: list[Any]) -> tuple[str, list[Any]]:
        if self.shown is None:
            return text, values
        return f"WITH {self.shown.text} {text}", [*self.shown.values, *values]

    def yes(self) -> Sql:
        return _joined(" AND ", [p.yes for p in self.pieces])

    def maybe(self) -> Sql:
        return _joined(" AND ", [p.maybe for p in self.pieces])

    def _rows(self, query: Query, pieces: Sequence[_Piece]) -> Sql:
        """Whoever has a summary has one of each emotion: there are as many rows for one condition as for several."""
        text, values = f"FROM {self.table} x0", []
        for i, piece in enumerate(pieces):
            if i:
                text += f" JOIN {self.table} x{i} ON x{i}.{self.id} = {self.key} AND x{i}.emotion = %s"
                values.append(piece.emotion)
            text += piece.joins.text
            values += piece.joins.values
        ranked = "TRUE"  # scenes are ranked by themselves
        if query.finds_scenes:
            pass
        elif query.order is Order.CALMEST:
            text += f" JOIN analysis_shownepisode r ON r.episode_id = {self.key}"
            ranked = "r.calm IS NOT NULL"
        elif query.emotion is not None:
            text += f" JOIN {self.table} r ON r.{self.id} = {self.key} AND r.emotion = %s"
            values.append(str(query.emotion))
            ranked = "r.rated_low IS NOT NULL"
        if self.shown is not None:
            text += f" JOIN shown ON shown.episode_id = {self.key}"
        return Sql(f"{text} WHERE x0.emotion = %s AND {ranked}", [*values, pieces[0].emotion])

    @staticmethod
    def _unranked(query: Query) -> bool:
        """Whether every episode that the conditions can be asked of is counted, not only those that can be ranked."""
        return query.finds_scenes or (query.order is not Order.CALMEST and query.emotion is None)

    def _order(self, query: Query) -> Sql:
        if query.order is Order.CALMEST:
            return Sql("r.enough DESC, r.calm DESC")
        if query.emotion is not None:
            by = "r.rated_low DESC" if query.order is Order.MOST else "r.rated_high"
            return Sql(f"r.rated_enough DESC, {by}")
        if len(self.pieces) == 1:
            return Sql(self.pieces[0].order)
        scores = [p.score for p in self.pieces]
        return Sql(f"LEAST({', '.join(s.text for s in scores)}) DESC", [v for s in scores for v in s.values])

    def facts(self, i: int, keys: list[int]) -> Sql:
        """``c{i}`` (key, verdict, score, FACTS...) of these ids."""
        x, piece = f"x{i}", self.pieces[i]
        low, high = (f"{x}.mean_low", f"{x}.mean_high") if piece.mean else (f"{x}.{piece.low}", f"{x}.high_most")
        readable, visible, solid = (f"{x}.{name}" for name in ("readable_ms", "visible_ms", "solid"))
        if piece.second:
            low = high = "NULL::float"
            readable, visible = f"{readable} + {piece.second}.readable_ms", f"{visible} + {piece.second}.visible_ms"
            solid = f"{solid} AND {piece.second}.solid"
        there = f"{x}.strangers" if piece.strangers else "FALSE"
        text = (
            f"c{i} AS (SELECT {x}.{self.id} AS key,"
            f" CASE WHEN {piece.yes.text} THEN 1 WHEN {piece.maybe.text} THEN 0 ELSE -1 END AS verdict,"
            f" {piece.score.text} AS score, {low} AS low, {high} AS high, {readable} AS readable_ms,"
            f" {visible} AS visible_ms, {solid} AS enough, {there} AS strangers, {piece.span} AS span,"
            f" {x}.last_episode AS last FROM {self.table} {x}{piece.joins.text}"
            f" WHERE {x}.emotion = %s AND {x}.{self.id} = ANY(%s))"
        )
        before = [*piece.yes.values, *piece.maybe.values, *piece.score.values, *piece.joins.values]
        return Sql(text, [*before, piece.emotion, keys])


def _joined(word: str, parts: list[Sql]) -> Sql:
    return Sql("(" + word.join(f"({p.text})" for p in parts) + ")", [v for p in parts for v in p.values])


def _piece(condition: Condition, x: str) -> _Piece:
    match condition:
        case Shows(how, atom):
            return _shows(how, atom, x)
        case ShareOf(_, atom, op, percent):
            return _share(atom, op, percent / 100, x)
        case Lasts(_, atom, op, ms):
            return _lasts(atom, op, ms, x)
        case Together():
            return _at_once(condition, x)
        case _:
            raise AssertionError(condition)  # is_summed


def _shows(how: How, atom: Atom, x: str) -> _Piece:
    emotion = str(atom.emotion)
    if how is How.ALWAYS:
        yes, maybe = Sql(f"{x}.always = 1"), Sql(f"{x}.always >= 0")
        order, score = f"{x}.always DESC, {x}.low_least DESC", Sql(f"{x}.low_least")
        return _Piece(emotion, yes, maybe, score, order, "low_least", f"{x}.other_span")
    if how is How.NEVER:
        yes, maybe = Sql(f"{x}.never = 1"), Sql(f"{x}.never >= 0")
        order, score = f"{x}.never DESC, {x}.high_most", Sql(f"1 - {x}.high_most")
        return _Piece(emotion, yes, maybe, score, order, "low_least", f"{x}.span")
    yes, maybe = Sql(f"{x}.never = -1"), Sql(f"{x}.never <= 0")
    return _Piece(
        emotion, yes, maybe, Sql(f"{x}.share_most"), f"{x}.never, {x}.share_most DESC", "low_most", f"{x}.span"
    )


def _share(atom: Atom, op: Op, share: float, x: str) -> _Piece:
    over = op in (Op.GT, Op.GE)
    above, below = (">", "<=") if op in (Op.GT, Op.LE) else (">=", "<")
    high = Sql(f"{x}.mean_low {above} %s", [share])
    low = Sql(f"{x}.mean_high {below} %s AND NOT {high.text}", [share, share])
    score = Sql(f"{x}.mean_low") if over else Sql(f"1 - {x}.mean_high")
    order = f"{x}.mean_low DESC" if over else f"{x}.mean_high"
    yes, no = (high, low) if over else (low, high)
    maybe = Sql(f"NOT ({no.text})", no.values)
    return _Piece(str(atom.emotion), yes, maybe, score, order, "", "NULL::bigint", strangers=False, mean=True)


def _lasts(atom: Atom, op: Op, ms: int, x: str) -> _Piece:
    """Faces of nobody known may have lasted too."""
    emotion, span = str(atom.emotion), f"{x}.longest_span"
    exceeds, up_to = (">=", "<") if op in (Op.LT, Op.GE) else (">", "<=")
    long, short = Sql(f"{x}.longest_ms {exceeds} %s", [ms]), Sql(f"{x}.longest_ms {up_to} %s", [ms])
    surely = f"{x}.sure AND NOT {x}.strangers"
    if op in (Op.GT, Op.GE):
        score = Sql(f"{x}.longest_ms::float / ({x}.longest_ms + %s)", [ms])
        maybe = Sql(f"{long.text} OR NOT ({surely})", [ms])
        return _Piece(emotion, long, maybe, score, f"{x}.longest_ms DESC", "low_most", span, whole=True)
    score = Sql(f"%s::float / ({x}.longest_ms + %s)", [ms, ms])
    return _Piece(emotion, Sql(f"{short.text} AND {surely}", [ms]), short, score, f"{x}.longest_ms", "low_least", span)


def _at_once(condition: Together, x: str) -> _Piece:
    """Two characters, whoever they are, show the one and the other at once: PairSummary knows where."""
    first, second = str(condition.first.emotion), str(condition.second.emotion)
    other, pair = f"{x}_second", f"{x}_pair"
    joins = Sql(
        f" JOIN analysis_episodesummary {other} ON {other}.episode_id = {x}.episode_id AND {other}.emotion = %s"
        f" LEFT JOIN analysis_pairsummary {pair} ON {pair}.run_id = {x}.run_id AND {pair}.emotion = %s"
        f" AND {pair}.other = %s",
        [second, first, second],
    )
    yes = f"{pair}.at_once IS NOT NULL"
    maybe = f"{yes} OR NOT ({x}.sure AND {other}.sure AND NOT {x}.strangers)"
    score, order = Sql(f"COALESCE({pair}.at_once, 0)"), f"{pair}.at_once DESC NULLS LAST"
    return _Piece(first, Sql(yes), Sql(maybe), score, order, "", f"{pair}.span", whole=True, second=other, joins=joins)
