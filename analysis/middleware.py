"""Limits at the edge: a hidden episode is answered with why, and no cache gives one browser's answer to another."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from analysis.errors import EpisodeHidden

STATIC = "/static/"


class LimitsMiddleware:
    """``Vary: Cookie`` on everything but static files. What says nothing of caching is not kept without asking again:
    a page from before the limits must not come back after them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith(STATIC):
            patch_vary_headers(response, ["Cookie"])
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, EpisodeHidden):
            return render(request, "hidden.html", {"hidden": exception.hidden}, status=404)
        return None
