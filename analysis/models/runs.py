"""Bundles, runs, their segments, and which run an episode shows."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from analysis.models.common import EMOTION_CHOICES, unit
from catalog.models import SHA256, Episode


class ModelBundle(models.Model):
    """A model that workers can load, as its folder described itself when first seen. Never changed afterwards."""

    name = models.CharField(max_length=100)
    version = models.CharField(max_length=40)
    digest = models.CharField(max_length=64, unique=True, validators=[SHA256])
    characters = ArrayField(models.CharField(max_length=120))
    emotions = ArrayField(models.CharField(max_length=20, choices=EMOTION_CHOICES))
    card = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name", "version"]

    def __str__(self) -> str:
        return f"{self.name}-{self.version}"


class RunStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class AnalysisRun(models.Model):
    """One analysis of one episode by one bundle with one configuration.

        queued ---first segment claimed---> running ---last segment ended, finalised---> succeeded
          |                                    |---every segment failed----------------> failed
          +------------- cancel ---------------+---cancel------------------------------> cancelled
        failed, cancelled, partial succeeded --retry--> queued (what failed or was stopped is done again)

    ``partial``: succeeded, but some segments failed; ``error_code`` and ``error_detail`` say why.
    ``fingerprint``: SHA-256 over source digest, bundle digest and configuration: equal requests, equal results.
    ``finalise_attempts``: how often the last step was begun; it gives up rather than try for ever.
    ``ratings_version``: of the arithmetic that its results were derived by; 0: none yet, or from before it was kept.
    ``layer``: digest of what people had corrected when they were derived; empty: nothing.
    ``strangers``: what share of the time of all faces of the story belongs to nobody known.
    ``find_ready``: its faces, as they are derived now, are among those that *find* compares (FaceVector).
    """

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="runs")
    bundle = models.ForeignKey(ModelBundle, on_delete=models.PROTECT, related_name="runs")
    source_sha256 = models.CharField(max_length=64, validators=[SHA256])
    config = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64, validators=[SHA256])
    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.QUEUED)
    partial = models.BooleanField(default=False)
    priority = models.SmallIntegerField(default=0, help_text="Higher goes first.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    frames = models.PositiveIntegerField(default=0)
    drawings = models.PositiveIntegerField(default=0)
    faces = models.PositiveIntegerField(default=0)
    timings = models.JSONField(default=dict, help_text="Seconds per stage, summed over segments.")
    kept_ms = models.PositiveIntegerField(default=0, help_text="Content that was analysed before the last retry.")
    finalise_attempts = models.PositiveSmallIntegerField(default=0)
    ratings_version = models.PositiveSmallIntegerField(default=0)
    layer = models.CharField(max_length=64, blank=True)
    strangers = models.FloatField(default=0.0, db_default=0.0)
    find_ready = models.BooleanField(default=False)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["status", "-priority", "created_at"], name="run_queue_idx")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["episode", "fingerprint"],
                condition=Q(status__in=["queued", "running"]),
                name="run_one_active_per_fingerprint",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running"], finished_at__isnull=True)
                | Q(status__in=["succeeded", "failed", "cancelled"], finished_at__isnull=False),
                name="run_finished_when_ended",
            ),
            models.CheckConstraint(condition=Q(partial=False) | Q(status="succeeded"), name="run_partial_succeeded"),
            models.CheckConstraint(condition=unit("strangers"), name="run_strangers_in_unit"),
            models.CheckConstraint(condition=Q(priority__gte=-1000, priority__lte=1000), name="run_priority_in_range"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.episode_id} ({self.status})"

    @property
    def is_active(self) -> bool:
        return self.status in (RunStatus.QUEUED, RunStatus.RUNNING)


class Publication(models.Model):
    """Which run an episode shows, and which it showed before. At most one row per episode is current."""

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="publications")
    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="publications")
    published_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-published_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["episode"], condition=Q(withdrawn_at__isnull=True), name="publication_one_current"
            ),
        ]

    def __str__(self) -> str:
        return f"episode {self.episode_id} shows run {self.run_id}"


class SegmentStatus(models.TextChoices):
    PENDING = "pending", _("Pending")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class Segment(models.Model):
    """About 60 s of content, the unit of work. Whoever holds ``lease_token`` may write its rows; nobody else can."""

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="segments")
    index = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=SegmentStatus.choices, default=SegmentStatus.PENDING)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True, blank=True, help_text="After a fault: not tried again sooner.")
    done_ms = models.PositiveIntegerField(default=0, help_text="Content analysed so far, for the progress bar.")
    frames = models.PositiveIntegerField(default=0)
    drawings = models.PositiveIntegerField(default=0)
    faces = models.PositiveIntegerField(default=0)
    cuts_ms = ArrayField(models.PositiveIntegerField(), default=list)
    kinds = models.JSONField(default=list, help_text="Stretches that are no story: [start_ms, end_ms, kind].")
    timings = models.JSONField(default=dict)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["run_id", "index"]
        indexes: ClassVar = [models.Index(fields=["status", "lease_expires_at"], name="segment_lease_idx")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "index"], name="segment_index_unique"),
            models.UniqueConstraint(fields=["lease_token"], name="segment_lease_token_unique"),
            models.CheckConstraint(
                condition=Q(status="running", lease_token__isnull=False, lease_expires_at__isnull=False)
                | (~Q(status="running") & Q(lease_token__isnull=True, lease_expires_at__isnull=True)),
                name="segment_leased_while_running",
            ),
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="segment_end_after_start"),
        ]

    def __str__(self) -> str:
        return f"segment {self.index} of run {self.run_id} ({self.status})"
