"""Which workers there are, as they tell of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db.models.functions import Now

from analysis.models import Worker

FORGET_AFTER = timedelta(days=1)


def worker_tell(*, name: str, queues: Sequence[str], processes: int, begins: bool = False) -> None:
    """That it lives. ``begins``: it has just started."""
    told = {"queues": list(queues), "processes": processes, "seen_at": Now(), "ended_at": None}
    fresh = {**told, "started_at": Now()}
    Worker.objects.update_or_create(name=name[:200], defaults=fresh if begins else told, create_defaults=fresh)


def worker_ended(*, name: str) -> None:
    """It went in order."""
    Worker.objects.filter(name=name[:200]).update(ended_at=Now())


def workers_forget() -> int:
    """Takes away those that were not seen for a day."""
    return Worker.objects.filter(seen_at__lt=Now() - FORGET_AFTER).delete()[0]
