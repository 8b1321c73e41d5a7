"""A query -> rows, in the order in which they are shown. SQL is made from the typed query and from nothing else."""

# ruff: noqa: S608 - pieces of SQL of our own are put together; values are parameters, always

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet

from analysis.models import CharacterSummary, EmotionProfile, EpisodeSummary
from analysis.search.calm import COLUMNS as CALM_COLUMNS
from analysis.search.calm import Calm, calm_of
from analysis.search.query import Order, Query, Target
from analysis.search.scene_conditions import LEAST_SHARE, Met, meeting, scenes_meeting
from analysis.search.scenes_sql import Within, any_moments, any_scenes, cast_scenes, emotion_scenes, ids_of
from analysis.search.spans_sql import Sql, of_character, of_episode, shown, shown_rows
from analysis.search.summed import (
    characters_missing,
    is_summed,
    summed_counts,
    summed_judged,
    summed_keys,
    summed_yes,
)
from analysis.search.verdicts import Judged, Verdict, judged_from_profiles
from catalog.models import Episode

MOST_ROWS = 2_000  # of one answer, over all its pages


@dataclass(frozen=True, slots=True)
class Row:
    """A place in the answer. ``pk``: of a SceneEmotion, a Scene, an Episode or a Character, as the target has it.

    ``met`` and ``judged``: what the conditions found, where there are any.
    """

    pk: int
    episode_id: int
    score: float
    facts: dict[str, Any]
    enough: bool = True
    met: Met | None = None
    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """``counts``: of episodes (characters) by verdict, where the question has conditions on them."""

    rows: list[Row]
    counts: dict[Verdict, int] | None = None


def find(query: Query, most: int = MOST_ROWS) -> Found:
    """At most so many rows; best first; the order is total, so that it never changes between pages.

    ``most``: fewer cost less. Rows of a shorter answer are the first rows of a longer one.
    """
    if not query.about_episode:
        return Found(_scenes(query, most) if query.finds_scenes else _ranked(query, most)[:most])
    if is_summed(query):
        rows, counts = _summed(query, most)
    else:
        judged = judged_from_profiles(query)
        if query.finds_scenes:
            rows = _scenes(query, most, ids_of([j.pk for j in judged if j.verdict is Verdict.YES]))
        else:
            rows = _judged_rows(query, judged)
            judged = [r.judged for r in rows if r.judged is not None]
        counts = Counter(j.verdict for j in judged)
    return Found(rows[:most], {v: counts[v] for v in reversed(Verdict)})


def _summed(query: Query, most: int) -> tuple[list[Row], Counter[Verdict]]:
    """The same where summaries answer the conditions, without looking at more than the rows that are shown."""
    if query.finds_scenes:
        return _scenes(query, most, summed_yes(query)), summed_counts(query)
    if query.character is not None:  # by name: few episodes
        ranked = _ranked(query, most=None)
        rows = _judged_rows(query, summed_judged(query, [r.pk for r in ranked]), ranked)
        return rows, Counter(r.judged.verdict for r in rows if r.judged is not None)
    keys = summed_keys(query, most)
    judged = {j.pk: j for j in summed_judged(query, keys)}
    ordered = [judged[pk] for pk in keys]
    if query.emotion is None and query.order is not Order.CALMEST:
        return _judged_rows(query, ordered), summed_counts(query)
    by_pk = {r.pk: r for r in _ranked(query, most=None, among=keys)}
    return [replace(by_pk[pk], judged=judged[pk]) for pk in keys], summed_counts(query)


def _judged_rows(query: Query, judged: list[Judged], ranked: list[Row] | None = None) -> list[Row]:
    """Yes first, then unknown, then no; among these as the rest of the query ranks them."""
    if query.emotion is None and query.character is None and query.order is not Order.CALMEST:
        return [Row(j.pk, j.findings[0].facts["last"], j.score, {}, True, None, j) for j in judged]
    by_pk = {j.pk: j for j in judged}
    if ranked is None:
        ranked = _ranked(query, most=None, among=list(by_pk))
    rows = [replace(r, judged=by_pk[r.pk]) for r in ranked if r.pk in by_pk]
    return sorted(rows, key=lambda r: -by_pk[r.pk].verdict)


