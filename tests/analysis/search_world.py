"""A catalogue as plain values, and its rows: what search finds is worked out on the values, apart from the database."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from analysis.models import (
    AnalysisRun,
    EmotionBound,
    EmotionProfile,
    EmotionSpan,
    ModelBundle,
    Publication,
    RunBound,
    RunStatus,
    Scene,
    SceneEmotion,
    Shot,
    Track,
)
from analysis.services.bounds import bounds_of, run_bounds_of
from analysis.services.shown import shown_refresh
from catalog.models import Character, Episode, Ordering, Series, SourceFile
from ml.types import EMOTIONS
from tests.analysis.runs_helpers import digest

ALL = tuple(str(e) for e in EMOTIONS)


@dataclass(slots=True)
class Profile:
    """``shares``: emotion -> (share, low, high, runs per minute)."""

    visible_ms: int
    readable_ms: int
    enough: bool
    shares: dict[str, tuple[float, float, float, float]]


@dataclass(slots=True)
class Shown:
    """What a character shows in a scene; ``best``: its strongest stretch."""

    scene: int
    who: str
    emotion: str
    visible_ms: int
    readable_ms: int
    share: float
    score: float
    best: tuple[int, int] | None
    pk: int = 0


@dataclass(slots=True)
class Stretch:
    scene: int
    who: str
    emotion: str
    start_ms: int
    end_ms: int
    strength: float
    pk: int = 0

    @property
    def length(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(slots=True)
class Show:
    """An episode with its published run. ``scenes``: [start, end) in ms."""

    title: str
    series: str
    season: int
    year: int
    duration_ms: int
    partial: bool = False
    strangers: bool = False
    published: bool = True
    synopsis: str = ""
    scenes: list[tuple[int, int]] = field(default_factory=list)
    profiles: dict[str, Profile] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    spans: list[Stretch] = field(default_factory=list)
    pk: int = 0
    run_pk: int = 0
    scene_pks: list[int] = field(default_factory=list)

    @property
    def strangers_share(self) -> float:
        return 0.2 if self.strangers else 0.0

    def longest_ms(self, who: str, emotion: str) -> int:
        return max((s.length for s in self.spans if s.who == who and s.emotion == emotion), default=0)


@dataclass(slots=True)
class World:
    """``characters`` and ``series``: slug -> name."""

    characters: dict[str, str]
    series: dict[str, str]
    shows: list[Show]
    character_pks: dict[str, int] = field(default_factory=dict)


def world_random(seed: int, shows: int = 8) -> World:
    """Few characters and many coincidences: equal numbers, bounds on limits, things missing."""
    rng = random.Random(seed)
    characters = {slug: slug.title() for slug in ("tom", "jerry", "pip", "rosa")}
    series = {"mice": "Mice", "cats": "Cats"}
    made = [_show(rng, n, list(characters), list(series)) for n in range(shows)]
    return World(characters, series, made)


def _show(rng: random.Random, number: int, cast: list[str], series: list[str]) -> Show:
    count = rng.randrange(1, 5)
    edges = [0, *sorted(rng.sample(range(1_000, 60_000, 500), count - 1)), 60_000]
    show = Show(
        title=f"{rng.choice(['Storm', 'Cheese', 'Flight'])} {number}",
        series=rng.choice(series),
        season=rng.randrange(1, 3),
        year=rng.choice([1936, 1940, 1950]),
        duration_ms=60_000,
        partial=rng.random() < 0.2,
        strangers=rng.random() < 0.4,
        published=rng.random() < 0.9,
        scenes=list(itertools.pairwise(edges)),
    )
    for who in cast:
        if rng.random() < 0.75:
            _act(rng, show, who)
    return show


def _act(rng: random.Random, show: Show, who: str) -> None:
    visible = rng.choice([5_000, 20_000, 40_000])
    readable = rng.choice([0, visible // 2, visible * 6 // 10, visible])
    emotions = ALL if rng.random() < 0.8 else ALL[:3]
    only = rng.choice(ALL) if rng.random() < 0.3 else None
    shares = {}
    for emotion in emotions:
        share = 1.0 if emotion == only else 0.0 if only else rng.choice([0.0, 0.1, 0.2, 0.5])
        wide = rng.choice([0.0, 0.005, 0.1])
        shares[emotion] = (share, max(0.0, share - wide), min(1.0, share + wide), rng.choice([0.0, 2.0, 6.0]))
    show.profiles[who] = Profile(visible, readable, rng.random() < 0.8, shares if readable else {})
    for index, (start, end) in enumerate(show.scenes):
        if readable == 0 or rng.random() < 0.3:
            continue
        seen = rng.choice([1_500, 5_000, 10_000])
        for emotion in emotions if only is None else [only]:
            _scene(rng, show, index, (start, end), who, emotion, seen)


def _scene(
    rng: random.Random, show: Show, index: int, scene: tuple[int, int], who: str, emotion: str, seen: int
) -> None:
    start, end = scene
    best = None
    for _ in range(rng.choice([0, 0, 1, 2])):
        at = rng.randrange(start, end, 500)
        until = min(end, at + rng.choice([500, 1_000, 5_000]))
        if any(s.who == who and s.emotion == emotion and s.start_ms == at for s in show.spans):
            continue
        show.spans.append(Stretch(index, who, emotion, at, until, rng.choice([0.6, 0.75, 0.9])))
        best = (at, until)
    if rng.random() < 0.9:
        share = rng.choice([0.0, 0.1, 0.2, 0.5, 0.9])
        show.shown.append(Shown(index, who, emotion, seen, seen, share, rng.choice([0.0, 0.1, 0.3, 0.3, 0.6]), best))


def store(world: World) -> World:
    """Writes the rows; gives every value its key. Everything that a run would have derived, without the faces."""
    bundle = ModelBundle.objects.create(
        name="world", version="1", digest=digest("search world"), characters=list(world.characters), emotions=list(ALL)
    )
    series = {s: Series.objects.create(slug=s, title=title) for s, title in world.series.items()}
    for slug, name in world.characters.items():
        world.character_pks[slug] = Character.objects.create(slug=slug, name=name).pk
    for number, show in enumerate(world.shows, 1):
        _store_show(world, show, number, series[show.series], bundle)
    shown_refresh()
    return world


def _store_show(world: World, show: Show, number: int, series: Series, bundle: ModelBundle) -> None:
    source = SourceFile.objects.create(
        sha256=digest(f"search {number}"),
        size_bytes=1,
        stored_name=f"sources/search-{number}.mp4",
        original_name="a.mp4",
        container="mp4",
        codec="h264",
        width=640,
        height=360,
        duration_ms=show.duration_ms,
    )
    episode = Episode.objects.create(
        series=series,
        ordering=Ordering.AIRED,
        identity=f"S{show.season:02d}E{number:02d}",
        season=show.season,
        number=number,
        title=show.title,
        year=show.year,
        synopsis=show.synopsis,
        source=source,
    )
    show.pk = episode.pk
    run = AnalysisRun.objects.create(
        episode=episode,
        bundle=bundle,
        source_sha256=source.sha256,
        fingerprint=digest(f"run {number}"),
        status=RunStatus.SUCCEEDED,
        partial=show.partial,
        strangers=show.strangers_share,
        finished_at=timezone.now(),
    )
    show.run_pk = run.pk
    if show.published:
        Publication.objects.create(episode=episode, run=run)
    if show.strangers:
        shot = Shot.objects.create(run=run, index=0, start_ms=0, end_ms=show.duration_ms)
        Track.objects.create(run=run, shot=shot, character=None, index=0, start_ms=0, end_ms=1_000)
    scenes = Scene.objects.bulk_create(
        Scene(run=run, index=i, start_ms=a, end_ms=b) for i, (a, b) in enumerate(show.scenes)
    )
    show.scene_pks = [s.pk for s in scenes]
    pks = world.character_pks
    profiles = EmotionProfile.objects.bulk_create(
        EmotionProfile(run=run, character_id=pks[who], visible_ms=p.visible_ms, readable_ms=p.readable_ms, drawings=1,
                       shots=1, enough=p.enough,
                       shares={e: _share(*values, show.longest_ms(who, e)) for e, values in p.shares.items()})
        for who, p in show.profiles.items()
    )  # fmt: skip
    bounds = EmotionBound.objects.bulk_create(bounds_of(run, profiles, partial=show.partial))
    RunBound.objects.bulk_create(run_bounds_of(run, bounds, partial=show.partial, strangers=show.strangers_share))
    rows = SceneEmotion.objects.bulk_create(
        SceneEmotion(run=run, scene=scenes[s.scene], character_id=pks[s.who], emotion=s.emotion, share=s.share,
                     visible_ms=s.visible_ms, readable_ms=s.readable_ms, baseline=0.0, score=s.score,
                     best_start_ms=s.best and s.best[0], best_end_ms=s.best and s.best[1])
        for s in show.shown
    )  # fmt: skip
    for shown, row in zip(show.shown, rows, strict=True):
        shown.pk = row.pk
    spans = EmotionSpan.objects.bulk_create(
        EmotionSpan(run=run, scene=scenes[s.scene], character_id=pks[s.who], emotion=s.emotion, start_ms=s.start_ms,
                    end_ms=s.end_ms, strength=s.strength)
        for s in show.spans
    )  # fmt: skip
    for stretch, span in zip(show.spans, spans, strict=True):
        stretch.pk = span.pk


def _share(share: float, low: float, high: float, per_minute: float, longest_ms: int) -> dict[str, Any]:
    return {
        "share": round(share, 6),
        "low": round(low, 6),
        "high": round(high, 6),
        "raw": round(share, 6),
        "runs_per_minute": per_minute,
        "longest_ms": longest_ms,
        "peak_start_ms": None,
        "peak_end_ms": None,
    }
