"""Long work on a row is done by whoever holds its lease. One conditional UPDATE gives it, and it ends by itself."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from catalog.incoming_models import Leased

LEASE = timedelta(minutes=5)
RENEW_S = 20.0
ATTEMPTS = 3
RESEND_AFTER = timedelta(minutes=1)

R = TypeVar("R", bound=Leased)


class LeaseLost(Exception):
    """Somebody else has the row now: what was found is not to be written."""


def lease_take(rows: QuerySet[R], pk: int, **more: Any) -> uuid.UUID | None:
    """The token, where ``rows`` has the row and nobody works on it; else None."""
    token, now = uuid.uuid4(), timezone.now()
    free = rows.filter(pk=pk).filter(Q(lease__isnull=True) | Q(lease_until__lt=now))
    taken = free.update(lease=token, lease_until=now + LEASE, attempts=F("attempts") + 1, **more)
    return token if taken else None


def lease_keep(model: type[Leased], pk: int, token: uuid.UUID) -> None:
    """Raises LeaseLost."""
    mine = model._default_manager.filter(pk=pk, lease=token)
    if not mine.update(lease_until=timezone.now() + LEASE):
        raise LeaseLost


def lease_keeper(model: type[Leased], pk: int, token: uuid.UUID) -> Callable[[], None]:
    """To be called as often as there is progress; writes now and then."""
    kept = time.monotonic()

    def keep() -> None:
        nonlocal kept
        if time.monotonic() - kept > RENEW_S:
            lease_keep(model, pk, token)
            kept = time.monotonic()

    return keep


def lease_end(model: type[R], pk: int, token: uuid.UUID, **values: Any) -> None:
    """Writes what was found and gives the row back. Raises LeaseLost."""
    ended = model._default_manager.filter(pk=pk, lease=token).update(lease=None, lease_until=None, **values)
    if not ended:
        raise LeaseLost


def due(rows: QuerySet[R]) -> list[int]:
    """Rows that nobody works on and whose message may be lost, marked as sent again."""
    now = timezone.now()
    late = rows.filter(Q(sent_at__isnull=True) | Q(sent_at__lt=now - RESEND_AFTER)).filter(
        Q(lease__isnull=True) | Q(lease_until__lt=now)
    )
    ids = list(late.values_list("pk", flat=True)[:200])
    rows.model._default_manager.filter(pk__in=ids).update(sent_at=now)
    return ids
