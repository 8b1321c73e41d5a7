"""Trains the shipped detector: one plain loop over pictures that are drawn while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from ml.detect.network import DetectorSettings, build_detector, freeze, train_mode
from ml.train.augment import augmented
from ml.train.feed import Feed, chosen
from ml.train.gather import PICTURES, draw_frames, frames_path
from ml.train.loop import apply_gradients, load_checkpoint, rate_at, save_checkpoint, total_loss
from ml.train.settings import DetectorTraining
from ml.train.starting import load_start
from ml.train.store import Picture, Shard, open_shard

Batch = tuple[list[Tensor], list[dict[str, Tensor]]]


def train_detector(settings: DetectorTraining, out: Path, say: Callable[[str], None]) -> Path:
    """Writes ``out/detector.safetensors`` (half precision) and a checkpoint to go on from; gives the weights' path.

    Going on from a checkpoint gives the same weights as never having stopped. Raises ModelOutputInvalid at a loss that
    is not finite, FeedBroken where there is no data, WeightsUnavailable and WeightsInvalid for what it starts from.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    model = build_detector(DetectorSettings.of({**settings.network, "classes": len(settings.characters) + 2}))
    if settings.start:
        say(f"{load_start(model, Path(settings.start))} tensors from {Path(settings.start).name}")
    freeze(model, settings.frozen_blocks)
    model = model.to(memory_format=torch.channels_last)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=settings.rate, weight_decay=settings.weight_decay)
    checkpoint = out / "detector.checkpoint.pt"
    first = load_checkpoint(checkpoint, model, optimiser)
    train_mode(model)
    feed = picture_feed(settings)
    sums: dict[str, float] = {}
    started = time.monotonic()
    for step in range(first, settings.steps):
        torch.manual_seed((settings.seed << 32) + step)
        images, targets = detector_batch(feed, settings, step)
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.half):
            losses = model(images, targets)
        rate = rate_at(step, settings.steps, settings.rate, settings.warm_up)
        apply_gradients(model, optimiser, total_loss(losses, step), rate, settings.clip)
        for name, loss in losses.items():
            sums[name] = sums.get(name, 0.0) + float(loss.detach())
        if (step + 1) % settings.report_every == 0:
            parts = "  ".join(f"{k} {v / settings.report_every:.3f}" for k, v in sums.items())
            say(f"step {step + 1}/{settings.steps}  {parts}  {(time.monotonic() - started) / (step + 1 - first):.2f} s")
            sums = {}
        if (step + 1) % settings.save_every == 0:
            save_checkpoint(checkpoint, model, optimiser, step + 1)
            write_detector(model, out)
    feed.close()
    save_checkpoint(checkpoint, model, optimiser, max(first, settings.steps))
    return write_detector(model, out)


def write_detector(model: torch.nn.Module, out: Path) -> Path:
    """Half-precision weights, whole or not at all."""
    path, temporary = out / "detector.safetensors", out / "detector.part"
    save_file({k: v.detach().half().contiguous() for k, v in model.state_dict().items()}, temporary)
    temporary.replace(path)
    return path


def picture_feed(settings: DetectorTraining) -> Feed[Shard]:
    folder = Path(settings.data)
    folder.mkdir(parents=True, exist_ok=True)
    path_of = partial(frames_path, folder, settings.seed)
    draw = partial(draw_frames, folder, settings.seed) if settings.draw else None
    return Feed(path_of, open_shard, settings.shards, draw)


def detector_batch(feed: Feed[Shard], settings: DetectorTraining, step: int) -> Batch:
    """A function of seed, step and the shards alone."""
    numbers = chosen(settings.seed, step, settings.batch, settings.fresh, settings.shards * PICTURES)
    rng = np.random.default_rng([settings.seed, step, 1])
    size = (settings.height, settings.width)
    pictures = [
        augmented(feed[int(n) // PICTURES].picture(int(n) % PICTURES), rng, size, settings.wear) for n in numbers
    ]
    return [tensor(p) for p in pictures], [target(p, settings.characters) for p in pictures]


def target(picture: Picture, characters: Sequence[str]) -> dict[str, Tensor]:
    """Labels: 1 is the first character, the last is unknown; 0 stays background."""
    height, width = picture.frame.shape[:2]
    unknown = len(characters) + 1
    places = {name: place for place, name in enumerate(characters, 1)}
    labels = [places.get(f.character or "", unknown) for f in picture.faces]
    masks = np.stack([f.mask for f in picture.faces]) if picture.faces else np.zeros((0, height, width), bool)
    return {
        "boxes": torch.tensor([f.box for f in picture.faces], dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "masks": torch.from_numpy(masks.astype(np.uint8)),
    }


def tensor(picture: Picture) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.frame)).permute(2, 0, 1).float().div_(255)
