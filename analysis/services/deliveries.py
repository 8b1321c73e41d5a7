"""What webhooks are told: written, sent, sent again, given up.

An event is written for each webhook that wants it in the transaction of the event itself; a message to a worker is only
a hint, and the sweep gives it again. So what was committed is sent at least once, whoever is killed in between.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from analysis.models import (
    AnalysisRun,
    Delivery,
    DeliveryAttempt,
    DeliveryStatus,
    RunStatus,
    Webhook,
    WebhookEvent,
)
from analysis.models.webhooks import TEST_EVENT
from analysis.services.audit import audit_record
from analysis.services.messages import webhook_send
from analysis.webhooks.backoff import wait_after

LEASE = timedelta(seconds=60)
MOST_RESENT = 200
MOST_COUNTDOWN_S = 60  # a longer wait is left to the sweep, so that no message waits in a broker for hours
ANSWER_KEPT = 2_000
GONE = 410

logger = structlog.get_logger(__name__)


def webhooks_tell(event: str, data: Mapping[str, Any]) -> None:
    """Inside the transaction of what happened. ``data``: ids and plain values."""
    if event not in WebhookEvent.values:
        return
    wanted = Webhook.objects.filter(active=True, events__contains=[event]).order_by("pk")
    deliveries_write(list(wanted), event, data)


_ENDED = {
    RunStatus.SUCCEEDED: WebhookEvent.RUN_FINISHED,
    RunStatus.FAILED: WebhookEvent.RUN_FAILED,
    RunStatus.CANCELLED: WebhookEvent.RUN_CANCELLED,
}


def run_ended_tell(run: AnalysisRun) -> None:
    data = {"run": run.pk, "episode": run.episode_id, "partial": run.partial, "error_code": run.error_code}
    webhooks_tell(_ENDED[RunStatus(run.status)], data)


def deliveries_write(webhooks: list[Webhook], event: str, data: Mapping[str, Any]) -> list[Delivery]:
    now = timezone.now()
    rows = Delivery.objects.bulk_create(
        Delivery(webhook=webhook, message=f"msg_{uuid.uuid4().hex}", event=event, data=dict(data), due_at=now)
        for webhook in webhooks
    )
    webhook_send(row.pk for row in rows)
    return rows


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that a worker needs to send one. ``secrets``: of which each makes a signature."""

    delivery_id: int
    lease: uuid.UUID
    url: str
    secrets: tuple[str, ...]
    message: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """``status`` None: no answer came, and ``error`` says why. ``answer``: how it began. ``asked_s``: Retry-After."""

    status: int | None
    ms: int
    error: str = ""
    answer: str = ""
    asked_s: int = 0

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def delivery_claim(delivery_id: int) -> Parcel | None:
    """Takes the lease on one that is due. None: it is not to be had."""
    now, lease = timezone.now(), uuid.uuid4()
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    due = Delivery.objects.filter(free, pk=delivery_id, status=DeliveryStatus.WAITING, due_at__lte=now)
    if not due.filter(webhook__active=True).update(lease=lease, leased_until=now + LEASE, attempts=F("attempts") + 1):
        return None
    row = Delivery.objects.select_related("webhook").get(pk=delivery_id)
    hook = row.webhook
    before = hook.previous_until is not None and hook.previous_until > now and hook.previous_secret
    return Parcel(
        delivery_id=row.pk,
        lease=lease,
        url=hook.url,
        secrets=(hook.secret, hook.previous_secret) if before else (hook.secret,),
        message=row.message,
        body={"type": row.event, "timestamp": row.created_at.isoformat(timespec="milliseconds"), "data": row.data},
    )


@transaction.atomic
def delivery_end(parcel: Parcel, outcome: Outcome) -> bool:
    """Keeps what became of an attempt, and decides what follows. False: the lease no longer holds."""
    hook = Webhook.objects.select_for_update().filter(deliveries__pk=parcel.delivery_id).first()
    held = Delivery.objects.select_for_update().filter(pk=parcel.delivery_id, lease=parcel.lease)
    row = held.first()
    if row is None or hook is None:
        return False
    DeliveryAttempt.objects.create(
        delivery=row,
        status=outcome.status,
        error=outcome.error[:300],
        ms=outcome.ms,
        answer=outcome.answer[:ANSWER_KEPT].replace("\x00", "�"),
    )
    wait_s = wait_after(row.attempts, asked_s=outcome.asked_s, lot=random.random())  # noqa: S311 - spreads load
    if outcome.taken:
        _ended(row, DeliveryStatus.DELIVERED)
    elif outcome.status == GONE or (wait_s is None and row.event != TEST_EVENT):
        _ended(row, DeliveryStatus.FAILED)
        _turned_off(hook, row, outcome)
    elif wait_s is None or row.event == TEST_EVENT:  # a test says at once how it went
        _ended(row, DeliveryStatus.FAILED)
    else:
        due_at = timezone.now() + timedelta(seconds=wait_s)
        Delivery.objects.filter(pk=row.pk).update(due_at=due_at, lease=None, leased_until=None)
        if wait_s <= MOST_COUNTDOWN_S:
            webhook_send([row.pk], countdown=wait_s)
    return True


def _ended(row: Delivery, status: DeliveryStatus) -> None:
    Delivery.objects.filter(pk=row.pk).update(status=status, ended_at=timezone.now(), lease=None, leased_until=None)


def _turned_off(hook: Webhook, row: Delivery, outcome: Outcome) -> None:
    if not hook.active:
        return
    why = f"it answered {outcome.status}" if outcome.status is not None else outcome.error
    if outcome.status == GONE:
        note = "Turned off: it answered that nobody is there any more (410)."
    else:
        note = f"Turned off: {row.event} could not be delivered for a day; at last {why}"[:299]
    Webhook.objects.filter(pk=hook.pk).update(active=False, note=note)
    audit_record(action="webhook.off", subject=hook, before={"active": True}, after={"active": False, "note": note})
    logger.warning("webhook_turned_off", webhook=hook.pk, message=row.message, note=note)


def deliveries_resend() -> list[int]:
    """Asks again for what is due: its message may be lost, or whoever sent it may have died. Twice does no harm."""
    now = timezone.now()
    free = Q(leased_until__isnull=True) | Q(leased_until__lt=now)
    due = Delivery.objects.filter(free, status=DeliveryStatus.WAITING, due_at__lte=now, webhook__active=True)
    found = list(due.order_by("due_at").values_list("pk", flat=True)[:MOST_RESENT])
    webhook_send(found)
    return found


def deliveries_forget() -> int:
    """Away with what is older than TOONEMO_WEBHOOK_KEEP_DAYS, a bounded number at a time."""
    old = Delivery.objects.filter(created_at__lt=timezone.now() - timedelta(days=settings.TOONEMO_WEBHOOK_KEEP_DAYS))
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:1_000])
    gone, _ = Delivery.objects.filter(pk__in=ids).delete()
    return gone