def _scenes(query: Query, most: int, episodes: Sql | None = None) -> list[Row]:
    """``episodes``: only scenes of these."""
    if query.about_result and query.emotion is None and query.character is None:
        return [Row(m.row, m.episode, m.score, {}, met=m) for m in scenes_meeting(query, most, episodes)]
    within = Within(episodes, meeting(query) if query.about_result else None)
    if query.emotion is not None:
        found = emotion_scenes(query, within, most)
    elif query.character is not None:
        found = cast_scenes(query, within, most)
    else:
        found = (any_moments if query.target is Target.MOMENTS else any_scenes)(query, within, most)
    met: dict[int, Met] = {}
    if query.about_result:
        met = {m.scene: m for m in scenes_meeting(query, None, scenes=ids_of([f.scene for f in found]))}
    return [Row(f.row, f.episode, f.score, {}, met=met.get(f.scene)) for f in found]


def _ranked(query: Query, most: int | None, among: list[int] | None = None) -> list[Row]:
    """``among``: only these episodes (characters), by id."""
    if among is not None and not among:
        return []
    match query.target:
        case Target.EPISODES if query.order is Order.CALMEST:
            return _calm(query, most, among)
        case Target.EPISODES if query.character is not None and query.emotion is None:
            return _episodes_with(query, most, among)
        case Target.EPISODES if query.character is not None:
            return _ordered(_rated_rows(query, _rated(query, "shown.episode_id", among)))
        case Target.EPISODES if query.emotion is not None:
            return _episodes(query, most, among)
        case Target.EPISODES:
            return _any_episodes(query, most)
        case _:
            return _characters(query, most, among)


def _profiles(query: Query) -> QuerySet[EmotionProfile]:
    rows = EmotionProfile.objects.filter(run__shown__in=shown_rows(query))
    return rows if query.character is None else rows.filter(character__slug=query.character)


def _rated(query: Query, key: str, among: list[int] | None, *, enough: bool = False) -> list[dict[str, Any]]:
    """One row per ``key``: of rated profiles where there are any, else of what was measured without enough evidence.

    Means are weighted by readable time; a mean of bounds is a bound. ``enough``: only where there are rated ones.
    """
    first, who = shown(query), of_character("p.character_id", query.character)
    means = ", ".join(f"SUM(p.{x} * p.readable_ms) / SUM(p.readable_ms) AS {x}" for x in ("low", "share", "high"))
    only = Sql("TRUE") if among is None else Sql(f"{key} = ANY(%s)", [among])
    text = (
        f"WITH {first.text} SELECT {key} AS key, p.enough, {means}, SUM(p.readable_ms) AS readable,"
        " SUM(p.visible_ms) AS visible, MAX(shown.episode_id) AS last"
        " FROM shown JOIN analysis_profilesummary p ON p.run_id = shown.run_id"
        f" WHERE p.emotion = %s AND p.readable_ms > 0 AND p.share IS NOT NULL AND {who.text} AND {only.text}"
        f" AND {'p.enough' if enough else 'TRUE'}"
        " GROUP BY 1, 2 ORDER BY 2"
    )
    with connection.cursor() as cursor:
        cursor.execute(text, [*first.values, str(query.emotion), *who.values, *only.values])
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return list({row["key"]: row for row in rows}.values())


_SUMMED = {
    "low": F("rated_low"),
    "share": F("rated_share"),
    "high": F("rated_high"),
    "readable": F("rated_readable_ms"),
    "visible": F("rated_visible_ms"),
    "enough": F("rated_enough"),
    "last": F("last_episode"),
}


def _rated_summaries(
    rows: QuerySet[Any], query: Query, key: str, most: int | None, among: list[int] | None
) -> list[dict[str, Any]]:
    """The same, as it was summed up; the best first."""
    rows = rows.filter(emotion=str(query.emotion), rated_low__isnull=False)
    if among is not None:
        rows = rows.filter(**{f"{key}__in": among})
    by = F("rated_low").desc() if query.order is Order.MOST else F("rated_high").asc()
    return list(rows.order_by(F("rated_enough").desc(), by, key).values(key=F(key), **_SUMMED)[:most])


def _score(row: dict[str, Any], order: Order) -> float:
    """How sure it is that there is much of the emotion (lower bound), or little (one minus the upper bound)."""
    return float(row["low"]) if order is Order.MOST else 1.0 - float(row["high"])


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    facts = {name: round(float(row[name]), 4) for name in ("share", "low", "high")}
    return {**facts, "readable_ms": row["readable"], "visible_ms": row["visible"], "enough_evidence": row["enough"]}


def _rated_rows(query: Query, rated: Sequence[dict[str, Any]]) -> list[Row]:
    return [Row(r["key"], r["key"], _score(r, query.order), _facts(r), r["enough"]) for r in rated]


