"""Runs: the board of all, one with its log and pictures, two side by side, and what may be done to one.

Without JavaScript a page is as it was when it was opened; with it, ``live.js`` asks for the part that changes
(``X-Part``) whenever something happened.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analysis.errors import AnalysisError
from analysis.limits import NO_LIMITS, Limits
from analysis.limits_request import limits_of
from analysis.models import AnalysisRun, ModelBundle, QueueName, RunPicture, RunStatus
from analysis.selectors.comparing import runs_compare
from analysis.selectors.hidden import hidden_check
from analysis.selectors.queue import Pause, Waiting, WorkerState, pauses, waiting, waiting_place, workers
from analysis.selectors.run_events import pictures_of, queue_log, run_log
from analysis.selectors.runs import RunProgress, run_list, run_missing_parts, run_published, runs_progress
from analysis.selectors.visible import runs_listed
from analysis.services.priorities import MOVES, run_prioritise
from analysis.services.publishing import run_publish, run_rollback
from analysis.services.runs import run_cancel, run_request, run_retry
from analysis.views.media import picture_answer
from catalog.roles import Right, may, needs

PAGE_SIZE = 30
MOST_OPEN = 40  # that go on or wait and are shown at once
PICTURES_OF_ONE = 12


def limits_for(request: HttpRequest) -> Limits:
    """Those who may see them look after every run, whatever is hidden in their browser."""
    return NO_LIMITS if may(request, Right.SEE_RUNS) else limits_of(request)


class Row:
    """A run as the board shows it."""

    def __init__(self, run: AnalysisRun, progress: RunProgress | None, place: Waiting | None) -> None:
        self.run, self.progress, self.place = run, progress, place
        self.workers: list[WorkerState] = []
        self.pictures: list[RunPicture] = []


def runs(request: HttpRequest) -> HttpResponse:
    asked = request.GET.get("status", "")
    status = asked if asked in RunStatus.values else ""
    listed = runs_listed(limits_for(request))
    ended = listed.exclude(status__in=ACTIVE) if not status else listed.filter(status=status)
    page = Paginator(ended, PAGE_SIZE).get_page(request.GET.get("page"))
    going = [] if status else _going(listed)
    shown = [*going[:MOST_OPEN], *page.object_list]
    progress = runs_progress([run.pk for run in shown])
    places = {w.run.pk: w for w in waiting(MOST_OPEN)} if going else {}
    open_rows = [Row(run, progress.get(run.pk), places.get(run.pk)) for run in going[:MOST_OPEN]]
    context: dict[str, Any] = {
        "page": page,
        "rows": [Row(run, progress.get(run.pk), None) for run in page.object_list],
        "running": [row for row in open_rows if row.run.status == RunStatus.RUNNING],
        "waiting": sorted(
            (row for row in open_rows if row.run.status == RunStatus.QUEUED),
            key=lambda row: row.place.place if row.place else MOST_OPEN,
        ),
        "more": len(going) > MOST_OPEN,
        "active": bool(going) or any(run.is_active for run in page.object_list),
        "status": status,
        "statuses": RunStatus.choices,
    }
    if may(request, Right.SEE_RUNS):
        context |= _behind([*open_rows, *context["rows"]])
    return _render(request, "runs.html", "parts/run_rows.html", context)


ACTIVE = [RunStatus.QUEUED, RunStatus.RUNNING]


def _going(listed: QuerySet[AnalysisRun]) -> list[AnalysisRun]:
    """Those that go on, in the order of the work; one more than are shown, so that a page can say so."""
    return list(listed.filter(status__in=ACTIVE).order_by("-priority", "created_at", "pk")[: MOST_OPEN + 1])


def _behind(rows: list[Row]) -> dict[str, Any]:
    """What only those see who look after runs: workers, pauses, pictures."""
    found = workers()
    active = [row.run.pk for row in rows if row.run.is_active]
    pictures = pictures_of(active) if active else {}
    for row in rows:
        row.workers = [w for w in found if any(run == row.run.pk for run, _ in w.parts)]
        row.pictures = pictures.get(row.run.pk, [])
    paused = pauses()
    return {
        "behind": True,
        "workers": found,
        "readers": [w for w in found if w.alive and w.reads],
        "queues": [(name, label, paused.get(name)) for name, label in QueueName.choices],
        "paused": _standing(paused),
        "paused_any": bool(paused),
        "queue_log": queue_log(),
        "bundles": ModelBundle.objects.order_by("name", "version", "pk"),
    }


def _standing(paused: dict[str, Pause]) -> Pause | None:
    """The pause that keeps videos from being read."""
    return paused.get(QueueName.ALL.value) or paused.get(QueueName.INFERENCE.value)


def run(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(run_list(), pk=pk)
    hidden_check(found.episode_id, limits_for(request))
    place = waiting_place(found) if found.is_active else None
    row = Row(found, runs_progress([pk])[pk], place)
    context = {
        "row": row,
        "run": found,
        "progress": row.progress,
        "segments": list(found.segments.order_by("index")),
        "missing": run_missing_parts(found),
        "shown": found.publications.filter(withdrawn_at__isnull=True).exists(),
        "shown_run": run_published(found.episode),
        "earlier": found.episode.publications.filter(withdrawn_at__isnull=False).exclude(run=found).exists(),
        "active": found.is_active,
    }
    if may(request, Right.SEE_RUNS):
        context |= {**_behind([row]), "log": run_log(found)}
        row.pictures = pictures_of([pk], PICTURES_OF_ONE).get(pk, [])
    return _render(request, "run.html", "parts/run_state.html", context)


@require_safe
@needs(Right.SEE_RUNS)
def picture(request: HttpRequest, pk: int, picture: int) -> HttpResponseBase:
    """A drawing of a run as it was read, for those who look after runs."""
    found = get_object_or_404(RunPicture, pk=picture, run_id=pk)
    try:
        stored = default_storage.open(found.name, "rb")
    except (FileNotFoundError, PermissionError) as error:
        raise Http404("The picture is gone.") from error
    answer = picture_answer(request, stored, "image/jpeg", f"run-picture-{found.pk}")
    answer.headers["Cache-Control"] = "private, max-age=600"  # the page is renewed more often than that
    return answer


def compare(request: HttpRequest, before: int, after: int) -> HttpResponse:
    """What would change if the episode showed ``after`` and not ``before``."""
    first, second = get_object_or_404(run_list(), pk=before), get_object_or_404(run_list(), pk=after)
    for episode_id in {first.episode_id, second.episode_id}:
        hidden_check(episode_id, limits_for(request))
    context: dict[str, object] = {"before": first, "after": second, "everything": request.GET.get("all") == "1"}
    try:
        context["found"] = runs_compare(first, second)
    except AnalysisError as error:
        return render(request, "compare.html", {**context, "error": str(error)}, status=409)
    shown = run_published(second.episode)
    return render(request, "compare.html", {**context, "shown": None if shown is None else shown.pk})


def _render(request: HttpRequest, page: str, part: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, part if "X-Part" in request.headers else page, context)
    patch_vary_headers(response, ["X-Part"])
    return response


def _act(request: HttpRequest, pk: int, act: Callable[[AnalysisRun, User], object], done: str) -> HttpResponse:
    found = get_object_or_404(AnalysisRun, pk=pk)
    assert isinstance(request.user, User)
    try:
        act(found, request.user)
    except AnalysisError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("run", pk=pk)


@require_POST
@needs(Right.ANALYSE)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(
        request, pk, lambda run, user: run_cancel(run=run, actor=user), _("Run %(pk)s is being stopped.") % {"pk": pk}
    )


@require_POST
@needs(Right.ANALYSE)
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(
        request,
        pk,
        lambda run, user: run_retry(run=run, actor=user),
        _("Run %(pk)s goes on with what failed.") % {"pk": pk},
    )


@require_POST
@needs(Right.PUBLISH)
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(
        request,
        pk,
        lambda run, user: run_publish(run=run, actor=user),
        _("The episode shows run %(pk)s now.") % {"pk": pk},
    )


@require_POST
@needs(Right.PUBLISH)
def rollback(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(
        request,
        pk,
        lambda run, user: run_rollback(episode=run.episode, actor=user),
        _("The episode shows again what it showed before."),
    )


@require_POST
@needs(Right.ANALYSE)
def priority(request: HttpRequest, pk: int) -> HttpResponse:
    """``to``: raise, lower or top; leads back to where it was asked."""
    asked = request.POST.get("to", "")
    to: int | str = int(asked) if re.fullmatch(r"-?[0-9]{1,4}", asked) else asked
    said = (
        _("Run %(pk)s goes before all others.") % {"pk": pk}
        if to == MOVES[-1]
        else _("Run %(pk)s has another priority.") % {"pk": pk}
    )
    answer = _act(request, pk, lambda run, user: run_prioritise(run=run, to=to, actor=user), said)
    return redirect("runs") if request.POST.get("back") == "runs" else answer


@require_POST
@needs(Right.ANALYSE)
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Analyses the run's episode once more, with the bundle that is named; leads to the new run."""
    found = get_object_or_404(AnalysisRun.objects.select_related("episode"), pk=pk)
    assert isinstance(request.user, User)
    try:
        fresh = run_request(
            episode=found.episode,
            bundle_name=request.POST.get("bundle") or None,
            config=found.config,
            requested_by=request.user,
            force=True,
        )
    except AnalysisError as error:
        messages.error(request, str(error))
        return redirect("run", pk=pk)
    return redirect("run", pk=fresh.pk)
