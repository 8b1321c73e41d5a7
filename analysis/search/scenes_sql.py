"""Scenes and moments in the order in which they are shown: read in the order of an index, no further than asked for."""

# ruff: noqa: S608 - pieces of SQL of our own are put together; values are parameters, always

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import connection

from analysis.search.query import Length, Of, Query, Target
from analysis.search.scene_conditions import LEAST_SHARE
from analysis.search.spans_sql import SIGN, Sql, joined, of_character, shown
from ml.types import EMOTIONS


@dataclass(frozen=True, slots=True)
class Found:
    """``row``: id of the SceneEmotion, or of the Scene where no face is asked for."""

    row: int
    episode: int
    scene: int
    score: float


@dataclass(frozen=True, slots=True)
class Within:
    """Only scenes of these episodes, and only these scenes; None: any. As SQL that selects ids."""

    episodes: Sql | None = None
    scenes: Sql | None = None

    def condition(self, episode: str, scene: str) -> Sql:
        parts = [Sql("TRUE")]
        for column, ids in ((episode, self.episodes), (scene, self.scenes)):
            if ids is not None:
                parts.append(Sql(f"{column} IN ({ids.text})", ids.values))
        return joined(parts)


ANYWHERE = Within()


def ids_of(ids: Sequence[int] | set[int]) -> Sql:
    return Sql("SELECT UNNEST(%s::bigint[])", [list(ids)])


def emotion_scenes(query: Query, within: Within, most: int) -> list[Found]:
    """By the shrunken lower bound; a scene once, with the character who shows the most."""
    own = Sql(f"se.emotion = %s AND se.score > 0 AND se.share >= {LEAST_SHARE}", [str(query.emotion)])
    if query.character is not None:  # one row for each scene
        return [face.found for face in _faces(query, within, own, "score", most)]
    return _once(lambda limit: _read(query, within, [own], "score", limit), most)


def cast_scenes(query: Query, within: Within, most: int) -> list[Found]:
    """Without an emotion: a character's scenes by how long they are visible; told as a share of the scene."""
    return _once(lambda limit: _read(query, within, [Sql("TRUE")], "visible_ms", limit), most)


def any_moments(query: Query, within: Within, most: int) -> list[Found]:
    """Clauses alone: the clearest of each scene, whatever it is. An index knows the best of each emotion."""
    each = [Sql("se.emotion = %s", [str(emotion)]) for emotion in EMOTIONS]
    return _once(lambda limit: _read(query, within, each, "score", limit), most)


def any_scenes(query: Query, within: Within, most: int) -> list[Found]:
    """Clauses alone: everything that fits, in the order of the catalogue."""
    parts = [within.condition("shown.episode_id", "sc.id"), _lengths(query, "sc")]
    where, first = joined(parts), shown(query)
    text = (
        f"WITH {first.text} SELECT sc.id, shown.episode_id, sc.id, 1.0::float FROM catalog_episode e"
        f" JOIN shown ON shown.episode_id = e.id JOIN analysis_scene sc ON sc.run_id = shown.run_id"
        f" WHERE {where.text} ORDER BY e.title, e.id, sc.index LIMIT {most}"
    )
    with connection.cursor() as cursor:
        cursor.execute(text, [*first.values, *where.values])
        return [_found(*row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class _Face:
    """What a character shows in a scene; ``by``: what it is ranked by."""

    found: Found
    by: float
    share: float


_Rows = tuple[list[_Face], float | None]


def _read(query: Query, within: Within, kinds: Sequence[Sql], by: str, limit: int) -> _Rows:
    """The first rows of each kind, and down to where all are there (None: they all are)."""
    rows: list[_Face] = []
    edge: float | None = None
    for own in kinds:
        faces = _faces(query, within, own, by, limit)
        rows += faces
        if len(faces) == limit:
            edge = max(faces[-1].by, faces[-1].by if edge is None else edge)
    return rows, edge


def _once(read: Callable[[int], _Rows], most: int) -> list[Found]:
    """A scene once, by its best row. More is read until that many are sure: equal rows may be cut apart at the edge."""
    limit = most + most // 2 + 1
    while True:
        faces, edge = read(limit)
        best: dict[int, _Face] = {}
        for face in sorted(faces, key=lambda f: (-f.by, -f.share, f.found.row)):
            best.setdefault(face.found.scene, face)
        sure = [f for f in best.values() if edge is None or f.by > edge]
        if edge is None or len(sure) >= most:
            return [f.found for f in sorted(sure, key=lambda f: (-f.by, f.found.row))[:most]]
        limit *= 4


def _faces(query: Query, within: Within, own: Sql, by: str, limit: int) -> list[_Face]:
    """``own``: what a row ``se`` must be. Rows with the highest ``by`` first."""
    where = [within.condition("shown.episode_id", "se.scene_id"), own, _of_row(query)]
    where.append(of_character("se.character_id", query.character))
    score, scene = "se.score", ""
    if query.target is Target.SCENES:
        where.append(_lengths(query, "sc"))
    if by == "visible_ms":
        score = "se.visible_ms::float / (sc.end_ms - sc.start_ms)"
    first, met = shown(query), joined(where)
    if "sc." in f"{score} {met.text}":
        scene = " JOIN analysis_scene sc ON sc.id = se.scene_id"
    text = (
        f"WITH {first.text} SELECT se.id, shown.episode_id, se.scene_id, {score}, se.{by}, se.share"
        f" FROM analysis_sceneemotion se JOIN shown ON shown.run_id = se.run_id{scene}"
        f" WHERE {met.text} ORDER BY se.{by} DESC, se.id LIMIT {limit}"
    )
    with connection.cursor() as cursor:
        cursor.execute(text, [*first.values, *met.values])
        rows = cursor.fetchall()
    return [_Face(_found(*row[:4]), row[4], row[5]) for row in rows]


def _of_row(query: Query) -> Sql:
    """A moment is a stretch, of its own length."""
    if query.target is not Target.MOMENTS:
        return Sql("TRUE")
    parts = [Sql("se.best_start_ms IS NOT NULL")]
    parts += [
        Sql(f"se.best_end_ms - se.best_start_ms {SIGN[c.op]} %s", [c.ms])
        for c in query.clauses
        if isinstance(c, Length) and c.of is Of.RESULT
    ]
    return joined(parts)


def _lengths(query: Query, scene: str) -> Sql:
    parts = [Sql("TRUE")]
    parts += [
        Sql(f"{scene}.end_ms - {scene}.start_ms {SIGN[c.op]} %s", [c.ms])
        for c in query.clauses
        if isinstance(c, Length) and c.of is Of.RESULT
    ]
    return joined(parts)


def _found(row: int, episode: int, scene: int, score: float) -> Found:
    return Found(row, episode, scene, min(1.0, float(score)))
