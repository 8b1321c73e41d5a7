from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Commands that concern the whole house, and the system checks."""

    name = "toonemo_site"

    def ready(self) -> None:
        from toonemo_site import checks  # noqa: F401  (registers them)
