"""Episodes by what there is still to do for them."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from analysis.models import AnalysisRun, Publication, RunStatus
from catalog.models import Episode

NEVER, FAILED, SHOWN, EVERY = "never", "failed", "shown", "all"
STATES = (NEVER, FAILED, SHOWN, EVERY)


def episodes_to_analyse(state: str, series: str = "") -> QuerySet[Episode]:
    """Those that have a video. ``never``: no run of them succeeded or goes on; ``failed``: of these, the ones where one
    failed or was cancelled; ``shown``: they show a run; ``all``. ``series``: a slug. With ``shown_by`` (name and
    version of the bundle) and ``going``.
    """
    runs = AnalysisRun.objects.filter(episode=OuterRef("pk"))
    active = runs.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
    shown = Publication.objects.filter(episode=OuterRef("pk"), withdrawn_at__isnull=True)
    found = Episode.objects.filter(source__isnull=False).select_related("series", "source")
    if series:
        found = found.filter(series__slug=series)
    if state in (NEVER, FAILED):
        found = found.exclude(Exists(runs.filter(status=RunStatus.SUCCEEDED))).exclude(Exists(active))
        ended_badly = Exists(runs.filter(status__in=[RunStatus.FAILED, RunStatus.CANCELLED]))
        found = found.filter(ended_badly) if state == FAILED else found
    elif state == SHOWN:
        found = found.filter(Exists(shown))
    found = found.annotate(
        going=Exists(active),
        shown_name=Subquery(shown.values("run__bundle__name")[:1]),
        shown_version=Subquery(shown.values("run__bundle__version")[:1]),
    )
    return found.order_by("series__title", "season", "number", "part", "title", "pk")
