"""A database that restarts is waited for; a segment does not fail for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

T = TypeVar("T")
PATIENCE_S = 300.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 3.0

logger = structlog.get_logger(__name__)


def patiently(call: Callable[[], T], *, patience_s: float = PATIENCE_S) -> T:
    """``call()``, again and again while the database is away, each time over a new connection.

    ``call`` must be safe to repeat where its commit happened but the answer was lost: everything under a lease token
    is, because a commit takes the token away. Raises the last error when ``patience_s`` is over, and at once inside a
    transaction, of which the part before ``call`` would be lost.
    """
    deadline = time.monotonic() + patience_s
    wait = FIRST_WAIT_S
    while True:
        try:
            return call()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block or time.monotonic() + wait > deadline:
                raise
            logger.warning("database_away", reason=" ".join(str(error).split()), wait_s=wait)
            connection.close()
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)
