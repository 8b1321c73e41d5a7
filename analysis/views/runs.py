"""Runs and how far they are. With htmx the progress renews itself until nothing is under way (status 286)."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from analysis.errors import AnalysisError
from analysis.limits import NO_LIMITS, Limits
from analysis.limits_request import limits_of
from analysis.models import AnalysisRun, RunStatus
from analysis.selectors.comparing import runs_compare
from analysis.selectors.hidden import hidden_check
from analysis.selectors.runs import run_list, run_missing_parts, run_published, runs_progress
from analysis.selectors.visible import runs_listed
from analysis.services.publishing import run_publish
from analysis.services.runs import run_cancel, run_retry
from catalog.roles import Right, may, needs

PAGE_SIZE = 30
HTMX_STOP_POLLING = 286


def _limits(request: HttpRequest) -> Limits:
    """Those who may see them look after every run, whatever is hidden in their browser."""
    return NO_LIMITS if may(request, Right.SEE_RUNS) else limits_of(request)


def runs(request: HttpRequest) -> HttpResponse:
    asked = request.GET.get("status", "")
    status = asked if asked in RunStatus.values else ""
    listed = runs_listed(_limits(request))
    page = Paginator(listed.filter(status=status) if status else listed, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    progress = runs_progress([run.pk for run in shown])
    active = any(run.is_active for run in shown)
    context = {
        "page": page,
        "rows": [(run, progress.get(run.pk)) for run in shown],
        "active": active,
        "status": status,
        "statuses": RunStatus.choices,
    }
    return _render(request, "runs.html", "parts/run_rows.html", context, active)


def run(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(run_list(), pk=pk)
    hidden_check(found.episode_id, _limits(request))
    context = {
        "run": found,
        "progress": runs_progress([pk])[pk],
        "segments": list(found.segments.order_by("index")),
        "missing": run_missing_parts(found),
        "shown": found.publications.filter(withdrawn_at__isnull=True).exists(),
        "shown_run": run_published(found.episode),
        "active": found.is_active,
    }
    return _render(request, "run.html", "parts/run_state.html", context, found.is_active)


def compare(request: HttpRequest, before: int, after: int) -> HttpResponse:
    """What would change if the episode showed ``after`` and not ``before``."""
    first, second = get_object_or_404(run_list(), pk=before), get_object_or_404(run_list(), pk=after)
    for episode_id in {first.episode_id, second.episode_id}:
        hidden_check(episode_id, _limits(request))
    context: dict[str, object] = {"before": first, "after": second, "everything": request.GET.get("all") == "1"}
    try:
        context["found"] = runs_compare(first, second)
    except AnalysisError as error:
        return render(request, "compare.html", {**context, "error": str(error)}, status=409)
    shown = run_published(second.episode)
    return render(request, "compare.html", {**context, "shown": None if shown is None else shown.pk})


def _render(request: HttpRequest, page: str, part: str, context: dict[str, object], active: bool) -> HttpResponse:
    if "HX-Request" not in request.headers:
        return render(request, page, context)
    return render(request, part, context, status=200 if active else HTMX_STOP_POLLING)


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
    return _act(request, pk, lambda run, user: run_cancel(run=run, actor=user), f"Run {pk} is being stopped.")


@require_POST
@needs(Right.ANALYSE)
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, lambda run, user: run_retry(run=run, actor=user), f"Run {pk} goes on with what failed.")


@require_POST
@needs(Right.PUBLISH)
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, lambda run, user: run_publish(run=run, actor=user), f"The episode shows run {pk} now.")
