"""Conditions on whole episodes, and on characters: yes, no, or unknown, with the evidence. Raw SQL, one statement.

Kept apart from what is ranked, because an answer of three values must not turn "not seen" into "no". All conditions
together are as sure as the least sure of them. ``judging`` asks profiles here, or sums over them that are kept.
"""

# ruff: noqa: S608 - pieces of SQL of our own are put together; values are parameters, always

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.db import connection

from analysis.search.query import (
    Atom,
    Condition,
    How,
    Lasts,
    MoreThan,
    Op,
    Query,
    ShareOf,
    Shows,
    Target,
    Together,
)
from analysis.search.spans_sql import SIGN, Sql, of_character, pairs, shown

NEVER_MOST = 0.005  # upper bound of the share up to which "never" is a yes; and one minus it for "always"
READABLE_LEAST = 0.6  # of the screen time: seen too little to say that nothing was there
FACTS = ("low", "high", "readable_ms", "visible_ms", "enough", "strangers", "span", "last")


class Verdict(IntEnum):
    NO = -1
    UNKNOWN = 0
    YES = 1

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One condition on one episode or character. ``facts``: FACTS; ``span`` is the id of an EmotionSpan or None,
    ``last`` the highest id of the episodes that were looked at.
    """

    verdict: Verdict
    score: float
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """``pk``: of the episode or character. ``findings``: in the order of the query's conditions."""

    pk: int
    verdict: Verdict
    score: float
    findings: tuple[Finding, ...]


def judged_from_profiles(query: Query) -> list[Judged]:
    """Every episode (character) that the conditions can be asked of; the surest first, in a total order."""
    key = "character_id" if query.target is Target.CHARACTERS else "episode_id"
    return judged_by([shown(query)], [_cte(f"c{i}", c, key) for i, c in enumerate(query.about_episode)])


