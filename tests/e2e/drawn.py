"""A small catalogue whose video plays: one film is drawn, and its truth stands for what a model would have found.

So a page shows real pictures of the faces that it talks about, without a model and in seconds.
"""

from __future__ import annotations

import json
import random
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import cv2
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from analysis.models import AnalysisRun, EmotionSpan, ModelBundle, Scene
from analysis.selectors.behind import faces_of
from analysis.selectors.finds import moment_name
from analysis.services.features import features_fill
from analysis.services.finalise import run_finalise
from analysis.services.leases import segment_complete
from analysis.services.runs import run_request
from catalog.models import Character, Episode
from ml.render.episode import render_episode, truth_path
from ml.types import EMOTIONS, Detection, Emotion, Mask, SegmentResult, Shot, ShotKind
from tests.analysis.runs_helpers import claim
from tests.analysis.world import NAMES, make_bundle, make_episode, make_series

TITLES = ("The Missing Cheese", "A Nap Too Far", "The Visit")
SIZE = (320, 180)


@dataclass(frozen=True)
class Film:
    """``path``: an MP4 with H.264, ``truth``: as docs/formats.md has it."""

    path: Path
    truth: dict[str, Any]

    @property
    def duration_ms(self) -> int:
        return int(self.truth["video"]["duration_ms"])


def film_draw(folder: Path, seconds: float = 40.0, seed: int = 5001, size: tuple[int, int] = SIZE) -> Film:
    path = folder / f"film-{seed}-{seconds:.0f}-{size[0]}.mp4"
    if not truth_path(path).exists():
        render_episode(path, seed, duration_s=seconds, size=size)
    return Film(path, json.loads(truth_path(path).read_text(encoding="utf-8")))


def catalogue_draw(films: Sequence[Film], titles: Sequence[str] = TITLES) -> list[Episode]:
    """An episode per title, each with one of the films, analysed and published."""
    make_bundle()
    ModelBundle.objects.update(card={"name": "toonemo", "calibration": {"emotion_temperature": 0.8}})
    Character.objects.filter(slug__in=NAMES).update(series=make_series())
    found = []
    for number, title in enumerate(titles, 1):
        film = films[(number - 1) % len(films)]
        stored = default_storage.save(f"sources/drawn-{number}.mp4", ContentFile(film.path.read_bytes()))
        episode = make_episode(make_series(), number, title, film.duration_ms, stored_name=stored)
        _analyse(episode, film, seed=number)
        found.append(episode)
    features_fill()
    return found


def _analyse(episode: Episode, film: Film, seed: int) -> None:
    run = run_request(episode=episode, bundle_name="toonemo-1")
    for segment in run.segments.all():
        result = _result(film, segment.start_ms, segment.end_ms, random.Random(f"{seed} {segment.index}"))
        assert segment_complete(claim(segment).token, result)
    done = run_finalise(run.pk)
    assert done is not None
    _pictures(done, film)


def _result(film: Film, start_ms: int, end_ms: int, rng: random.Random) -> SegmentResult:
    drawings = [d for d in film.truth["drawings"] if start_ms <= d["pts_ms"] < end_ms]
    shots = film.truth["shots"]
    return SegmentResult(
        start_ms=start_ms,
        end_ms=end_ms,
        frames=(end_ms - start_ms) * 24 // 1000,
        drawings=len(drawings),
        cuts_ms=tuple(s["start_ms"] for s in shots if start_ms <= s["start_ms"] < end_ms and s["start_ms"] > 0),
        kinds=tuple(
            Shot(max(start_ms, s["start_ms"]), min(end_ms, s["end_ms"]), ShotKind(s["kind"]))
            for s in shots
            if s["kind"] != "story" and s["start_ms"] < end_ms and s["end_ms"] > start_ms
        ),
        detections=tuple(_face(d, face, rng) for d in drawings for face in d["faces"] if face["readable"]),
        timings={"decode": 1.0, "detect": 2.0, "classify": 0.5},
    )


def _face(drawing: dict[str, Any], face: dict[str, Any], rng: random.Random) -> Detection:
    """As sure as a good model is of a clear drawing; a little less, now and then, so that lines are not all alike."""
    sure = rng.uniform(0.55, 0.7) if rng.random() < 0.1 else rng.uniform(0.84, 0.96)
    rest = (1 - sure) / (len(EMOTIONS) - 1)
    mask = face["mask"]
    return Detection(
        pts_ms=drawing["pts_ms"],
        shown_ms=drawing["shown_ms"],
        character=face["character"] if face["character"] in NAMES else None,
        box=tuple(float(x) for x in face["box"]),  # type: ignore[arg-type]
        mask=Mask((mask["size"][0], mask["size"][1]), mask["counts"]),
        score=0.9,
        emotions={e: sure if e == face["emotion"] else rest for e in EMOTIONS},
        emotion=Emotion(face["emotion"]),
        confidence=sure,
        embedding=tuple(rng.random() for _ in range(128)),
    )


def _pictures(run: AnalysisRun, film: Film) -> None:
    """A thumbnail for each scene, and a picture for the face that stands for each stretch."""
    wanted = {}
    for scene in Scene.objects.filter(run=run):
        name = f"thumbnails/{run.pk}/{scene.pk}.jpg"
        wanted[name] = scene.start_ms + min(600, (scene.end_ms - scene.start_ms) // 2)
        Scene.objects.filter(pk=scene.pk).update(thumbnail=name)
    spans = list(EmotionSpan.objects.filter(run=run))
    for part in range(0, len(spans), 12):
        for face in faces_of(spans[part : part + 12]).values():
            wanted[moment_name(run.pk, face.face_id)] = face.pts_ms
    _frames(film.path, wanted)


def _frames(video: Path, wanted: dict[str, int]) -> None:
    """By name below MEDIA_ROOT: when the picture shows."""
    times, pictures = _stills(video)
    for name, at_ms in wanted.items():
        target = Path(settings.MEDIA_ROOT) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(pictures[min(bisect_left(times, at_ms), len(pictures) - 1)])


@lru_cache(maxsize=2)
def _stills(video: Path) -> tuple[list[int], list[bytes]]:
    """When each frame shows, and the frame as JPEG. A film is read once, however many catalogues are made of it."""
    times, pictures = [], []
    with av.open(str(video)) as container:
        for frame in container.decode(video=0):
            times.append(round((frame.time or 0.0) * 1000))
            pictures.append(cv2.imencode(".jpg", frame.to_ndarray(format="bgr24"))[1].tobytes())
    return times, pictures
