"""Answers that a client may keep: it sends the tag again, and is told that nothing changed (304)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response

KEEP = "private, no-cache"  # keep it, and ask each time whether it is still so
VARY = ["Accept", "Authorization", "Cookie"]  # the form, and who asks under which limits


def conditional(
    request: Request, tag: str, answer: Callable[[], HttpResponseBase], chosen: Any = None
) -> HttpResponseBase:
    """``tag``: a digest of all that the answer follows from, but for the fields that were ``chosen`` of it. The answer
    is made only where the client's is another.
    """
    etag = f'W/"{_digest(repr(chosen).encode())[:8]}{tag}"' if chosen else f'W/"{tag}"'
    response = get_conditional_response(request._request, etag=etag) or answer()
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = KEEP
    return response


class Tagged:
    """A view of REST framework whose GET answers have a tag: that of what they follow from where the view says so, else
    a digest of what is in them. The digest saves sending, not making.
    """

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        patch_vary_headers(response, VARY)
        if isinstance(response, Response) and request.method in ("GET", "HEAD") and response.status_code == 200:
            asked: HttpRequest = request._request
            response.add_post_render_callback(lambda made: _tagged(asked, made))
        return response


def _tagged(request: HttpRequest, response: Any) -> Any:
    if response.has_header("ETag") or "no-store" in response.headers.get("Cache-Control", ""):
        return response
    etag = f'W/"{_digest(response.content)[:32]}"'
    response.headers["ETag"] = etag
    response.headers.setdefault("Cache-Control", KEEP)
    return get_conditional_response(request, etag=etag, response=response)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
