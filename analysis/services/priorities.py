"""Which run goes first. Rows are asked at each claim, so a change counts for work that waits already."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max

from analysis.errors import PriorityInvalid, RunNotWaiting
from analysis.models import MOST_PRIORITY, AnalysisRun, RunEventKind, RunStatus
from analysis.services.audit import audit_record
from analysis.services.run_events import event_record

RAISE, LOWER, TOP = "raise", "lower", "top"
MOVES = (RAISE, LOWER, TOP)


@transaction.atomic
def run_prioritise(*, run: AnalysisRun, to: int | str, actor: AbstractBaseUser | None = None) -> AnalysisRun:
    """``to``: a number from -1000 to 1000, or ``raise``, ``lower`` (by one), ``top`` (before all others).

    What a worker holds is finished first. Raises PriorityInvalid, and RunNotWaiting where the run has ended.
    """
    locked = AnalysisRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if not locked.is_active:
        raise RunNotWaiting(f"Run {locked.pk} has {locked.status} already; it waits for nothing.")
    wanted = _number(locked, to)
    if wanted != locked.priority:
        before, after = {"priority": locked.priority}, {"priority": wanted}
        AnalysisRun.objects.filter(pk=locked.pk).update(priority=wanted)
        audit_record(action="run.priority", subject=locked, actor=actor, before=before, after=after)
        event_record(locked.pk, RunEventKind.PRIORITY, actor=actor, code=str(wanted))
    locked.refresh_from_db()
    return locked


def _number(run: AnalysisRun, to: int | str) -> int:
    wanted: int
    if isinstance(to, bool) or (isinstance(to, str) and to not in MOVES):
        raise PriorityInvalid(f"A priority is a whole number, or one of {', '.join(MOVES)}; {to!r} is none.")
    if to == RAISE:
        wanted = run.priority + 1
    elif to == LOWER:
        wanted = run.priority - 1
    elif to == TOP:
        active = AnalysisRun.objects.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING]).exclude(pk=run.pk)
        highest = active.aggregate(most=Max("priority"))["most"]
        wanted = run.priority if highest is None else max(run.priority, highest + 1)
    else:
        wanted = int(to)
    if not -MOST_PRIORITY <= wanted <= MOST_PRIORITY:
        raise PriorityInvalid(
            f"Run {run.pk} cannot have the priority {wanted}; it goes from {-MOST_PRIORITY} to {MOST_PRIORITY}."
        )
    return wanted
