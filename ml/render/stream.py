"""Frames without end to train on, drawn as they are needed instead of read from disk.

Picture n of a seed is the same whoever draws it and in whatever order, so several processes can share one stream: with
w of them the k-th draws ``frames(seed, split, size_of, start=k, step=w)``. Neither torch nor a file is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ml.render.crowd import Split
from ml.render.frameset import Sample
from ml.render.sample import sample_frame

SizeOf = Callable[[int], tuple[int, int]]


def frame(seed: int, n: int, split: Split, size: tuple[int, int]) -> Sample:
    """Picture ``n`` of ``seed`` in ``size`` (width, height)."""
    return sample_frame(np.random.default_rng([seed, n]), size, split)


def frames(seed: int, split: Split, size_of: SizeOf, start: int = 0, step: int = 1) -> Iterator[Sample]:
    """Pictures ``start``, ``start + step``, ... of ``seed``; ``size_of`` says how large picture n is (width, height).

    ``split``: "training" or "held_out", as ``sample_frame`` has it; raises ValueError for another.
    """
    n = start
    while True:
        yield frame(seed, n, split, size_of(n))
        n += step
