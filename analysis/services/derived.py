"""Writes what follows from a run's faces: shots, tracks, scenes, scores and profiles. Arithmetic is elsewhere."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection

from analysis import ratings
from analysis.models import (
    AnalysisRun,
    EmotionProfile,
    EmotionSpan,
    FaceDetection,
    Scene,
    SceneEmotion,
    Segment,
    SegmentStatus,
    Shot,
    Track,
)
from catalog.models import Character
from ml import timeline
from ml.types import EMOTIONS, Detection, Emotion, ShotKind
from ml.types import Shot as ShotSpan


@dataclass(frozen=True, slots=True)
class _Material:
    """A run's faces in content order with the ids of their rows, cut into shots and joined into tracks.

    ``table``: (n, k) smoothed probabilities over ``emotions``.
    """

    ids: list[int]
    faces: list[Detection]
    shots: tuple[ShotSpan, ...]
    tracks: list[timeline.FaceTrack]
    emotions: tuple[Emotion, ...]
    table: timeline.Probabilities


def derived_rewrite(run: AnalysisRun, segments: Sequence[Segment]) -> None:
    """Inside the caller's transaction: away with what was derived before, then everything anew from the faces."""
    FaceDetection.objects.filter(run=run, track__isnull=False).update(track=None)
    for model in (EmotionProfile, Scene, Track, Shot):
        model.objects.filter(run=run).delete()
    material = _material(run, segments)
    characters = {c.slug: c.pk for c in Character.objects.all()}
    shots = Shot.objects.bulk_create(
        Shot(run=run, index=i, start_ms=s.start_ms, end_ms=s.end_ms, kind=str(s.kind))
        for i, s in enumerate(material.shots)
    )
    _tracks_write(run, material, shots, characters)
    by_character = _members(material)
    readings = {slug: _readings(material, members) for slug, members in by_character.items()}
    _profiles_write(run, material, by_character, readings, characters)
    scenes = _scenes_write(run, material, by_character, readings, characters)
    _spans_write(run, scenes, readings, characters)


def _material(run: AnalysisRun, segments: Sequence[Segment]) -> _Material:
    slugs = dict(Character.objects.values_list("pk", "slug"))
    rows = list(FaceDetection.objects.filter(run=run).defer("mask", "embedding").order_by("segment__index", "index"))
    faces = [_detection(row, slugs) for row in rows]
    shots = run_shots(segments)
    emotions = tuple(e for e in EMOTIONS if str(e) in run.bundle.emotions)
    tracks = timeline.link_tracks(faces, shots)
    table = timeline.smoothed(faces, tracks, emotions)
    return _Material([row.pk for row in rows], faces, shots, tracks, emotions, table)


def run_shots(segments: Sequence[Segment]) -> tuple[ShotSpan, ...]:
    """The shots of the whole content. A part that is missing begins and ends with a cut: nothing joins across it."""
    cuts = [cut for s in segments for cut in s.cuts_ms]
    for segment in segments:
        if segment.status != SegmentStatus.DONE:
            cuts += [segment.start_ms, segment.end_ms]
    kinds = [ShotSpan(start, end, ShotKind(kind)) for s in segments for start, end, kind in s.kinds]
    duration_ms = max(s.end_ms for s in segments)
    return timeline.shots_from_cuts(duration_ms, cuts, timeline.settle_cards(kinds, duration_ms))


def _detection(row: FaceDetection, slugs: Mapping[int, str]) -> Detection:
    values = {e: getattr(row, str(e)) for e in EMOTIONS}
    return Detection(
        pts_ms=row.pts_ms,
        shown_ms=row.shown_ms,
        character=None if row.character_id is None else slugs[row.character_id],
        box=(row.box_x1, row.box_y1, row.box_x2, row.box_y2),
        mask=None,
        score=row.score,
        emotions={e: p for e, p in values.items() if p is not None},
        emotion=Emotion(row.emotion) if row.emotion else None,
        confidence=row.confidence,
    )


def _tracks_write(run: AnalysisRun, material: _Material, shots: Sequence[Shot], characters: Mapping[str, int]) -> None:
    tracks = Track.objects.bulk_create(
        Track(
            run=run,
            shot=shots[t.shot],
            character_id=None if t.character is None else characters[t.character],
            index=t.index,
            start_ms=t.start_ms,
            end_ms=t.end_ms,
        )
        for t in material.tracks
    )
    pairs = [(material.ids[i], row.pk) for t, row in zip(material.tracks, tracks, strict=True) for i in t.members]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analysis_facedetection SET track_id = pair.track_id"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS pair(id, track_id) WHERE analysis_facedetection.id = pair.id",
            [[face for face, _ in pairs], [track for _, track in pairs]],
        )
        cursor.execute(
            "UPDATE analysis_track SET embedding = face.embedding"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS best(track_id, face_id)"
            " JOIN analysis_facedetection AS face ON face.id = best.face_id WHERE analysis_track.id = best.track_id",
            [[row.pk for row in tracks], [material.ids[t.best] for t in material.tracks]],
        )


