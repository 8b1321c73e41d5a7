"""The REST API's addresses. The schema is made from the code; pages to read and try it are served by the site alone."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.urls import include, path, re_path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.api.conditional import Tagged
from analysis.api.problems import handle
from analysis.api.views import NothingHere


@cache
def schema() -> dict[str, Any]:
    """The same for everybody, as long as the process lives."""
    make: Any = SchemaGenerator
    found: dict[str, Any] = make().get_schema(request=None, public=True)
    return found


class SchemaView(Tagged, SpectacularAPIView):
    """OpenAPI 3.1, as YAML or JSON."""

    def get_exception_handler(self) -> Any:
        return handle

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if response.status_code >= 400:  # a problem is JSON, whatever the description would have been
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), "application/json"
        return super().finalize_response(request, response, *args, **kwargs)

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        form = self.perform_content_negotiation(request, force=True)[0].format
        return Response(schema(), headers={"Content-Disposition": f'inline; filename="toonemo.{form}"'})


class RedocView(SpectacularRedocView):
    template_name = "api/redoc.html"


urlpatterns = [
    path("v1/", include("analysis.api.urls")),
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("redoc/", RedocView.as_view(url_name="api-schema"), name="api-redoc"),
    re_path(r"^(?!(?:schema|docs|redoc)$)(?P<rest>.*)$", NothingHere.as_view(), name="api-nothing"),
]
