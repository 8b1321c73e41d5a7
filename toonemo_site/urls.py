"""All addresses."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from toonemo_site import health, languages

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("language", languages.language_set, name="set_language"),
    path("words/<str:language>.js", languages.words_for_scripts, name="words-for-scripts"),
    # One door for passwords, which is watched.
    path("admin/login/", RedirectView.as_view(pattern_name="sign-in", query_string=True)),
    path("admin/", admin.site.urls),
    path("api/", include("toonemo_site.api")),
    path("", include("catalog.access.urls")),
    path("", include("analysis.urls")),
]
