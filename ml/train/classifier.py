"""Trains the shipped classifier: one plain loop over crops of faces that are drawn while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from ml.classify.base import UNKNOWN
from ml.classify.network import ClassifierSettings, FaceNet, FaceOutputs
from ml.classify.small_cnn import scaled
from ml.face import CropSettings
from ml.render.parts import PARTS
from ml.train.augment import worn
from ml.train.feed import Feed, chosen
from ml.train.gather import CROPS, crops_path, draw_crops
from ml.train.loop import apply_gradients, load_checkpoint, rate_at, save_checkpoint, total_loss
from ml.train.settings import ClassifierTraining
from ml.train.starting import load_start
from ml.train.store import Crops, read_crops

Rng = np.random.Generator
NO_EMOTION = -100  # what cross_entropy leaves out
CONTRAST_TEMPERATURE = 0.1
MIRRORED = np.array([-1 if name in ("brow_asym", "gaze_x") else 1 for name in PARTS], np.float32)
PROXY_SCALE = 16.0  # sharpness of the proxies' softmax over cosines


def train_classifier(settings: ClassifierTraining, out: Path, say: Callable[[str], None]) -> Path:
    """Writes ``out/classifier.safetensors`` (half precision) and a checkpoint to go on from; gives the weights' path.

    Going on from a checkpoint gives the same weights as never having stopped. Raises ModelOutputInvalid at a loss that
    is not finite, FeedBroken where there is no data, WeightsUnavailable and WeightsInvalid for what it starts from.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    model = FaceNet(network_settings(settings))
    if settings.start:
        say(f"{load_start(model, Path(settings.start))} tensors from {Path(settings.start).name}")
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=settings.weight_decay)
    checkpoint = out / "classifier.checkpoint.pt"
    first = load_checkpoint(checkpoint, model, optimiser)
    model.train()
    feed = crop_feed(settings)
    sums: dict[str, float] = {}
    started = time.monotonic()
    for step in range(first, settings.steps):
        torch.manual_seed((settings.seed << 32) + step)
        batch = classifier_batch(feed, settings, step)
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.half):
            outputs = model(scaled(batch.crops))
        losses = classifier_losses(model, outputs, batch, settings.smoothing)
        rate = rate_at(step, settings.steps, settings.rate, settings.warm_up)
        apply_gradients(model, optimiser, total_loss(losses, step), rate, settings.clip)
        known = batch.emotions != NO_EMOTION
        right = {
            "emotion right": (outputs.emotion.argmax(1) == batch.emotions)[known].float().mean(),
            "character right": (outputs.character.argmax(1) == batch.characters).float().mean(),
        }
        for name, value in {**losses, **right}.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
        if (step + 1) % settings.report_every == 0:
            parts = "  ".join(f"{k} {v / settings.report_every:.3f}" for k, v in sums.items())
            say(f"step {step + 1}/{settings.steps}  {parts}  {(time.monotonic() - started) / (step + 1 - first):.2f} s")
            sums = {}
        if (step + 1) % settings.save_every == 0:
            save_checkpoint(checkpoint, model, optimiser, step + 1)
            write_classifier(model, out)
    feed.close()
    save_checkpoint(checkpoint, model, optimiser, max(first, settings.steps))
    return write_classifier(model, out)


def network_settings(settings: ClassifierTraining) -> ClassifierSettings:
    return ClassifierSettings.of(
        {**settings.network, "emotions": len(settings.emotions), "characters": len(settings.characters) + 1}
    )


def write_classifier(model: FaceNet, out: Path) -> Path:
    """Half-precision weights, whole or not at all."""
    path, temporary = out / "classifier.safetensors", out / "classifier.part"
    state = {k: v.detach() for k, v in model.state_dict().items()}
    half = {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in state.items()}
    save_file(half, temporary)
    temporary.replace(path)
    return path


@dataclass(frozen=True, slots=True)
class Batch:
    """``crops``: uint8, N x 3 x size x size. ``identities``: equal for equal designs. ``parts``: NaN: not known."""

    crops: Tensor
    emotions: Tensor
    characters: Tensor
    identities: Tensor
    parts: Tensor


def classifier_losses(model: FaceNet, outputs: FaceOutputs, batch: Batch, smoothing: float) -> dict[str, Tensor]:
    who, what = model.halves_of(outputs.embedding)
    shown = what @ F.normalize(model.emotion_proxies.weight, dim=1).T * PROXY_SCALE
    whose = who @ F.normalize(model.character_proxies.weight, dim=1).T * PROXY_SCALE
    emotions, characters = batch.emotions, batch.characters
    losses = {
        "emotion": F.cross_entropy(
            outputs.emotion.float(), emotions, label_smoothing=smoothing, ignore_index=NO_EMOTION
        ),
        "character": F.cross_entropy(outputs.character.float(), characters, label_smoothing=smoothing),
        "near": 0.3 * F.cross_entropy(shown, emotions, ignore_index=NO_EMOTION)
        + 0.3 * F.cross_entropy(whose, characters),
        "alike": 0.3 * same_design_loss(who, batch.identities),
    }
    known = ~batch.parts.isnan()
    if model.has_parts and bool(known.any()):
        said = outputs.parts.float()[:, : batch.parts.shape[1]]
        losses["parts"] = F.smooth_l1_loss(said[known], batch.parts[known], beta=0.1)
    return losses


