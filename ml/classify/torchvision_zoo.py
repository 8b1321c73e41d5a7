"""The published classifiers behind the interface: VGG16, InceptionV3, ResNet-50, MobileNetV2, GoogLeNet, Hill's CNN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ml.batches import in_batches
from ml.bundle import Bundle
from ml.classify.base import UNKNOWN, Crop, FaceReading
from ml.classify.readings import added_up, check_finite, probabilities, vectors
from ml.classify.zoo import ZooNet, ZooSettings, build_classifier_network
from ml.errors import BundleInvalid
from ml.types import Emotion

__all__ = ["ZooClassifier", "ZooNet", "ZooSettings", "build_classifier_network"]


class ZooClassifier:
    """``emotions``: what each output means; outputs that mean the same are added up.

    ``owners``: the character that each output also means, as with labels such as "tom_happy" (Jain et al. 2021), None
    where it says nothing of whom; empty where no output does. Such a network has no answer "somebody else": UNKNOWN
    gets what the outputs without an owner have, mostly 0.
    """

    def __init__(
        self,
        network: ZooNet,
        emotions: Sequence[Emotion],
        owners: Sequence[str | None] = (),
        characters: Sequence[str] = (),
        temperature: float = 1.0,
        device: str = "cpu",
        batch: int = 32,
    ) -> None:
        self.architecture = network.architecture
        self.network = network.eval().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.crop_size = network.settings.size
        self.batch = batch
        self._emotions = tuple(emotions)
        self._owners = tuple(owner or UNKNOWN for owner in owners)
        self._characters = tuple(characters)
        self._temperature = temperature
        self._device = device

    @classmethod
    def of_bundle(cls, bundle: Bundle, device: str) -> ZooClassifier:
        """Raises BundleInvalid where the settings are wrong or the weights do not fit them."""
        if bundle.classifier is None:
            raise BundleInvalid(f"The bundle {bundle.name}-{bundle.version} has no classifier.")
        settings, path = bundle.classifier.settings, bundle.weights(bundle.classifier)
        owners = owners_of(settings, bundle.emotion_labels, bundle.characters)
        with torch.device("meta"):  # nothing is drawn that the weights would replace
            network = build_classifier_network(bundle.classifier.architecture, len(bundle.emotion_labels), settings)
        try:
            state = {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}
            network.load_state_dict(state, assign=True)
        except (RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split())[:300]
            raise BundleInvalid(f"{path} does not hold the weights of this classifier: {reason}") from error
        emotions = [bundle.emotion_mapping[label] for label in bundle.emotion_labels]
        temperature = bundle.calibration.emotion_temperature
        return cls(network, emotions, owners, tuple(bundle.characters), temperature, device)

    def classify(self, crops: Sequence[Crop]) -> list[FaceReading]:
        return in_batches(crops, self.batch, self._classify)

    def _classify(self, crops: Sequence[Crop]) -> list[FaceReading]:
        logits, embedding = self.outputs(crops)
        return [
            FaceReading(added_up(self._emotions, p), self._whose(p), v)
            for p, v in zip(probabilities(logits, self._temperature), vectors(embedding), strict=True)
        ]

    @torch.inference_mode()
    def outputs(self, crops: Sequence[Crop]) -> tuple[Tensor, Tensor]:
        """Logits and embeddings, for calibration. Raises ModelOutputInvalid."""
        batch = torch.from_numpy(np.stack(crops)).to(self._device).permute(0, 3, 1, 2)
        logits, embedding, _ = self.network.read(self.network.prepare(batch))
        check_finite((logits, embedding))
        return logits, embedding

    def _whose(self, p: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
        if not self._owners:
            return {}
        found = added_up(self._owners, p)
        return {name: found.get(name, 0.0) for name in (*self._characters, UNKNOWN)}


def owners_of(
    settings: Mapping[str, Any], labels: Sequence[str], characters: Mapping[str, str]
) -> tuple[str | None, ...]:
    """``label_characters``: label to slug. Empty where the settings have none. Raises BundleInvalid."""
    table = settings.get("label_characters")
    if table is None:
        return ()
    if not isinstance(table, dict) or not set(table) <= set(labels) or not set(table.values()) <= set(characters):
        raise BundleInvalid("The bundle's classifier.settings.label_characters must give labels their characters.")
    return tuple(table.get(label) for label in labels)
