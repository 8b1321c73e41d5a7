"""Episodes as people browse them: each with the run it shows, in a number of queries that does not grow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, FloatField, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from analysis.errors import EpisodeAmbiguous, EpisodeUnknown
from analysis.models import AnalysisRun, EmotionProfile, Publication, Scene
from analysis.selectors.profiles import Glance, Rating, glance_of, rating_of
from catalog.models import Character, Episode, Series
from ml.types import EMOTIONS, Emotion

SORTS = {
    "series": "Series",
    "title": "Title",
    "newest": "Newest first",
    "shortest": "Shortest first",
    "longest": "Longest first",
    "most": "Most of it",
    "least": "Least of it",
}


@dataclass(frozen=True, slots=True)
class EpisodeFilter:
    """What a visitor narrows the catalogue to; empty strings mean anything."""

    series: str = ""
    character: str = ""
    emotion: str = ""
    words: str = ""
    sort: str = "series"

    @property
    def any(self) -> bool:
        return bool(self.series or self.character or self.emotion or self.words)


@dataclass(frozen=True, slots=True)
class EpisodeCard:
    """``run``: the one it shows, or None; ``latest``: the newest run of any kind, for what has nothing to show."""

    episode: Episode
    run: AnalysisRun | None
    latest: AnalysisRun | None
    thumbnail_scene: int | None
    ratings: tuple[Rating, ...]
    glance: Glance


def episodes_annotated() -> QuerySet[Episode]:
    """Every episode with series and source joined, and ``shown_run``: the id of the run it shows, or None."""
    current = Publication.objects.filter(episode=OuterRef("pk"), withdrawn_at__isnull=True)
    return Episode.objects.select_related("series", "source").annotate(shown_run=Subquery(current.values("run_id")[:1]))


def episodes_find(wanted: EpisodeFilter, among: QuerySet[Episode]) -> QuerySet[Episode]:
    """Those of ``among`` (rows of ``episodes_annotated``), filtered and sorted; the order is total, so that pages never
    overlap.
    """
    found = among
    if wanted.series:
        found = found.filter(series__slug=wanted.series)
    if wanted.words:
        for word in wanted.words.split()[:8]:
            found = found.filter(Q(title__icontains=word) | Q(series__title__icontains=word))
    profiles = EmotionProfile.objects.filter(run_id=OuterRef("shown_run"))
    if wanted.character:
        profiles = profiles.filter(character__slug=wanted.character)
        found = found.filter(Exists(profiles))
    emotion = wanted.emotion if wanted.emotion in EMOTIONS else ""
    if emotion:
        found = found.filter(Exists(_with_bound(profiles, emotion, "low").filter(bound__gt=0)))
    return _sorted(found, profiles, emotion, wanted.sort)


def _with_bound(profiles: QuerySet[EmotionProfile], emotion: str, bound: str) -> QuerySet[Any]:
    """Rated profiles with ``bound``: the lower or upper end of the emotion's share."""
    return profiles.filter(enough=True).annotate(bound=Cast(KT(f"shares__{emotion}__{bound}"), FloatField()))


def _sorted(found: QuerySet[Episode], profiles: QuerySet[EmotionProfile], emotion: str, sort: str) -> QuerySet[Episode]:
    if sort in ("most", "least") and emotion:
        bounds = _with_bound(profiles, emotion, "low" if sort == "most" else "high")
        highest = bounds.order_by().values("run_id").annotate(highest=Max("bound")).values("highest")
        found = found.annotate(bound=Subquery(highest[:1]))
        order = F("bound").desc(nulls_last=True) if sort == "most" else F("bound").asc(nulls_last=True)
        return found.order_by(order, "title", "pk")
    by = {
        "title": ("title",),
        "newest": ("-created_at",),
        "shortest": (F("source__duration_ms").asc(nulls_last=True),),
        "longest": (F("source__duration_ms").desc(nulls_last=True),),
    }
    default = ("series__title", F("season").asc(nulls_last=True), F("number").asc(nulls_last=True), "part", "title")
    return found.order_by(*by.get(sort, default), "pk")


