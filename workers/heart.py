"""Keeps a lease alive beside the analysis, and learns when to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType

import structlog
from django.db import InterfaceError, OperationalError, connection

from analysis.services.leases import Claim, segment_heartbeat
from ml.types import Progress
from workers.going_home import going_home

BEAT_S = 1.0  # also the longest time until a cancelled run is noticed

logger = structlog.get_logger(__name__)


class Stop(StrEnum):
    """Why an analysis should stop."""

    LOST = "lost"
    CANCELLED = "cancelled"
    GOING_HOME = "going_home"


class Heart:
    """A thread with a database connection of its own that beats every BEAT_S while the ``with`` block runs.

    A database that is away stops nothing: the heart goes on trying, and the lease stands until somebody takes it.
    """

    def __init__(self, claim: Claim, *, every_s: float = BEAT_S, must_go: Callable[[], bool] = going_home) -> None:
        self.reason: Stop | None = None
        self._claim = claim
        self._every_s = every_s
        self._must_go = must_go
        self._progress = Progress(done_ms=0, total_ms=claim.end_ms - claim.start_ms, drawings=0, faces=0)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"heart-{claim.segment_id}", daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join(timeout=10)

    def note(self, progress: Progress) -> None:
        """To be called by the analysis, as often as it likes."""
        self._progress = progress

    def should_stop(self) -> bool:
        return self.reason is not None

    def _live(self) -> None:
        try:
            while self.reason is None and not self._end.wait(self._every_s):
                self._beat()
        finally:
            connection.close()

    def _beat(self) -> None:
        if self._must_go():
            self.reason = Stop.GOING_HOME
            return
        now = self._progress
        try:
            pulse = segment_heartbeat(self._claim.token, done_ms=now.done_ms, drawings=now.drawings, faces=now.faces)
        except (OperationalError, InterfaceError) as error:
            logger.warning("heartbeat_missed", segment=self._claim.segment_id, reason=str(error).strip())
            connection.close()
            return
        if not pulse.held:
            self.reason = Stop.LOST
        elif pulse.cancelled:
            self.reason = Stop.CANCELLED
