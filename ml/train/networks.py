"""Classifier networks as training sees them: how they want their pictures, what they learn from, which layers learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Protocol

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ml.classify.network import ClassifierSettings, FaceNet
from ml.classify.small_cnn import scaled
from ml.train.loader import Batch
from ml.train.recipes import ClassifierPart

SMALL = "small_cnn"
PROXY_SCALE = 16.0  # sharpness of the proxies' softmax over cosines
PROXY_SHARE = 0.3


class Reader(Protocol):
    """``settings``: what a bundle needs to build the network again. ``outputs``: classes."""

    @property
    def architecture(self) -> str: ...

    @property
    def network(self) -> nn.Module: ...

    @property
    def settings(self) -> dict[str, Any]: ...

    @property
    def outputs(self) -> int: ...

    @property
    def start(self) -> str:
        """Where the weights came from that training began with."""
        ...

    def losses(self, batch: Batch, smoothing: float) -> tuple[dict[str, Tensor], Tensor]:
        """Losses by name, and the logits of the classes (N, outputs)."""
        ...

    def logits(self, pictures: Tensor) -> Tensor:
        """Of uint8 pictures (N, 3, size, size), RGB; nothing learns."""
        ...

    def learn(self, what: str) -> None:
        """``all``, ``head`` (the layers after the convolutions) or ``last`` (those, and the last convolutions)."""
        ...


def build_reader(part: ClassifierPart, labels: Sequence[str], say: Callable[[str], None]) -> Reader:
    """Seeded by ``part.seed``. Raises BundleInvalid for what is not known, WeightsUnavailable, WeightsInvalid."""
    torch.manual_seed(part.seed)
    if part.architecture == SMALL:
        return SmallReader(part, labels)
    from ml.train.zoo_reader import ZooReader

    return ZooReader(part, labels, say)


class SmallReader:
    """Our own network: emotions, and beside them whose face it is and an embedding in which like lies by like."""

    architecture = SMALL
    start = "scratch"

    def __init__(self, part: ClassifierPart, labels: Sequence[str]) -> None:
        self.outputs = len(labels)
        characters = len(part.characters) + 1 if part.characters else 0
        table = {**part.network, "size": part.size, "emotions": len(labels), "characters": characters}
        settings = ClassifierSettings.of(table)
        self.settings: dict[str, Any] = asdict(settings)
        self.network = FaceNet(settings)

    def losses(self, batch: Batch, smoothing: float) -> tuple[dict[str, Tensor], Tensor]:
        network = self.network
        found = network(scaled(batch["pictures"]))
        who, what = network.halves_of(found.embedding)
        shown = what @ F.normalize(network.emotion_proxies.weight, dim=1).T * PROXY_SCALE
        classes, characters = batch["classes"], batch["characters"]
        losses = {
            "emotion": F.cross_entropy(found.emotion.float(), classes, label_smoothing=smoothing),
            "near": PROXY_SHARE * F.cross_entropy(shown, classes),
        }
        if network.has_characters:
            whose = who @ F.normalize(network.character_proxies.weight, dim=1).T * PROXY_SCALE
            losses["character"] = F.cross_entropy(found.character.float(), characters, label_smoothing=smoothing)
            losses["near character"] = PROXY_SHARE * F.cross_entropy(whose, characters)
        return losses, found.emotion

    def logits(self, pictures: Tensor) -> Tensor:
        found: Tensor = self.network(scaled(pictures)).emotion
        return found

    def learn(self, what: str) -> None:
        heads = ("emotion", "character", "embed", "parts")
        for name, parameter in self.network.named_parameters():
            is_head = name.startswith(heads)
            parameter.requires_grad_(what == "all" or is_head or (what == "last" and name.startswith("body.5")))
