"""Answers that a client may keep: it sends the tag again, and is told that nothing changed (304)."""

from __future__ import annotations

from collections.abc import Callable

from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request

UNCHANGED = OpenApiResponse(description="As it was when the ETag in If-None-Match was sent")
KEEP = "private, no-cache"  # keep it, and ask each time whether it is still so


def conditional(request: Request, tag: str, answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """``tag``: a digest of all that the answer follows from. The answer is made only where the client's is another."""
    etag = f'W/"{tag}"'
    response = get_conditional_response(request._request, etag=etag) or answer()
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = KEEP
    return response
