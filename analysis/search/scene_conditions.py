"""Conditions on scenes: which scenes meet them, where in the scene, and how clearly. Raw SQL, one statement."""

# ruff: noqa: S608 - pieces of SQL of our own are put together; values are parameters, always

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from analysis.search.query import (
    Atom,
    Condition,
    Lasts,
    Length,
    MoreThan,
    Of,
    Query,
    ShareOf,
    Shows,
    Target,
    Together,
    atoms_of,
)
from analysis.search.spans_sql import SIGN, Sql, of_character, of_episode, pairs, shown
from analysis.search.together_sql import is_bounded, pairs_of_runs, pairs_over, runs_bounded, stretch_of

LEAST_SHARE = 0.1  # a scene in which less of the readable time shows the emotion is not a scene of that emotion
TAU_MS, PRIOR = 5_000, 4  # of the score of a scene: analysis.ratings


@dataclass(frozen=True, slots=True)
class Met:
    """A scene that meets every condition. ``row``: id of the SceneEmotion of the first; ``stretches``: of each."""

    scene: int
    episode: int
    row: int
    score: float
    stretches: tuple[tuple[int, int] | None, ...]


# Scores from which on scenes are looked at, one after the other until there are enough: the best are few.
FLOORS = (0.35, 0.27, 0.22, 0.18, 0.14, 0.1, 0.05, 0.0)
RUNS = 6  # for each scene that is wanted, at first


def scenes_meeting(query: Query, most: int | None, episodes: Sql | None = None, scenes: Sql | None = None) -> list[Met]:
    """The clearest first, in a total order. A scene is as clear as its least clear condition.

    ``episodes``, ``scenes``: SELECTs of the ids of those that are meant.
    """
    alone = query.about_result[0] if len(query.about_result) == 1 else None
    if most is not None and isinstance(alone, Together) and is_bounded(alone):
        return _bounded(query, alone, most, episodes, scenes)
    found: list[Met] = []
    for floor in FLOORS if most is not None and _has_floors(query) else (None,):
        sql = _meeting(query, floor, episodes, scenes)
        limit = "" if most is None else f" LIMIT {most}"
        found = [
            _met(r) for r in _rows(Sql(f"{sql.text} ORDER BY score DESC, c0.detail DESC, scene_id{limit}", sql.values))
        ]
        if len(found) == most:
            break
    return found


def _bounded(query: Query, condition: Together, most: int, episodes: Sql | None, scenes: Sql | None) -> list[Met]:
    """Runs are read until so many scenes are surer than whatever the runs that follow can have."""
    where = [_lengths(query, *stretch_of(condition)), *_among("a.scene_id", scenes)]
    limit = RUNS * most
    while True:
        runs = _rows(runs_bounded(query, condition, _among("shown.episode_id", episodes), limit))
        whole = len(runs) < limit
        edge = 0.0 if whole else runs[-1][2]  # the runs that follow may have as much
        rows = _rows(pairs_of_runs(condition, [(run, episode) for run, episode, _ in runs], edge, where))
        found: dict[int, Met] = {}
        for row in sorted(rows, key=lambda r: (-r[3], -r[6], r[0], *r[7:])):
            found.setdefault(row[0], _met(row[:6]))
        if len(found) >= most or whole:
            return list(found.values())[:most]
        limit *= 3


def _rows(sql: Sql) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql.text, sql.values)
        return [tuple(row) for row in cursor.fetchall()]


def _among(column: str, ids: Sql | None) -> list[Sql]:
    return [] if ids is None else [Sql(f"{column} IN ({ids.text})", ids.values)]


def _has_floors(query: Query) -> bool:
    """Whether the conditions are about anybody, and a scene over a floor has the same score without the floor."""
    conditions = query.about_result
    anybody = any(a.character is None for c in conditions for a in atoms_of(c))
    return anybody and all(isinstance(c, ShareOf | Together) for c in conditions)


def meeting(query: Query) -> Sql:
    """SELECT of the ids of all scenes that meet the conditions."""
    sql = _meeting(query, None, None, None)
    return Sql(f"SELECT scene_id FROM ({sql.text}) m", sql.values)


def _meeting(query: Query, floor: float | None, episodes: Sql | None, scenes: Sql | None) -> Sql:
    conditions = query.about_result
    parts = [shown(query), *(_cte(f"c{i}", c, floor, narrowed=of_episode(query)) for i, c in enumerate(conditions))]
    names = [f"c{i}" for i in range(len(conditions))]
    stretches = ", ".join(f"{c}.start_ms AS start_{c}, {c}.end_ms AS end_{c}" for c in names)
    score = f"LEAST({', '.join(f'{c}.score' for c in names)})"
    joins = "".join(f" JOIN {c} USING (scene_id)" for c in names[1:])
    where = [_lengths(query, "c0.start_ms", "c0.end_ms"), *_among("shown.episode_id", episodes)]
    where += _among("scene_id", scenes)
    text = (
        f"WITH {', '.join(p.text for p in parts)} SELECT scene_id, shown.episode_id, c0.row_id, {score} AS score,"
        f" {stretches} FROM c0{joins} JOIN analysis_scene scene ON scene.id = scene_id"
        f" JOIN shown ON shown.run_id = scene.run_id WHERE {' AND '.join(w.text for w in where)}"
    )
    return Sql(text, [v for p in (*parts, *where) for v in p.values])


def _met(row: tuple[Any, ...]) -> Met:
    stretches = tuple(
        None if start is None else (start, end) for start, end in zip(row[4::2], row[5::2], strict=True)
    )  # fmt: skip
    return Met(row[0], row[1], row[2], float(row[3]), stretches)