def _episodes(query: Query, most: int | None, among: list[int] | None) -> list[Row]:
    rows = EpisodeSummary.objects.all()
    if of_episode(query):
        rows = rows.filter(episode__shown__in=shown_rows(query))
    return _rated_rows(query, _rated_summaries(rows, query, "episode_id", most, among))


def _episodes_with(query: Query, most: int | None, among: list[int] | None) -> list[Row]:
    """Without an emotion: by how long the character is visible."""
    rows = _profiles(query)
    if among is not None:
        rows = rows.filter(run__shown__episode_id__in=among)
    columns = ("run__shown__episode_id", "visible_ms", "readable_ms", "run__shown__duration_ms")
    seen = rows.order_by("-visible_ms", "pk").values_list(*columns)
    return [
        Row(episode, episode, min(1.0, visible / (length or visible or 1)),
            {"visible_ms": visible, "readable_ms": readable})
        for episode, visible, readable, length in seen[:most]
    ]  # fmt: skip


def _ordered(rows: Sequence[Row]) -> list[Row]:
    """Rated ones first; what lacks evidence is listed apart, after them."""
    return sorted(rows, key=lambda r: (not r.enough, -r.score, r.pk))


def _any_episodes(query: Query, most: int | None) -> list[Row]:
    found = Episode.objects.filter(shown__in=shown_rows(query)).order_by("title", "pk")
    return [Row(pk, pk, 1.0, {}) for pk in found.values_list("pk", flat=True)[:most]]


def _calm(query: Query, most: int | None, among: list[int] | None) -> list[Row]:
    """Little anger and fear, by the upper bounds, and few changes of face; of the whole cast, or of one of it."""
    rows = shown_rows(query)
    if among is not None:
        rows = rows.filter(episode_id__in=among)
    if query.character is not None:
        return _ordered([_calm_row(p) for p in calm_of(rows, query.character)])
    rows = rows.filter(calm__isnull=False).order_by(F("enough").desc(), F("calm").desc(), "episode_id")
    return [_calm_row(Calm(*values)) for values in rows.values_list("episode_id", *CALM_COLUMNS)[:most]]


def _calm_row(row: Calm) -> Row:
    return Row(row.episode_id, row.episode_id, float(row.calm), _calm_facts(row), row.enough)


def _calm_facts(row: Calm) -> dict[str, Any]:
    return {
        "angry_high": round(row.angry_high, 4),
        "scared_high": round(row.scared_high, 4),
        "switches_per_minute": round(row.switches_per_minute, 2),
        "readable_ms": row.readable_ms,
        "visible_ms": row.visible_ms,
        "enough_evidence": row.enough,
    }


def _characters(query: Query, most: int | None, among: list[int] | None) -> list[Row]:
    """Each with the episode that has its best scene for the emotion, else one in which it was rated."""
    if of_episode(query) or characters_missing():
        rated = _rated(query, "p.character_id", among, enough=True) if most is not None else []
        if most is None or len(rated) < most:
            rated = _rated(query, "p.character_id", among)
        rated.sort(key=lambda r: (not r["enough"], -_score(r, query.order), r["key"]))
        rated = rated[:most]
    else:
        rated = _rated_summaries(CharacterSummary.objects.all(), query, "character_id", most, among)
    at = _best_scenes(query, [r["key"] for r in rated])
    found = []
    for row in rated:
        facts, episode = _facts(row), row["last"]
        if row["key"] in at:
            scene, episode, start, end = at[row["key"]]
            facts |= {"start_ms": start, "end_ms": end, "scene": scene}
        found.append(Row(row["key"], episode, _score(row, query.order), facts, row["enough"]))
    return _ordered(found)


def _best_scenes(query: Query, characters: list[int]) -> dict[int, tuple[int, int, int, int]]:
    """character -> scene, episode, start and end of the scene with the highest score for the emotion."""
    first = shown(query)
    text = (
        f"WITH {first.text} SELECT c.id, best.* FROM UNNEST(%s::bigint[]) AS c (id), LATERAL"
        " (SELECT sc.id, shown.episode_id, sc.start_ms, sc.end_ms FROM analysis_sceneemotion se"
        " JOIN shown ON shown.run_id = se.run_id JOIN analysis_scene sc ON sc.id = se.scene_id"
        " WHERE se.character_id = c.id AND se.emotion = %s AND se.score > 0"
        f" AND se.share >= {LEAST_SHARE} ORDER BY se.score DESC, se.id LIMIT 1) best"
    )
    with connection.cursor() as cursor:
        cursor.execute(text, [*first.values, characters, str(query.emotion)])
        return {pk: (scene, episode, start, end) for pk, scene, episode, start, end in cursor.fetchall()}