def episode_cards(episodes: Sequence[Episode]) -> list[EpisodeCard]:
    """Cards for one page of ``episodes_annotated`` rows, in four queries however many they are."""
    shown = [run_id for e in episodes if (run_id := _shown_run(e)) is not None]
    runs = AnalysisRun.objects.select_related("bundle").in_bulk(shown)
    ratings = ratings_by_run(shown)
    picture = scenes_to_show(shown)
    without = [e.pk for e in episodes if _shown_run(e) is None]
    newest = AnalysisRun.objects.filter(episode_id__in=without).order_by("episode_id", "-id").distinct("episode_id")
    latest = {run.episode_id: run for run in newest}
    cards = []
    for episode in episodes:
        run_id = _shown_run(episode)
        found = ratings.get(run_id, ()) if run_id is not None else ()
        run = runs.get(run_id) if run_id is not None else None
        scene = picture.get(run_id) if run_id is not None else None
        cards.append(EpisodeCard(episode, run, latest.get(episode.pk), scene, tuple(found), glance_of(found)))
    return cards


def scenes_to_show(run_ids: Iterable[int]) -> dict[int, int]:
    """The scene whose picture stands for each run: where known faces are seen longest, else the first with one."""
    scenes = Scene.objects.filter(run_id__in=list(run_ids)).exclude(thumbnail="")
    seen = scenes.annotate(seen=Sum("emotions__visible_ms"))
    best: dict[int, int] = {}
    for run_id, pk in seen.order_by("run_id", F("seen").desc(nulls_last=True), "index").values_list("run_id", "pk"):
        best.setdefault(run_id, pk)
    return best


def _shown_run(episode: Episode) -> int | None:
    run_id: int | None = episode.__dict__["shown_run"]  # the annotation of episodes_annotated
    return run_id


def ratings_by_run(run_ids: Iterable[int]) -> dict[int, list[Rating]]:
    """The ratings of each run, the character seen longest first, in one query."""
    rows = EmotionProfile.objects.filter(run_id__in=list(run_ids)).select_related("character")
    found: dict[int, list[Rating]] = defaultdict(list)
    for row in rows.order_by("run_id", "-visible_ms", "character__slug"):
        found[row.run_id].append(rating_of(row))
    return dict(found)


def episode_get(pk: int) -> Episode | None:
    return episodes_annotated().filter(pk=pk).first()


def episode_named(name: str) -> Episode:
    """By id, SERIES/IDENTITY or title, as people type it. Raises EpisodeUnknown or EpisodeAmbiguous."""
    everything = episodes_annotated().order_by("series_id", "pk")
    if name.isdecimal():
        matching = everything.filter(pk=int(name))
    elif "/" in name:
        series, _, identity = name.partition("/")
        matching = everything.filter(series__slug=series, identity__iexact=identity)
    else:
        matching = everything.filter(title__iexact=name)
    episodes = list(matching[:3])
    if not episodes:
        raise EpisodeUnknown(f"There is no episode {name!r}.")
    if len(episodes) > 1:
        ids = ", ".join(str(e.pk) for e in episodes)
        raise EpisodeAmbiguous(f"{name!r} means several episodes; name one by its id ({ids}).")
    return episodes[0]


def series_choices(among: QuerySet[Episode]) -> list[Series]:
    """Series that have one of these episodes."""
    ids = among.order_by().values("series_id")
    return list(Series.objects.filter(pk__in=ids).order_by("title", "pk"))


def character_choices(shown: QuerySet[AnalysisRun]) -> list[Character]:
    """Characters whom one of these runs shows."""
    seen = EmotionProfile.objects.filter(run_id__in=shown.values("pk"), character_id=OuterRef("pk"))
    return list(Character.objects.filter(Exists(seen)).order_by("name", "pk"))


@dataclass(frozen=True, slots=True)
class Appearance:
    episode: Episode
    rating: Rating


def character_appearances(character: Character, shown: QuerySet[AnalysisRun]) -> list[Appearance]:
    """Where a character is seen in these runs, with its rating there; in two queries."""
    rows = EmotionProfile.objects.filter(character=character, run_id__in=shown.values("pk"))
    profiles = list(rows.select_related("character", "run__episode__series", "run__episode__source"))
    profiles.sort(key=lambda p: (p.run.episode.series.title, p.run.episode.identity, p.pk))
    return [Appearance(p.run.episode, rating_of(p)) for p in profiles]


def emotion_named(name: str) -> Emotion | None:
    return Emotion(name) if name in EMOTIONS else None
