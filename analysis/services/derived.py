"""Saves what follows from a run's faces, which ``derive`` makes: shots, tracks, scenes, scores, profiles, bounds
and what recommendations compare."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from analysis.models import (
    AnalysisRun,
    EmotionBound,
    EmotionProfile,
    EmotionSpan,
    FaceDetection,
    FaceQuestion,
    Publication,
    RunBound,
    RunFeatures,
    Scene,
    SceneEmotion,
    Segment,
    SegmentStatus,
    Shot,
    Track,
)
from analysis.ratings import RATINGS_VERSION
from analysis.selectors.baselines import peers_published
from analysis.services.derive import Derived, derive
from analysis.services.features import features_row
from analysis.services.messages import find_index_send


def derived_rewrite(run: AnalysisRun, segments: Sequence[Segment]) -> None:
    """Inside the caller's transaction: away with what was derived before, then everything anew from the faces and what
    people said of them.

    Pictures of scenes stay with scenes that begin and end where they did.
    """
    found = derive(run, segments, peers_published(run))
    pictures = {(s.start_ms, s.end_ms): s.thumbnail for s in Scene.objects.filter(run=run)}
    FaceDetection.objects.filter(run=run, track__isnull=False).update(track=None)
    for model in (FaceQuestion, RunFeatures, RunBound, EmotionBound, EmotionProfile, Scene, Track, Shot):
        model.objects.filter(run=run).delete()
    for scene in found.scenes:
        scene.thumbnail = pictures.get((scene.start_ms, scene.end_ms), "")
    Shot.objects.bulk_create(found.shots)
    Track.objects.bulk_create(found.tracks)
    _faces_join(found)
    Scene.objects.bulk_create(found.scenes)
    SceneEmotion.objects.bulk_create(found.scene_emotions, batch_size=2000)
    EmotionSpan.objects.bulk_create(found.spans, batch_size=2000)
    EmotionProfile.objects.bulk_create(found.profiles)
    EmotionBound.objects.bulk_create(found.bounds)
    RunBound.objects.bulk_create(found.run_bounds)
    FaceQuestion.objects.bulk_create(found.questions)
    partial = any(s.status == SegmentStatus.FAILED for s in segments)
    features_row(run, found.profiles, found.spans, partial=partial).save()
    AnalysisRun.objects.filter(pk=run.pk).update(
        layer=found.layer, ratings_version=RATINGS_VERSION, strangers=found.strangers, find_ready=False
    )
    if Publication.objects.filter(run=run, withdrawn_at__isnull=True).exists():
        find_index_send(run.pk)  # who is who may have changed


def _faces_join(found: Derived) -> None:
    """Faces get their tracks, and each track the embedding of its best face."""
    pairs = [(face, row.pk) for row, faces in zip(found.tracks, found.members, strict=True) for face in faces]
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
            [[row.pk for row in found.tracks], found.best],
        )