def same_design_loss(who: Tensor, identities: Tensor) -> Tensor:
    """Supervised contrastive loss (Khosla et al. 2020): drawings of one design near, of others far.

    ``who``: (N, D), length 1. ``identities``: (N,), -1: not known, left out. 0 where no two are alike.
    """
    cosines = who @ who.T / CONTRAST_TEMPERATURE
    itself = torch.eye(len(who), dtype=torch.bool)
    alike = (identities[:, None] == identities[None, :]) & (identities >= 0)[:, None] & ~itself
    log_share = cosines - cosines.masked_fill(itself, -1e9).logsumexp(1, keepdim=True)
    friends = alike.sum(1)
    counted = friends > 0
    if not bool(counted.any()):
        return who.sum() * 0.0
    mean = (log_share * alike).sum(1)[counted] / friends[counted]
    return -mean.mean()


def crop_feed(settings: ClassifierTraining) -> Feed[Crops]:
    folder = Path(settings.data)
    folder.mkdir(parents=True, exist_ok=True)
    crop = CropSettings(**settings.crop)
    path_of = partial(crops_path, folder, settings.seed)
    draw = partial(draw_crops, folder, settings.seed, crop, settings.each) if settings.draw else None
    return Feed(path_of, read_crops, settings.shards, draw)


def classifier_batch(feed: Feed[Crops], settings: ClassifierTraining, step: int) -> Batch:
    """A function of seed, step and the shards alone; the ``each`` crops of a design stay together."""
    each, size = settings.each, network_settings(settings).size
    groups = CROPS // each  # in a shard
    numbers = chosen(settings.seed, step, settings.batch // each, settings.fresh // each, settings.shards * groups)
    rng = np.random.default_rng([settings.seed, step, 1])
    emotions = {name: i for i, name in enumerate(settings.emotions)}
    characters = {name: i for i, name in enumerate((*settings.characters, UNKNOWN))}
    rows: list[tuple[NDArray[np.uint8], int, int, int, NDArray[np.float32]]] = []
    for number in map(int, numbers):
        shard = feed[number // groups]
        for i in range(number % groups * each, (number % groups + 1) * each):
            name = shard.characters[i]
            # the cast's designs are the same in every shard, a stranger's is nobody else's
            identity = characters[name] if name != UNKNOWN else len(characters) + number // groups * CROPS
            identity += 0 if name != UNKNOWN else int(shard.identities[i])
            picture, mirrored = augmented_crop(shard.pictures[i], rng, size, settings.wear)
            seen = shard.parts[i] * MIRRORED[: shard.parts.shape[1]] if mirrored else shard.parts[i]
            rows.append((picture, emotions.get(shard.emotions[i], NO_EMOTION), characters[name], identity, seen))
    pictures, shown, whose, designs, parts = zip(*rows, strict=True)
    return Batch(
        torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2),
        torch.tensor(shown),
        torch.tensor(whose),
        torch.tensor(designs),
        torch.from_numpy(np.stack(parts)),
    )


def augmented_crop(crop: NDArray[np.uint8], rng: Rng, size: int, wear: float = 0.0) -> tuple[NDArray[np.uint8], bool]:
    """The crop and whether it was mirrored; turned, shifted and scaled a little, with the light and grain of films.

    ``wear``: share of crops that are changed as no film changes them (ml.train.augment.worn).
    """
    side = crop.shape[0]
    angle, zoom = rng.normal(0, 6), float(np.exp(rng.normal(0, 0.05))) * size / side
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), angle, zoom)
    matrix[:, 2] += (size - side) / 2 + rng.normal(0, 0.025, 2) * size
    mirrored = bool(rng.random() < 0.5)
    if mirrored:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size
    picture: Any = cv2.warpAffine(crop, matrix, (size, size), flags=cv2.INTER_LINEAR)
    lit = picture.max(axis=2, keepdims=True) > 0  # the padding stays black
    if wear and rng.random() < wear:
        picture = worn(picture, rng)
    picture = picture.astype(np.float32)
    grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    saturation = 0.0 if rng.random() < 0.07 else float(rng.uniform(0.75, 1.25))
    picture = grey[:, :, None] * (1 - saturation) + picture * saturation
    picture = ((picture - 128) * rng.uniform(0.8, 1.2) + 128 + rng.uniform(-15, 15)) * rng.uniform(0.95, 1.05, 3)
    if rng.random() < (0.35 if wear else 0.25):
        low = max(16, round(size * float(rng.uniform(0.2 if wear else 0.3, 0.8))))
        picture = cv2.resize(cv2.resize(picture, (low, low), interpolation=cv2.INTER_AREA), (size, size))
    if rng.random() < 0.15:
        picture = picture + rng.normal(0, rng.uniform(1, 7), picture.shape[:2])[:, :, None]
    return np.asarray(np.clip(picture * lit, 0, 255), np.uint8), mirrored
