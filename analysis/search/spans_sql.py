"""SQL that several parts of search share: which runs are looked at, and pairs of spans. Values are parameters."""

# ruff: noqa: S608 - pieces of SQL of our own are put together; values are parameters, always

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Q, QuerySet, Subquery

from analysis.models import ShownEpisode
from analysis.search.query import (
    OVERLAP_MS,
    Atom,
    InSeries,
    Length,
    Of,
    Op,
    Query,
    Relation,
    Season,
    Title,
    Together,
    Words,
    Years,
)
from analysis.selectors.visible import shown_visible
from catalog.models import Series
from catalog.selectors import episodes_about, episodes_titled

LOOKUP = {Op.LT: "lt", Op.LE: "lte", Op.GT: "gt", Op.GE: "gte"}
SIGN = {Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
NOBODY_KNOWN = "EXISTS (SELECT 1 FROM analysis_track t WHERE t.run_id = {run} AND t.character_id IS NULL)"
NEAR_MS = 10_000  # stretches that are no further apart, or in one scene, are summed up by PairSummary
CALM_SWITCHES = 10.0  # expressions begun per minute at which an episode is half as calm


@dataclass(slots=True)
class Sql:
    """A piece of SQL with the values of its ``%s``, in order."""

    text: str
    values: list[Any] = field(default_factory=list)


def shown_rows(query: Query) -> QuerySet[ShownEpisode]:
    """The published runs of the episodes that the clauses leave, and the limits of whoever asks."""
    rows = shown_visible(query.limits) if query.limits else ShownEpisode.objects.all()
    condition = Q()
    for clause in query.clauses:
        match clause:
            case Length(Of.EPISODE, op, ms):
                condition &= Q(**{f"duration_ms__{LOOKUP[op]}": ms})
            case InSeries(slug):
                condition &= Q(series_id=Subquery(Series.objects.filter(slug=slug).values("pk")[:1]))
            case Season(number):
                condition &= Q(season=number)
            case Years(first, last):
                if first is not None:
                    condition &= Q(year__gte=first)
                if last is not None:
                    condition &= Q(year__lte=last)
            case Title(words):
                condition &= Q(episode_id__in=episodes_titled(words).values("pk"))
            case Words(words):
                condition &= Q(episode_id__in=episodes_about(words).values("pk"))
            case Length():
                pass
    return rows.filter(condition)


SHOWN_COLUMNS = ("run_id", "episode_id", "partial", "strangers", "people")


def shown(query: Query) -> Sql:
    """``shown (SHOWN_COLUMNS)``: these, to be planned together with what reads them."""
    names = ", ".join(SHOWN_COLUMNS)
    try:
        text, values = shown_rows(query).order_by().values_list(*SHOWN_COLUMNS).query.sql_with_params()
    except EmptyResultSet:  # a number that no episode can have
        text, values = f"SELECT {names} FROM analysis_shownepisode WHERE FALSE", ()
    return Sql(f"shown ({names}) AS NOT MATERIALIZED ({text})", list(values))


def of_episode(query: Query) -> bool:
    """Whether some clause, or the limits of whoever asks, narrow the episodes: no summary of all may answer then."""
    return bool(query.limits) or any(not (isinstance(c, Length) and c.of is Of.RESULT) for c in query.clauses)


def of_character(column: str, slug: str | None) -> Sql:
    """The condition that ``column`` is the character; always true where there is none."""
    if slug is None:
        return Sql("TRUE")
    return Sql(f"{column} = (SELECT id FROM catalog_character WHERE slug = %s)", [slug])


def pairs(condition: Together) -> Sql:
    """Rows of spans a and b that stand in the relation, with the scores of their scenes sa and sb (may be NULL).

    FROM and WHERE only; ``shown`` must be known.
    """
    first, second = condition.first, condition.second
    parts = [of_atom("a", first), of_atom("b", second), related(condition)]
    if first.character is None or second.character is None:
        parts.append(Sql("a.character_id <> b.character_id"))
    met = joined(parts)
    return Sql(
        "FROM shown JOIN analysis_emotionspan a ON a.run_id = shown.run_id"
        " JOIN analysis_emotionspan b ON b.run_id = a.run_id AND b.id <> a.id"
        " LEFT JOIN analysis_sceneemotion sa ON sa.scene_id = a.scene_id AND sa.character_id = a.character_id"
        " AND sa.emotion = a.emotion"
        " LEFT JOIN analysis_sceneemotion sb ON sb.scene_id = b.scene_id AND sb.character_id = b.character_id"
        f" AND sb.emotion = b.emotion WHERE {met.text}",
        met.values,
    )


def joined(parts: Sequence[Sql]) -> Sql:
    """All of these."""
    return Sql(" AND ".join(p.text for p in parts), [v for p in parts for v in p.values])


def of_atom(alias: str, atom: Atom) -> Sql:
    """That a row (a span, a scene of somebody) is of that emotion, and of the character if one is named."""
    who = of_character(f"{alias}.character_id", atom.character)
    return Sql(f"{alias}.emotion = %s AND {who.text}", [str(atom.emotion), *who.values])


def related(condition: Together) -> Sql:
    """That spans a and b stand in the relation."""
    match condition.relation:
        case Relation.WHILE:
            overlap = "LEAST(a.end_ms, b.end_ms) - GREATEST(a.start_ms, b.start_ms) >= %s"
            return Sql(f"a.scene_id = b.scene_id AND {overlap}", [OVERLAP_MS])  # spans lie within one scene
        case Relation.WITHIN:
            return Sql("GREATEST(a.start_ms, b.start_ms) - LEAST(a.end_ms, b.end_ms) <= %s", [condition.ms])
        case Relation.BEFORE:
            earlier, later = "a", "b"
        case Relation.AFTER:
            earlier, later = "b", "a"
    text = f"{earlier}.end_ms <= {later}.start_ms"
    if condition.ms is not None:
        return Sql(f"{text} AND {later}.start_ms - {earlier}.end_ms <= %s", [condition.ms])
    return Sql(f"{text} AND a.scene_id = b.scene_id" if condition.of is Of.RESULT else text)
