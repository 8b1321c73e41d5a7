"""The work as it goes on: queues that can be paused, workers, what happened to a run, its pace, its pictures."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext_lazy as _

from analysis.models.runs import AnalysisRun, Segment

MOST_PRIORITY = 1000


class QueueName(models.TextChoices):
    """What can be paused. ``ALL`` stands over the other two."""

    ALL = "all", _("Everything")
    INFERENCE = "inference", _("Reading videos")
    DEFAULT = "default", _("Putting runs together")


class Queue(models.Model):
    """Whether work of one kind may begin. A row that is missing is a queue that was never paused."""

    name = models.CharField(max_length=20, choices=QueueName.choices, unique=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(name__in=QueueName.values), name="queue_name_known"),
            models.CheckConstraint(
                condition=Q(paused_at__isnull=False) | Q(paused_by__isnull=True, reason=""),
                name="queue_why_when_paused",
            ),
        ]

    def __str__(self) -> str:
        return f"queue {self.name}"


class Worker(models.Model):
    """A worker process as it told of itself, every few seconds while it lives. ``ended_at``: it went in order."""

    name = models.CharField(max_length=200, unique=True)
    queues = ArrayField(models.CharField(max_length=60), default=list)
    processes = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class RunEventKind(models.TextChoices):
    REQUESTED = "requested", _("Asked for")
    CLAIMED = "claimed", _("Part begun")
    DONE = "done", _("Part done")
    FAILED = "failed", _("Part failed")
    TRY_AGAIN = "try_again", _("Part is tried again")
    LEASE_LOST = "lease_lost", _("Worker stopped answering")
    RELEASED = "released", _("Part handed back")
    STOPPED = "stopped", _("Part stopped")
    CANCEL = "cancel", _("Cancelled by somebody")
    RETRIED = "retried", _("Retried")
    PRIORITY = "priority", _("Priority changed")
    ENDED = "ended", _("Ended")
    PUBLISHED = "published", _("Published")
    PAUSED = "paused", _("Queue paused")
    RESUMED = "resumed", _("Queue resumed")


class RunEvent(models.Model):
    """One thing that happened to a run, or (``run`` None) to a queue. At most MOST_EVENTS are kept of each run.

    ``xact`` is the transaction that wrote it. Whoever follows goes by (``xact``, ``id``) and looks only below the
    oldest transaction that still goes on; so nothing that is committed late is ever passed over, and ids need not come
    in order.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, null=True, blank=True, related_name="events")
    xact = models.BigIntegerField(
        db_default=Cast(
            Cast(Func(function="pg_current_xact_id", output_field=models.TextField()), models.TextField()),
            models.BigIntegerField(),
        ),
        editable=False,
    )
    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=20, choices=RunEventKind.choices)
    part = models.PositiveIntegerField(null=True, blank=True, help_text="Index of the segment.")
    worker = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    code = models.CharField(max_length=60, blank=True)
    detail = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["run", "id"], name="run_event_of_run_idx"),
            models.Index(fields=["xact", "id"], name="run_event_order_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of run {self.run_id}"


class RunPace(models.Model):
    """How far a run was at a time: what its rate and the time left are measured from. Kept for an hour."""

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="paces")
    at = models.DateTimeField(db_default=Now())
    done_ms = models.PositiveIntegerField()
    drawings = models.PositiveIntegerField()
    working = models.PositiveSmallIntegerField(help_text="Segments under way.")

    class Meta:
        ordering: ClassVar = ["at", "id"]
        indexes: ClassVar = [models.Index(fields=["run", "at"], name="run_pace_idx")]

    def __str__(self) -> str:
        return f"run {self.run_id} at {self.done_ms} ms"


class RunPicture(models.Model):
    """A drawing with the boxes of its faces, kept while a run is watched. ``faces``: character, emotion, confidence."""

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="pictures")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="+")
    pts_ms = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    name = models.CharField(max_length=200, help_text="Relative to the media folder.")
    faces = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["run", "-id"], name="run_picture_idx")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="run_picture_named"),
        ]

    def __str__(self) -> str:
        return f"picture of run {self.run_id} at {self.pts_ms} ms"
