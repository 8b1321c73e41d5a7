"""Rendered drawings to remember by: most are learnt from again, every fourth shows whether anything was forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ml.adapt.budget import Budget
from ml.face import CropSettings
from ml.train.gather import crops, frames
from ml.train.store import LabelledCrop, Picture

PICTURES, CROPS = 96, 640
TIME = 0.1  # share of the whole that drawing each of the two may take
LEAST_PICTURES, LEAST_CROPS = 8, 96
EACH = 4  # crops of one design, side by side
KEPT = 4  # one in so many is kept for measuring


@dataclass(frozen=True, slots=True)
class Replay:
    """``kept_pictures``, ``kept_crops``: nothing learns from them. Crops of one design are on one side."""

    pictures: tuple[Picture, ...]
    kept_pictures: tuple[Picture, ...]
    crops: tuple[LabelledCrop, ...]
    kept_crops: tuple[LabelledCrop, ...]


def draw_replay(
    seed: int,
    crop: CropSettings,
    budget: Budget,
    *,
    pictures: int = PICTURES,
    say: Callable[[str], None] = lambda _: None,
) -> Replay:
    """From the training distribution of the renderer. ``pictures`` 0: crops of faces only."""
    rng = np.random.default_rng([seed, 9])
    drawn = list(budget.within(frames(rng, pictures), TIME, LEAST_PICTURES))
    cut = list(budget.within(crops(rng, crop, EACH, CROPS), TIME, LEAST_CROPS))
    say(f"{len(drawn)} pictures and {len(cut)} faces drawn to remember by")
    kept = [(n // EACH) % KEPT == 0 for n in range(len(cut))]
    return Replay(
        tuple(p for n, p in enumerate(drawn) if n % KEPT),
        tuple(drawn[::KEPT]),
        _where(cut, [not k for k in kept]),
        _where(cut, kept),
    )


def _where(cut: Sequence[LabelledCrop], chosen: Sequence[bool]) -> tuple[LabelledCrop, ...]:
    return tuple(c for c, yes in zip(cut, chosen, strict=True) if yes)
