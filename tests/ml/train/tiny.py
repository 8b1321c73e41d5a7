"""A task so small that a step takes a millisecond: points on a plane, three classes, dropout inside."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ml.train.distributed import world_of
from ml.train.fit import fit
from ml.train.loader import Batch
from ml.train.recipes import ClassifierPart, Stage

POINTS = 60


class _Losses(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        logits = self.network(batch["points"])
        right = (logits.argmax(1) == batch["classes"]).float().mean()
        return {"points": F.cross_entropy(logits, batch["classes"])}, {"accuracy": right}


class TinyTask:
    def __init__(self, dropout: float = 0.3, poison: int = -1) -> None:
        torch.manual_seed(0)
        self.network: nn.Module = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 3))
        self.losses: nn.Module = _Losses(self.network)
        rng = np.random.default_rng(5)
        self.classes = rng.integers(0, 3, POINTS)
        centres = np.array([[2, 0], [-2, 1], [0, -2]], np.float32)
        self.points = (centres[self.classes] + rng.normal(0, 0.5, (POINTS, 2))).astype(np.float32)
        self.count, self.poison = POINTS, poison
        self.validations: list[float] = []
        self.sizes: list[int] = []

    def item(self, index: int, rng: np.random.Generator) -> tuple[Tensor, int]:
        point = self.points[index] + rng.normal(0, 0.1, 2).astype(np.float32)
        if index == self.poison:
            point = point * np.float32("nan")
        return torch.from_numpy(point), int(self.classes[index])

    def collate(self, items: Sequence[Any]) -> Batch:
        return {"points": torch.stack([p for p, _ in items]), "classes": torch.tensor([c for _, c in items])}

    def enter(self, stage: Stage) -> None:
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(stage.train == "all" or name.startswith("3."))

    def train_mode(self) -> None:
        self.losses.train()

    def validate(self) -> dict[str, float]:
        self.network.eval()
        with torch.inference_mode():
            logits = self.network(torch.from_numpy(self.points))
            loss = float(F.cross_entropy(logits, torch.from_numpy(self.classes)))
        return {"loss": self.validations.pop(0) if self.validations else loss}


def settings(**changes: Any) -> ClassifierPart:
    plain: dict[str, Any] = {
        "batch": 8,
        "optimiser": "adam",
        "rate": 0.01,
        "epochs": 3,
        "report_every": 1,
        "save_every": 5,
        "precision": "float32",
        "stages": (Stage("head"), Stage("all", optimiser="sgd")),
        "momentum": 0.9,
    }
    return ClassifierPart(**{**plain, **changes})


def killed_after(step: int) -> Callable[[str], None]:
    """Says nothing, and kills this very process when the given step is done."""

    def say(line: str) -> None:
        if line.startswith(f"step {step} "):
            os.kill(os.getpid(), signal.SIGKILL)

    return say


def main(out: str, step: str, **changes: Any) -> None:
    """One training, ended by SIGKILL after ``step``; under torchrun, one in several processes."""
    torch.set_num_threads(1)
    task = TinyTask(dropout=changes.pop("dropout", 0.3))
    with world_of("cpu") as world:
        fit(task, settings(**changes), Path(out), "same", world, killed_after(int(step)))
        if world.first:
            torch.save(task.network.state_dict(), Path(out) / "result.pt")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], **({"dropout": 0.0, "keep": "last"} if len(sys.argv) > 3 else {}))
