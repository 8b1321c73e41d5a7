"""The network behind the shipped classifier: one backbone, heads for what a face shows, how, and whose it is.

Backbones: ``residual``, small and of our own; ``mobilenet_v2``, torchvision's, which can start from ImageNet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torchvision.models import mobilenet_v2

from ml.detect.network import pad_like_tensorflow
from ml.types import EMBEDDING_SIZE

WHO = EMBEDDING_SIZE // 2  # the first half of an embedding says whose face it is, the second what it shows
SQRT2 = 2.0**0.5
_MIDDLE, _LAST = 13, 17  # MobileNetV2's last blocks at stride 16 (96 channels) and 32 (320 channels)


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """``size``: side of the crops in pixels. ``width``: channels of the residual backbone's first stage; later ones
    have 2, 4, 6 times. ``parts``: numbers that describe an expression's parts (ml.render.parts); 0: no such head.
    ``halves``: whether who and what have a half of the embedding each; else the whole mixes both. ``mirrored``: a face
    and its mirror image are looked at, and the heads see the mean: twice the work, fewer errors.
    """

    size: int = 80
    width: int = 32
    emotions: int = 7
    characters: int = 5  # with unknown, which is last; 0: no such head
    parts: int = 0
    halves: bool = False
    backbone: str = "residual"
    mirrored: bool = False

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> ClassifierSettings:
        plain = asdict(cls())
        return cls(**{name: type(value)(table[name]) for name, value in plain.items() if name in table})


class FaceOutputs(NamedTuple):
    """``emotion``, ``character``: logits. ``embedding``: length 1. ``parts``: (N, 0) without that head.

    ``features``: what all heads look at, before any of them.
    """

    emotion: Tensor
    character: Tensor
    embedding: Tensor
    parts: Tensor
    features: Tensor


class Residual(nn.Module):
    """Two 3 x 3 convolutions around a shortcut."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first = _conv(channels_in, channels, stride)
        self.second = _conv(channels, channels, 1)
        same = channels_in == channels and stride == 1
        self.shortcut: nn.Module = nn.Identity() if same else _conv(channels_in, channels, stride, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def _conv(channels_in: int, channels: int, stride: int, kernel: int = 3) -> nn.Sequential:
    convolution = nn.Conv2d(channels_in, channels, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels))


class FaceNet(nn.Module):
    """(N, 3, size, size), RGB scaled to -1..1 -> FaceOutputs.

    ``emotion_proxies`` and ``character_proxies`` are used in training alone: they make directions of the embedding
    mean what is shown and by whom, so that near embeddings are drawings alike.
    """

    def __init__(self, settings: ClassifierSettings) -> None:
        super().__init__()
        w = settings.width
        self.halves = settings.halves
        if settings.backbone == "mobilenet_v2":
            blocks = list(mobilenet_v2().features.children())[: _LAST + 1]
            self.blocks = nn.ModuleList(blocks)
            pad_like_tensorflow(self.blocks)
            features = 96 + 320
        elif settings.backbone == "residual":
            self.stem = _conv(3, w, 2)
            self.body = nn.Sequential(
                Residual(w, w, 1),
                Residual(w, 2 * w, 2),
                Residual(2 * w, 2 * w, 1),
                Residual(2 * w, 4 * w, 2),
                Residual(4 * w, 4 * w, 1),
                Residual(4 * w, 6 * w, 2),
            )
            features = 6 * w
        else:
            raise ValueError(f"there is no backbone {settings.backbone!r}")
        self.drop = nn.Dropout(0.2)
        self.emotion = nn.Linear(features, settings.emotions)
        if settings.characters:
            self.character = nn.Linear(features, settings.characters)
            self.character_proxies = nn.Linear(WHO if self.halves else EMBEDDING_SIZE, settings.characters, bias=False)
        self.embed = nn.Linear(features, EMBEDDING_SIZE)
        if settings.parts:
            self.parts = nn.Linear(features, settings.parts)
        self.has_parts, self.has_characters = settings.parts > 0, settings.characters > 0
        self.emotion_proxies = nn.Linear(EMBEDDING_SIZE - WHO * self.halves, settings.emotions, bias=False)

    def forward(self, x: Tensor) -> FaceOutputs:
        return self.read(self.drop(self.pooled(x)))

    def read(self, pooled: Tensor) -> FaceOutputs:
        """What the heads say of ``pooled``."""
        nothing = pooled[:, :0]
        return FaceOutputs(
            emotion=self.emotion(pooled),
            character=self.character(pooled) if self.has_characters else nothing,
            embedding=self._embedding(self.embed(pooled).float()),
            parts=self.parts(pooled) if self.has_parts else nothing,
            features=pooled,
        )

    def pooled(self, x: Tensor) -> Tensor:
        if not hasattr(self, "blocks"):
            maps: Tensor = self.body(F.relu(self.stem(x)))
            return maps.mean((2, 3))
        kept = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in (_MIDDLE, _LAST):
                kept.append(x.mean((2, 3)))
        return torch.cat(kept, 1)

    def _embedding(self, raw: Tensor) -> Tensor:
        if not self.halves:
            return F.normalize(raw, dim=1)
        halves = [F.normalize(half, dim=1) for half in (raw[:, :WHO], raw[:, WHO:])]
        return torch.cat(halves, 1) / SQRT2

    def halves_of(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """(who, what), each of length 1; twice the same where the embedding has no halves."""
        if not self.halves:
            return embedding, embedding
        return embedding[:, :WHO] * SQRT2, embedding[:, WHO:] * SQRT2
