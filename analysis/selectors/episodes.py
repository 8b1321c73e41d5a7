"""Episodes as people browse them: each with the run it shows, in a number of queries that does not grow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, FilteredRelation, FloatField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from analysis.errors import EpisodeAmbiguous, EpisodeUnknown
from analysis.models import AnalysisRun, EmotionProfile, Publication, Scene
from analysis.selectors.profiles import LEVEL_EDGES, Glance, Rating, glance_of, rating_of
from catalog.models import Character, Episode, Series
from ml.types import EMOTIONS, Emotion

SORTS = {
    "series": _("Series"),
    "title": _("Title"),
    "newest": _("Newest first"),
    "shortest": _("Shortest first"),
    "longest": _("Longest first"),
    "most": _("Most of it"),
    "least": _("Least of it"),
}
AMOUNTS = {"little": _("A little at most"), "some": _("Some or more"), "lot": _("A lot")}
MINUTES = (3, 5, 8, 12, 20, 30)  # "at most so long"


@dataclass(frozen=True, slots=True)
class EpisodeFilter:
    """What a visitor narrows the catalogue to; empty strings mean anything."""

    series: str = ""
    character: str = ""
    emotion: str = ""
    words: str = ""
    sort: str = "series"
    amount: str = ""
    minutes: str = ""
    year: str = ""

    @property
    def any(self) -> bool:
        return bool(self.series or self.character or self.emotion or self.words or self.minutes or self.year)

    @property
    def bounds(self) -> Q:
        """What ``amount`` asks of an emotion's ``low`` and ``high``; without one, that it is sure to show at all."""
        _, little, some = LEVEL_EDGES
        least = {"some": Q(low__gte=little), "lot": Q(low__gte=some), "little": Q(high__lt=little)}
        return least.get(self.amount, Q(low__gt=0))


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
    if wanted.minutes:
        longest = int(wanted.minutes) * 60_000 if wanted.minutes.isdecimal() and len(wanted.minutes) < 5 else 0
        found = found.filter(source__duration_ms__lte=longest)
    if wanted.year:
        known = wanted.year.isdecimal() and len(wanted.year) < 5
        found = found.filter(year=int(wanted.year)) if known else found.none()
    emotion = wanted.emotion if wanted.emotion in EMOTIONS else ""
    if wanted.character:
        rated = {f"{_PROFILE}__enough": True} if emotion else {}
        found = found.filter(**{f"{_PROFILE}__character__slug": wanted.character}, **rated)
    if emotion:
        found = _with_bounds(found, wanted, emotion).filter(wanted.bounds)
    return _sorted(found, emotion, wanted.sort)


_PROFILE = "shown__run__profiles"  # of the run that is shown


def _with_bounds(found: QuerySet[Any], wanted: EpisodeFilter, emotion: str) -> QuerySet[Any]:
    """With ``low`` and ``high`` of the emotion's share: the character's, else the mean of whoever is rated. Without
    episodes that lack the evidence.
    """
    if wanted.character:
        share = KeyTransform(emotion, f"{_PROFILE}__shares")
        ends = {e: Cast(KeyTextTransform(e, share), FloatField()) for e in ("low", "high")}
        measured: QuerySet[Any] = found.annotate(**ends)
        return measured
    told = FilteredRelation("summaries", condition=Q(summaries__emotion=emotion))
    rated = found.annotate(told=told).filter(told__rated_enough=True)
    summed: QuerySet[Any] = rated.annotate(low=F("told__rated_low"), high=F("told__rated_high"))
    return summed


def _sorted(found: QuerySet[Any], emotion: str, sort: str) -> QuerySet[Episode]:
    if sort in ("most", "least") and emotion:
        return found.order_by(F("low").desc() if sort == "most" else F("high").asc(), "title", "pk")
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
        series, identity = name.split("/", 1)
        matching = everything.filter(series__slug=series, identity__iexact=identity)
    else:
        matching = everything.filter(title__iexact=name)
    episodes = list(matching[:3])
    if not episodes:
        raise EpisodeUnknown(_("There is no episode %(name)s.") % {"name": repr(name)})
    if len(episodes) > 1:
        ids = ", ".join(str(e.pk) for e in episodes)
        raise EpisodeAmbiguous(f"{name!r} means several episodes; name one by its id ({ids}).")
    return episodes[0]


def series_choices(among: QuerySet[Episode]) -> list[Series]:
    """Series that have one of these episodes."""
    ids = among.order_by().values("series_id")
    return list(Series.objects.filter(pk__in=ids).order_by("title", "pk"))


def year_choices(among: QuerySet[Episode]) -> list[int]:
    """Years of these episodes, the newest first."""
    years = among.filter(year__isnull=False).order_by().values_list("year", flat=True).distinct()
    return sorted((year for year in years if year is not None), reverse=True)


def character_choices(shown: QuerySet[AnalysisRun], series: str = "", most: int | None = None) -> list[Character]:
    """Characters whom one of these runs shows; of one series, and so many of them, where that is asked."""
    seen = EmotionProfile.objects.filter(run_id__in=shown.values("pk"), character_id=OuterRef("pk"))
    found = Character.objects.filter(Exists(seen)).order_by("name", "pk")
    if series:
        found = found.filter(Q(series__slug=series) | Q(series__isnull=True))
    return list(found if most is None else found[:most])


def character_slug(name: str) -> str:
    """Of whoever is called so, letter case aside, or has it for a slug; what was said where nobody is."""
    if not name:
        return ""
    known = Character.objects.filter(Q(slug=name) | Q(name__iexact=name)).order_by("pk")
    return known.values_list("slug", flat=True).first() or name


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
