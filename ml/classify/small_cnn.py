"""The shipped classifier behind the interface: crops in batches, calibrated probabilities out."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ml.batches import in_batches
from ml.bundle import Bundle
from ml.classify.base import UNKNOWN, Crop, FaceReading
from ml.classify.network import ClassifierSettings, FaceNet, FaceOutputs
from ml.classify.readings import added_up, check_finite, probabilities, vectors
from ml.errors import BundleInvalid
from ml.fused import can_fuse, fuse
from ml.types import Emotion


class SmallCnnClassifier:
    """``labels``: the outputs' own names; several that mean one canonical emotion are added up.

    ``network`` stays as it is and may be trained on; a fused copy of its convolutions reads the crops on a processor.
    """

    architecture = "small_cnn"

    def __init__(
        self,
        network: FaceNet,
        settings: ClassifierSettings,
        mapping: Mapping[str, Emotion],
        characters: Sequence[str],
        temperatures: tuple[float, float] = (1.0, 1.0),
        device: str = "cpu",
        batch: int = 32,
    ) -> None:
        self.network: FaceNet = network.eval().to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.crop_size = settings.size
        self.batch = batch
        self._mirrored = settings.mirrored
        self._mapping = tuple(mapping.values())
        self._names = (*characters, UNKNOWN) if characters else ()
        self._temperatures = temperatures
        self._device = device
        self._fused: tuple[tuple[int, ...], FaceNet] | None = None

    @classmethod
    def of_bundle(cls, bundle: Bundle, device: str) -> SmallCnnClassifier:
        """Raises BundleInvalid where the weights do not fit the settings."""
        names = bundle.named_by(bundle.classifier)
        shape = {"emotions": len(bundle.emotion_labels), "characters": len(names) + 1 if names else 0}
        settings = ClassifierSettings.of({**bundle.classifier_settings, **shape})
        network = FaceNet(settings)
        path = bundle.weights(bundle.classifier)
        try:
            network.load_state_dict({k: v.float() for k, v in load_file(path).items()})
        except (RuntimeError, SafetensorError) as error:
            reason = str(error).splitlines()[0]
            raise BundleInvalid(f"{path} does not hold the weights of this classifier: {reason}") from error
        temperatures = (bundle.calibration.emotion_temperature, bundle.calibration.character_temperature)
        mapping = {label: bundle.emotion_mapping[label] for label in bundle.emotion_labels}
        return cls(network, settings, mapping, names, temperatures, device)

    def classify(self, crops: Sequence[Crop]) -> list[FaceReading]:
        return in_batches(crops, self.batch, self._classify)

    def _classify(self, crops: Sequence[Crop]) -> list[FaceReading]:
        outputs = self.outputs(crops)
        shown = probabilities(outputs.emotion, self._temperatures[0])
        names = probabilities(outputs.character, self._temperatures[1])  # no columns where there is no such head
        return [
            FaceReading(added_up(self._mapping, p), added_up(self._names, n), v)
            for p, n, v in zip(shown, names, vectors(outputs.embedding), strict=True)
        ]

    @torch.inference_mode()
    def outputs(self, crops: Sequence[Crop]) -> FaceOutputs:
        """Raw outputs, for calibration and for fitting a show. Raises ModelOutputInvalid."""
        batch = scaled(torch.from_numpy(np.stack(crops)).to(self._device).permute(0, 3, 1, 2))
        trunk = self._trunk()
        pooled = trunk.pooled(batch)
        if self._mirrored:
            pooled = (pooled + trunk.pooled(batch.flip(3).contiguous(memory_format=torch.channels_last))) / 2
        outputs: FaceOutputs = self.network.read(pooled)
        check_finite(outputs)
        return outputs

    def _trunk(self) -> FaceNet:
        """The convolutions to read with; fused anew whenever the network's weights have changed."""
        if not can_fuse(self._device) or self.network.training:
            return self.network
        state = tuple(t._version for t in (*self.network.parameters(), *self.network.buffers()))
        if self._fused is None or self._fused[0] != state:
            trunk = copy.deepcopy(self.network)
            fuse(trunk, torch.float32)
            self._fused = state, trunk
        return self._fused[1]


def scaled(crops: Tensor) -> Tensor:
    """uint8 (N, 3, H, W) -> float in -1..1, channels last."""
    return crops.float().div(127.5).sub(1.0).contiguous(memory_format=torch.channels_last)
