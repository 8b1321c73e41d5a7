"""What every step of adapting works with, and what the classifier's network says of crops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ml.adapt.budget import Budget
from ml.adapt.examples import Show
from ml.adapt.heads import Faces, Layer
from ml.adapt.replay import Replay
from ml.bundle import Bundle, Part
from ml.classify.network import FaceOutputs
from ml.classify.small_cnn import SmallCnnClassifier
from ml.runtime import Models
from ml.train.store import LabelledCrop
from ml.types import Emotion

BATCH = 32
PARTS = ("detector", "gallery", "emotions")
Say = Callable[[str], None]
Crops = Sequence[NDArray[np.uint8]]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AdaptSettings:
    """``minutes``: most that it takes in all. ``steps``: of the detector, twice: once for measuring. ``pictures``: most
    that are learnt from.
    """

    name: str
    minutes: float = 9.0
    steps: int = 160
    seed: int = 1
    parts: tuple[str, ...] = PARTS
    pictures: int = 400


@dataclass(frozen=True, slots=True)
class Work:
    """``folder``: for files on the way. ``gained``: what every step measured, by its name; for the card."""

    bundle: Bundle
    models: Models
    classifier: SmallCnnClassifier
    show: Show
    replay: Replay
    settings: AdaptSettings
    budget: Budget
    folder: Path
    say: Say
    gained: dict[str, Any] = field(default_factory=dict)

    def weights(self) -> dict[str, Path]:
        """The bundle's own files by name."""
        return {name: self.bundle.weights(_part_of(self.bundle, name), name) for name in self.bundle.files}

    def features(self, views: Sequence[NDArray[np.uint8]]) -> Floats:
        """N times (V, size, size, 3) -> (N, V, D): what the heads of the network look at."""
        return np.stack([self._run(list(of), "features") for of in views])

    def embeddings(self, crops: Crops) -> Floats:
        """(N, EMBEDDING_SIZE)"""
        return self._run(crops, "embedding")

    def rendered(self, crops: Sequence[LabelledCrop]) -> Faces:
        """Drawn faces with the emotions that the bundle can express; each a view and a group of its own."""
        first = first_labels(self.bundle)
        known = [c for c in crops if c.emotion in first]
        rows = self._run([c.picture for c in known], "features")[:, None]
        emotions = np.array([first[Emotion(c.emotion)] for c in known], np.int64)
        return Faces(rows, emotions, tuple(str(n) for n in range(len(known))))

    def own_layer(self) -> Layer:
        layer = self.classifier.network.emotion
        weight, bias = (v.detach().float().cpu().clone() for v in (layer.weight, layer.bias))
        return Layer(weight, bias, self.bundle.calibration.emotion_temperature)

    def _run(self, crops: Crops, what: str) -> Floats:
        parts: list[FaceOutputs] = [self.classifier.outputs(crops[i : i + BATCH]) for i in range(0, len(crops), BATCH)]
        return torch.cat([getattr(part, what) for part in parts]).float().cpu().numpy()


def first_labels(bundle: Bundle) -> dict[Emotion, int]:
    """Each emotion that the bundle can express, and the first of its labels that means it."""
    numbered = reversed(list(enumerate(bundle.emotion_labels)))
    return {bundle.emotion_mapping[label]: i for i, label in numbered}


def _part_of(bundle: Bundle, file: str) -> Part:
    return next(part for part in bundle.parts if file in part.files)
