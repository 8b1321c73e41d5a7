"""What was found of episodes: ratings and scenes, in pages that hold although another run is published meanwhile."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from analysis.api import serializers as shape
from analysis.api.pages import ProfilePages, ScenePages
from analysis.api.views import LimitedViewSet, choice_of, number_of, parameter, text_of
from analysis.models import EmotionProfile, Scene, SceneEmotion
from ml.types import EMOTIONS

OF_EPISODE = parameter("episode", "Id of an episode", kind=int)
OF_RUN = parameter("run", "Id of a run", kind=int)


class OfRuns(LimitedViewSet):
    """Rows that belong to runs. Everybody sees those of the runs that episodes show; whoever may see runs, all."""

    lookup_value_regex = r"\d{1,18}"

    @abstractmethod
    def rows(self) -> QuerySet[Any]:
        """As filtered by the request, without regard to which runs may be seen."""

    def filtered(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """By the filters that all of these lists have."""
        if (run := number_of(self.request, "run")) is not None:
            rows = rows.filter(run_id=run)
        if (episode := number_of(self.request, "episode")) is not None:
            rows = rows.filter(run__episode_id=episode)
        return rows

    def get_queryset(self) -> QuerySet[Any]:
        return self.rows().filter(run_id__in=self.visible_runs().values("pk"))

    def episode_of(self, pk: int) -> int | None:
        rows = self.rows().filter(run_id__in=self.permitted_runs().values("pk"), pk=pk)
        found: int | None = rows.order_by().values_list("run__episode_id", flat=True).first()
        return found


@extend_schema_view(list=extend_schema(parameters=[OF_EPISODE, OF_RUN, parameter("character", "Slug of a character")]))
class ProfileViewSet(OfRuns):
    """Ratings: what a character shows in an episode, with the evidence."""

    queryset = EmotionProfile.objects.none()
    serializer_class = shape.ProfileSerializer
    pagination_class = ProfilePages

    def rows(self) -> QuerySet[EmotionProfile]:
        rows = EmotionProfile.objects.select_related("run", "character")
        if self.action != "list":
            return rows
        slug = text_of(self.request, "character")
        return self.filtered(rows.filter(character__slug=slug) if slug else rows)


@extend_schema_view(
    list=extend_schema(
        parameters=[
            OF_EPISODE,
            OF_RUN,
            parameter("character", "Slug of a character who is seen"),
            parameter("emotion", "Some character shows it", [str(e) for e in EMOTIONS]),
        ]
    )
)
class SceneViewSet(OfRuns):
    """Scenes in the order of the episode; `search` ranks them."""

    queryset = Scene.objects.none()
    serializer_class = shape.SceneSerializer
    pagination_class = ScenePages

    def rows(self) -> QuerySet[Scene]:
        scenes = Scene.objects.select_related("run")
        if not self.chosen or "emotions" in self.chosen:
            emotions = SceneEmotion.objects.select_related("character").order_by("character__slug", "emotion")
            scenes = scenes.prefetch_related(Prefetch("emotions", queryset=emotions))
        return self.filtered(self._showing(scenes)) if self.action == "list" else scenes

    def _showing(self, scenes: QuerySet[Scene]) -> QuerySet[Scene]:
        emotion = choice_of(self.request, "emotion", EMOTIONS)
        character = text_of(self.request, "character")
        if not (emotion or character):
            return scenes
        shown = {"emotion": emotion, "character__slug": character}
        matching = SceneEmotion.objects.filter(score__gt=0, **{name: value for name, value in shown.items() if value})
        return scenes.filter(pk__in=matching.values("scene_id"))
