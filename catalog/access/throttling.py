"""How often the API answers somebody: by address, by person, by token; and less often what is expensive.

A view says ``rate = "search"`` where it is expensive; both limits count then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from catalog.access.address import counted_address
from catalog.access.models import Token
from catalog.access.rates import Counted, Rate, count

if TYPE_CHECKING:  # REST framework reads its settings, which name this module, while it is imported
    from rest_framework.views import APIView

SAFE = ("GET", "HEAD", "OPTIONS")
KEPT = "_rate_counted"


def who(request: Request) -> tuple[str, str]:
    """The kind of whoever asks, which is the name of a rate, and by what it is counted."""
    if isinstance(request.auth, Token):
        return "token", f"token:{request.auth.pk}"
    if request.user and request.user.is_authenticated:
        return "signed_in", f"user:{request.user.pk}"
    return "anonymous", f"address:{counted_address(request._request)}"


class Rates(BaseThrottle):
    """Leaves what it counted on the request, for the headers of the answer."""

    def __init__(self) -> None:
        self.refused: Counted | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        kind, key = who(request)
        reading = request.method in SAFE
        for name in dict.fromkeys((kind, getattr(view, "rate", ""))):
            rate: Rate | None = settings.TOONEMO_RATES.get(name)
            if rate is None:
                continue
            counted = count(f"{name}:{key}", rate, reading=reading)
            if counted is not None:
                _keep(request._request, counted)
                if not counted.allowed:
                    self.refused = counted
                    return False
        return True

    def wait(self) -> float | None:
        return None if self.refused is None else float(self.refused.wait_s)


def _keep(request: HttpRequest, counted: Counted) -> None:
    """The one that leaves least."""
    known: Counted | None = request.__dict__.get(KEPT)
    if known is None or not counted.allowed or counted.left < known.left:
        request.__dict__[KEPT] = counted


class RateHeadersMiddleware:
    """``RateLimit-Limit``, ``-Remaining``, ``-Reset`` and ``-Policy`` wherever something was counted."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        counted: Counted | None = request.__dict__.get(KEPT)
        if counted is not None:
            for name, value in headers_of(counted).items():
                response.headers[name] = value
        return response


def headers_of(counted: Counted) -> dict[str, Any]:
    return {
        "RateLimit-Limit": str(counted.rate.most),
        "RateLimit-Remaining": str(counted.left),
        "RateLimit-Reset": str(counted.wait_s or counted.rate.seconds),
        "RateLimit-Policy": str(counted.rate),
    }
