"""The catalogue and the characters in it."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from analysis.limits_request import limits_of
from analysis.selectors import episodes as select
from analysis.selectors.characters import MOST_COMPARED, character_across, characters_compared
from analysis.selectors.scenes import best_scenes
from analysis.selectors.visible import episodes_visible, runs_visible
from catalog.models import Character
from ml.types import EMOTIONS

PAGE_SIZE = 24


def filter_from(request: HttpRequest) -> select.EpisodeFilter:
    """What the address asks for. A value that does not exist finds nothing; a sort that does not is the default."""
    get = request.GET
    sort = get.get("sort", "series")
    return select.EpisodeFilter(
        series=get.get("series", ""),
        character=get.get("character", ""),
        emotion=get.get("emotion", ""),
        words=get.get("words", "").strip()[:200],
        sort=sort if sort in select.SORTS else "series",
    )


def browse(request: HttpRequest) -> HttpResponse:
    wanted, limits = filter_from(request), limits_of(request)
    visible = episodes_visible(limits)
    page = Paginator(select.episodes_find(wanted, visible), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "wanted": wanted,
        "page": page,
        "cards": select.episode_cards(list(page.object_list)),
        "series": select.series_choices(visible),
        "characters": select.character_choices(runs_visible(limits)),
        "sorts": select.SORTS,
        "emotions": EMOTIONS,
    }
    return render(request, "browse.html", context)


def character(request: HttpRequest, slug: str) -> HttpResponse:
    """``?with=``, once or more or with commas: up to three others, side by side."""
    found = get_object_or_404(Character.objects.select_related("series"), slug=slug)
    shown = runs_visible(limits_of(request))
    best = best_scenes(found, shown)
    asked = [one.strip() for text in request.GET.getlist("with")[:MOST_COMPARED] for one in text[:400].split(",")]
    others = [c for c in characters_compared([slug, *asked]) if c.slug != slug]
    across = character_across(found, shown)
    side = [across, *(character_across(c, shown) for c in others)]
    context = {
        "character": found,
        "appearances": select.character_appearances(found, shown),
        "best": [(e, best[e]) for e in EMOTIONS if e in best],
        "across": across,
        "compared": [a for a in side if a is not None] if others and across is not None else [],
        "unknown": [name for name in asked if name and name not in {c.slug for c in [found, *others]}],
        "choices": [(c.slug, c.name) for c in select.character_choices(shown) if c.slug != slug],
        "others": [c.slug for c in others],
    }
    return render(request, "character.html", context)
