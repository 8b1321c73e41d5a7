from __future__ import annotations

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "catalog.access"
    label = "access"
    verbose_name = "access"

    def ready(self) -> None:
        from catalog.access import schema  # noqa: F401  (tells the schema how a token is sent)
