"""The REST API's addresses. The schema is made from the code; a browsable copy is at ``/api/docs/``."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

urlpatterns = [
    *([path("v1/", include("analysis.api.urls"))] if find_spec("analysis.api.urls") else []),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
]
