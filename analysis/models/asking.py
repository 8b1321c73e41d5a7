"""Faces that people are asked about one by one, what each person says, and what is still to be worked into results."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from analysis.models.common import EMOTION_CHOICES
from analysis.models.people import SAYS_CHOICES, Correction
from analysis.models.results import FaceDetection
from analysis.models.runs import AnalysisRun
from catalog.models import SHA256, Character, Episode
from ml.types import UNCLEAR


class FaceQuestion(models.Model):
    """A stretch of a run whose answer is expected to narrow a published interval. Derived, like all of a run's results.

    ``gain``: by how much of a share the interval of ``emotion``, the character's widest, is expected to narrow
    (``analysis.ratings.narrowing``). ``face``: the one that is shown to people.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="questions", db_index=False)
    character = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="+", db_index=False)
    face = models.ForeignKey(FaceDetection, on_delete=models.CASCADE, related_name="+")
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    gain = models.FloatField()

    class Meta:
        ordering: ClassVar = ["-gain", "id"]
        indexes: ClassVar = [
            models.Index(fields=["-gain", "id"], name="face_question_gain_idx"),
            models.Index(fields=["run", "-gain"], name="face_question_run_idx"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="face_question_end_after_start"),
            models.CheckConstraint(condition=Q(gain__gt=0.0, gain__lte=1.0), name="face_question_gain_in_unit"),
        ]

    def __str__(self) -> str:
        return f"question at {self.start_ms} ms of run {self.run_id}"


class AskedFace(models.Model):
    """A face that somebody was asked about and answered: whom it is read as, from when to when, in which file.

    ``face``: the detection that was shown, as long as its run is kept. ``correction``: what counts now of what people
    said (``analysis.words``), where anything does.
    """

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="asked_faces", db_index=False)
    source_sha256 = models.CharField(max_length=64, validators=[SHA256], help_text="The file that was looked at.")
    subject = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="+")
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    face = models.ForeignKey(FaceDetection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    correction = models.ForeignKey(Correction, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["episode_id", "start_ms", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["episode", "source_sha256", "subject", "start_ms", "end_ms"], name="asked_face_unique"
            ),
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="asked_face_end_after_start"),
        ]

    def __str__(self) -> str:
        return f"face at {self.start_ms} ms of episode {self.episode_id}"


class FaceWord(models.Model):
    """What one person says of an asked face. Answering again withdraws the answer before; a trigger keeps the rest.

    ``settles``: said by somebody who looked at what the others had said, to end the matter.
    """

    face = models.ForeignKey(AskedFace, on_delete=models.CASCADE, related_name="words")
    says = models.CharField(max_length=10, choices=SAYS_CHOICES)
    character = models.ForeignKey(Character, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    emotion = models.CharField(max_length=20, choices=[*EMOTION_CHOICES, (UNCLEAR, UNCLEAR)], blank=True)
    settles = models.BooleanField(default=False)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    made_at = models.DateTimeField(auto_now_add=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["face_id", "id"]
        indexes: ClassVar = [models.Index(fields=["made_by", "-id"], name="face_word_person_idx")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["face", "made_by"], condition=Q(withdrawn_at__isnull=True), name="face_word_one_current"
            ),
            models.CheckConstraint(
                condition=Q(says="character", character__isnull=False)
                | Q(says="nobody", character__isnull=True)
                | Q(says="no_face", character__isnull=True, emotion=""),
                name="face_word_says_who",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emotion or self.says} of asked face {self.face_id}"


class LayerChange(models.Model):
    """Something was said of an episode that its results do not have yet. A worker derives them and takes this away."""

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="layer_changes")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"change of what is said of episode {self.episode_id}"
