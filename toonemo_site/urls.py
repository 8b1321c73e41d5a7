"""All addresses."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from toonemo_site import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("api/", include("toonemo_site.api")),
    path("", include("analysis.urls")),
]
