"""Trains the shipped detector: one plain loop over rendered pictures."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models.detection import MaskRCNN

from ml.detect.network import DetectorSettings, build_detector, freeze, load_imagenet, train_mode
from ml.train.augment import augmented
from ml.train.loop import apply_gradients, load_checkpoint, rate_at, save_checkpoint, total_loss
from ml.train.settings import DetectorTraining, SettingsInvalid
from ml.train.store import Picture, read_shard, shards

Batch = tuple[list[Tensor], list[dict[str, Tensor]]]


def train_detector(settings: DetectorTraining, out: Path, say: Callable[[str], None]) -> Path:
    """Writes ``out/detector.safetensors`` (half precision) and a checkpoint to go on from; gives the weights' path.

    New shards that appear in the data folders are taken up at the start of every pass. Raises ModelOutputInvalid at a
    loss that is not finite, SettingsInvalid where there is no data.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    model = build_detector(DetectorSettings.of({**settings.network, "classes": len(settings.characters) + 2}))
    if settings.start:
        say(f"{_start(model, Path(settings.start))} tensors from {Path(settings.start).name}")
    freeze(model, settings.frozen_blocks)
    model = model.to(memory_format=torch.channels_last)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=settings.rate, weight_decay=settings.weight_decay)
    checkpoint = out / "detector.checkpoint.pt"
    first = load_checkpoint(checkpoint, model, optimiser)
    train_mode(model)
    batches = detector_batches(settings, first)
    sums: dict[str, float] = {}
    started = time.monotonic()
    for step in range(first, settings.steps):
        images, targets = next(batches)
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
    save_checkpoint(checkpoint, model, optimiser, max(first, settings.steps))
    return write_detector(model, out)


def _start(model: MaskRCNN, weights: Path) -> int:
    try:
        return load_imagenet(model, weights)
    except (OSError, SafetensorError) as error:
        raise SettingsInvalid(f"The starting weights {weights} cannot be read: {error}.") from error


def write_detector(model: torch.nn.Module, out: Path) -> Path:
    """Half-precision weights, whole or not at all."""
    path, temporary = out / "detector.safetensors", out / "detector.part"
    save_file({k: v.detach().half().contiguous() for k, v in model.state_dict().items()}, temporary)
    temporary.replace(path)
    return path


def detector_batches(settings: DetectorTraining, first: int) -> Iterator[Batch]:
    """Without end. Resuming at step ``first`` draws other pictures than the run it goes on from, by design."""
    rng = np.random.default_rng([settings.seed, first])
    pictures = picture_stream([Path(f) for f in settings.data], random.Random(int(rng.integers(1 << 30))))  # noqa: S311
    size = (settings.height, settings.width)
    while True:
        chosen = [augmented(next(pictures), rng, size) for _ in range(settings.batch)]
        yield [_tensor(p) for p in chosen], [target(p, settings.characters) for p in chosen]


def picture_stream(folders: list[Path], rng: random.Random) -> Iterator[Picture]:
    """Every shard once per pass, in a new order, pictures mixed across a few shards."""
    while True:
        files = shards(folders)
        if not files:
            raise SettingsInvalid(f"There are no rendered pictures in {', '.join(map(str, folders)) or 'no folder'}.")
        rng.shuffle(files)
        for start in range(0, len(files), 4):
            pool = [picture for file in files[start : start + 4] for picture in read_shard(file)]
            rng.shuffle(pool)
            yield from pool


def target(picture: Picture, characters: tuple[str, ...]) -> dict[str, Tensor]:
    """Labels: 1 is the first character, the last is unknown; 0 stays background."""
    height, width = picture.frame.shape[:2]
    unknown = len(characters) + 1
    labels = [characters.index(f.character) + 1 if f.character in characters else unknown for f in picture.faces]
    masks = np.stack([f.mask for f in picture.faces]) if picture.faces else np.zeros((0, height, width), bool)
    return {
        "boxes": torch.tensor([f.box for f in picture.faces], dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "masks": torch.from_numpy(masks.astype(np.uint8)),
    }


def _tensor(picture: Picture) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.frame)).permute(2, 0, 1).float().div_(255)
