"""The limits of a request to the API: its own, and those of the browser's cookie; both are kept."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from analysis.api.schema import ApiSchema
from analysis.errors import LimitsUnreadable
from analysis.limits import Limits, limits_parse
from analysis.limits_request import limits_of
from analysis.selectors.visible import characters_check

PARAMETER = OpenApiParameter(
    "limits",
    str,
    OpenApiParameter.QUERY,
    description="Only of episodes that keep them, such as: angry<=10%, jerry:scared<=5%, angry run<=6s, length<=12min",
)


IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1 to 255 visible ASCII characters, such as a UUID: the same key with the same request gets the same "
    "answer for a day, and is done once",
)


class LimitedSchema(ApiSchema):
    """Every address takes limits; every POST takes a key by which it is done once."""

    def get_override_parameters(self) -> list[Any]:
        found = [*super().get_override_parameters(), PARAMETER]
        return [*found, IDEMPOTENCY_KEY] if self.method == "POST" else found


def limits_asked(request: Request) -> Limits:
    """Raises LimitsInvalid, and LimitsUnreadable for a cookie that was altered. Read once per request."""
    known: Limits | None = request._request.__dict__.get("limits_asked")
    if known is None:
        known = _limits_asked(request)
        request._request.__dict__["limits_asked"] = known
    return known


def _limits_asked(request: Request) -> Limits:
    found = limits_of(request._request)
    if found.closed:
        raise LimitsUnreadable(
            "The limits that were set in this browser cannot be read, so nothing is shown. Set them anew on /limits/."
        )
    for text in request.query_params.getlist("limits"):
        asked = limits_parse(text)
        characters_check(asked)
        found = found.meet(asked)
    return found
