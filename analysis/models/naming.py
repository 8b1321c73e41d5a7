"""Characters that a bundle does not know, known by a few drawings: the examples, and what is named by them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from pgvector.django import HalfVectorField

from analysis.models.finding import Find
from analysis.models.results import FaceDetection
from analysis.models.runs import ModelBundle
from catalog.models import Character
from ml.types import EMBEDDING_SIZE


class CharacterExample(models.Model):
    """A drawing of a character, read by ``bundle``. From a picture (``find``, while a worker reads it) or a ``face``.

    ``embedding`` NULL: not read yet, or ``error`` says why it cannot be. ``crop``: PNG of the face, drawn anew.
    """

    character = models.ForeignKey(Character, on_delete=models.CASCADE, related_name="examples")
    bundle = models.ForeignKey(ModelBundle, on_delete=models.CASCADE, related_name="+")
    find = models.ForeignKey(Find, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    face = models.ForeignKey(FaceDetection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    embedding = HalfVectorField(dimensions=EMBEDDING_SIZE, null=True)
    crop = models.BinaryField(null=True)
    error = models.TextField(blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["character_id", "id"]

    def __str__(self) -> str:
        return f"example {self.pk} of character {self.character_id}"


class Naming(models.Model):
    """Faces of nobody known that look like these examples are the character's: laid over every run of the classifier.

    Everything that decides is kept here, so the same run always comes out the same. ``rows``: the examples' numbers,
    each of length 1; ``rivals``: the same of faces of others, which an example must not merely look like as well.
    ``signature``: of the classifier whose numbers these are (``finding.alike.signature_of``).
    """

    character = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="namings")
    version = models.PositiveIntegerField(help_text="Counts the namings of the character.")
    bundle = models.ForeignKey(ModelBundle, on_delete=models.PROTECT, related_name="+")
    signature = models.TextField()
    examples = ArrayField(models.BigIntegerField(), help_text="Ids of the examples.")
    rows = models.JSONField()
    rivals = models.JSONField()
    threshold = models.FloatField()
    margin = models.FloatField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["character_id", "-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["character", "version"], name="naming_version_unique"),
            models.UniqueConstraint(
                fields=["character"], condition=Q(withdrawn_at__isnull=True), name="naming_one_current"
            ),
            models.CheckConstraint(
                condition=Q(threshold__gt=0.0, threshold__lte=1.0, margin__gte=0.0, margin__lte=1.0),
                name="naming_threshold_in_unit",
            ),
        ]

    def __str__(self) -> str:
        return f"naming {self.version} of character {self.character_id}"
