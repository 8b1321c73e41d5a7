"""Two feelings at once or one after the other, of whom at least one is nobody by name: the clearest scenes first.

Where neither is named, PairSummary says of each run how clear its pairs can be at most: runs are read in that order,
and only of these the spans are looked at. Else a high score is rare, so scenes over a floor are paired first.
"""

# ruff: noqa: S608 - pieces of SQL of our own are put together; values are parameters, always

from __future__ import annotations

from collections.abc import Sequence

from analysis.search.query import OVERLAP_MS, Query, Relation, Together
from analysis.search.spans_sql import NEAR_MS, Sql, joined, of_atom, related, shown

MOST_INTEGER = 2**31 - 1


def stretch_of(condition: Together) -> tuple[str, str]:
    """From where to where it is: while both show, else from the beginning of one to the end of the other."""
    if condition.relation is Relation.WHILE:
        return "GREATEST(a.start_ms, b.start_ms)", "LEAST(a.end_ms, b.end_ms)"
    return "LEAST(a.start_ms, b.start_ms)", "GREATEST(a.end_ms, b.end_ms)"


def is_bounded(condition: Together) -> bool:
    """Whether PairSummary says how clear pairs can be at most."""
    nobody = condition.first.character is None and condition.second.character is None
    return nobody and (condition.ms is None or condition.ms <= NEAR_MS)


def runs_bounded(query: Query, condition: Together, episodes: Sequence[Sql], limit: int) -> Sql:
    """run_id, episode_id and the most that a pair's score can be, of the runs where that is highest.

    ``episodes``: conditions on ``shown``.
    """
    first, met = shown(query), joined([Sql("TRUE"), *episodes])
    return Sql(
        f"WITH {first.text} SELECT p.run_id, shown.episode_id, p.near FROM analysis_pairsummary p"
        " JOIN shown ON shown.run_id = p.run_id WHERE p.emotion = %s AND p.other = %s AND p.near > 0"
        f" AND {met.text} ORDER BY p.near DESC LIMIT {limit}",
        [*first.values, str(condition.first.emotion), str(condition.second.emotion), *met.values],
    )


def pairs_of_runs(condition: Together, runs: Sequence[tuple[int, int]], floor: float, where: Sequence[Sql]) -> Sql:
    """The pairs of spans of these (run_id, episode_id) whose score is over the floor: scene_id, episode_id, id of the
    SceneEmotion of a, score, start_ms, end_ms, then what orders pairs of equal scores.

    ``where``: conditions on a, b and ``scene``.
    """
    start, end = stretch_of(condition)
    of_run = "SELECT * FROM analysis_sceneemotion s WHERE s.run_id = r.run AND s.emotion = %s AND s.score > %s OFFSET 0"
    which = " AND sa.scene_id = sb.scene_id" if condition.ms is None else ""
    hits = (
        f"SELECT r.episode, {_SCENES} FROM UNNEST(%s::bigint[], %s::bigint[]) AS r (run, episode)"
        f" CROSS JOIN LATERAL ({of_run}) sa CROSS JOIN LATERAL ({of_run}) sb WHERE sa.character_id <> sb.character_id"
        f"{which} OFFSET 0"
    )
    met = joined([related(condition), *where])
    feelings = [v for atom in (condition.first, condition.second) for v in (str(atom.emotion), floor)]
    return Sql(
        f"SELECT a.scene_id, sa.episode, sa.id, LEAST(sa.score, sa.score_b), {start}, {end}, {end} - {start},"
        f" a.start_ms, b.start_ms, a.id, b.id FROM ({hits}) sa{_spans(condition)}"
        f" JOIN analysis_scene scene ON scene.id = a.scene_id WHERE b.id <> a.id AND {met.text}",
        [[run for run, _ in runs], [episode for _, episode in runs], *feelings, *met.values],
    )


def pairs_over(condition: Together, floor: float, *, narrowed: bool) -> Sql:
    """As ``spans_sql.pairs``, of scenes that both have a higher score. ``narrowed``: it is better to begin with
    ``shown``, since clauses leave few episodes; else that is left to the caller.
    """
    rows = "shown JOIN analysis_sceneemotion sa ON sa.run_id = shown.run_id" if narrowed else "analysis_sceneemotion sa"
    hits, met = _scenes(condition, floor, rows), related(condition)
    return Sql(
        f"FROM ({hits.text}) sa CROSS JOIN LATERAL (SELECT sa.score_b AS score) sb{_spans(condition)}"
        f" WHERE b.id <> a.id AND {met.text}",
        [*hits.values, *met.values],
    )


_SCENES = (
    "sa.run_id, sa.id, sa.emotion, sa.scene_id, sa.character_id, sa.score, sb.emotion AS emotion_b,"
    " sb.scene_id AS scene_b, sb.character_id AS character_b, sb.score AS score_b"
)


def _scenes(condition: Together, floor: float, rows: str) -> Sql:
    """Pairs of scenes sa (of ``rows``) and sb in which the one and the other feeling show."""
    parts = [of_atom("sa", condition.first), of_atom("sb", condition.second)]
    parts.append(Sql("sa.score > %s AND sb.score > %s", [floor, floor]))
    if condition.first.character is None or condition.second.character is None:
        parts.append(Sql("sa.character_id <> sb.character_id"))
    if condition.ms is None:
        parts.append(Sql("sa.scene_id = sb.scene_id"))
    met, both = joined(parts), "JOIN analysis_sceneemotion sb ON sb.run_id = sa.run_id"
    return Sql(f"SELECT {_SCENES} FROM {rows} {both} WHERE {met.text} OFFSET 0", met.values)


def _spans(condition: Together) -> str:
    """The spans a and b of scenes sa and sb: first the earlier ones, then only those that begin near enough to each."""
    spans = {
        "a": "x.character_id = sa.character_id AND x.emotion = sa.emotion AND x.scene_id = sa.scene_id",
        "b": "x.character_id = sa.character_b AND x.emotion = sa.emotion_b AND x.scene_id = sa.scene_b",
    }
    first, second = ("b", "a") if condition.relation is Relation.AFTER else ("a", "b")
    begins = ["TRUE"]
    match condition.relation:
        case Relation.WHILE:
            begins.append(f"x.start_ms <= {first}.end_ms - {OVERLAP_MS}")
        case Relation.BEFORE | Relation.AFTER:
            begins.append(f"x.start_ms >= {first}.end_ms")
    if condition.ms is not None:
        begins.append(f"x.start_ms <= LEAST({first}.end_ms::bigint + {condition.ms}, {MOST_INTEGER})::integer")
    of_run = " CROSS JOIN LATERAL (SELECT * FROM analysis_emotionspan x WHERE x.run_id = sa.run_id AND {} OFFSET 0) {}"
    later = f"{spans[second]} AND {' AND '.join(begins)}"
    return of_run.format(spans[first], first) + of_run.format(later, second)
