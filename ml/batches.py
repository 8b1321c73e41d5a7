"""Runs a network over many inputs, a batch at a time; a batch that does not fit into memory is halved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def in_batches(items: Sequence[_In], size: int, run: Callable[[Sequence[_In]], list[_Out]]) -> list[_Out]:
    """``run`` over ``items``, at most ``size`` at once, in order. A single item that does not fit raises."""
    done: list[_Out] = []
    start = 0
    while start < len(items):
        batch = items[start : start + size]
        try:
            done += run(batch)
        except (torch.OutOfMemoryError, MemoryError):
            if len(batch) == 1:
                raise
            size = max(1, len(batch) // 2)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            continue
        start += len(batch)
    return done
