"""Whatever goes wrong under the API's address before or beside its views is said as problem details too."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from analysis.api.problems import CODE_OF, PROBLEM_JSON, problem_body

DETAILS = {
    404: "There is nothing at this address.",
    500: "Something broke on our side; it was logged.",
}


class ApiProblemsMiddleware:
    """Django's own pages of errors are for people."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        page = response.headers.get("Content-Type", "").startswith("text/html")
        if response.status_code < 400 or not page or not request.path.startswith("/api/") or settings.DEBUG:
            return response
        status = response.status_code
        code = "internal" if status >= 500 else CODE_OF.get(status, "invalid_request")
        detail = DETAILS.get(status, f"{HTTPStatus(status).phrase}.")
        return JsonResponse(problem_body(status, code, detail), status=status, content_type=PROBLEM_JSON)