def _lengths(query: Query, start: str, end: str) -> Sql:
    """Of the scene; of a moment that is found by its conditions alone, the stretch of the first."""
    alone = query.target is Target.MOMENTS and query.emotion is None and query.character is None
    start, end = (start, end) if alone else ("scene.start_ms", "scene.end_ms")
    parts = [Sql(f"{start} IS NOT NULL")] if alone else [Sql("TRUE")]
    if query.target is Target.SCENES or alone:
        parts += [
            Sql(f"{end} - {start} {SIGN[c.op]} %s", [c.ms])
            for c in query.clauses
            if isinstance(c, Length) and c.of is Of.RESULT
        ]
    return Sql(" AND ".join(p.text for p in parts), [v for p in parts for v in p.values])


def _cte(name: str, condition: Condition, floor: float | None, *, narrowed: bool) -> Sql:
    """``name (scene_id, row_id, score, detail, start_ms, end_ms)``, a scene once; over the floor."""
    match condition:
        case ShareOf(_, atom, op, percent):
            body = _share(atom, SIGN[op], percent, floor or 0.0)
        case Lasts(_, atom, op, ms):
            body = _lasts(atom, SIGN[op], ms)
        case MoreThan(_, atom, other):
            body = _more_than(atom, other)
        case Together():
            body = _together(condition, floor, narrowed=narrowed)
        case Shows():
            raise AssertionError(condition)  # about episodes only
    return Sql(f"{name} AS ({body.text})", body.values)


def _share(atom: Atom, sign: str, percent: int, floor: float) -> Sql:
    who = of_character("se.character_id", atom.character)
    text = (
        "SELECT DISTINCT ON (se.scene_id) se.scene_id, se.id AS row_id, se.score, se.share AS detail,"
        " se.best_start_ms AS start_ms, se.best_end_ms AS end_ms"
        " FROM shown JOIN analysis_sceneemotion se ON se.run_id = shown.run_id"
        f" WHERE se.emotion = %s AND {who.text} AND se.score > {floor} AND se.share >= {LEAST_SHARE}"
        f" AND se.share {sign} %s ORDER BY se.scene_id, se.score DESC, se.share DESC, se.id"
    )
    return Sql(text, [str(atom.emotion), *who.values, percent / 100])


def _lasts(atom: Atom, sign: str, ms: int) -> Sql:
    who = of_character("x.character_id", atom.character)
    text = (
        "SELECT DISTINCT ON (x.scene_id) x.scene_id, se.id AS row_id, se.score, (x.end_ms - x.start_ms)::float"
        " AS detail, x.start_ms, x.end_ms FROM shown JOIN analysis_emotionspan x ON x.run_id = shown.run_id"
        " JOIN analysis_sceneemotion se ON se.scene_id = x.scene_id AND se.character_id = x.character_id"
        f" AND se.emotion = x.emotion WHERE x.emotion = %s AND {who.text} AND se.score > 0"
        f" AND x.end_ms - x.start_ms {sign} %s ORDER BY x.scene_id, 4 DESC, se.score DESC, x.start_ms, x.id"
    )
    return Sql(text, [str(atom.emotion), *who.values, ms])


def _more_than(atom: Atom, other: str) -> Sql:
    """By how sure the difference is: of the two shrunken shares, less the spread of both."""
    one, two = of_character("a.character_id", atom.character), of_character("b.character_id", other)
    n = "({0}.readable_ms / " + f"{TAU_MS}.0)"
    shrunk = "((" + n + " * {0}.share + " + f"{PRIOR}.0 / k) / (" + n + f" + {PRIOR}))"
    pa, pb = shrunk.format("a"), shrunk.format("b")
    spread = " + ".join(
        f"{p} * (1 - {p}) / ({n.format(side)} + {PRIOR + 1})" for p, side in ((pa, "a"), (pb, "b"))
    )  # fmt: skip
    text = (
        f"SELECT a.scene_id, a.id AS row_id, GREATEST(0, {pa} - {pb} - SQRT({spread})) AS score,"
        " a.share - b.share AS detail, a.best_start_ms AS start_ms, a.best_end_ms AS end_ms FROM shown"
        " JOIN (SELECT r.id, CARDINALITY(m.emotions)::float AS k FROM analysis_analysisrun r"
        " JOIN analysis_modelbundle m ON m.id = r.bundle_id) run ON run.id = shown.run_id"
        " JOIN analysis_sceneemotion a ON a.run_id = shown.run_id"
        " JOIN analysis_sceneemotion b ON b.scene_id = a.scene_id AND b.emotion = a.emotion"
        f" WHERE a.emotion = %s AND {one.text} AND {two.text} AND a.share > b.share AND a.share >= {LEAST_SHARE}"
    )
    return Sql(text, [str(atom.emotion), *one.values, *two.values])


def _together(condition: Together, floor: float | None, *, narrowed: bool) -> Sql:
    """The scene of the first."""
    start, end = stretch_of(condition)
    found = pairs(condition) if floor is None else pairs_over(condition, floor, narrowed=narrowed)
    text = (
        "SELECT DISTINCT ON (a.scene_id) a.scene_id, sa.id AS row_id, LEAST(sa.score, sb.score) AS score,"
        f" ({end} - {start})::float AS detail, {start} AS start_ms, {end} AS end_ms {found.text}"
        " AND sa.score > 0 AND sb.score > 0"
        " ORDER BY a.scene_id, 3 DESC, 4 DESC, a.start_ms, b.start_ms, a.id, b.id"
    )
    return Sql(text, found.values)
