"""What is published of a whole episode, derived from what was found: ratings, bounds, features."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from analysis.models.common import EMOTION_CHOICES, unit
from analysis.models.runs import AnalysisRun
from catalog.models import Character


class EmotionProfile(models.Model):
    """What one character shows in one run. Emotions are keys of ``shares``; a missing key is *not modelled*.

    ``shares``: {emotion: {"share", "low", "high", "raw", "corrected", "baseline", "runs_per_minute", "longest_ms",
    "peak_start_ms", "peak_end_ms"}}, shares of ``readable_ms``; ``share`` with [low, high] is the published one.
    ``enough`` False: not enough evidence for a rating; the site says so. ``details``: {"worth", "bias_corrected",
    "needed": what evidence was asked for, "basis": {"runs", "strength"} or null: what the baseline was made from,
    "ending" or null, "reactions"}, and where people had part in it "known_ms": how long they said what
    shows, and "checked": their random sample. Numbers are stored as computed, never rounded; docs/ratings.md explains
    each.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="profiles")
    character = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="profiles")
    visible_ms = models.PositiveIntegerField()
    readable_ms = models.PositiveIntegerField()
    drawings = models.PositiveIntegerField()
    shots = models.PositiveIntegerField()
    enough = models.BooleanField()
    shares = models.JSONField(default=dict)
    details = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["run_id", "-visible_ms"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "character"], name="profile_unique")]

    def __str__(self) -> str:
        return f"profile of {self.character_id} in run {self.run_id}"


class EmotionBound(models.Model):
    """One emotion of one character in one run, as limits read it. Derived with the profile, for all seven emotions.

    ``enough``: ``high`` and ``longest_ms`` may be relied on. Where it is False (not enough evidence, not modelled, a
    part of the episode missing) the character counts as over every limit. NULL: nothing was measured.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="bounds", db_index=False)
    character = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="bounds", db_index=False)
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    low = models.FloatField(null=True, blank=True)
    share = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    longest_ms = models.PositiveIntegerField(null=True, blank=True)
    enough = models.BooleanField()

    class Meta:
        ordering: ClassVar = ["run_id", "character_id", "emotion"]
        indexes: ClassVar = [
            models.Index(
                fields=["character", "emotion", "high"],
                include=["run", "longest_ms", "enough"],
                name="bound_character_idx",
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "character", "emotion"], name="bound_unique"),
            models.CheckConstraint(condition=unit("low", "share", "high"), name="bound_in_unit"),
            models.CheckConstraint(
                condition=Q(enough=False) | Q(high__isnull=False, longest_ms__isnull=False),
                name="bound_known_if_enough",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emotion} of {self.character_id} in run {self.run_id}: at most {self.high}"


class Lacking(models.TextChoices):
    """Why nothing can be said of an emotion in a whole episode; the first that holds."""

    PARTIAL = "partial", "A part of the episode is missing"
    NOBODY = "nobody", "No known face is seen"
    STRANGERS = "strangers", "Faces of nobody known are seen too long"
    NOT_MODELLED = "not_modelled", "The bundle cannot express the emotion"
    EVIDENCE = "evidence", "Somebody is seen too little for a rating"


class RunBound(models.Model):
    """The most of one emotion over all characters of a run: a limit for all of them is one probe of an index.

    ``high``: the highest upper bound; ``longest_ms``: the longest run. Both NULL: over every limit, for ``lacking``.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="run_bounds", db_index=False)
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    high = models.FloatField(null=True, blank=True)
    longest_ms = models.PositiveIntegerField(null=True, blank=True)
    lacking = models.CharField(max_length=20, choices=Lacking.choices, blank=True)

    class Meta:
        ordering: ClassVar = ["run_id", "emotion"]
        indexes: ClassVar = [
            models.Index(fields=["emotion", "high"], include=["run", "longest_ms"], name="run_bound_idx"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run", "emotion"], include=["high", "longest_ms", "lacking"], name="run_bound_unique"
            ),
            models.CheckConstraint(condition=unit("high"), name="run_bound_in_unit"),
            models.CheckConstraint(
                condition=Q(lacking="", high__isnull=False, longest_ms__isnull=False)
                | (~Q(lacking="") & Q(high__isnull=True, longest_ms__isnull=True)),
                name="run_bound_known_or_lacking",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emotion} in run {self.run_id}: {self.lacking or self.high}"


class RunFeatures(models.Model):
    """What recommendations compare of a run, derived with its profiles; ``analysis.recommend.packing`` has the format.

    ``packed`` empty: no character has enough evidence, or a part is missing, so the run is not recommended.
    """

    run = models.OneToOneField(AnalysisRun, on_delete=models.CASCADE, related_name="features")
    format = models.PositiveSmallIntegerField()
    readable_ms = models.PositiveIntegerField()
    packed = models.BinaryField()
    members = models.BinaryField()

    class Meta:
        ordering: ClassVar = ["run_id"]
        verbose_name_plural = "run features"

    def __str__(self) -> str:
        return f"features of run {self.run_id}"
