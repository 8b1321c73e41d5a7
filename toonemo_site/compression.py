"""Pages are sent compressed. Nothing else is: films and streams go out in parts, and the API's answers hold ETags of
their own bytes; files of the site are compressed beforehand.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class PagesCompressedMiddleware(GZipMiddleware):
    """Django's, which adds bytes by lot to each page so that its length tells nothing of what it holds."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming or not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
