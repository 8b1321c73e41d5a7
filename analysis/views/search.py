"""The search page: the same function as the command and the API."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analysis.limits_request import limits_of
from analysis.search.answer import search
from analysis.search.chips import chips_of
from analysis.search.echo import superlative
from analysis.search.languages import LANGUAGES
from analysis.selectors.scenes import telling_moods
from analysis.selectors.visible import runs_visible


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
    examples = [f"{superlative(emotion)} scenes of {character.name}" for character, emotion in moods]
    context = {"q": text, "answer": answer, "chips": chips, "examples": examples}
    return render(request, "search.html", context)
