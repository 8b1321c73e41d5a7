"""A worker tells the database every few seconds that it lives, whether it has work or not.

From a thread of the parent, whose connection is closed after each time, so that no child that is forked inherits one.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog
from django.db import DatabaseError, InterfaceError, connection

from analysis.services.presence import worker_ended, worker_tell

TELL_EVERY_S = 5.0

logger = structlog.get_logger(__name__)


class Presence:
    def __init__(self, name: str, queues: Sequence[str], processes: int, *, every_s: float = TELL_EVERY_S) -> None:
        self.name, self.queues, self.processes = name, list(queues), processes
        self._every_s = every_s
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._live, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Says that the worker went in order, where the database can be told."""
        self._end.set()
        self._thread.join(timeout=10)
        try:
            worker_ended(name=self.name)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("presence_end_not_told", reason=" ".join(str(error).split()))
        finally:
            connection.close()

    def _live(self) -> None:
        begins = True
        while True:
            try:
                worker_tell(name=self.name, queues=self.queues, processes=self.processes, begins=begins)
                begins = False
            except (DatabaseError, InterfaceError) as error:
                logger.warning("presence_not_told", reason=" ".join(str(error).split()))
            finally:
                connection.close()
            if self._end.wait(self._every_s):
                return


_here: list[Presence] = []


def begin(name: str, queues: Sequence[str], processes: int) -> None:
    end()
    _here.append(Presence(name, queues, processes))
    _here[-1].start()


def end() -> None:
    while _here:
        _here.pop().stop()
