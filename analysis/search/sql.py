"""A query -> rows, in the order in which they are shown. SQL is made from the typed query and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Expression, ExpressionWrapper, F, FloatField, IntegerField, Max, Q, QuerySet, Sum, Window
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, RowNumber

from analysis.models import EmotionProfile, Publication, Scene, SceneEmotion
from analysis.search.query import InSeries, Length, Of, Op, Order, Query, Season, Target, Title, Years
from catalog.models import Episode

LEAST_SHARE = 0.1  # a scene in which less of the readable time shows the emotion is not a scene of that emotion
MOST_ROWS = 2_000  # of one answer, over all its pages
_LOOKUP = {Op.LT: "lt", Op.LE: "lte", Op.GT: "gt", Op.GE: "gte"}


@dataclass(frozen=True, slots=True)
class Row:
    """A place in the answer. ``pk``: of a SceneEmotion, a Scene, an Episode or a Character, as the target has it."""

    pk: int
    episode_id: int
    score: float
    facts: dict[str, Any]
    enough: bool = True


def published_runs() -> QuerySet[Any, Any]:
    return Publication.objects.filter(withdrawn_at__isnull=True).values("run_id")


def episode_condition(query: Query, prefix: str) -> Q:
    """The clauses about the episode, which ``prefix`` leads to."""
    condition = Q()
    for clause in query.clauses:
        match clause:
            case Length(Of.EPISODE, op, ms):
                condition &= Q(**{f"{prefix}source__duration_ms__{_LOOKUP[op]}": ms})
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
            case Length():
                pass
    return condition


def _result_lengths(rows: QuerySet[Any], query: Query, start: str, end: str) -> QuerySet[Any]:
    for clause in query.clauses:
        if isinstance(clause, Length) and clause.of is Of.RESULT:
            length = ExpressionWrapper(F(end) - F(start), output_field=IntegerField())
            rows = rows.alias(length_ms=length).filter(**{f"length_ms__{_LOOKUP[clause.op]}": clause.ms})
    return rows


def rows_of(query: Query) -> list[Row]:
    """At most MOST_ROWS; best first; the order is total, so that it never changes between pages."""
    match query.target:
        case Target.SCENES | Target.MOMENTS if query.emotion is not None:
            return _emotion_scenes(query)
        case Target.SCENES | Target.MOMENTS:
            return _cast_scenes(query) if query.character is not None else _any_scenes(query)
        case Target.EPISODES:
            return (
                _episodes(query) if query.emotion is not None or query.character is not None else _any_episodes(query)
            )
        case Target.CHARACTERS:
            return _characters(query)


def _scene_emotions(query: Query) -> QuerySet[SceneEmotion]:
    rows = SceneEmotion.objects.filter(episode_condition(query, "run__episode__"), run_id__in=published_runs())
    if query.character is not None:
        rows = rows.filter(character__slug=query.character)
    if query.target is Target.MOMENTS:
        rows = rows.filter(best_start_ms__isnull=False)
        return _result_lengths(rows, query, "best_start_ms", "best_end_ms")
    return _result_lengths(rows, query, "scene__start_ms", "scene__end_ms")


def _emotion_scenes(query: Query) -> list[Row]:
    """By the shrunken lower bound; a scene once, with the character who shows the most."""
    rows = _scene_emotions(query).filter(emotion=query.emotion, score__gt=0, share__gte=LEAST_SHARE)
    return _once_per_scene(rows, "score", "-score")


def _cast_scenes(query: Query) -> list[Row]:
    """Without an emotion: scenes by how long the character is visible, as a share of the scene."""
    length = ExpressionWrapper(F("scene__end_ms") - F("scene__start_ms"), output_field=FloatField())
    rows = _scene_emotions(query).annotate(in_view=Cast("visible_ms", FloatField()) / length)
    return _once_per_scene(rows, "in_view", "-visible_ms")


def _once_per_scene(rows: QuerySet[SceneEmotion], score: str, order: str) -> list[Row]:
    first = Window(RowNumber(), partition_by=F("scene_id"), order_by=[order, "-share", "id"])
    best = rows.annotate(place=first).filter(place=1).order_by(order, "id")
    values = best.values_list("pk", "run__episode_id", score)[:MOST_ROWS]
    return [Row(pk, episode, min(1.0, float(value)), {}) for pk, episode, value in values]


def _any_scenes(query: Query) -> list[Row]:
    """Clauses alone: everything that fits, in the order of the catalogue."""
    if query.target is Target.MOMENTS:
        return _once_per_scene(_scene_emotions(query), "score", "-score")
    scenes = Scene.objects.filter(episode_condition(query, "run__episode__"), run_id__in=published_runs())
    scenes = _result_lengths(scenes, query, "start_ms", "end_ms")
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
            for episode, visible, readable, length in seen[:MOST_ROWS]
        ]  # fmt: skip
    found = [
        Row(r["run__episode_id"], r["run__episode_id"], _score(r, query.order), _facts(r), r["enough"])
        for r in _rated(rows, query, "run__episode_id")
    ]
    return _ordered(found)


def _ordered(rows: Sequence[Row]) -> list[Row]:
    """Rated ones first; what lacks evidence is listed apart, after them."""
    return sorted(rows, key=lambda r: (not r.enough, -r.score, r.pk))[:MOST_ROWS]


def _any_episodes(query: Query) -> list[Row]:
    found = Episode.objects.filter(episode_condition(query, ""), publications__withdrawn_at__isnull=True)
    found = found.filter(publications__isnull=False).order_by("title", "pk")
    return [Row(pk, pk, 1.0, {}) for pk in found.values_list("pk", flat=True)[:MOST_ROWS]]


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