def judged_by(first: Sequence[Sql], conditions: Sequence[Sql]) -> list[Judged]:
    """``conditions``: table expressions ``c0``, ``c1``... (key, verdict, score, FACTS...), which may use ``first``."""
    parts = [*first, *conditions]
    names = [f"c{i}" for i in range(len(conditions))]
    columns = ", ".join(f"{c}.{x}" for c in names for x in ("verdict", "score", *FACTS))
    verdict = f"LEAST({', '.join(f'{c}.verdict' for c in names)})"
    score = f"LEAST({', '.join(f'{c}.score' for c in names)})"
    joins = "".join(f" JOIN {c} USING (key)" for c in names[1:])
    text = (
        f"WITH {', '.join(p.text for p in parts)} SELECT key, {verdict} AS verdict, {score} AS score, {columns}"
        f" FROM c0{joins} ORDER BY 2 DESC, 3 DESC, 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(text, [v for p in parts for v in p.values])
        rows = cursor.fetchall()
    return [_judged(row) for row in rows]


def _judged(row: tuple[Any, ...]) -> Judged:
    width = 2 + len(FACTS)
    findings = []
    for at in range(3, len(row), width):
        verdict, score, *facts = row[at : at + width]
        findings.append(Finding(Verdict(verdict), float(score), dict(zip(FACTS, facts, strict=True))))
    return Judged(row[0], Verdict(row[1]), float(row[2]), tuple(findings))


def _cte(name: str, condition: Condition, key: str) -> Sql:
    """``name (key, verdict, score, FACTS...)``."""
    match condition:
        case Shows(how, atom):
            body = _shows(how, atom, key)
        case Lasts(_, atom, op, ms):
            body = _lasts(atom, op, ms, key)
        case ShareOf(_, atom, op, percent):
            body = _share(atom, op, percent, key)
        case MoreThan(_, atom, other):
            body = _more_than(atom, other)
        case Together():
            body = _together(condition)
    return Sql(f"{name} AS ({body.text})", body.values)


def profiles_sql(emotion: str, columns: str, who: Sql) -> Sql:
    """A row per published profile ``p``, with bounds that hold whatever the evidence. ``shown`` must be known.

    Where the rating may not be relied on (``solid``) the bounds are 0 and 1. ``seen``: enough was readable to say that
    something was not there. ``columns``: what else is selected of ``p``, a ProfileSummary.
    """
    return Sql(
        "SELECT shown.episode_id, shown.run_id, shown.strangers, p.character_id, p.readable_ms, p.visible_ms, p.solid,"
        " p.modelled, CASE WHEN p.solid THEN p.low ELSE 0 END AS low, CASE WHEN p.solid THEN p.high ELSE 1 END AS high,"
        f" COALESCE(p.share, 0) AS share, p.readable_ms >= {READABLE_LEAST} * p.visible_ms AS seen, {columns}"
        f" FROM shown JOIN analysis_profilesummary p ON p.run_id = shown.run_id WHERE p.emotion = %s AND {who.text}",
        [emotion, *who.values],
    )


CLEAREST = "p.span, p.weight"
CLEAREST_OTHER = "p.other_span AS span, p.other_weight AS weight"
LONGEST = "p.longest_span AS span, p.longest_ms AS weight, p.longest_ms AS length"


def _profiles(atom: Atom, span: str = "NULL::bigint AS span, 0 AS weight") -> Sql:
    """With its telling span, where one is looked for."""
    return profiles_sql(str(atom.emotion), span, of_character("p.character_id", atom.character))


def heaviest(span: str, weight: str) -> str:
    """Of a group, the span with the highest weight; of equal ones that with the lowest id. Nothing need be sorted."""
    return f"(-(MAX(CASE WHEN {span} IS NOT NULL THEN ARRAY[{weight}::float, -{span}::float] END))[2])::bigint"


def never_case(span: str) -> str:
    """The verdict of one profile; ``span``: the column of its clearest stretch of the emotion."""
    return f"CASE WHEN {span} IS NOT NULL THEN -1 WHEN solid AND seen AND high <= {NEVER_MOST} THEN 1 ELSE 0 END"


def always_case(span: str) -> str:
    """The same; ``span``: of its clearest stretch of another emotion."""
    return (
        f"CASE WHEN NOT modelled THEN 0 WHEN {span} IS NOT NULL THEN -1"
        f" WHEN solid AND seen AND low >= {1 - NEVER_MOST} THEN 1 ELSE 0 END"
    )


def _grouped(rows: Sql, verdict: str, score: str, values: list[Any], *, key: str, every: bool, strangers: bool) -> Sql:
    """One row per key: of all profiles the least sure (``every``), else the surest.

    ``strangers``: faces of nobody known count too; what they show is not known.
    """
    least, most = ("MIN", "LEAST") if every else ("MAX", "GREATEST")
    known = f"{least}(verdict)"
    there = "BOOL_OR(strangers)" if strangers else "FALSE"
    if strangers:
        known = f"{most}({known}, CASE WHEN {there} THEN 0 ELSE {1 if every else -1} END)"
    text = (
        f"SELECT {key} AS key, {known} AS verdict, {least}(score) AS score, {least}(low) AS low, MAX(high) AS high,"
        " SUM(readable_ms) AS readable_ms, SUM(visible_ms) AS visible_ms, BOOL_AND(solid) AS enough,"
        f" {there} AS strangers, {heaviest('span', 'weight')} AS span, MAX(episode_id) AS last"
        f" FROM (SELECT q.*, {verdict} AS verdict, {score} AS score FROM ({rows.text}) q) v GROUP BY {key}"
    )
    return Sql(text, [*values, *rows.values])


def _shows(how: How, atom: Atom, key: str) -> Sql:
    strangers = atom.character is None and key == "episode_id"
    if how is How.ALWAYS:
        rows = _profiles(atom, CLEAREST_OTHER)
        return _grouped(rows, always_case("span"), "low", [], key=key, every=True, strangers=strangers)
    rows = _profiles(atom, CLEAREST)
    verdict = never_case("span")
    if how is How.NEVER:
        return _grouped(rows, verdict, "1 - high", [], key=key, every=True, strangers=strangers)
    return _grouped(rows, f"-({verdict})", "share", [], key=key, every=False, strangers=strangers)


def _lasts(atom: Atom, op: Op, ms: int, key: str) -> Sql:
    """By the longest span; its score is how far that is over (under) the limit."""
    strangers = atom.character is None and key == "episode_id"
    rows = _profiles(atom, LONGEST)
    exceeds = SIGN[{Op.LE: Op.GT, Op.LT: Op.GE}.get(op, op)]
    found = f"CASE WHEN length {exceeds} %s THEN 1 WHEN solid AND seen THEN -1 ELSE 0 END"
    if op in (Op.GT, Op.GE):
        score = "COALESCE(length, 0)::float / (COALESCE(length, 0) + %s)"
        return _grouped(rows, found, score, [ms, ms], key=key, every=False, strangers=strangers)
    score = "%s::float / (COALESCE(length, 0) + %s)"
    return _grouped(rows, f"-({found})", score, [ms, ms, ms], key=key, every=True, strangers=strangers)


def _share(atom: Atom, op: Op, percent: int, key: str) -> Sql:
    """Bounds of the share over all readable time; a mean of bounds is a bound."""
    rows = _profiles(atom)
    over = Op.GT if op in (Op.GT, Op.LE) else Op.GE
    under = "<=" if over is Op.GT else "<"
    verdict = f"CASE WHEN low {SIGN[over]} %s THEN 1 WHEN high {under} %s THEN -1 ELSE 0 END"
    score = "low" if op is over else "1 - high"
    mean = "ROUND((SUM({0} * readable_ms) / NULLIF(SUM(readable_ms), 0))::numeric, 6)::float"
    text = (
        f"SELECT key, {'' if op is over else '-'}({verdict}) AS verdict, {score} AS score, low, high, readable_ms,"
        " visible_ms, enough, FALSE AS strangers, NULL::bigint AS span, last FROM ("
        f"SELECT {key} AS key, COALESCE({mean.format('low')}, 0) AS low, COALESCE({mean.format('high')}, 1) AS high,"
        " SUM(readable_ms) AS readable_ms, SUM(visible_ms) AS visible_ms, BOOL_AND(solid) AS enough,"
        f" MAX(episode_id) AS last FROM ({rows.text}) q GROUP BY {key}) v"
    )
    return Sql(text, [percent / 100, percent / 100, *rows.values])


def _more_than(atom: Atom, other: str) -> Sql:
    one, two = _profiles(atom), _profiles(Atom(other, atom.emotion))
    verdict = (
        "CASE WHEN NOT (a.solid AND b.solid) THEN 0 WHEN a.low > b.high THEN 1 WHEN a.high <= b.low THEN -1 ELSE 0 END"
    )
    text = (
        f"SELECT a.episode_id AS key, {verdict} AS verdict, GREATEST(0, a.low - b.high) AS score, a.low AS low,"
        " b.high AS high, a.readable_ms + b.readable_ms AS readable_ms, a.visible_ms + b.visible_ms AS visible_ms,"
        " a.solid AND b.solid AS enough, FALSE AS strangers, NULL::bigint AS span, a.episode_id AS last"
        f" FROM ({one.text}) a JOIN ({two.text}) b USING (run_id)"
    )
    return Sql(text, [*one.values, *two.values])


def _together(condition: Together) -> Sql:
    """Yes where a pair is found; no where both were seen well enough to say that there is none."""
    one, two, found = _profiles(condition.first), _profiles(condition.second), pairs(condition)
    somebody = condition.first.character is None or condition.second.character is None
    strangers = "a.strangers" if somebody else "FALSE"
    side = (
        "(SELECT episode_id, run_id, BOOL_OR(strangers) AS strangers, SUM(readable_ms) AS readable_ms,"
        " SUM(visible_ms) AS visible_ms,"
        " BOOL_AND(solid) AS solid, BOOL_AND(seen) AS seen FROM ({}) q GROUP BY episode_id, run_id)"
    )
    text = (
        "SELECT a.episode_id AS key, CASE WHEN f.span IS NOT NULL THEN 1"
        f" WHEN a.solid AND b.solid AND a.seen AND b.seen AND NOT {strangers} THEN -1 ELSE 0 END AS verdict,"
        " COALESCE(f.score, 0) AS score, NULL::float AS low, NULL::float AS high,"
        " a.readable_ms + b.readable_ms AS readable_ms, a.visible_ms + b.visible_ms AS visible_ms,"
        f" a.solid AND b.solid AS enough, {strangers} AS strangers, f.span AS span, a.episode_id AS last"
        f" FROM {side.format(one.text)} a JOIN {side.format(two.text)} b USING (run_id)"
        " LEFT JOIN (SELECT DISTINCT ON (a.run_id) a.run_id, a.id AS span,"
        f" LEAST(COALESCE(sa.score, 0), COALESCE(sb.score, 0)) AS score {found.text}"
        " ORDER BY a.run_id, 3 DESC, a.start_ms, b.start_ms, a.id, b.id) f USING (run_id)"
    )
    return Sql(text, [*one.values, *two.values, *found.values])
