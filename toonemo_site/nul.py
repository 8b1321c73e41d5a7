"""The character NUL, which no name here has, and which PostgreSQL and file systems refuse."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote_plus

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from analysis.api.problems import PROBLEM_JSON, problem_body

NUL = "\x00"


class NulMiddleware:
    """An address with NUL is that of nothing (404); a request that holds it elsewhere is not valid (400).

    Bodies are not looked at: every form and serializer refuses it in a field.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if NUL in request.path:
            return _refusal(request, HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address.")
        cookies = "".join(request.COOKIES.values())
        query = unquote_plus(request.META.get("QUERY_STRING", ""))
        if NUL in query or NUL in cookies or NUL in request.headers.get("Authorization", ""):
            return _refusal(request, HTTPStatus.BAD_REQUEST, "invalid_request", "The request holds the character NUL.")
        return self.get_response(request)


def _refusal(request: HttpRequest, status: HTTPStatus, code: str, detail: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse(problem_body(status, code, detail), status=status, content_type=PROBLEM_JSON)
    if status == HTTPStatus.NOT_FOUND:
        raise Http404(detail)
    raise BadRequest(detail)
