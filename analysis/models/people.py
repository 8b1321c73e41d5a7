"""What people said of a film; keyed to content time, so that it outlives every run."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from analysis.layer import Says
from analysis.models.common import EMOTION_CHOICES
from catalog.models import SHA256, Character, Episode
from ml.types import UNCLEAR

SAYS_CHOICES = [
    (str(Says.CHARACTER), _("The face of a character")),
    (str(Says.NOBODY), _("A face of nobody in the list")),
    (str(Says.NO_FACE), _("No face at all")),
]


class Correction(models.Model):
    """What a person says about one face during [start_ms, end_ms). Keyed to content time, never to a run, so that every
    run keeps it: it is laid over what was detected whenever results are derived (``analysis.layer``).

    ``subject``: whom the face is read as; ``box``: where it is, as parts of the picture's width and height, for a face
    that is read as nobody, or one of several. ``emotion`` empty: as read. Of one subject and place, no two that count
    overlap (``correction_no_overlap``, in the migration). Rows change once, by being withdrawn (a trigger keeps that).
    """

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="corrections")
    source_sha256 = models.CharField(max_length=64, validators=[SHA256], help_text="The file that was looked at.")
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    subject = models.ForeignKey(Character, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    box_x1 = models.FloatField(null=True, blank=True)
    box_y1 = models.FloatField(null=True, blank=True)
    box_x2 = models.FloatField(null=True, blank=True)
    box_y2 = models.FloatField(null=True, blank=True)
    says = models.CharField(max_length=10, choices=SAYS_CHOICES, default=str(Says.CHARACTER))
    character = models.ForeignKey(Character, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    emotion = models.CharField(max_length=20, choices=[*EMOTION_CHOICES, (UNCLEAR, UNCLEAR)], blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["episode_id", "start_ms", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="correction_end_after_start"),
            models.CheckConstraint(
                condition=Q(box_x1__isnull=True, box_y1__isnull=True, box_x2__isnull=True, box_y2__isnull=True)
                | Q(box_x1__isnull=False, box_y1__isnull=False, box_x2__isnull=False, box_y2__isnull=False)
                & Q(box_x1__gte=0.0, box_y1__gte=0.0, box_x2__gt=F("box_x1"), box_y2__gt=F("box_y1"))
                & Q(box_x2__lte=1.0, box_y2__lte=1.0),
                name="correction_box_in_picture",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=False) | Q(subject__isnull=False) | Q(box_x1__isnull=False),
                name="correction_says_which_face",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=False)
                | Q(says="character", character__isnull=False)
                | Q(says="nobody", character__isnull=True)
                | Q(says="no_face", character__isnull=True, emotion=""),
                name="correction_says_who",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emotion or self.says} at {self.start_ms} ms of episode {self.episode_id}"


class Certification(models.Model):
    """A random sample of shots in which a character is seen, for people to check; fixed before anybody answers.

    ``frame``: [start_ms, end_ms] of every story shot in which the published run saw the character then; ``picked``:
    places in it, in the order of asking, drawn by ``seed``. Keyed to content time like a correction.
    """

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="certifications")
    source_sha256 = models.CharField(max_length=64, validators=[SHA256], help_text="The file that is looked at.")
    character = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="+")
    seed = models.BigIntegerField()
    frame = models.JSONField()
    picked = ArrayField(models.PositiveIntegerField())
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-made_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["episode", "character"],
                condition=Q(withdrawn_at__isnull=True),
                name="certification_one_current",
            ),
        ]

    def __str__(self) -> str:
        return f"{len(self.picked)} shots of {self.character_id} in episode {self.episode_id}"


class CertificationAnswer(models.Model):
    """What one person says of one shot of the sample. ``pieces``: [start_ms, end_ms, label] that fill the shot; a label
    is an emotion, ``unclear`` or ``not_them``. Answering again withdraws the answer before.
    """

    certification = models.ForeignKey(Certification, on_delete=models.CASCADE, related_name="answers")
    place = models.PositiveIntegerField(help_text="Of the shot in the frame.")
    pieces = models.JSONField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["certification_id", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["certification", "place", "made_by"],
                condition=Q(withdrawn_at__isnull=True),
                name="certification_answer_one_current",
            ),
        ]

    def __str__(self) -> str:
        return f"answer on shot {self.place} of certification {self.certification_id}"
