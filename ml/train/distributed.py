"""Training in several processes: ``torchrun --nproc_per_node N -m ml train ...`` starts them; this says who we are.

Every process holds the whole network and takes its share of every batch; gradients are averaged, so a step is the same
as one process would take with the whole batch (batch normalisation apart: its statistics are those of a share).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist

from ml.runtime import choose_device

_Thing = TypeVar("_Thing")


@dataclass(frozen=True, slots=True)
class World:
    """``rank``: which of ``size`` processes this is; the first one, 0, writes files."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def first(self) -> bool:
        return self.rank == 0

    def share(self, batch: list[int]) -> list[int]:
        """This process's part of a batch: all parts are equally large, up to ``size`` - 1 pictures are left out."""
        return batch[: len(batch) // self.size * self.size][self.rank :: self.size]

    def agreed(self, value: _Thing) -> _Thing:
        """The first process's value, in all of them."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def wait(self) -> None:
        if self.size > 1:
            dist.barrier()


@contextmanager
def world_of(device: str = "auto") -> Iterator[World]:
    """Joins the processes that torchrun started; a world of one where it did not. Leaves them at the end.

    Raises DeviceMissing.
    """
    if not dist.is_torchelastic_launched():
        yield World(device=choose_device(device))
        return
    chosen = choose_device(device)
    gpu = chosen != "cpu"
    dist.init_process_group("nccl" if gpu else "gloo")
    try:
        rank, size = dist.get_rank(), dist.get_world_size()
        if gpu:
            chosen = f"cuda:{rank % torch.cuda.device_count()}"
            torch.cuda.set_device(chosen)
        yield World(rank, size, chosen)
    finally:
        dist.destroy_process_group()
