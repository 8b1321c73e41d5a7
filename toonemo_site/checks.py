"""System checks: what is wrong with this installation, and what mends it. ``manage.py check [--deploy]`` runs them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

BUNDLE_FILE = "bundle.json"


@register(Tags.files)
def media_root(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    folder = Path(settings.MEDIA_ROOT)
    if writable(folder):
        return []
    return [
        Error(
            f"MEDIA_ROOT ({folder}) cannot be written to.",
            hint="Episodes are stored there. Create the folder for the user that runs ToonEmo, or set MEDIA_ROOT.",
            id="toonemo.E001",
        )
    ]


@register(Tags.files)
def bundle(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    folder = Path(settings.TOONEMO_BUNDLE_DIR)
    if find_spec("torch") is None:  # a machine for the site only; its workers are elsewhere
        return []
    if any(folder.glob(f"{settings.TOONEMO_BUNDLE}*/{BUNDLE_FILE}")):
        return []
    return [
        Warning(
            f"There is no model bundle {settings.TOONEMO_BUNDLE!r} in {folder}.",
            hint="A worker on this machine cannot analyse with it. Set TOONEMO_BUNDLE and TOONEMO_BUNDLE_DIR.",
            id="toonemo.W001",
        )
    ]


@register(deploy=True)
def production_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name, wanted in (("PostgreSQL", settings.EMBEDDED.postgres), ("Redis", settings.EMBEDDED.redis)):
        if wanted:
            variable = "DATABASE_URL" if name == "PostgreSQL" else "REDIS_URL"
            found.append(
                Warning(
                    f"{name} would be started from a Python wheel.",
                    hint=f"That is for one machine and one user. Set {variable}.",
                    id=f"toonemo.W{'002' if name == 'PostgreSQL' else '003'}",
                )
            )
    return found


def writable(folder: Path) -> bool:
    """Whether files can be made in ``folder``, which is made where its parent allows."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)
