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
        except (RuntimeError, MemoryError) as error:
            if len(batch) == 1 or not out_of_memory(error):
                raise
            size = max(1, len(batch) // 2)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            continue
        start += len(batch)
    return done


def out_of_memory(error: Exception) -> bool:
    """On a GPU torch has an error of its own for it; on a processor only the sentence tells."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)
