"""Batches for the training loop: the order of an epoch, loader processes, slices of a batch, and where tensors lie."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ml.train.distributed import World

Batch = dict[str, Any]  # every value has one entry per picture: a tensor's first dimension, or a list


class Source(Protocol):
    """See ml.train.fit.Task."""

    def item(self, index: int, rng: np.random.Generator) -> Any: ...

    def collate(self, items: Sequence[Any]) -> Batch: ...


def epoch_batches(count: int, batch: int, seed: Sequence[int], world: World) -> list[list[int]]:
    """This process's share of every batch, in the order of one epoch. A last batch that leaves less than two pictures
    to a process is left out (batch normalisation needs two), unless it is the only one."""
    order = np.random.default_rng(seed).permutation(count).tolist()
    chunks = [order[start : start + batch] for start in range(0, count, batch)]
    shares = [world.share(chunk) for chunk in chunks]
    return [share for share in shares if len(share) > 1] or shares[:1]


def load_batches(
    source: Source, batches: list[list[int]], seed: tuple[int, int], workers: int, *, pin: bool
) -> Iterator[Batch]:
    """``seed``: of the run, and the epoch; what is done to a picture follows from it and the picture's number."""
    loader = DataLoader(
        _Epoch(source, seed),
        batch_sampler=batches,
        num_workers=workers,
        collate_fn=source.collate,
        generator=torch.Generator().manual_seed(seed[0]),
        pin_memory=pin,
        worker_init_fn=_quiet_worker,
    )
    return iter(loader)


class _Epoch(Dataset[Any]):
    def __init__(self, source: Source, seed: tuple[int, int]) -> None:
        self.source, self.seed = source, seed

    def __getitem__(self, index: int) -> Any:
        return self.source.item(index, np.random.default_rng([*self.seed, index]))


def _quiet_worker(number: int) -> None:
    cv2.setNumThreads(0)


def slices(batch: Batch, size: int, parts: int) -> Iterator[tuple[Batch, float]]:
    """At most ``parts`` pieces of a batch of ``size``, and the share of it that each is."""
    length = math.ceil(size / parts)
    for start in range(0, size, length):
        piece = {name: values[start : start + length] for name, values in batch.items()}
        yield piece, min(length, size - start) / size


def on_device(value: Any, device: str) -> Any:
    """The same structure of lists and dicts with every tensor on the device."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, dict):
        return {name: on_device(one, device) for name, one in value.items()}
    return [on_device(one, device) for one in value] if isinstance(value, list) else value
