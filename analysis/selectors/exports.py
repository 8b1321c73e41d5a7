"""Everything that is shown, row by row, for exports. The list of runs is read once, so that nothing comes twice and
nothing is left out whatever is published meanwhile; rows a few runs at a time, so that memory does not grow with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Prefetch, QuerySet

from analysis.limits import Limits, limits_format
from analysis.models import EmotionProfile, EmotionSpan, Publication, Scene, SceneEmotion
from analysis.selectors.visible import episodes_visible, publications_visible
from catalog.models import Episode

FORMAT = 1  # is raised by whatever changes an export of the same rows
RUNS_AT_ONCE = 25
EPISODES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Empty strings and None mean anything."""

    limits: Limits
    series: str = ""
    episode: int | None = None
    character: str = ""

    def episodes(self) -> QuerySet[Episode]:
        """In the order of their ids."""
        found = episodes_visible(self.limits)
        if self.series:
            found = found.filter(series__slug=self.series)
        if self.episode is not None:
            found = found.filter(pk=self.episode)
        return found.order_by("pk")

    def shown(self) -> QuerySet[Publication]:
        """What those episodes show."""
        found = publications_visible(self.limits) if self.limits else Publication.objects.filter(withdrawn_at=None)
        if self.series:
            found = found.filter(episode__series__slug=self.series)
        if self.episode is not None:
            found = found.filter(episode_id=self.episode)
        return found.order_by("episode_id")

    def runs(self) -> Iterator[tuple[int, ...]]:
        """Ids, a few at a time; the list itself is read at once (eight bytes an episode), by a cursor of the server."""
        ids = iter(list(self.shown().values_list("run_id", flat=True).iterator(chunk_size=5_000)))
        while some := tuple(islice(ids, RUNS_AT_ONCE)):
            yield some

    def tag(self, kind: str) -> str:
        """A digest that changes whenever a row of the export may: of all that episodes, series and characters say, of
        what is shown, and of when it was derived.
        """
        with connection.cursor() as cursor:
            cursor.execute(_STATE)
            state = cursor.fetchone()
        parts = (FORMAT, kind, limits_format(self.limits), self.series, self.episode, self.character, state)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


_STATE = """
    SELECT (SELECT md5(string_agg(concat_ws(' ', e::text, f.duration_ms, p.run_id, r.layer, r.ratings_version, d.id),
                                  '|' ORDER BY e.id))
            FROM catalog_episode e LEFT JOIN catalog_sourcefile f ON f.id = e.source_id
            LEFT JOIN analysis_publication p ON p.episode_id = e.id AND p.withdrawn_at IS NULL
            LEFT JOIN analysis_analysisrun r ON r.id = p.run_id
            LEFT JOIN analysis_runfeatures d ON d.run_id = p.run_id),
           (SELECT md5(string_agg(s::text, '|' ORDER BY s.id)) FROM catalog_series s),
           (SELECT md5(string_agg(c::text, '|' ORDER BY c.id)) FROM catalog_character c)
"""


def episodes_export(asked: ExportRequest) -> Iterator[Episode]:
    yield from asked.episodes().iterator(chunk_size=EPISODES_AT_ONCE)


def profiles_export(asked: ExportRequest) -> Iterator[EmotionProfile]:
    """Episode by episode, whoever is seen longest first."""
    for runs in asked.runs():
        rows = EmotionProfile.objects.filter(run_id__in=runs).select_related("run__episode__series", "character")
        if asked.character:
            rows = rows.filter(character__slug=asked.character)
        yield from rows.order_by("run__episode_id", "-visible_ms", "pk")


def scenes_export(asked: ExportRequest) -> Iterator[Scene]:
    """Scene by scene, with ``emotions`` of all characters, or of the one that is asked for."""
    for runs in asked.runs():
        emotions = SceneEmotion.objects.select_related("character").order_by("character__slug", "emotion")
        scenes = Scene.objects.filter(run_id__in=runs).select_related("run__episode__series")
        if asked.character:
            emotions = emotions.filter(character__slug=asked.character)
            seen = SceneEmotion.objects.filter(run_id__in=runs, character__slug=asked.character)
            scenes = scenes.filter(pk__in=seen.values("scene_id"))
        yield from scenes.prefetch_related(Prefetch("emotions", queryset=emotions)).order_by("run__episode_id", "index")


SPAN_COLUMNS = ("run__episode_id", "run_id", "scene_id", "character__slug", "emotion", "start_ms", "end_ms", "strength")


def spans_export(asked: ExportRequest) -> Iterator[tuple[Any, ...]]:
    """Rows of SPAN_COLUMNS and the series' slug and the episode's title, in the order of each episode."""
    for runs in asked.runs():
        spans = EmotionSpan.objects.filter(run_id__in=runs)
        if asked.character:
            spans = spans.filter(character__slug=asked.character)
        rows = spans.order_by("run__episode_id", "start_ms", "pk")
        yield from rows.values_list(*SPAN_COLUMNS, "run__episode__series__slug", "run__episode__title")
