"""Addresses of other programs that are told what happens, and what was told to each."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class WebhookEvent(models.TextChoices):
    RUN_FINISHED = "run.finished", _("A run succeeded")
    RUN_FAILED = "run.failed", _("A run failed")
    RUN_CANCELLED = "run.cancelled", _("A run was cancelled")
    RUN_PUBLISHED = "run.published", _("An episode shows another run")
    EPISODE_IMPORTED = "episode.imported", _("An episode was added, or its file replaced")
    CORRECTION_ADDED = "correction.added", _("Somebody corrected a face")
    CORRECTION_WITHDRAWN = "correction.withdrawn", _("A correction was withdrawn")


TEST_EVENT = "webhook.test"
EVENT_CHOICES = [*WebhookEvent.choices, (TEST_EVENT, "A test")]


class Webhook(models.Model):
    """Who is told what, and where. ``secret`` signs what is sent, so it is kept as it is; the one before it signs too
    until ``previous_until``, so that a receiver can change over. ``note``: why the house turned it off.
    """

    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    events = ArrayField(models.CharField(max_length=40, choices=WebhookEvent.choices))
    secret = models.CharField(max_length=80, editable=False)
    previous_secret = models.CharField(max_length=80, blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True)
    active = models.BooleanField(default=True)
    note = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(events__len__gt=0, events__contained_by=WebhookEvent.values), name="webhook_events_known"
            ),
            models.CheckConstraint(
                condition=Q(secret__startswith="whsec_"),  # noqa: S106 - how each begins
                name="webhook_has_a_secret",
            ),
            models.CheckConstraint(condition=Q(active=False) | Q(note=""), name="webhook_note_when_off"),
        ]

    def __str__(self) -> str:
        return self.name


class DeliveryStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Given up")


class Delivery(models.Model):
    """One event for one webhook, written in the transaction of the event; sent, and sent again, until it was taken.

        waiting ---answered with 2xx---> delivered        waiting ---tried for a day---> failed

    ``message``: the id that the receiver sees, equal in every attempt. ``lease``: whoever sends it now holds this until
    ``leased_until``; a process that dies meanwhile holds it no longer than that.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    message = models.CharField(max_length=40, unique=True)
    event = models.CharField(max_length=40, choices=EVENT_CHOICES)
    data = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    lease = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "deliveries"
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(status="waiting"), name="delivery_due_idx"),
            models.Index(fields=["webhook", "-id"], name="delivery_webhook_idx"),
            models.Index(fields=["created_at"], name="delivery_created_idx"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status="waiting", ended_at__isnull=True) | ~Q(status="waiting") & Q(ended_at__isnull=False),
                name="delivery_ended_when_not_waiting",
            ),
            models.CheckConstraint(
                condition=Q(lease__isnull=True, leased_until__isnull=True)
                | Q(lease__isnull=False, leased_until__isnull=False, status="waiting"),
                name="delivery_leased_while_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.message} ({self.status})"


class DeliveryAttempt(models.Model):
    """One try. ``status`` null: no answer came, and ``error`` says why. ``answer``: how the answer began."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField(auto_now_add=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    ms = models.PositiveIntegerField()
    answer = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"attempt on delivery {self.delivery_id}: {self.status or self.error}"
