"""A query -> rows, in the order in which they are shown. SQL is made from the typed query and from nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Expression, ExpressionWrapper, F, FloatField, IntegerField, Max, Q, QuerySet, Sum, Window
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, RowNumber

from analysis.models import EmotionProfile, Publication, Scene, SceneEmotion
from analysis.search.query import Length, Of, Order, Query, Target
from analysis.search.scene_conditions import LEAST_SHARE, Met, scenes_meeting
from analysis.search.spans_sql import LOOKUP, episode_condition
from analysis.search.verdicts import Judged, Verdict, judge
from catalog.models import Episode

MOST_ROWS = 2_000  # of one answer, over all its pages
CALM_SWITCHES = 10.0  # expressions begun per minute at which an episode is half as calm


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


def published_runs() -> QuerySet[Any, Any]:
    return Publication.objects.filter(withdrawn_at__isnull=True).values("run_id")


def _result_lengths(rows: QuerySet[Any], query: Query, start: str, end: str) -> QuerySet[Any]:
    for clause in query.clauses:
        if isinstance(clause, Length) and clause.of is Of.RESULT:
            length = ExpressionWrapper(F(end) - F(start), output_field=IntegerField())
            rows = rows.alias(length_ms=length).filter(**{f"length_ms__{LOOKUP[clause.op]}": clause.ms})
    return rows


def find(query: Query) -> Found:
    """At most MOST_ROWS rows; best first; the order is total, so that it never changes between pages."""
    if not query.about_episode:
        return Found(_scenes(query) if query.finds_scenes else _ranked(query))
    judged = judge(query)
    if query.finds_scenes:
        sure = {j.pk for j in judged if j.verdict is Verdict.YES}
        rows = _scenes(query, sure)
    else:
        rows = _judged_rows(query, judged)
        judged = [r.judged for r in rows if r.judged is not None]
    counts = Counter(j.verdict for j in judged)
    return Found(rows[:MOST_ROWS], {v: counts[v] for v in reversed(Verdict)})


def _judged_rows(query: Query, judged: list[Judged]) -> list[Row]:
    """Yes first, then unknown, then no; among these as the rest of the query ranks them."""
    if query.emotion is None and query.character is None and query.order is not Order.CALMEST:
        at = {j.pk: j.pk for j in judged}
        if query.target is Target.CHARACTERS:
            at = _episode_of(query, list(at))
        return [Row(j.pk, at[j.pk], j.score, {}, True, None, j) for j in judged]
    by_pk = {j.pk: j for j in judged}
    rows = [replace(r, judged=by_pk[r.pk]) for r in _ranked(query, most=None) if r.pk in by_pk]
    return sorted(rows, key=lambda r: -by_pk[r.pk].verdict)


def _episode_of(query: Query, characters: list[int]) -> dict[int, int]:
    """For each character, the last published episode in which they are."""
    rows = _profiles(query).filter(character_id__in=characters).order_by().values_list("character_id")
    return dict(rows.annotate(last=Max("run__episode_id")))


def _scenes(query: Query, episodes: set[int] | None = None) -> list[Row]:
    """``episodes``: only scenes of these."""
    met: dict[int, Met] | None = None
    if query.about_result:
        met = {m.scene: m for m in scenes_meeting(query) if episodes is None or m.episode in episodes}
        if query.emotion is None and query.character is None:
            return [Row(m.row, m.episode, m.score, {}, met=m) for m in met.values()][:MOST_ROWS]
    within = Within(episodes, None if met is None else set(met))
    if query.emotion is not None:
        rows = _emotion_scenes(query, within)
    elif query.character is not None:
        rows = _cast_scenes(query, within)
    else:
        return _any_scenes(query, within)
    if met is None:
        return rows
    scenes = dict(SceneEmotion.objects.filter(pk__in=[r.pk for r in rows]).values_list("pk", "scene_id"))
    return [replace(r, met=met[scenes[r.pk]]) for r in rows]


def _ranked(query: Query, most: int | None = MOST_ROWS) -> list[Row]:
    match query.target:
        case Target.EPISODES if query.order is Order.CALMEST:
            rows = _calm(query)
        case Target.EPISODES if query.emotion is not None or query.character is not None:
            rows = _episodes(query)
        case Target.EPISODES:
            rows = _any_episodes(query)
        case _:
            rows = _characters(query)
    return rows[:most]


@dataclass(frozen=True, slots=True)
class Within:
    """Only scenes of these episodes, and only these scenes; None: any."""

    episodes: set[int] | None = None
    scenes: set[int] | None = None

    def condition(self, episode: str, scene: str) -> Q:
        found = Q()
        if self.episodes is not None:
            found &= Q(**{f"{episode}__in": self.episodes})
        if self.scenes is not None:
            found &= Q(**{f"{scene}__in": self.scenes})
        return found


ANYWHERE = Within()


def _scene_emotions(query: Query, within: Within = ANYWHERE) -> QuerySet[SceneEmotion]:
    rows = SceneEmotion.objects.filter(episode_condition(query, "run__episode__"), run_id__in=published_runs())
    rows = rows.filter(within.condition("run__episode_id", "scene_id"))
    if query.character is not None:
        rows = rows.filter(character__slug=query.character)
    if query.target is Target.MOMENTS:
        rows = rows.filter(best_start_ms__isnull=False)
        return _result_lengths(rows, query, "best_start_ms", "best_end_ms")
    return _result_lengths(rows, query, "scene__start_ms", "scene__end_ms")


def _emotion_scenes(query: Query, within: Within) -> list[Row]:
    """By the shrunken lower bound; a scene once, with the character who shows the most."""
    rows = _scene_emotions(query, within).filter(emotion=query.emotion, score__gt=0, share__gte=LEAST_SHARE)
    return _once_per_scene(rows, "score", "-score")


def _cast_scenes(query: Query, within: Within) -> list[Row]:
    """Without an emotion: scenes by how long the character is visible, as a share of the scene."""
    length = ExpressionWrapper(F("scene__end_ms") - F("scene__start_ms"), output_field=FloatField())
    rows = _scene_emotions(query, within).annotate(in_view=Cast("visible_ms", FloatField()) / length)
    return _once_per_scene(rows, "in_view", "-visible_ms")


def _once_per_scene(rows: QuerySet[SceneEmotion], score: str, order: str) -> list[Row]:
    first = Window(RowNumber(), partition_by=F("scene_id"), order_by=[order, "-share", "id"])
    best = rows.annotate(place=first).filter(place=1).order_by(order, "id")
    values = best.values_list("pk", "run__episode_id", score)[:MOST_ROWS]
    return [Row(pk, episode, min(1.0, float(value)), {}) for pk, episode, value in values]


def _any_scenes(query: Query, within: Within) -> list[Row]:
    """Clauses alone: everything that fits, in the order of the catalogue."""
    if query.target is Target.MOMENTS:
        return _once_per_scene(_scene_emotions(query, within), "score", "-score")
    scenes = Scene.objects.filter(episode_condition(query, "run__episode__"), run_id__in=published_runs())
    scenes = _result_lengths(scenes.filter(within.condition("run__episode_id", "pk")), query, "start_ms", "end_ms")
    ordered = scenes.order_by("run__episode__title", "run__episode_id", "index")
    return [Row(pk, episode, 1.0, {}) for pk, episode in ordered.values_list("pk", "run__episode_id")[:MOST_ROWS]]


def _weighted(emotion: str, end: str) -> Expression:
    """The mean of one end of the interval over profiles, weighted by readable time. A mean of bounds is a bound."""
    value = Cast(KT(f"shares__{emotion}__{end}"), FloatField())
    mean: Expression = Sum(value * Cast("readable_ms", FloatField())) / Sum(Cast("readable_ms", FloatField()))
    return mean


def _profiles(query: Query) -> QuerySet[EmotionProfile]:
    rows = EmotionProfile.objects.filter(episode_condition(query, "run__episode__"), run_id__in=published_runs())
    if query.character is not None:
        rows = rows.filter(character__slug=query.character)
    if query.emotion is not None:
        rows = rows.filter(readable_ms__gt=0, **{f"shares__{query.emotion}__share__isnull": False})
    return rows


def _rated(rows: QuerySet[EmotionProfile], query: Query, key: str) -> list[dict[str, Any]]:
    """One row per ``key``: of rated profiles where there are any, else of what was measured without enough evidence."""
    emotion = str(query.emotion)
    grouped = (
        rows.order_by()
        .values(key, "enough")
        .annotate(
            low=_weighted(emotion, "low"),
            share=_weighted(emotion, "share"),
            high=_weighted(emotion, "high"),
            readable=Sum("readable_ms"),
            visible=Sum("visible_ms"),
            last=Max("run__episode_id"),
        )
    )
    best: dict[int, dict[str, Any]] = {}
    for row in sorted(grouped, key=lambda row: bool(row["enough"])):
        best[row[key]] = row
    return list(best.values())


def _score(row: dict[str, Any], order: Order) -> float:
    """How sure it is that there is much of the emotion (lower bound), or little (one minus the upper bound)."""
    return float(row["low"]) if order is Order.MOST else 1.0 - float(row["high"])


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    facts = {name: round(float(row[name]), 4) for name in ("share", "low", "high")}
    return {**facts, "readable_ms": row["readable"], "visible_ms": row["visible"], "enough_evidence": row["enough"]}


def _episodes(query: Query) -> list[Row]:
    rows = _profiles(query)
    if query.emotion is None:
        seen = rows.order_by("-visible_ms", "pk").values_list(
            "run__episode_id", "visible_ms", "readable_ms", "run__episode__source__duration_ms"
        )
        return [
            Row(episode, episode, min(1.0, visible / (length or visible or 1)),
                {"visible_ms": visible, "readable_ms": readable})
            for episode, visible, readable, length in seen
        ]  # fmt: skip
    found = [
        Row(r["run__episode_id"], r["run__episode_id"], _score(r, query.order), _facts(r), r["enough"])
        for r in _rated(rows, query, "run__episode_id")
    ]
    return _ordered(found)


def _ordered(rows: Sequence[Row]) -> list[Row]:
    """Rated ones first; what lacks evidence is listed apart, after them."""
    return sorted(rows, key=lambda r: (not r.enough, -r.score, r.pk))


def _any_episodes(query: Query) -> list[Row]:
    found = Episode.objects.filter(episode_condition(query, ""), publications__withdrawn_at__isnull=True)
    found = found.filter(publications__isnull=False).order_by("title", "pk")
    return [Row(pk, pk, 1.0, {}) for pk in found.values_list("pk", flat=True)[:MOST_ROWS]]


def _calm(query: Query) -> list[Row]:
    """Little anger and fear, by the upper bounds, and few changes of face.

    Over all profiles, weighted by readable time; ``switches``: expressions begun per readable minute.
    """
    rows = _profiles(query).filter(readable_ms__gt=0, shares__angry__isnull=False, shares__scared__isnull=False)
    found: dict[int, list[EmotionProfile]] = {}
    for profile in rows.select_related("run"):
        found.setdefault(profile.run.episode_id, []).append(profile)
    return _ordered([_calm_row(episode, profiles) for episode, profiles in found.items()])


def _calm_row(episode: int, profiles: list[EmotionProfile]) -> Row:
    readable = sum(p.readable_ms for p in profiles)

    def mean(values: Iterable[float]) -> float:
        return sum(v * p.readable_ms for v, p in zip(values, profiles, strict=True)) / readable

    angry = mean(p.shares["angry"]["high"] for p in profiles)
    scared = mean(p.shares["scared"]["high"] for p in profiles)
    switches = mean(sum(s["runs_per_minute"] for s in p.shares.values()) for p in profiles)
    enough = all(p.enough and not p.run.partial for p in profiles)
    score = max(0.0, 1 - angry - scared) * CALM_SWITCHES / (CALM_SWITCHES + switches)
    facts = {
        "angry_high": round(angry, 4),
        "scared_high": round(scared, 4),
        "switches_per_minute": round(switches, 2),
        "readable_ms": readable,
        "visible_ms": sum(p.visible_ms for p in profiles),
        "enough_evidence": enough,
    }
    return Row(episode, episode, score, facts, enough)


def _characters(query: Query) -> list[Row]:
    """Each with the episode that has its best scene for the emotion, else one in which it was rated."""
    rated = _rated(_profiles(query), query, "character_id")
    scenes = _scene_emotions(query).filter(emotion=query.emotion, score__gt=0, share__gte=LEAST_SHARE)
    scenes = scenes.filter(character_id__in=[r["character_id"] for r in rated])
    best = scenes.order_by("character_id", "-score", "id").distinct("character_id")
    at = {s.character_id: s for s in best.select_related("scene", "run")}
    found = []
    for row in rated:
        scene = at.get(row["character_id"])
        facts = _facts(row)
        if scene is not None:
            facts |= {"start_ms": scene.scene.start_ms, "end_ms": scene.scene.end_ms, "scene": scene.scene_id}
        episode = scene.run.episode_id if scene is not None else row["last"]
        found.append(Row(row["character_id"], episode, _score(row, query.order), facts, row["enough"]))
    return _ordered(found)
