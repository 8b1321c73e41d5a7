"""What a run found in a film, shot by shot.

All times are presentation times in integer milliseconds from the start of the episode. Detections are written with
COPY by the worker that holds the segment's lease; everything here goes when the run goes.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from pgvector.django import HalfVectorField

from analysis.models.common import EMOTION_CHOICES, unit
from analysis.models.runs import AnalysisRun, Segment
from catalog.models import Character
from ml.types import EMBEDDING_SIZE, EMOTIONS, ShotKind


class Shot(models.Model):
    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="shots")
    index = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=[(str(k), str(k)) for k in ShotKind], default=str(ShotKind.STORY))

    class Meta:
        ordering: ClassVar = ["run_id", "index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "index"], name="shot_index_unique"),
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="shot_end_after_start"),
        ]

    def __str__(self) -> str:
        return f"shot {self.index} of run {self.run_id}"


class Scene(models.Model):
    """Neighbouring shots that belong together. ``thumbnail`` is relative to MEDIA_ROOT, or empty."""

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="scenes")
    index = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    thumbnail = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["run_id", "index"]
        indexes: ClassVar = [models.Index(F("end_ms") - F("start_ms"), name="scene_length_idx")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "index"], name="scene_index_unique"),
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="scene_end_after_start"),
        ]

    def __str__(self) -> str:
        return f"scene {self.index} of run {self.run_id}"


class Track(models.Model):
    """One character within one shot, never across a cut. ``character`` NULL: somebody unknown."""

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="tracks")
    shot = models.ForeignKey(Shot, on_delete=models.CASCADE, related_name="tracks")
    character = models.ForeignKey(Character, on_delete=models.PROTECT, null=True, blank=True, related_name="tracks")
    index = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    embedding = HalfVectorField(dimensions=EMBEDDING_SIZE, null=True)

    class Meta:
        ordering: ClassVar = ["run_id", "index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "index"], name="track_index_unique"),
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="track_end_after_start"),
        ]

    def __str__(self) -> str:
        return f"track {self.index} of run {self.run_id}"


class FaceDetection(models.Model):
    """One face of one distinct drawing. An emotion the bundle cannot express is NULL: not modelled, never 0.

    ``index`` counts the faces of a segment in order; (segment, index) makes a second write of the same segment
    impossible. ``emotion`` empty: unclear. ``box_*`` in pixels of the decoded picture, right and lower edge exclusive.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="detections")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="detections")
    track = models.ForeignKey(Track, on_delete=models.SET_NULL, null=True, blank=True, related_name="detections")
    character = models.ForeignKey(Character, on_delete=models.PROTECT, null=True, blank=True, related_name="detections")
    index = models.PositiveIntegerField()
    pts_ms = models.PositiveIntegerField()
    shown_ms = models.PositiveIntegerField()
    box_x1 = models.FloatField()
    box_y1 = models.FloatField()
    box_x2 = models.FloatField()
    box_y2 = models.FloatField()
    mask = models.JSONField(null=True, blank=True, help_text='COCO RLE: {"size": [h, w], "counts": "..."}.')
    score = models.FloatField()
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES, blank=True)
    confidence = models.FloatField()
    happy = models.FloatField(null=True, blank=True)
    sad = models.FloatField(null=True, blank=True)
    angry = models.FloatField(null=True, blank=True)
    surprised = models.FloatField(null=True, blank=True)
    scared = models.FloatField(null=True, blank=True)
    disgusted = models.FloatField(null=True, blank=True)
    neutral = models.FloatField(null=True, blank=True)
    embedding = HalfVectorField(dimensions=EMBEDDING_SIZE, null=True)

    class Meta:
        ordering: ClassVar = ["run_id", "pts_ms", "id"]
        indexes: ClassVar = [
            models.Index(fields=["run", "pts_ms"], name="face_run_pts_idx"),
            models.Index(fields=["run", "character", "pts_ms"], name="face_run_character_idx"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["segment", "index"], name="face_index_unique"),
            models.CheckConstraint(condition=Q(shown_ms__gt=0), name="face_shown_positive"),
            models.CheckConstraint(
                condition=Q(box_x2__gt=F("box_x1"), box_y2__gt=F("box_y1")), name="face_box_not_empty"
            ),
            models.CheckConstraint(
                condition=unit("score", "confidence", *(str(e) for e in EMOTIONS)), name="face_scores_in_unit"
            ),
        ]

    def __str__(self) -> str:
        return f"face at {self.pts_ms} ms of run {self.run_id}"


class SceneEmotion(models.Model):
    """What one character shows in one scene: the table that search reads.

    ``share`` of ``readable_ms``; ``score`` is the shrunken lower bound of RATINGS; ``best_*`` the strongest span.
    """

    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="emotions", db_index=False)
    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="scene_emotions", db_index=False)
    character = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="scene_emotions")
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    visible_ms = models.PositiveIntegerField()
    readable_ms = models.PositiveIntegerField()
    share = models.FloatField()
    baseline = models.FloatField()
    score = models.FloatField()
    best_start_ms = models.PositiveIntegerField(null=True, blank=True)
    best_end_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-score", "id"]
        indexes: ClassVar = [
            models.Index(fields=["character", "emotion", "-score", "id"], name="scene_emotion_search_idx"),
            models.Index(
                fields=["emotion", "-score", "id"], include=["scene", "character", "run"], name="scene_emotion_best_idx"
            ),
            models.Index(fields=["character", "-visible_ms", "id"], name="scene_emotion_seen_idx"),
            models.Index(fields=["run", "emotion", "-score"], name="scene_emotion_run_idx"),
            models.Index(fields=["scene", "emotion", "-score"], name="scene_emotion_scene_idx"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scene", "character", "emotion"], name="scene_emotion_unique"),
            models.CheckConstraint(condition=unit("share", "baseline", "score"), name="scene_emotion_in_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.emotion} in scene {self.scene_id}"


class EmotionSpan(models.Model):
    """A stretch in which one emotion of one character shows, by hysteresis on readable drawings, within one shot.

    What *never*, *while*, *before*, *after* and *within* read. ``strength``: its mean probability, weighted by time.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="spans")
    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="spans")
    character = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="spans", db_index=False)
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    strength = models.FloatField()

    class Meta:
        ordering: ClassVar = ["run_id", "start_ms", "id"]
        indexes: ClassVar = [
            models.Index(
                fields=["character", "emotion", "run", "start_ms"],
                include=["end_ms", "strength", "scene"],
                name="span_search_idx",
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "character", "emotion", "start_ms"], name="span_unique"),
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="span_end_after_start"),
            models.CheckConstraint(condition=unit("strength"), name="span_strength_in_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.emotion} from {self.start_ms} to {self.end_ms} ms of run {self.run_id}"
