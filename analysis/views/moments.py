"""The page behind a number: when a character shows an emotion, with pictures and times."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from analysis.limits_request import limits_of
from analysis.selectors.behind import ORDERS, Behind, behind
from analysis.selectors.episodes import emotion_named, episode_get, ratings_by_run
from analysis.selectors.hidden import hidden_check
from analysis.selectors.profiles import Rating
from analysis.selectors.runs import run_published
from analysis.services.finds import pictures_request
from ml.types import EMOTIONS


@require_safe
def moments(request: HttpRequest, pk: int) -> HttpResponse:
    """``?character=SLUG&emotion=E``, with ``order`` and ``page``. Without the two: what there is to choose from."""
    found = episode_get(pk)
    if found is None:
        raise Http404
    hidden_check(pk, limits_of(request))
    run = run_published(found)
    ratings = [] if run is None else ratings_by_run([run.pk]).get(run.pk, [])
    slug, asked = request.GET.get("character", ""), request.GET.get("emotion", "")
    rating = next((r for r in ratings if r.character.slug == slug), None)
    emotion = emotion_named(asked)
    shown: Behind | None = None
    if run is not None and rating is not None and emotion is not None:
        order, page = request.GET.get("order", ""), request.GET.get("page")
        shown = behind(run, rating.character, emotion, order, page)
        pictures_request(s for s in shown.spans if s.face is not None and s.scene_picture is not None)
    unknown = _unknown(slug, asked, ratings, rating)
    context = {
        "episode": found,
        "run": run,
        "ratings": ratings,
        "rating": rating,
        "share": next((e for e in rating.emotions if e.emotion is emotion), None) if rating else None,
        "emotion": emotion,
        "emotions": EMOTIONS,
        "shown": shown,
        "orders": ORDERS,
        "unknown": unknown,
    }
    return render(request, "moments.html", context, status=404 if unknown else 200)


def _unknown(slug: str, emotion: str, ratings: list[Rating], rating: Rating | None) -> str:
    """What was asked for and is not there, as it was asked; empty where all is."""
    if slug and rating is None and ratings:
        return slug[:80]
    return emotion[:80] if emotion and emotion not in EMOTIONS else ""
