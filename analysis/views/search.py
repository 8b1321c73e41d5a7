"""The search page: the same function as the command and the API."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from analysis.search.answer import search
from analysis.selectors.episodes import character_choices


def search_page(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").replace("\x00", "").strip()
    asked = request.GET.get("page", "1")
    page = int(asked) if asked.isdecimal() and len(asked) < 6 else 1
    answer = search(text, page=max(1, page)) if text else None
    context = {"q": text, "answer": answer, "characters": character_choices()[:4]}
    return render(request, "search.html", context)
