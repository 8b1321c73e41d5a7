"""The Celery app: JSON messages with ids only, no result backend; the rows are the results.

``celery -A toonemo_site worker -Q default,inference``
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from types import FrameType
from typing import Any

from celery import Celery
from celery.signals import (
    beat_embedded_init,
    beat_init,
    celeryd_init,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_process_init,
)
from django.conf import settings
from structlog.contextvars import bind_contextvars, clear_contextvars

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "toonemo_site.settings.dev")

# What the first argument of a task is, for the log.
ID_NAMES = {
    "workers.segment_analyse": "hint",  # which segment is done is decided when it is claimed
    "workers.run_finalise": "run",
    "workers.run_thumbnails": "run",
    "workers.run_find_index": "run",
    "workers.find_read": "find",
    "workers.moment_picture": "face",
    "workers.upload_check": "upload",
    "workers.import_look": "plan",
    "workers.import_carry_out": "plan",
    "workers.webhook_deliver": "delivery",
}

app = Celery("toonemo_site")
app.config_from_object("toonemo_site.celeryconfig")
app.autodiscover_tasks()


def _services(**kwargs: Any) -> None:
    """A worker started by hand brings PostgreSQL and Redis along, as any command does."""
    from toonemo_site import embedded

    parent = os.environ.get("TOONEMO_DIE_WITH_PARENT")
    if parent:
        signal.signal(signal.SIGTERM, _end)  # until Celery has its own: what was started is also stopped
        _die_with_parent()
    embedded.ensure(settings.EMBEDDED)
    if parent and os.getppid() != int(parent):  # it ended before we could ask to be told
        raise SystemExit(0)


def _end(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def _share_processors(conf: Any, options: Any, **kwargs: Any) -> None:
    """Each child computes with its share of the processors; with all of them each, they mostly wait for one another."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    children = options.get("concurrency") or conf.worker_concurrency or processors
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, processors // int(children))))


def _child(**kwargs: Any) -> None:
    """A worker that is killed with -9 leaves no children behind."""
    _die_with_parent()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM, 0, 0, 0)


def _keep_logging(**kwargs: Any) -> None:
    """Django has set the logging up already; Celery leaves it alone where somebody listens here."""


def _bind(task_id: str, task: Any, args: Any = (), **kwargs: Any) -> None:
    """Every line that a task logs says which task, run or segment it is about."""
    clear_contextvars()
    ids = {ID_NAMES[task.name]: args[0]} if task.name in ID_NAMES and args else {}
    bind_contextvars(task=task.name, task_id=task_id, **ids)


def _unbind(**kwargs: Any) -> None:
    clear_contextvars()


celeryd_init.connect(_services)
celeryd_init.connect(_share_processors)
beat_init.connect(_services)
worker_process_init.connect(_child)
beat_embedded_init.connect(_child)
task_prerun.connect(_bind)
task_postrun.connect(_unbind)
setup_logging.connect(_keep_logging)
