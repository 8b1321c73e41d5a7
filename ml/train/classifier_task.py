"""Learning to read emotions: crops in, one of several classes out. A task for ml.train.fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from ml.train.crops import UNKNOWN, CropSet
from ml.train.loader import Batch
from ml.train.networks import Reader
from ml.train.recipes import ClassifierPart, Stage

AT_ONCE = 32  # crops, where nothing is learnt
Rng = np.random.Generator


class ClassifierTask:
    """``reader``: the network and how it wants its pictures."""

    def __init__(self, part: ClassifierPart, train: CropSet, valid: CropSet, reader: Reader, device: str) -> None:
        self.part, self.train, self.valid, self.reader, self.device = part, train, valid, reader, device
        self.network: nn.Module = reader.network.to(device)
        self.losses: nn.Module = _Losses(reader, part.smoothing)
        self.count = len(train.classes)
        names = (*part.characters, UNKNOWN)
        self._whose = [names.index(c) if c in names else len(names) - 1 for c in train.characters]

    def item(self, index: int, rng: Rng) -> tuple[Tensor, int, int]:
        crop = changed_crop(np.array(self.train.crops[index]), self.part, rng)
        return torch.from_numpy(crop).permute(2, 0, 1), int(self.train.classes[index]), self._whose[index]

    def collate(self, items: Sequence[tuple[Tensor, int, int]]) -> Batch:
        """``pictures``: uint8, (N, 3, size, size); ``classes``, ``characters``: (N,)."""
        return {
            "pictures": torch.stack([picture for picture, _, _ in items]),
            "classes": torch.tensor([number for _, number, _ in items]),
            "characters": torch.tensor([number for _, _, number in items]),
        }

    def enter(self, stage: Stage) -> None:
        self.reader.learn(stage.train)

    def train_mode(self) -> None:
        """Layers that do not learn keep the statistics of their batch normalisation."""
        self.losses.train()
        for module in self.network.modules():
            own = list(module.parameters(recurse=False))
            if isinstance(module, nn.BatchNorm2d) and own and not any(p.requires_grad for p in own):
                module.eval()

    def validate(self) -> dict[str, float]:
        if not len(self.valid.classes):
            return {}
        logits = predict(self.reader, self.valid.crops, self.part.size, self.device)
        truth = torch.from_numpy(self.valid.classes)
        loss = F.cross_entropy(torch.from_numpy(logits), truth, label_smoothing=self.part.smoothing)
        return {"loss": float(loss), "accuracy": float((logits.argmax(1) == self.valid.classes).mean())}


@torch.inference_mode()
def predict(reader: Reader, crops: NDArray[np.uint8], size: int, device: str) -> NDArray[np.float64]:
    """Logits (N, classes) of crops (N, any, any, 3), in float32 whatever the training computed in."""
    reader.network.eval()
    parts = []
    for start in range(0, len(crops), AT_ONCE):
        some = np.stack([resized(np.asarray(crop), size) for crop in crops[start : start + AT_ONCE]])
        parts.append(reader.logits(torch.from_numpy(some).permute(0, 3, 1, 2).to(device)).double().cpu().numpy())
    return np.concatenate(parts) if parts else np.zeros((0, reader.outputs))


class _Losses(nn.Module):
    def __init__(self, reader: Reader, smoothing: float) -> None:
        super().__init__()
        self.network, self.reader, self.smoothing = reader.network, reader, smoothing

    def forward(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        losses, logits = self.reader.losses(batch, self.smoothing)
        return losses, {"accuracy": (logits.argmax(1) == batch["classes"]).float().mean()}


# ------------------------------------------------------------------------------------------------ pictures


def resized(crop: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    if crop.shape[0] == size:
        return crop
    how = cv2.INTER_AREA if size < crop.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (size, size), interpolation=how), np.uint8)


def changed_crop(crop: NDArray[np.uint8], part: ClassifierPart, rng: Rng) -> NDArray[np.uint8]:
    """At the network's size, changed as ``part.augment`` says; what happens follows from ``rng``."""
    if part.augment == "film":
        return film_changed(crop, rng, part.size)
    small = resized(crop, part.size)
    if part.augment == "none":
        return small
    if rng.random() < 0.5:
        small = np.ascontiguousarray(small[:, ::-1])
    return auto_augmented(small, rng) if part.augment == "auto" else small


def auto_augmented(crop: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """AutoAugment's policy for ImageNet (Cubuk et al. 2019), as torchvision has it."""
    from torchvision.transforms import AutoAugment, AutoAugmentPolicy

    picture = torch.from_numpy(crop).permute(2, 0, 1)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(rng.integers(1 << 62)))
        changed: Any = AutoAugment(AutoAugmentPolicy.IMAGENET)(picture)
    return np.ascontiguousarray(changed.permute(1, 2, 0).numpy())


def film_changed(crop: NDArray[np.uint8], rng: Rng, size: int) -> NDArray[np.uint8]:
    """Mirrored, turned, shifted and scaled a little; light, contrast, saturation, sharpness and grain as films have."""
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
        low = max(8, round(size * float(rng.uniform(0.3, 0.8))))
        picture = cv2.resize(cv2.resize(picture, (low, low), interpolation=cv2.INTER_AREA), (size, size))
    if rng.random() < 0.15:
        picture = picture + rng.normal(0, rng.uniform(1, 7), picture.shape[:2])[:, :, None]
    return np.asarray(np.clip(picture * lit, 0, 255), np.uint8)
