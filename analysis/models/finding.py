"""Faces by their look, and questions that are drawn."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from pgvector.django import HalfVectorField

from analysis.models.common import EMOTION_CHOICES
from analysis.models.results import FaceDetection
from analysis.models.runs import AnalysisRun, ModelBundle
from catalog.models import Character
from ml.types import EMBEDDING_SIZE


class FaceVector(models.Model):
    """A face of a run that an episode shows, as *find* compares it. Narrow rows: the whole table is read at times.

    ``character`` is that of the face's track. ``embedding``: its first half says who, its second what, where the
    bundle has halves. Written when a run is published, taken away when it is withdrawn (services.find_index).
    """

    face = models.OneToOneField(FaceDetection, on_delete=models.CASCADE, primary_key=True, related_name="+")
    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="face_vectors", db_index=False)
    character = models.ForeignKey(Character, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES, blank=True)
    pts_ms = models.PositiveIntegerField()
    embedding = HalfVectorField(dimensions=EMBEDDING_SIZE)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["run", "character", "emotion"], name="face_vector_filter_idx")]

    def __str__(self) -> str:
        return f"vector of face {self.face_id}"


class FindStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    READ = "read", "Read"
    FAILED = "failed", "Failed"


class Find(models.Model):
    """A picture that somebody looks for. Gone after ``expires_at``; the picture itself once a worker has read it.

        waiting ---a worker read it---> read        waiting ---it cannot be read---> failed

    ``token``: whoever knows it may see the answer. ``box``: where the person says the face is, [x1, y1, x2, y2] in
    pixels of the picture, or null. ``faces``: what was read, best first: [{"box", "score", "how", "character",
    "emotion", "confidence", "embedding"}]. ``crop``: PNG of the first face.
    """

    token = models.CharField(max_length=43, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    sent_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=FindStatus.choices, default=FindStatus.WAITING)
    bundle = models.ForeignKey(ModelBundle, on_delete=models.CASCADE, related_name="+")
    picture = models.BinaryField(null=True)
    box = ArrayField(models.FloatField(), size=4, null=True)
    faces = models.JSONField(default=list)
    crop = models.BinaryField(null=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status="waiting", picture__isnull=False) | (~Q(status="waiting") & Q(picture__isnull=True)),
                name="find_picture_while_waiting",
            ),
            models.CheckConstraint(condition=Q(status="failed") | Q(error_code=""), name="find_error_when_failed"),
        ]

    def __str__(self) -> str:
        return f"find {self.pk} ({self.status})"
