"""What happens in the catalogue, told to whoever asked to be told. The catalogue knows none of them.

A listener is called inside the transaction of the write: what it writes stands or falls with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Listener = Callable[[str, Mapping[str, Any]], object]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    if listener not in _listeners:
        _listeners.append(listener)


def announce(event: str, **data: Any) -> None:
    """``data``: ids and plain values, as JSON has them."""
    for listener in _listeners:
        listener(event, data)
