"""Rendering feeds training: numbered shards of one folder, drawn ahead by processes of their own.

Shard ``n`` follows from (kind, seed, n) alone, and a batch from (seed, step) and the shards with lower numbers, so a
training that was killed goes on exactly as if it had not been. A step takes some pictures that are new and the others
from all that came before.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ml.errors import InternalError

Item = TypeVar("Item")
PATIENCE_S = 900.0


class FeedBroken(InternalError):
    """The process that draws training data ended before its work."""

    code = "feed_broken"


class Feed(Generic[Item]):
    """Reads shards in order and keeps them. ``draw``: writes the shard with a number; None: they are all there.

    ``path_of``: where a shard lies. ``read``: what is kept of it.
    """

    def __init__(
        self,
        path_of: Callable[[int], Path],
        read: Callable[[Path], Item],
        count: int,
        draw: Callable[[int], None] | None = None,
        workers: int = 1,
    ) -> None:
        self._path_of, self._read, self.count = path_of, read, count
        self._kept: list[Item] = []
        self._children: list[multiprocessing.process.BaseProcess] = []
        if draw is not None and not all(path_of(n).exists() for n in range(count)):
            context = multiprocessing.get_context("spawn")
            for k in range(workers):
                child = context.Process(target=_draw_all, args=(draw, path_of, range(k, count, workers)), daemon=True)
                child.start()
                self._children.append(child)

    def __getitem__(self, number: int) -> Item:
        """Waits for shards that are still to be drawn. Raises FeedBroken."""
        while len(self._kept) <= number:
            path = self._path_of(len(self._kept))
            self._wait(path)
            self._kept.append(self._read(path))
        return self._kept[number]

    def _wait(self, path: Path) -> None:
        given_up = time.monotonic() + PATIENCE_S
        while not path.exists():
            if self._children and not any(child.is_alive() for child in self._children) and not path.exists():
                raise FeedBroken(f"The process that draws {path.name} ended without it.")
            if not self._children or time.monotonic() > given_up:
                raise FeedBroken(f"The training data {path} is missing.")
            time.sleep(0.2)

    def close(self) -> None:
        for child in self._children:
            child.terminate()
            child.join()
        self._children = []


def _draw_all(draw: Callable[[int], None], path_of: Callable[[int], Path], numbers: range) -> None:
    for number in numbers:
        if not path_of(number).exists():
            draw(number)


def chosen(seed: int, step: int, batch: int, fresh: int, total: int) -> NDArray[np.int64]:
    """Numbers of a step's items: ``fresh`` that no step had before, the others from all until now. Wraps at ``total``.

    The same for the same arguments, whatever ran before.
    """
    rng = np.random.default_rng([seed, step])
    first = step * fresh
    new = np.arange(first, first + fresh)
    old = rng.integers(min(first + fresh, total), size=batch - fresh)
    return np.concatenate([new % total, old]).astype(np.int64)
