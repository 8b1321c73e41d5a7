"""Webhooks as admins see them."""

from __future__ import annotations

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from analysis.models import Delivery, DeliveryAttempt, DeliveryStatus, Webhook

LOGGED = 50


def webhooks_list() -> QuerySet[Webhook]:
    """With how much waits for each, and what became of the last delivery."""
    newest = Delivery.objects.filter(webhook=OuterRef("pk")).order_by("-id")
    waiting = Delivery.objects.filter(webhook=OuterRef("pk"), status=DeliveryStatus.WAITING).order_by()
    return Webhook.objects.annotate(
        waiting=Coalesce(Subquery(waiting.values("webhook").annotate(n=Count("pk")).values("n")), 0),
        last_status=Subquery(newest.values("status")[:1]),
        last_at=Subquery(newest.values("created_at")[:1]),
    ).order_by("-id")


def deliveries_of(webhook: Webhook) -> QuerySet[Delivery]:
    return Delivery.objects.filter(webhook=webhook).prefetch_related("tries").order_by("-id")


def attempts_of(delivery: Delivery) -> QuerySet[DeliveryAttempt]:
    return DeliveryAttempt.objects.filter(delivery=delivery).order_by("id")
