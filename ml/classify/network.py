"""The network behind the shipped classifier: a small residual network of our own with three heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ml.types import EMBEDDING_SIZE


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """``size``: side of the crops in pixels. ``width``: channels of the first stage; later ones have 2, 4, 6 times."""

    size: int = 80
    width: int = 32
    emotions: int = 7
    characters: int = 5  # with unknown, which is last

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> ClassifierSettings:
        return cls(**{name: int(table[name]) for name in asdict(cls()) if name in table})


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
    """(N, 3, size, size), RGB scaled to -1..1 -> logits of emotions, logits of characters, embedding of length 1.

    ``emotion_proxies`` and ``character_proxies`` are used in training alone: they make directions of the embedding
    mean what is shown and by whom, so that near embeddings are drawings alike.
    """

    def __init__(self, settings: ClassifierSettings) -> None:
        super().__init__()
        w = settings.width
        self.stem = _conv(3, w, 2)
        self.body = nn.Sequential(
            Residual(w, w, 1),
            Residual(w, 2 * w, 2),
            Residual(2 * w, 2 * w, 1),
            Residual(2 * w, 4 * w, 2),
            Residual(4 * w, 4 * w, 1),
            Residual(4 * w, 6 * w, 2),
        )
        self.drop = nn.Dropout(0.2)
        self.emotion = nn.Linear(6 * w, settings.emotions)
        self.character = nn.Linear(6 * w, settings.characters)
        self.embed = nn.Linear(6 * w, EMBEDDING_SIZE)
        self.emotion_proxies = nn.Linear(EMBEDDING_SIZE, settings.emotions, bias=False)
        self.character_proxies = nn.Linear(EMBEDDING_SIZE, settings.characters, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pooled = self.drop(self.body(F.relu(self.stem(x))).mean((2, 3)))
        return self.emotion(pooled), self.character(pooled), F.normalize(self.embed(pooled).float(), dim=1)
