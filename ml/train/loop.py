"""What both trainings share: the rate over time, checkpoints that resume, a stop at numbers that are not finite."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ml.errors import ModelOutputInvalid


def rate_at(step: int, steps: int, peak: float, warm_up: int) -> float:
    """Linear warm-up, then half a cosine down to a fiftieth of the peak."""
    if step < warm_up:
        return peak * (step + 1) / warm_up
    done = min(1.0, (step - warm_up) / max(1, steps - warm_up))
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))


def total_loss(losses: Mapping[str, Tensor], step: int) -> Tensor:
    """The sum. Raises ModelOutputInvalid at the first loss that is not a finite number."""
    for name, loss in losses.items():
        if not torch.isfinite(loss):
            raise ModelOutputInvalid(f"Training stopped at step {step}: the loss {name!r} is {float(loss.detach())}.")
    return torch.stack([loss.float() for loss in losses.values()]).sum()


def apply_gradients(model: nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor, rate: float, clip: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], clip)
    optimiser.step()


def save_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    """Whole or not at all: written beside its place, then renamed."""
    state: dict[str, Any] = {"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
    temporary = path.with_suffix(".part")
    torch.save(state, temporary)
    temporary.replace(path)


def load_checkpoint(path: Path, model: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Gives the step to go on with; 0 where there is no checkpoint. Reads tensors only, never other objects."""
    if not path.exists():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])
