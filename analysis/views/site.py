"""The page that shows every component in all its states."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from analysis.views import samples, samples_parents, samples_staff
from ml.types import EMOTIONS, UNCLEAR


def patterns(request: HttpRequest) -> HttpResponse:
    """While DEBUG is on; made of samples, never of rows."""
    if not settings.DEBUG:
        raise Http404
    context = {"emotions": [*EMOTIONS, UNCLEAR, "nobody"], "levels": samples.levels(), **samples.components()}
    context |= samples_parents.components() | samples_staff.components()
    return render(request, "patterns.html", context)
