"""The published classifiers as training sees them; see ml.train.networks.Reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ml.classify.pretrained import load_pretrained
from ml.classify.zoo import (
    ARCHITECTURES,
    build_classifier_network,
    freeze_base,
    l2_penalty,
    unfreeze_all,
    unfreeze_last,
)
from ml.train.loader import Batch
from ml.train.recipes import ClassifierPart


class ZooReader:
    """``start``: where the weights of the base came from."""

    def __init__(self, part: ClassifierPart, labels: Sequence[str], say: Callable[[str], None]) -> None:
        """Raises BundleInvalid, WeightsUnavailable, WeightsInvalid."""
        self.architecture, self.outputs = part.architecture, len(labels)
        self._last_blocks = part.last_blocks
        table = {**part.network, "size": part.size}
        self.network = build_classifier_network(part.architecture, len(labels), table)
        self.start = load_pretrained(self.network, part.pretrained, say)
        self.network = self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.settings: dict[str, Any] = asdict(self.network.settings)

    def losses(self, batch: Batch, smoothing: float) -> tuple[dict[str, Tensor], Tensor]:
        """InceptionV3's and GoogLeNet's other exits learn along by their architecture's share."""
        found = self.network(self.network.prepare(batch["pictures"]))
        logits, *others = (found,) if isinstance(found, Tensor) else found
        losses = {"emotion": _entropy(logits, batch["classes"], smoothing)}
        if others:
            share = ARCHITECTURES[self.architecture].aux_share
            losses["auxiliary"] = share * torch.stack([_entropy(o, batch["classes"], smoothing) for o in others]).sum()
        if self.network.settings.l2:
            losses["l2"] = l2_penalty(self.network)
        return losses, logits

    def logits(self, pictures: Tensor) -> Tensor:
        found, _, _ = self.network.read(self.network.prepare(pictures))
        return found

    def learn(self, what: str) -> None:
        if what == "head":
            freeze_base(self.network)
        elif what == "last":
            unfreeze_last(self.network, self._last_blocks)
        else:
            unfreeze_all(self.network)


def _entropy(logits: Tensor, classes: Tensor, smoothing: float) -> Tensor:
    return F.cross_entropy(logits.float(), classes, label_smoothing=smoothing)
