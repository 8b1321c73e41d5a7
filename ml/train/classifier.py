"""Trains the shipped classifier: one plain loop over crops of rendered faces."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
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
from ml.classify.network import ClassifierSettings, FaceNet
from ml.classify.small_cnn import scaled
from ml.train.loop import apply_gradients, load_checkpoint, rate_at, save_checkpoint, total_loss
from ml.train.settings import ClassifierTraining, SettingsInvalid
from ml.train.store import read_crops, shards

Rng = np.random.Generator
NO_EMOTION = -100  # what cross_entropy leaves out
PROXY_SCALE = 16.0  # sharpness of the proxies' softmax over cosines


def train_classifier(settings: ClassifierTraining, out: Path, say: Callable[[str], None]) -> Path:
    """Writes ``out/classifier.safetensors`` (half precision) and a checkpoint to go on from; gives the weights' path.

    Raises ModelOutputInvalid at a loss that is not finite, SettingsInvalid where there is no data.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    torch.set_num_threads(settings.threads)
    model = FaceNet(network_settings(settings)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(model.parameters(), lr=settings.rate, weight_decay=settings.weight_decay)
    checkpoint = out / "classifier.checkpoint.pt"
    first = load_checkpoint(checkpoint, model, optimiser)
    model.train()
    batches = classifier_batches(settings, first)
    sums: dict[str, float] = {}
    started = time.monotonic()
    for step in range(first, settings.steps):
        crops, emotions, characters = next(batches)
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.half):
            outputs = model(scaled(crops))
        losses = classifier_losses(model, outputs, emotions, characters, settings.smoothing)
        rate = rate_at(step, settings.steps, settings.rate, settings.warm_up)
        apply_gradients(model, optimiser, total_loss(losses, step), rate, settings.clip)
        known = emotions != NO_EMOTION
        right = {
            "emotion right": (outputs[0].argmax(1) == emotions)[known].float().mean(),
            "character right": (outputs[1].argmax(1) == characters).float().mean(),
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


def classifier_losses(
    model: FaceNet, outputs: tuple[Tensor, Tensor, Tensor], emotions: Tensor, characters: Tensor, smoothing: float
) -> dict[str, Tensor]:
    emotion, character, embedding = outputs
    shown = embedding @ F.normalize(model.emotion_proxies.weight, dim=1).T * PROXY_SCALE
    whose = embedding @ F.normalize(model.character_proxies.weight, dim=1).T * PROXY_SCALE
    return {
        "emotion": F.cross_entropy(emotion.float(), emotions, label_smoothing=smoothing, ignore_index=NO_EMOTION),
        "character": F.cross_entropy(character.float(), characters, label_smoothing=smoothing),
        "near": 0.3 * F.cross_entropy(shown, emotions, ignore_index=NO_EMOTION)
        + 0.3 * F.cross_entropy(whose, characters),
    }


def classifier_batches(settings: ClassifierTraining, first: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Without end: crops (uint8, N x 3 x size x size), emotions, characters. New shards are taken up every pass."""
    rng = np.random.default_rng([settings.seed, first])
    size = network_settings(settings).size
    while True:
        pictures, emotions, characters = load_crops([Path(f) for f in settings.data], settings)
        if len(pictures) < settings.batch:
            raise SettingsInvalid(f"There are no {settings.batch} crops in {', '.join(settings.data) or 'no folder'}.")
        order = rng.permutation(len(pictures))
        for start in range(0, len(order) - settings.batch + 1, settings.batch):
            chosen = order[start : start + settings.batch]
            batch = np.stack([augmented_crop(pictures[i], rng, size) for i in chosen])
            tensor = torch.from_numpy(batch).permute(0, 3, 1, 2)
            yield tensor, torch.from_numpy(emotions[chosen]), torch.from_numpy(characters[chosen])


def load_crops(
    folders: list[Path], settings: ClassifierTraining
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Every crop of every shard, with its classes."""
    parts = [read_crops(path) for path in shards(folders)]
    if not parts:
        raise SettingsInvalid(f"There are no crops in {', '.join(map(str, folders)) or 'no folder'}.")
    emotions = {name: i for i, name in enumerate(settings.emotions)}
    characters = {name: i for i, name in enumerate((*settings.characters, UNKNOWN))}
    return (
        np.concatenate([part.pictures for part in parts]),
        np.array([emotions.get(e, NO_EMOTION) for part in parts for e in part.emotions], np.int64),
        np.array([characters[c] for part in parts for c in part.characters], np.int64),
    )


def augmented_crop(crop: NDArray[np.uint8], rng: Rng, size: int) -> NDArray[np.uint8]:
    """Mirrored, turned, shifted and scaled a little; light, contrast, saturation, blur and grain as films have them."""
    side = crop.shape[0]
    angle, zoom = rng.normal(0, 6), float(np.exp(rng.normal(0, 0.05))) * size / side
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), angle, zoom)
    matrix[:, 2] += (size - side) / 2 + rng.normal(0, 0.025, 2) * size
    if rng.random() < 0.5:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size
    picture: Any = cv2.warpAffine(crop, matrix, (size, size), flags=cv2.INTER_LINEAR).astype(np.float32)
    lit = picture.max(axis=2, keepdims=True) > 0  # the padding stays black
    grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    saturation = 0.0 if rng.random() < 0.07 else float(rng.uniform(0.75, 1.25))
    picture = grey[:, :, None] * (1 - saturation) + picture * saturation
    picture = ((picture - 128) * rng.uniform(0.8, 1.2) + 128 + rng.uniform(-15, 15)) * rng.uniform(0.95, 1.05, 3)
    if rng.random() < 0.25:
        low = max(16, round(size * float(rng.uniform(0.3, 0.8))))
        picture = cv2.resize(cv2.resize(picture, (low, low), interpolation=cv2.INTER_AREA), (size, size))
    if rng.random() < 0.15:
        picture = picture + rng.normal(0, rng.uniform(1, 7), picture.shape[:2])[:, :, None]
    return np.asarray(np.clip(picture * lit, 0, 255), np.uint8)
