"""Tunes a bundle's detector to a show: half of every batch the show's pictures, half rendered ones, at a low rate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from ml.bundle import Bundle
from ml.detect.network import DetectorSettings, build_detector, freeze, train_mode
from ml.train.augment import augmented
from ml.train.detector import target, tensor
from ml.train.loop import apply_gradients, rate_at, total_loss
from ml.train.store import Picture

BATCH = 4
SIZE = (320, 448)  # height and width of a training picture
FROZEN_BLOCKS = 7
EMPTY = 0.2  # of the show's pictures in a batch, those without a face, where it has some
RATE, WARM_UP, CLIP, WEIGHT_DECAY = 1.5e-4, 20, 5.0, 1e-4


@dataclass(frozen=True, slots=True)
class Tuned:
    """``steps``: fewer than asked for where the time ran out."""

    weights: Path
    steps: int


def tune_detector(
    bundle: Bundle,
    own: Sequence[Picture],
    replay: Sequence[Picture],
    out: Path,
    *,
    steps: int,
    seconds: float,
    seed: int,
    half: bool,
    say: Callable[[str], None] = lambda _: None,
) -> Tuned:
    """Writes ``out`` (safetensors, half precision). Classes stay as they were: a face of nobody known, for a show.

    Raises ModelOutputInvalid at a loss that is not finite.
    """
    names = bundle.named_by(bundle.detector)
    settings = DetectorSettings.of({**bundle.detector.settings, "classes": len(names) + 2})
    torch.manual_seed(seed)
    model = build_detector(settings)
    model.load_state_dict({k: v.float() for k, v in load_file(bundle.weights(bundle.detector)).items()})
    freeze(model, FROZEN_BLOCKS)
    model = model.to(memory_format=torch.channels_last)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=RATE, weight_decay=WEIGHT_DECAY)
    train_mode(model)
    rng = np.random.default_rng([seed, 5])
    started = time.monotonic()
    done = 0
    for step in range(steps):
        if time.monotonic() - started > seconds:
            break
        # the rate falls with the steps or with the time, whichever is further on
        behind = max(step, round(steps * (time.monotonic() - started) / seconds))
        sides = picked(own, rng, BATCH // 2)
        sides += [replay[int(i)] for i in rng.integers(len(replay), size=BATCH - len(sides))]
        batch = [augmented(picture, rng, SIZE) for picture in sides]
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            losses = model([tensor(p) for p in batch], [target(p, names) for p in batch])
        rate = rate_at(behind, steps, RATE, WARM_UP)
        apply_gradients(model, optimiser, total_loss(losses, step), rate, CLIP)
        done = step + 1
        if done % 25 == 0:
            say(f"detector: step {done} of {steps}, {time.monotonic() - started:.0f} s")
    save_file({k: v.detach().half().contiguous() for k, v in model.state_dict().items()}, out)
    return Tuned(out, done)


def picked(own: Sequence[Picture], rng: np.random.Generator, count: int) -> list[Picture]:
    """Mostly such with faces, however many have none: else a show with few faces would teach to find none."""
    with_faces = [p for p in own if p.faces]
    without = [p for p in own if not p.faces]
    chosen = []
    for _ in range(count):
        side = without if without and (not with_faces or rng.random() < EMPTY) else with_faces
        chosen.append(side[int(rng.integers(len(side)))])
    return chosen
