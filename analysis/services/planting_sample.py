"""Faces for a few planted episodes, drawing by drawing, so that everything about them follows from detections."""

from __future__ import annotations

import numpy as np
from django.db import transaction

from analysis.models import AnalysisRun, EmotionSpan, ModelBundle, Segment, SegmentStatus, Shot, Track
from analysis.ratings import RATINGS_VERSION
from analysis.services.derived import derived_rewrite
from analysis.services.observations import observations_write
from analysis.services.shown import shown_refresh
from ml.timeline import plan_segments
from ml.types import EMOTIONS, Box, Detection, Emotion

DRAWING_MS = 125  # animated on threes
FACE, ROOM = 60.0, 70.0  # pixels of a face, and from one character's place to the next


def sample_detect(bundle: ModelBundle, *, seed: int, episodes: int) -> list[int]:
    """Whole runs of the bundle that are shown, drawn by lot; their ids. All that was stored of them is made anew."""
    runs = AnalysisRun.objects.filter(bundle=bundle, partial=False, publications__withdrawn_at__isnull=True)
    known = list(runs.order_by("pk").values_list("pk", flat=True))
    chosen = np.random.default_rng([seed, 1]).permutation(len(known))[:episodes]
    numbers = sorted(known[i] for i in chosen.tolist())
    for run in AnalysisRun.objects.filter(pk__in=numbers).select_related("episode__source", "bundle").order_by("pk"):
        _detect(run)
    return numbers


@transaction.atomic
def _detect(run: AnalysisRun) -> None:
    faces = _faces(run)
    cuts = list(Shot.objects.filter(run=run, start_ms__gt=0).values_list("start_ms", flat=True))
    segments = []
    for index, (start, end) in enumerate(plan_segments(run.episode.duration_ms or 0)):
        inside = [f for f in faces if start <= f.pts_ms < end]
        drawings = len({f.pts_ms for f in inside})
        segment = Segment.objects.create(
            run=run,
            index=index,
            start_ms=start,
            end_ms=end,
            status=SegmentStatus.DONE,
            done_ms=end - start,
            frames=(end - start) * 24 // 1000,
            drawings=drawings,
            faces=len(inside),
            cuts_ms=[cut for cut in cuts if start <= cut < end],
        )
        observations_write(segment, inside)
        segments.append(segment)
    derived_rewrite(run, segments)
    AnalysisRun.objects.filter(pk=run.pk).update(
        frames=sum(s.frames for s in segments),
        drawings=sum(s.drawings for s in segments),
        faces=len(faces),
        ratings_version=RATINGS_VERSION,
    )
    shown_refresh([run.episode_id])


def _faces(run: AnalysisRun) -> list[Detection]:
    """Of every stretch, drawing by drawing: as sure of its emotion as it is strong. Everybody has a place."""
    spans = list(EmotionSpan.objects.filter(run=run).select_related("character").order_by("start_ms", "id"))
    cast = sorted({span.character.slug for span in spans})
    faces = [
        _face(pts, span.character.slug, _box(cast.index(span.character.slug)), span.strength, Emotion(span.emotion))
        for span in spans
        for pts in range(span.start_ms, span.end_ms - DRAWING_MS + 1, DRAWING_MS)
    ]
    if Track.objects.filter(run=run, character__isnull=True).exists():
        faces += [_face(pts, None, _box(len(cast)), 0.9, Emotion.NEUTRAL) for pts in range(0, 1_000, DRAWING_MS)]
    return sorted(faces, key=lambda f: (f.pts_ms, f.box))


def _box(place: int) -> Box:
    left = ROOM * place
    return (left, 100.0, left + FACE, 100.0 + FACE)


def _face(pts_ms: int, character: str | None, box: Box, strength: float, emotion: Emotion) -> Detection:
    rest = (1.0 - strength) / (len(EMOTIONS) - 1)
    return Detection(
        pts_ms=pts_ms,
        shown_ms=DRAWING_MS,
        character=character,
        box=box,
        mask=None,
        score=0.9,
        emotions={e: strength if e is emotion else rest for e in EMOTIONS},
        emotion=emotion,
        confidence=strength,
    )
