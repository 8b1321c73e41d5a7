"""Waits for what cannot be interrupted, but no longer than one wants to."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

from ml.errors import Cancelled

T = TypeVar("T")
LOOK_S = 0.2


def stoppable(call: Callable[[], T], should_stop: Callable[[], bool]) -> T:
    """``call()`` in a thread of its own. Raises what it raises, or Cancelled where ``should_stop`` comes first.

    ``call`` then goes on to its end, unheeded. Importing torch and reading weights can take half a minute where a
    machine is busy, longer than a worker that was told to stop is given.
    """
    future: Future[T] = Future()
    context = copy_context()

    def work() -> None:
        try:
            future.set_result(context.run(call))
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            future.set_exception(error)

    Thread(target=work, name="stoppable", daemon=True).start()
    while not wait([future], LOOK_S).done:
        if should_stop():
            raise Cancelled("The analysis was stopped.")
    return future.result()
