"""The search page: the same function as the command and the API."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from analysis.limits_request import limits_of
from analysis.search.answer import registry_load, search
from analysis.search.chips import chips_of
from analysis.search.echo import superlative
from analysis.search.languages import LANGUAGES, say
from analysis.search.query import Query, Target
from analysis.selectors.scenes import telling_moods
from analysis.selectors.visible import runs_visible
from catalog.models import Character
from ml.types import Emotion

EXAMPLES = (
    _("angriest characters"),
    _("episodes where nobody is ever angry"),
    _("happiest episodes under 8 minutes"),
)


def search_page(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    asked = request.GET.get("page", "1")
    page = int(asked) if asked.isdecimal() and len(asked) < 6 else 1
    language = request.GET.get("lang", "")
    known = language if language in LANGUAGES else None
    limits = limits_of(request)
    answer = search(text, page=max(1, page), language=known, limits=limits) if text else None
    chips = chips_of(answer.query, answer.registry) if answer and answer.query and answer.registry else []
    moods = [] if answer else telling_moods(runs_visible(limits))
    examples = [_example(character, emotion) for character, emotion in moods]
    context = {"q": text, "answer": answer, "chips": chips, "examples": [*examples, *EXAMPLES]}
    return render(request, "search.html", context)


def _example(character: Character, emotion: str) -> str:
    """A question in the language of the page."""
    if get_language() == "ko":
        query = Query(Target.SCENES, emotion=Emotion(emotion), character=character.slug)
        return say(query, registry_load(), "ko")
    return f"{superlative(emotion)} scenes of {character.name}"
