"""Scenes of a run, and the best of them for a character's emotion."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import QuerySet

from analysis.models import AnalysisRun, Scene, SceneEmotion
from catalog.models import Character


@dataclass(frozen=True, slots=True)
class Moment:
    """The strongest thing that one character shows in a scene."""

    character: Character
    emotion: str
    share: float
    score: float
    readable_ms: int


@dataclass(frozen=True, slots=True)
class SceneCard:
    scene: Scene
    moments: tuple[Moment, ...]


def scene_cards(run: AnalysisRun) -> list[SceneCard]:
    """The scenes of a run in order, each with the strongest emotion of every character in it; two queries."""
    scenes = list(Scene.objects.filter(run=run).order_by("index"))
    rows = SceneEmotion.objects.filter(run=run).select_related("character")
    best: dict[int, dict[int, SceneEmotion]] = defaultdict(dict)
    for row in rows.order_by("scene_id", "character_id", "-share", "emotion"):
        best[row.scene_id].setdefault(row.character_id, row)
    cards = []
    for scene in scenes:
        moments = sorted(best[scene.pk].values(), key=lambda m: (-m.readable_ms, m.character.slug))
        cards.append(
            SceneCard(scene, tuple(Moment(m.character, m.emotion, m.share, m.score, m.readable_ms) for m in moments))
        )
    return cards


def scenes_ranked(*, character: Character, emotion: str, shown: QuerySet[AnalysisRun]) -> QuerySet[SceneEmotion]:
    """Scenes of a character in these runs by the score of an emotion, best first; the order is total."""
    rows = SceneEmotion.objects.filter(character=character, emotion=emotion, run_id__in=shown.values("pk"), score__gt=0)
    return rows.select_related("scene", "character", "run__episode__series").order_by("-score", "id")


NEWEST = 60  # runs that examples are taken from; to go through all takes a second where there are many


def telling_moods(shown: QuerySet[AnalysisRun], most: int = 4) -> list[tuple[Character, str]]:
    """Characters with the emotion of their best scene in the newest of these runs: questions that have an answer."""
    newest = list(shown.order_by("-pk").values_list("pk", flat=True)[:NEWEST])
    rows = SceneEmotion.objects.filter(run_id__in=newest, score__gt=0, share__gte=0.25).exclude(emotion="neutral")
    best = rows.select_related("character").order_by("character_id", "-score", "id").distinct("character_id")
    found = sorted(best, key=lambda row: (-row.score, row.pk))[:most]
    return [(row.character, row.emotion) for row in found]


def best_scenes(
    character: Character, shown: QuerySet[AnalysisRun], per_emotion: int = 3
) -> dict[str, list[SceneEmotion]]:
    """For every emotion that the character shows in these runs, its best scenes. One query; one scene counts once per
    emotion.
    """
    rows = SceneEmotion.objects.filter(character=character, run_id__in=shown.values("pk"), score__gt=0, share__gte=0.25)
    found: dict[str, list[SceneEmotion]] = defaultdict(list)
    for row in rows.select_related("scene", "run__episode__series").order_by("-score", "id")[:400]:
        if len(found[row.emotion]) < per_emotion:
            found[row.emotion].append(row)
    return dict(found)
