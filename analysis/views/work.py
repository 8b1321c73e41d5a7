"""Much at once: pausing and going on, one action on many runs, and choosing episodes to analyse."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analysis.errors import AnalysisError
from analysis.models import ModelBundle
from analysis.selectors.work import STATES, episodes_to_analyse
from analysis.services.bulk_runs import PUBLISHING, runs_bulk
from analysis.services.queues import queue_pause, queue_resume
from catalog.models import Series
from catalog.roles import Right, may, needs

PAGE_SIZE = 50


@require_POST
@needs(Right.MANAGE)
def queue(request: HttpRequest) -> HttpResponse:
    """``queue`` and ``do``: pause or resume."""
    name, do = request.POST.get("queue", ""), request.POST.get("do", "")
    assert isinstance(request.user, User)
    try:
        if do == "pause":
            queue_pause(name=name, actor=request.user, reason=request.POST.get("reason", ""))
            messages.success(request, _("Paused. What is under way is finished, and nothing new is begun."))
        else:
            queue_resume(name=name, actor=request.user)
            messages.success(request, _("Work goes on."))
    except AnalysisError as error:
        messages.error(request, str(error))
    return redirect("runs")


@require_POST
@needs(Right.SEE_RUNS)
def bulk(request: HttpRequest) -> HttpResponse:
    """One summary of what was done and what was refused, and why."""
    action = request.POST.get("action", "")
    if not may(request, Right.PUBLISH if action in PUBLISHING else Right.ANALYSE):
        raise PermissionDenied
    assert isinstance(request.user, User)
    try:
        summary = runs_bulk(
            action=action,
            runs=_ids(request, "run"),
            episodes=_ids(request, "episode"),
            bundle=request.POST.get("bundle") or None,
            actor=request.user,
        )
    except AnalysisError as error:
        messages.error(request, str(error))
        return redirect("runs-analyse" if action == "analyse" else "runs")
    return render(request, "runs_done.html", {"summary": summary})


def _ids(request: HttpRequest, name: str) -> list[int]:
    """What is no id is left out: a form of ours sends none."""
    return [int(text) for text in request.POST.getlist(name) if text.isascii() and text.isdecimal() and len(text) <= 18]


@require_safe
@needs(Right.ANALYSE)
def choose(request: HttpRequest) -> HttpResponse:
    """Episodes by what was analysed of them, to be chosen from."""
    state = request.GET.get("state", "")
    state = state if state in STATES else STATES[0]
    series = request.GET.get("series", "")[:300]
    found = episodes_to_analyse(state, series)
    context = {
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "state": state,
        "series": series,
        "all_series": Series.objects.order_by("title", "pk"),
        "bundles": ModelBundle.objects.order_by("name", "version", "pk"),
    }
    return render(request, "runs_analyse.html", context)
