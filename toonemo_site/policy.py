"""What a browser may load for a page of this site: nothing from elsewhere, and no script or style inside a page."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

PAGES = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# Swagger UI and ReDoc write styles into the page, and ReDoc searches in a worker that it makes itself.
DOCS = f"{PAGES}; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:"
DOCS_PATHS = ("/api/docs/", "/api/redoc/")


class ContentPolicyMiddleware:
    """Adds ``Content-Security-Policy`` where a view has not set a stricter one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if settings.DEBUG and response.status_code >= 400:
            return response  # Django's page for whoever is at work holds scripts and styles
        response.headers.setdefault("Content-Security-Policy", DOCS if request.path in DOCS_PATHS else PAGES)
        return response
