"""Starts the beat of ``celery worker -B`` again where it died.

Celery does not: the worker would go on, but nothing that a broker forgot would be sent again, and no lease of a dead
worker would be taken back.
"""

from __future__ import annotations

from typing import Any

import structlog
from celery import bootsteps
from celery.beat import EmbeddedService

LOOK_EVERY_S = 2.0

logger = structlog.get_logger(__name__)


class BeatGuard(bootsteps.StartStopStep):  # type: ignore[misc]
    """A step of the consumer, so that it is set up anew whenever the consumer is (a broker that came back)."""

    def start(self, parent: Any) -> None:
        parent.timer.call_repeatedly(LOOK_EVERY_S, look_after_beat, (parent.controller,))


def look_after_beat(worker: Any) -> bool:
    """Whether the beat of ``worker`` (Celery's WorkController) had died and was started again."""
    beat = worker.beat
    if beat is None or beat.is_alive():
        return False
    logger.warning("beat_died", exitcode=beat.exitcode)
    fresh = EmbeddedService(worker.app, schedule_filename=worker.schedule_filename, scheduler_cls=worker.scheduler)
    fresh.daemon = True  # ends with the worker, which knows only the one it began with
    fresh.start()
    worker.beat = fresh
    return True
