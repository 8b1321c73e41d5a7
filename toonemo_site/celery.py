"""The Celery app: JSON messages with ids only, no result backend; the rows are the results.

``celery -A toonemo_site worker -Q default,inference``
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Any

from celery import Celery
from celery.signals import beat_embedded_init, beat_init, celeryd_init, setup_logging, worker_process_init
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "toonemo_site.settings.dev")

app = Celery("toonemo_site")
app.config_from_object("toonemo_site.celeryconfig")
app.autodiscover_tasks()


def _services(**kwargs: Any) -> None:
    """A worker started by hand brings PostgreSQL and Redis along, as any command does."""
    from toonemo_site import embedded

    if os.environ.get("TOONEMO_DIE_WITH_PARENT"):
        _die_with_parent()
    embedded.ensure(settings.EMBEDDED)


def _child(**kwargs: Any) -> None:
    """A worker that is killed with -9 leaves no children behind."""
    _die_with_parent()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM, 0, 0, 0)


def _keep_logging(**kwargs: Any) -> None:
    """Django has set the logging up already; Celery leaves it alone where somebody listens here."""


celeryd_init.connect(_services)
beat_init.connect(_services)
worker_process_init.connect(_child)
beat_embedded_init.connect(_child)
setup_logging.connect(_keep_logging)
