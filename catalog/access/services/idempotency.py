"""The same request twice, done once: answers of POSTs by the key that the client chose.

The row is written in the transaction of the write itself, under a lock that goes with it. A process that is killed
leaves neither; one that is killed after the commit leaves both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from catalog.access.errors import KeyInFlight, KeyInvalid, KeyReused
from catalog.access.models import KeptAnswer

KEPT = timedelta(hours=24)
LONGEST_KEY = 255


def key_check(key: str) -> str:
    """Raises KeyInvalid."""
    if not (0 < len(key) <= LONGEST_KEY and all("!" <= c <= "~" for c in key)):
        raise KeyInvalid(f"An Idempotency-Key has 1 to {LONGEST_KEY} visible ASCII characters, without spaces.")
    return key


def answer_find(*, owner: str, key: str, fingerprint: str) -> KeptAnswer | None:
    """Inside the transaction of the request, whose lock this takes. None: it is the first time.

    Raises KeyInFlight where another request holds the lock, KeyReused where the key was sent with something else.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_lock(owner, key)])
        (got,) = cursor.fetchone()
    if not got:
        raise KeyInFlight("A request with this Idempotency-Key is being answered; ask again in a moment.")
    kept = KeptAnswer.objects.filter(owner=owner, key=key).first()
    if kept is not None and kept.at < timezone.now() - KEPT:
        kept.delete()
        kept = None
    if kept is not None and kept.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was sent before with another request; take a new key for a new one.")
    return kept


def answer_keep(
    *, owner: str, key: str, fingerprint: str, status: int, headers: Mapping[str, Any], body: bytes
) -> KeptAnswer:
    return KeptAnswer.objects.create(
        owner=owner, key=key, fingerprint=fingerprint, status=status, headers=dict(headers), body=body
    )


def answers_forget() -> int:
    """Away with answers older than a day."""
    gone, _ = KeptAnswer.objects.filter(at__lt=timezone.now() - KEPT).delete()
    return gone


def _lock(owner: str, key: str) -> int:
    digest = hashlib.sha256(f"{owner}\n{key}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
