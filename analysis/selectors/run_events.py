"""What happened to runs: the log of one, and what is new since a place in the order of all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, F, Func, Q, QuerySet, TextField
from django.db.models.functions import Cast

from analysis.models import AnalysisRun, RunEvent, RunPicture

_PLACE = re.compile(r"(\d{1,18})-(\d{1,18})")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where somebody has read to: transaction, then id. As text: ``812-77``."""

    xact: int
    event: int

    def __str__(self) -> str:
        return f"{self.xact}-{self.event}"


def place_parse(text: str) -> Place | None:
    """None where it is no place."""
    match = _PLACE.fullmatch(text)
    return None if match is None else Place(int(match[1]), int(match[2]))


def place_now() -> Place:
    """What is settled comes before it; what is being written, and all that is written later, comes after it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return Place(int(cursor.fetchone()[0]), 0)


def _horizon() -> Cast:
    """The oldest transaction that still goes on: all below it is settled."""
    snapshot = Func(function="pg_current_snapshot", output_field=TextField())
    return Cast(Cast(Func(snapshot, function="pg_snapshot_xmin", output_field=TextField()), TextField()),
                BigIntegerField())  # fmt: skip


def events_since(place: Place, *, run: AnalysisRun | None = None, most: int = 500) -> list[RunEvent]:
    """In order, and each exactly once over any number of calls that go on where the last one ended.

    What a transaction writes that still goes on, or began before one that does, comes with a later call.
    """
    later = Q(xact__gt=place.xact) | Q(xact=place.xact, id__gt=place.event)
    found = RunEvent.objects.filter(later, xact__gte=place.xact, xact__lt=_horizon())
    if run is not None:
        found = found.filter(run=run)
    return list(_told(found).order_by("xact", "id")[:most])


def events_pending(place: Place, run: AnalysisRun) -> bool:
    """Whether something of the run comes after ``place``, also what is not settled yet."""
    later = Q(xact__gt=place.xact) | Q(xact=place.xact, id__gt=place.event)
    return RunEvent.objects.filter(later, run=run).exists()


def run_log(run: AnalysisRun, most: int = 100) -> list[RunEvent]:
    """The newest first."""
    return list(_told(run.events.all()).order_by("-id")[:most])


def queue_log(most: int = 10) -> list[RunEvent]:
    """Who paused what, the newest first."""
    return list(_told(RunEvent.objects.filter(run__isnull=True)).order_by("-id")[:most])


def _told(events: QuerySet[RunEvent]) -> QuerySet[RunEvent]:
    return events.select_related("actor").annotate(episode=F("run__episode_id"))


def event_json(event: RunEvent) -> dict[str, Any]:
    return {
        "id": str(Place(event.xact, event.pk)),
        "run": event.run_id,
        "episode": event.__dict__["episode"],
        "kind": event.kind,
        "at": event.at.isoformat(),
        "part": event.part,
        "worker": event.worker,
        "by": None if event.actor is None else event.actor.get_username(),
        "code": event.code,
        "detail": event.detail,
    }


def pictures_of(run_ids: list[int], most: int = 4) -> dict[int, list[RunPicture]]:
    """The newest of each run first; one query, since few are kept of each."""
    found: dict[int, list[RunPicture]] = {}
    for picture in RunPicture.objects.filter(run_id__in=run_ids).order_by("run_id", "-id"):
        rows = found.setdefault(picture.run_id, [])
        if len(rows) < most:
            rows.append(picture)
    return found
