"""SQL that several parts of search share: which runs are looked at, and pairs of spans. Values are parameters."""

# ruff: noqa: S608 - pieces of SQL of our own are put together; values are parameters, always

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from analysis.models import Publication
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
from analysis.selectors.visible import publications_visible
from catalog.selectors import episodes_about

LOOKUP = {Op.LT: "lt", Op.LE: "lte", Op.GT: "gt", Op.GE: "gte"}
SIGN = {Op.LT: "<", Op.LE: "<=", Op.GT: ">", Op.GE: ">="}
NOBODY_KNOWN = "EXISTS (SELECT 1 FROM analysis_track t WHERE t.run_id = {run} AND t.character_id IS NULL)"


@dataclass(slots=True)
class Sql:
    """A piece of SQL with the values of its ``%s``, in order."""

    text: str
    values: list[Any] = field(default_factory=list)


def episode_condition(query: Query, prefix: str) -> Q:
    """The clauses about the episode, which ``prefix`` leads to, and the limits of whoever asks."""
    condition = Q()
    if query.limits:
        condition &= Q(**{f"{prefix}pk__in": publications_visible(query.limits).values("episode_id")})
    for clause in query.clauses:
        match clause:
            case Length(Of.EPISODE, op, ms):
                condition &= Q(**{f"{prefix}source__duration_ms__{LOOKUP[op]}": ms})
            case InSeries(slug):
                condition &= Q(**{f"{prefix}series__slug": slug})
            case Season(number):
                condition &= Q(**{f"{prefix}season": number})
            case Years(first, last):
                if first is not None:
                    condition &= Q(**{f"{prefix}year__gte": first})
                if last is not None:
                    condition &= Q(**{f"{prefix}year__lte": last})
            case Title(words):
                condition &= Q(**{f"{prefix}title__icontains": words})
            case Words(words):
                condition &= Q(**{f"{prefix}pk__in": episodes_about(words).values("pk")})
            case Length():
                pass
    return condition


def shown(query: Query) -> Sql:
    """``shown (run_id, episode_id, partial)``: the published runs of the episodes that the clauses leave."""
    rows = Publication.objects.filter(episode_condition(query, "episode__"), withdrawn_at__isnull=True)
    text, values = rows.order_by().values_list("run_id", "episode_id", "run__partial").query.sql_with_params()
    return Sql(f"shown (run_id, episode_id, partial) AS ({text})", list(values))


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
    parts = [_atom("a", first), _atom("b", second), _relation(condition)]
    if first.character is None or second.character is None:
        parts.append(Sql("a.character_id <> b.character_id"))
    text = " AND ".join(p.text for p in parts)
    return Sql(
        "FROM shown JOIN analysis_emotionspan a ON a.run_id = shown.run_id"
        " JOIN analysis_emotionspan b ON b.run_id = a.run_id AND b.id <> a.id"
        " LEFT JOIN analysis_sceneemotion sa ON sa.scene_id = a.scene_id AND sa.character_id = a.character_id"
        " AND sa.emotion = a.emotion"
        " LEFT JOIN analysis_sceneemotion sb ON sb.scene_id = b.scene_id AND sb.character_id = b.character_id"
        f" AND sb.emotion = b.emotion WHERE {text}",
        [v for p in parts for v in p.values],
    )


def _atom(alias: str, atom: Atom) -> Sql:
    who = of_character(f"{alias}.character_id", atom.character)
    return Sql(f"{alias}.emotion = %s AND {who.text}", [str(atom.emotion), *who.values])


def _relation(condition: Together) -> Sql:
    match condition.relation:
        case Relation.WHILE:
            return Sql("LEAST(a.end_ms, b.end_ms) - GREATEST(a.start_ms, b.start_ms) >= %s", [OVERLAP_MS])
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
