"""One episode: its video, its ratings with the evidence, its timeline and scenes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from analysis.errors import AnalysisError
from analysis.limits_request import limits_of
from analysis.models import AnalysisRun, ModelBundle
from analysis.selectors.bundles import characters_known, is_provisional
from analysis.selectors.episodes import episode_get, ratings_by_run, scenes_to_show
from analysis.selectors.hidden import hidden_check
from analysis.selectors.pairs import pair_of
from analysis.selectors.profiles import follows_of, glance_of
from analysis.selectors.runs import run_list, run_missing_parts, run_published
from analysis.selectors.scenes import scene_cards
from analysis.selectors.summary import sheet_of
from analysis.selectors.timelines import timeline_of
from analysis.services.runs import run_request
from analysis.views.embedding import oembed_address
from catalog.models import Episode
from catalog.roles import Right, may, needs
from ml.types import EMOTIONS


def episode(request: HttpRequest, pk: int) -> HttpResponse:
    context = page_of_episode(pk)
    if context is None:
        raise Http404
    hidden_check(pk, limits_of(request))
    context["start_ms"] = start_from(request, context["duration_ms"])
    if may(request, Right.ANALYSE):
        context["bundles"] = ModelBundle.objects.order_by("name", "version", "pk")
    if "timeline" in context:
        context["pair"] = pair_of(context["timeline"], request.GET.getlist("who")[:2], request.GET.get("shows", ""))
    context["oembed"] = oembed_address(request, pk)
    return render(request, "episode.html", context)


def episode_print(request: HttpRequest, pk: int) -> HttpResponse:
    """The same on one sheet of paper."""
    context = page_of_episode(pk)
    if context is None:
        raise Http404
    hidden_check(pk, limits_of(request))
    run = context["run"]
    context |= {
        "sheet": None if run is None else sheet_of(run, context["ratings"]),
        "strangers": context["timeline"].unknown if "timeline" in context else None,
        "emotions": EMOTIONS,
        "address": request.build_absolute_uri(reverse("episode", args=[pk])),
    }
    return render(request, "print.html", context)


def page_of_episode(pk: int) -> dict[str, Any] | None:
    """All that is read of the database for an episode's page; None where there is no such episode."""
    found = episode_get(pk)
    if found is None:
        return None
    run = run_published(found)
    context: dict[str, Any] = {
        "episode": found,
        "run": run,
        "latest": run_list(episode=found).first(),
        "duration_ms": found.duration_ms,
    }
    if run is not None:
        context |= _found(found, run)
    return context


def _found(found: Episode, run: AnalysisRun) -> dict[str, object]:
    timeline = timeline_of(run, found.duration_ms or 0)
    known = characters_known(run.bundle)
    ratings = ratings_by_run([run.pk]).get(run.pk, [])
    return {
        "ratings": ratings,
        "glance": glance_of(ratings),
        "endings": [r for r in ratings if r.ending is not None],
        "follows": follows_of(ratings),
        "bias_corrected": any(r.bias_corrected for r in ratings),
        "timeline": timeline,
        "scenes": scene_cards(run),
        "poster": scenes_to_show([run.pk]).get(run.pk),
        "missing": run_missing_parts(run) if run.partial else [],
        "bundle_knows": [c.name for c in known] or run.bundle.characters,
        "provisional": is_provisional(found, known),
        "not_modelled": [e for e in EMOTIONS if e not in run.bundle.emotions],
    }


def start_from(request: HttpRequest, duration_ms: int | None) -> int:
    """``?t=`` in seconds, as milliseconds inside the episode; 0 for anything else."""
    try:
        asked = float(request.GET.get("t", "0"))
    except ValueError:
        return 0
    if not 0 <= asked < 1e7:  # also false for NaN
        return 0
    return min(int(asked * 1000), duration_ms or 0)


@require_POST
@needs(Right.ANALYSE)
def episode_analyse(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Episode, pk=pk)
    try:
        run = run_request(
            episode=found,
            bundle_name=request.POST.get("bundle") or None,
            requested_by=request.user if request.user.is_authenticated else None,
        )
    except AnalysisError as error:
        messages.error(request, str(error))
        return redirect("episode", pk=pk)
    return redirect("run", pk=run.pk)
