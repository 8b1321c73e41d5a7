"""The catalogue and the characters in it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from analysis.in_words import Asked, ask
from analysis.limits import Limits
from analysis.limits_request import limits_of
from analysis.selectors import episodes as select
from analysis.selectors.characters import MOST_COMPARED, character_across, characters_compared
from analysis.selectors.scenes import best_scenes
from analysis.selectors.visible import episodes_visible, runs_visible
from catalog.models import Character, Episode
from ml.types import EMOTIONS

PAGE_SIZE = 24
MOST_CHOICES = 80  # with more characters, a name is typed
QUESTIONS = (_("calm episodes"), _("episodes where nobody is ever angry"), _("happiest episodes under 8 minutes"))


def filter_from(request: HttpRequest) -> select.EpisodeFilter:
    """What the address asks for. A value that does not exist finds nothing; a sort that does not is the default."""
    get = request.GET
    sort = get.get("sort", "series")
    return select.EpisodeFilter(
        series=get.get("series", ""),
        character=select.character_slug(get.get("character", "").strip()[:200]),
        emotion=get.get("emotion", ""),
        words=get.get("words", "").strip()[:200],
        sort=sort if sort in select.SORTS else "series",
        amount=get.get("amount", ""),
        minutes=get.get("minutes", "").strip()[:9],
        year=get.get("year", "").strip()[:9],
    )


def browse(request: HttpRequest) -> HttpResponse:
    """``?q=``: a question in words, answered here where it asks for episodes. Without it: the filters."""
    limits = limits_of(request)
    visible = episodes_visible(limits)
    text = request.GET.get("q", "").strip()
    asked = ask(text, _page_of(request), limits) if text else None
    if asked is not None and asked.leads == "search":
        return _to_search(request, text)
    wanted = filter_from(request)
    found = _answered(asked, visible) if asked is not None and asked.leads == "here" else None
    context = _listed(request, wanted, asked, visible) if found is None else found
    characters = _characters(wanted, limits)
    context |= {
        "q": text,
        "asked": asked,
        "wanted": wanted,
        "series": select.series_choices(visible),
        "characters": characters,
        "years": [str(year) for year in select.year_choices(visible)],
        "sorts": select.SORTS,
        "amounts": select.AMOUNTS,
        "minutes": [str(n) for n in select.MINUTES],
        "emotions": EMOTIONS,
        "questions": QUESTIONS,
    }
    return render(request, "browse.html", context)


def _characters(wanted: select.EpisodeFilter, limits: Limits) -> list[Character] | None:
    """To choose from; None where they are too many for a list."""
    if not wanted.series and Character.objects.count() > 4 * MOST_CHOICES:
        return None  # whoever was seen need not be looked up
    found = select.character_choices(runs_visible(limits), wanted.series, MOST_CHOICES + 1)
    return found if len(found) <= MOST_CHOICES else None


def _page_of(request: HttpRequest) -> int:
    asked = request.GET.get("page", "1")
    return max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 1


def _to_search(request: HttpRequest, text: str) -> HttpResponse:
    """Scenes, moments and characters have a page of their own, with the same chips."""
    address = f"{reverse('search')}?{urlencode({'q': text})}"
    if "HX-Request" in request.headers:
        return HttpResponse(status=200, headers={"HX-Redirect": address})
    return redirect(address)


def _answered(asked: Asked, visible: QuerySet[Episode]) -> dict[str, Any]:
    """The episodes of an answer, in its order."""
    order = asked.episodes
    by_id = {e.pk: e for e in visible.filter(pk__in=order)}
    whys = asked.whys
    cards = select.episode_cards([by_id[pk] for pk in order if pk in by_id])
    return {"cards": [(card, whys[card.episode.pk]) for card in cards], "answer": asked.answer}


def _listed(
    request: HttpRequest, wanted: select.EpisodeFilter, asked: Asked | None, visible: QuerySet[Episode]
) -> dict[str, Any]:
    """By the filters, or by words that are no question and may be in a title."""
    if asked is not None:
        wanted = select.EpisodeFilter(words=asked.text[:200])
    found = select.episodes_find(wanted, visible).values_list("pk", flat=True)  # narrow rows: only these are sorted
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    order = list(page.object_list)
    by_id = {e.pk: e for e in visible.filter(pk__in=order)}
    return {"page": page, "cards": [(card, "") for card in select.episode_cards([by_id[pk] for pk in order])]}


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