def _members(material: _Material) -> dict[str, list[int]]:
    """Per known character, the faces that count: one per drawing, in time order."""
    found: dict[str, list[int]] = {}
    for track in material.tracks:
        if track.character is not None:
            found.setdefault(track.character, []).extend(track.members)
    return {slug: timeline.once_per_drawing(found[slug], material.faces) for slug in sorted(found)}


def _readings(material: _Material, members: Sequence[int]) -> ratings.Readings:
    faces, shots = material.faces, material.shots
    shot_of = {i: timeline.shot_at(shots, faces[i].pts_ms) for i in members}
    readable = [i for i in members if timeline.is_readable(faces[i], shots[shot_of[i]])]
    return ratings.Readings(
        emotions=material.emotions,
        probabilities=material.table[readable].reshape(len(readable), len(material.emotions)),
        pts_ms=np.array([faces[i].pts_ms for i in readable], dtype=np.int64),
        shown_ms=np.array([faces[i].shown_ms for i in readable], dtype=np.int64),
        shot=np.array([shot_of[i] for i in readable], dtype=np.int64),
    )


def _profiles_write(
    run: AnalysisRun,
    material: _Material,
    by_character: Mapping[str, list[int]],
    readings: Mapping[str, ratings.Readings],
    characters: Mapping[str, int],
) -> None:
    rows = []
    for slug, members in by_character.items():
        rating = ratings.rate_character(readings[slug])
        rows.append(
            EmotionProfile(
                run=run,
                character_id=characters[slug],
                visible_ms=sum(material.faces[i].shown_ms for i in members),
                readable_ms=rating.readable_ms,
                drawings=rating.drawings,
                shots=rating.shots,
                enough=rating.enough,
                shares={str(e): _share(r) for e, r in rating.emotions.items()} if rating.readable_ms else {},
            )
        )
    EmotionProfile.objects.bulk_create(rows)


def _share(rating: ratings.EmotionRating) -> dict[str, Any]:
    longest, peak = rating.longest, rating.peak
    return {
        "share": round(rating.share, 6),
        "low": round(rating.low, 6),
        "high": round(rating.high, 6),
        "raw": round(rating.share, 6),
        "runs_per_minute": round(rating.runs_per_minute, 4),
        "longest_ms": 0 if longest is None else longest.end_ms - longest.start_ms,
        "peak_start_ms": None if peak is None else peak.start_ms,
        "peak_end_ms": None if peak is None else peak.end_ms,
    }


def _scenes_write(
    run: AnalysisRun,
    material: _Material,
    by_character: Mapping[str, list[int]],
    readings: Mapping[str, ratings.Readings],
    characters: Mapping[str, int],
) -> list[Scene]:
    casts: list[set[str]] = [set() for _ in material.shots]
    for track in material.tracks:
        if track.character is not None:
            casts[track.shot].add(track.character)
    groups = timeline.group_scenes(material.shots, [frozenset(cast) for cast in casts])
    scenes = Scene.objects.bulk_create(
        Scene(run=run, index=i, start_ms=material.shots[a].start_ms, end_ms=material.shots[b].end_ms)
        for i, (a, b) in enumerate(groups)
    )
    rows = []
    for slug, members in by_character.items():
        whole = readings[slug]
        point = ratings.shares(whole)
        baselines = {e: float(x) for e, x in zip(whole.emotions, point, strict=True)}
        for scene in scenes:
            faces = (material.faces[i] for i in members)
            visible = sum(f.shown_ms for f in faces if scene.start_ms <= f.pts_ms < scene.end_ms)
            inside = whole.between(scene.start_ms, scene.end_ms)
            for emotion, score in ratings.score_scene(inside, visible, baselines).items():
                rows.append(_scene_emotion(run, scene, characters[slug], emotion, score))
    SceneEmotion.objects.bulk_create(rows, batch_size=2000)
    return scenes


def _spans_write(
    run: AnalysisRun, scenes: Sequence[Scene], readings: Mapping[str, ratings.Readings], characters: Mapping[str, int]
) -> None:
    """A span lies within one shot, so within one scene; scenes follow one another without a gap."""
    starts = [scene.start_ms for scene in scenes]
    EmotionSpan.objects.bulk_create(
        (
            EmotionSpan(
                run=run,
                scene=scenes[bisect_right(starts, span.start_ms) - 1],
                character_id=characters[slug],
                emotion=str(emotion),
                start_ms=span.start_ms,
                end_ms=span.end_ms,
                strength=min(1.0, span.strength),
            )
            for slug, read in readings.items()
            for emotion in read.emotions
            for span in ratings.emotion_spans(read, emotion)
        ),
        batch_size=2000,
    )


def _scene_emotion(
    run: AnalysisRun, scene: Scene, character_id: int, emotion: Emotion, score: ratings.SceneScore
) -> SceneEmotion:
    return SceneEmotion(
        scene=scene,
        run=run,
        character_id=character_id,
        emotion=str(emotion),
        visible_ms=score.visible_ms,
        readable_ms=score.readable_ms,
        share=score.share,
        baseline=min(1.0, max(0.0, score.baseline)),
        score=score.score,
        best_start_ms=None if score.best is None else score.best.start_ms,
        best_end_ms=None if score.best is None else score.best.end_ms,
    )
