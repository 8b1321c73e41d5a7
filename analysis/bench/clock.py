"""Times calls: on the wall, and in processor time, which other work on the machine does not lengthen."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class Timed:
    """In milliseconds. ``cpu_ms``: processor time of this process and of the database's; ``database_cpu_ms``: of the
    latter alone; None where it cannot be known. ``database_ms``: waiting for statements; ``queries``: how many.
    """

    wall_ms: float
    database_ms: float
    cpu_ms: float | None
    database_cpu_ms: float | None
    queries: int


class Clock:
    """Bound to the connection as it is now: make it after the first statement."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET max_parallel_workers_per_gather = 0")  # all of the work in the one process that is seen
            cursor.execute("SELECT pg_backend_pid(), inet_server_addr() IS NULL")
            pid, local = cursor.fetchone()
        self._backend = Path(f"/proc/{pid}/schedstat") if local else None

    def time(self, call: Callable[[], object]) -> Timed:
        waited: list[float] = []

        def watch(execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: Any) -> Any:
            began = time.perf_counter()
            try:
                return execute(sql, params, many, context)
            finally:
                waited.append(time.perf_counter() - began)

        backend, own, began = self._backend_s(), time.process_time(), time.perf_counter()
        with connection.execute_wrapper(watch):
            call()
        wall, own = time.perf_counter() - began, time.process_time() - own
        after = self._backend_s()
        theirs = None if backend is None or after is None else after - backend
        both = None if theirs is None else 1000 * (own + theirs)
        return Timed(1000 * wall, 1000 * sum(waited), both, None if theirs is None else 1000 * theirs, len(waited))

    def _backend_s(self) -> float | None:
        """Processor time of the database's process for this connection, where it is on this machine and Linux tells."""
        if self._backend is not None:
            with suppress(OSError, ValueError, IndexError):
                return int(self._backend.read_text().split()[0]) / 1e9
        return None


def percentile(values: Sequence[float], percent: int) -> float:
    """The least of the values that so many percent of them do not exceed. Raises ValueError without values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
