"""Optimisers by name, and the learning rate as a function of how far a stage is."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from ml.train.recipes import PartSettings, Stage


def build_optimiser(parameters: Iterable[nn.Parameter], part: PartSettings, stage: Stage) -> torch.optim.Optimizer:
    """``weight_decay`` is L2 in all of them but AdamW, where it acts on the weights themselves."""
    given, rate, decay = list(parameters), stage.rate, part.weight_decay
    match stage.optimiser:
        case "sgd":
            nesterov = part.nesterov and part.momentum > 0
            return torch.optim.SGD(given, rate, part.momentum, weight_decay=decay, nesterov=nesterov)
        case "adam":
            return torch.optim.Adam(given, rate, weight_decay=decay, fused=True)
        case "adamw":
            return torch.optim.AdamW(given, rate, weight_decay=decay, fused=True)
        case "adagrad":
            return torch.optim.Adagrad(given, rate, weight_decay=decay)
        case "adadelta":
            return torch.optim.Adadelta(given, rate, weight_decay=decay)
        case _:
            return torch.optim.RMSprop(given, rate, weight_decay=decay)


def rate_of(part: PartSettings, stage: Stage, stage_step: int, epoch: int, stage_steps: int) -> float:
    """The rate of the step after ``stage_step`` others in this stage, ``stage_steps`` long; ``epoch`` within it."""
    rate = stage.rate / (1.0 + part.decay * stage_step) if stage.optimiser == "sgd" else stage.rate
    if part.schedule == "step":
        rate *= part.step_factor ** (epoch // max(1, part.step_epochs))
    elif part.schedule == "cosine":
        done = min(1.0, max(0, stage_step - part.warm_up) / max(1, stage_steps - part.warm_up))
        rate *= 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))
    return rate * min(1.0, (stage_step + 1) / part.warm_up) if part.warm_up else rate
