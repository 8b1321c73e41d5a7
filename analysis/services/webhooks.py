"""Setting webhooks up, changing them, and asking for a test. What is sent is in ``deliveries``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from analysis.errors import WebhookInvalid
from analysis.models import Delivery, DeliveryStatus, Webhook, WebhookEvent
from analysis.models.webhooks import TEST_EVENT
from analysis.services.audit import audit_record
from analysis.services.deliveries import MOST_RESENT, deliveries_write
from analysis.services.messages import webhook_send
from analysis.webhooks.address import AddressRefused, target_read
from analysis.webhooks.signing import secret_new
from catalog.naming import plain_text

MOST_WEBHOOKS = 50
NAME_LENGTH = 80
ROTATED = timedelta(hours=24)  # for so long the secret before signs too


@transaction.atomic
def webhook_create(*, name: str, url: str, events: Iterable[str], actor: AbstractBaseUser) -> Webhook:
    """Raises WebhookInvalid."""
    if Webhook.objects.count() >= MOST_WEBHOOKS:
        raise WebhookInvalid(f"There are {MOST_WEBHOOKS} webhooks already; delete one that is not needed.")
    row = Webhook.objects.create(
        name=_name(name), url=_url(url), events=_events(events), secret=secret_new(), made_by_id=actor.pk
    )
    audit_record(action="webhook.create", subject=row, actor=actor, after=webhook_data(row))
    return row


@transaction.atomic
def webhook_change(
    *,
    webhook: Webhook,
    actor: AbstractBaseUser,
    name: str | None = None,
    url: str | None = None,
    events: Iterable[str] | None = None,
    active: bool | None = None,
) -> Webhook:
    """What is None stays. Turned on again, what waits is sent as if it were new. Raises WebhookInvalid."""
    row = Webhook.objects.select_for_update().get(pk=webhook.pk)
    before, was_active = webhook_data(row), row.active
    row.name = row.name if name is None else _name(name)
    row.url = row.url if url is None else _url(url)
    row.events = row.events if events is None else _events(events)
    row.active = row.active if active is None else active
    row.note = "" if row.active else row.note
    row.save(update_fields=["name", "url", "events", "active", "note"])
    if row.active and not was_active:
        waiting = row.deliveries.filter(status=DeliveryStatus.WAITING)
        waiting.update(attempts=0, due_at=timezone.now(), lease=None, leased_until=None)
        webhook_send(waiting.order_by("pk").values_list("pk", flat=True)[:MOST_RESENT])
    if webhook_data(row) != before:
        audit_record(action="webhook.change", subject=row, actor=actor, before=before, after=webhook_data(row))
    return row


@transaction.atomic
def webhook_rotate(*, webhook: Webhook, actor: AbstractBaseUser) -> Webhook:
    """A new secret; the one before signs too for a day."""
    row = Webhook.objects.select_for_update().get(pk=webhook.pk)
    row.previous_secret, row.previous_until = row.secret, timezone.now() + ROTATED
    row.secret = secret_new()
    row.save(update_fields=["secret", "previous_secret", "previous_until"])
    audit_record(action="webhook.rotate", subject=row, actor=actor)
    return row


@transaction.atomic
def webhook_delete(*, webhook: Webhook, actor: AbstractBaseUser) -> None:
    """With all that was sent, and what still waits."""
    audit_record(action="webhook.delete", subject=webhook, actor=actor, before=webhook_data(webhook))
    Webhook.objects.filter(pk=webhook.pk).delete()


@transaction.atomic
def webhook_test(*, webhook: Webhook, actor: AbstractBaseUser) -> Delivery:
    """Sends a test now. Raises WebhookInvalid where the webhook is off."""
    webhook = Webhook.objects.select_for_update().get(pk=webhook.pk)
    if not webhook.active:
        raise WebhookInvalid(f"{webhook.name} is off; turn it on first.")
    (row,) = deliveries_write([webhook], TEST_EVENT, {"webhook": webhook.pk})
    audit_record(action="webhook.test", subject=webhook, actor=actor)
    return row


@transaction.atomic
def delivery_again(*, delivery: Delivery, actor: AbstractBaseUser) -> Delivery:
    """Sends it once more, under the same id, whatever became of it. Raises WebhookInvalid where the webhook is off."""
    row = Delivery.objects.select_for_update(of=["self"]).select_related("webhook").get(pk=delivery.pk)
    if not row.webhook.active:
        raise WebhookInvalid(f"{row.webhook.name} is off; turn it on first.")
    Delivery.objects.filter(pk=row.pk).update(
        status=DeliveryStatus.WAITING, attempts=0, due_at=timezone.now(), ended_at=None, lease=None, leased_until=None
    )
    audit_record(action="webhook.again", subject=row.webhook, actor=actor, after={"message": row.message})
    webhook_send([row.pk])
    row.refresh_from_db()
    return row


def webhook_data(row: Webhook) -> dict[str, Any]:
    """As the audit keeps it: without secrets."""
    return {"name": row.name, "url": row.url, "events": list(row.events), "active": row.active}


def _name(name: str) -> str:
    name = plain_text(name)
    if not 0 < len(name) <= NAME_LENGTH:
        raise WebhookInvalid(f"A webhook has a name of 1 to {NAME_LENGTH} characters.")
    return name


def _url(url: str) -> str:
    try:
        target_read(url, private=settings.TOONEMO_WEBHOOK_PRIVATE)
    except AddressRefused as error:
        raise WebhookInvalid(str(error)) from error
    return url


def _events(events: Iterable[str]) -> list[str]:
    asked = set(map(str, events))
    if unknown := sorted(asked - set(WebhookEvent.values)):
        raise WebhookInvalid(f"There is no event {unknown[0][:60]!r}; there are {', '.join(WebhookEvent.values)}.")
    if not asked:
        raise WebhookInvalid("Choose at least one event.")
    return [event for event in WebhookEvent.values if event in asked]
