"""What happens to a run, written down as it happens: for the page, for the log and for whoever follows it."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser

from analysis.models import RunEvent, RunEventKind

MOST_EVENTS = 500  # of one run; older ones give way


def event_record(
    run_id: int | None,
    kind: RunEventKind,
    *,
    part: int | None = None,
    worker: str = "",
    actor: AbstractBaseUser | None = None,
    code: str = "",
    detail: str = "",
) -> None:
    """Inside the transaction that does it, so that what is told did happen. ``run_id`` None: of a queue."""
    event = RunEvent.objects.create(
        run_id=run_id,
        kind=kind,
        part=part,
        worker=worker[:200],
        actor_id=None if actor is None else actor.pk,
        code=code[:60],
        detail=detail,
    )
    if event.pk % 16 == 0:  # now and then is enough: at most 15 are too many
        of_run = RunEvent.objects.filter(run_id=run_id) if run_id else RunEvent.objects.filter(run__isnull=True)
        oldest = of_run.order_by("-id").values_list("id", flat=True)[MOST_EVENTS : MOST_EVENTS + 1].first()
        if oldest is not None:
            of_run.filter(id__lte=oldest).delete()
