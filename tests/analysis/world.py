"""A small catalogue that was analysed: what pages, API and search are tested on.

Made through the services, as a worker would make it, from faces that follow a script; so ratings, scenes and scores
are those of the real arithmetic.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.models import AnalysisRun, ModelBundle
from analysis.services.bundles import bundle_register
from analysis.services.finalise import run_finalise
from analysis.services.leases import segment_complete
from analysis.services.runs import run_request
from catalog.models import Character, Episode, Ordering, Series, SourceFile
from ml.types import EMOTIONS, BundleRef, Detection, Emotion, Mask, SegmentResult, Shot, ShotKind
from tests.analysis.runs_helpers import claim, digest

NAMES = {"tom": "Tom", "jerry": "Jerry", "pip": "Pip", "rosa": "Rosa"}
COLOURS = {"tom": "#8a8f98", "jerry": "#a8703c", "pip": "#f2c230", "rosa": "#eb8fb0"}
DRAWING_MS = 125
TEMPERS: dict[str, Mapping[Emotion, float]] = {
    "tom": {Emotion.ANGRY: 4, Emotion.SURPRISED: 2, Emotion.HAPPY: 1, Emotion.SAD: 1, Emotion.NEUTRAL: 1},
    "jerry": {Emotion.HAPPY: 5, Emotion.SCARED: 1, Emotion.SURPRISED: 1, Emotion.NEUTRAL: 1},
    "pip": {Emotion.SCARED: 3, Emotion.SAD: 2, Emotion.HAPPY: 2, Emotion.NEUTRAL: 2},
    "rosa": {Emotion.NEUTRAL: 3, Emotion.DISGUSTED: 2, Emotion.HAPPY: 2},
}
Mood = tuple[int, int, Emotion]


def make_bundle(version: str = "1") -> ModelBundle:
    ref = BundleRef("toonemo", version, digest(f"world bundle {version}"))
    bundle = bundle_register(ref=ref, characters=NAMES, emotions=EMOTIONS, card={"name": "toonemo"})
    for slug, colour in COLOURS.items():
        Character.objects.filter(slug=slug).update(colour=colour)
    return bundle


def make_series(title: str = "The Missing Cheese", slug: str = "cheese") -> Series:
    return Series.objects.get_or_create(slug=slug, defaults={"title": title})[0]


def make_episode(series: Series, number: int, title: str, duration_ms: int = 60_000, **values: Any) -> Episode:
    sha256 = digest(f"{series.slug} {number}")
    source = SourceFile.objects.create(
        sha256=sha256,
        size_bytes=1_000,
        stored_name=values.pop("stored_name", f"sources/{sha256}.mp4"),
        original_name=f"{title}.mp4",
        container="mov,mp4,m4a,3gp,3g2,mj2",
        codec="h264",
        width=640,
        height=360,
        duration_ms=duration_ms,
    )
    return Episode.objects.create(
        series=series,
        ordering=Ordering.AIRED,
        identity=f"S01E{number:02d}",
        season=1,
        number=number,
        title=title,
        source=source,
        **values,
    )


def make_moods(slug: str, duration_ms: int, seed: int) -> list[Mood]:
    """What a character of that temper shows over an episode; sometimes nothing, for it is not there."""
    rng = random.Random(f"{slug} {seed}")
    temper = TEMPERS[slug]
    found, at = [], rng.randrange(0, 3_000)
    while at < duration_ms:
        end = min(duration_ms, at + rng.randrange(1_000, 4_500))
        if rng.random() < 0.7:
            found.append((at, end, rng.choices(list(temper), list(temper.values()))[0]))
        at = end
    return found


def make_result(
    start_ms: int, end_ms: int, moods: Mapping[str | None, Sequence[Mood]], cut_every_ms: int = 3_000
) -> SegmentResult:
    """A pass over [start_ms, end_ms) that finds exactly what ``moods`` say. Shots last ``cut_every_ms``."""
    faces = [
        _face(pts, min(DRAWING_MS, end_ms - pts), who, place, mood)
        for pts in range(start_ms, end_ms, DRAWING_MS)
        for place, (who, spans) in enumerate(moods.items())
        for a, b, mood in spans
        if a <= pts < b
    ]
    return SegmentResult(
        start_ms=start_ms,
        end_ms=end_ms,
        frames=(end_ms - start_ms) // 42,
        drawings=(end_ms - start_ms) // DRAWING_MS,
        cuts_ms=tuple(c for c in range(0, end_ms, cut_every_ms) if start_ms <= c and c > 0),
        kinds=(Shot(0, 2_000, ShotKind.TITLE),) if start_ms == 0 and end_ms > 20_000 else (),
        detections=tuple(faces),
        timings={"decode": 1.5, "detect": 9.25, "classify": 2.5},
    )


def _face(pts_ms: int, shown_ms: int, who: str | None, place: int, mood: Emotion) -> Detection:
    left = 10.0 + 120 * place + (pts_ms // 500) % 3
    rest = (1 - 0.88) / (len(EMOTIONS) - 1)
    return Detection(
        pts_ms=pts_ms,
        shown_ms=shown_ms,
        character=who,
        box=(left, 40.0, left + 90, 140.0),
        mask=Mask((360, 640), "abc"),
        score=0.9,
        emotions={e: 0.88 if e is mood else rest for e in EMOTIONS},
        emotion=mood,
        confidence=0.88,
        embedding=tuple(0.1 for _ in range(128)),
    )


def analyse(
    episode: Episode, moods: Mapping[str | None, Sequence[Mood]], *, bundle: str = "toonemo-1", **options: Any
) -> AnalysisRun:
    """Requests, does and finalises a run; it is published by the rule."""
    make_bundle()
    run = run_request(episode=episode, bundle_name=bundle, **options)
    for segment in run.segments.all():
        token = claim(segment).token
        assert segment_complete(token, make_result(segment.start_ms, segment.end_ms, moods))
    done = run_finalise(run.pk)
    assert done is not None
    return done


def analysed_chase(number: int, title: str) -> Episode:
    """90 s in which Tom smiles twelve times for a second, Jerry each time half a second after him."""
    smiles = [3_000 * shot + 500 + 97 * shot % 900 for shot in (1, 2, 4, 7, 8, 10, 13, 14, 17, 19, 22, 23)]
    moods: dict[str | None, Sequence[Mood]] = {}
    for slug, late in (("tom", 0), ("jerry", 500)):
        at, found = 0, []
        for smile in smiles:
            found += [(at, smile + late, Emotion.NEUTRAL), (smile + late, smile + late + 1_000, Emotion.HAPPY)]
            at = smile + late + 1_000
        moods[slug] = [*found, (at, 90_000, Emotion.NEUTRAL)]
    episode = make_episode(make_series(), number, title, 90_000)
    analyse(episode, moods)
    return episode


def analysed_episode(number: int, title: str, duration_ms: int = 60_000, **values: Any) -> Episode:
    """An episode with Tom and Jerry, sometimes Pip and Rosa, and a stranger."""
    episode = make_episode(values.pop("series", None) or make_series(), number, title, duration_ms, **values)
    cast = ["tom", "jerry", *(["pip"] if number % 2 else ["rosa"])]
    moods: dict[str | None, Sequence[Mood]] = {slug: make_moods(slug, duration_ms, number) for slug in cast}
    moods[None] = [(9_000, 15_000, Emotion.SURPRISED), (31_000, 34_000, Emotion.NEUTRAL)]
    analyse(episode, moods)
    return episode
