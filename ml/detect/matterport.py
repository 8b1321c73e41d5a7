"""Matterport's Mask R-CNN behind the interface: the detections of the original, for weights that were imported.

Order of work and every constant follow https://github.com/matterport/Mask_RCNN (``MaskRCNN.detect``, MIT).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ml.batches import in_batches
from ml.bundle import Bundle
from ml.detect.base import Face, Frame
from ml.detect.matterport_boxes import anchors, denormalised, normalised
from ml.detect.matterport_network import MatterportNetwork, detections, proposals
from ml.detect.matterport_picture import Preparation, Prepared, prepare, resized_mask
from ml.errors import BundleInvalid, ModelOutputInvalid
from ml.matterport.layout import STAGE4_BLOCKS, NetworkShape

ARCHITECTURE = "matterport_mask_rcnn"
CPU_BATCH, GPU_BATCH = 1, 4
SCORE_DIGITS = 4
MASK_LEVEL = 0.5
LARGEST = 8192  # of any number in the settings


@dataclass(frozen=True, slots=True)
class Limits:
    """``least``: score of a face that is reported. ``overlap``: IoU from which two boxes of one class are doubles.

    ``faces``: most per picture.
    """

    least: float = 0.9
    overlap: float = 0.3
    faces: int = 100


class MatterportDetector:
    """``names``: what each class means, background left out. ``batch``: pictures at once."""

    architecture = ARCHITECTURE

    def __init__(
        self,
        network: MatterportNetwork,
        names: Sequence[str],
        preparation: Preparation,
        limits: Limits,
        device: str = "cpu",
        batch: int = 0,
    ) -> None:
        if len(names) != network.shape.classes - 1:
            raise BundleInvalid(
                f"The detector has {network.shape.classes - 1} classes of faces, but {len(names)} names for them."
            )
        self.network = network.eval().folded().to(device)
        self.preparation, self.limits = preparation, limits
        self.batch = batch or (CPU_BATCH if device == "cpu" else GPU_BATCH)
        self._names = tuple(names)
        self._device = device
        self._anchors = torch.from_numpy(anchors(preparation.side)).to(device)

    @classmethod
    def of_bundle(cls, bundle: Bundle, device: str) -> MatterportDetector:
        """Raises BundleInvalid where the weights do not fit the settings."""
        settings = bundle.detector.settings
        names = bundle.named_by(bundle.detector)
        network = MatterportNetwork(network_shape({**settings, "classes": len(names) + 1}))
        path = bundle.weights(bundle.detector)
        try:
            network.load_state_dict(load_file(path))
        except (RuntimeError, SafetensorError) as error:
            reason = " ".join(str(error).split()[:40])
            raise BundleInvalid(f"{path} does not hold the weights of this detector: {reason}") from error
        preparation = Preparation.of(bundle.preprocessing.get("picture", {}))
        limits = Limits(bundle.thresholds.detection, bundle.thresholds.nms, _count(settings, "faces", 100))
        return cls(network, names, preparation, limits, device)

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """Raises PictureTooLarge where pictures are taken unscaled and one is too large; ModelOutputInvalid."""
        return in_batches(frames, self.batch, self._detect)

    @torch.inference_mode()
    def _detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        prepared = [prepare(frame, self.preparation) for frame in frames]
        pictures = torch.from_numpy(np.stack([p.pixels for p in prepared])).permute(0, 3, 1, 2)
        maps = self.network.pyramid(pictures.to(self._device))
        if not all(bool(torch.isfinite(m).all()) for m in maps):
            raise ModelOutputInvalid("The detector gave a number that is not finite.")
        regions = [proposals(one, self._anchors) for one in self.network.rpn(maps)]
        return [self._faces([m[n] for m in maps[:4]], regions[n], prepared[n], frame) for n, frame in enumerate(frames)]

    def _faces(self, maps: list[Tensor], regions: Tensor, prepared: Prepared, frame: Frame) -> list[Face]:
        side, limits = self.preparation.side, self.limits
        window = normalised(np.array(prepared.window, np.float64), side, side)
        heads = self.network.boxes(maps, regions, side)
        if not bool(torch.isfinite(heads.logits).all() and torch.isfinite(heads.deltas).all()):
            raise ModelOutputInvalid("The detector gave a number that is not finite.")
        edges = torch.from_numpy(window).to(self._device)
        found = detections(regions, *heads, edges, limits.least, limits.overlap, limits.faces)
        if not len(found.boxes):
            return []
        masks = self.network.masks(maps, found.boxes, side)
        masks = masks[torch.arange(len(masks), device=masks.device), found.classes].cpu()
        boxes = in_picture(found.boxes.cpu().numpy(), window, frame.shape[0], frame.shape[1])
        faces = []
        for box, kind, score, mask in zip(
            boxes.tolist(), found.classes.tolist(), found.scores.tolist(), masks.numpy(), strict=True
        ):
            y1, x1, y2, x2 = box
            if y2 > y1 and x2 > x1:
                inside = resized_mask(mask, y2 - y1, x2 - x1) >= MASK_LEVEL
                place = (float(x1), float(y1), float(x2), float(y2))
                faces.append(Face(place, inside, (x1, y1), self._names[kind - 1], round(score, SCORE_DIGITS)))
        return faces


def in_picture(boxes: NDArray[np.float32], window: NDArray[np.float32], height: int, width: int) -> NDArray[np.int32]:
    """(N, 4) from the network's square to whole pixels of the picture that lies in ``window``, lower edge exclusive."""
    start, size = np.tile(window[:2], 2), np.tile(window[2:] - window[:2], 2)
    return denormalised((boxes - start) / size, height, width)


def network_shape(settings: Mapping[str, Any]) -> NetworkShape:
    """Raises BundleInvalid."""
    backbone = settings.get("backbone")
    if backbone not in STAGE4_BLOCKS:
        raise BundleInvalid(f"The detector's backbone {backbone!r} is not known; {' and '.join(STAGE4_BLOCKS)} are.")
    usual = NetworkShape()
    sizes = {name: _count(settings, name, size) for name, size in asdict(usual).items() if name != "backbone"}
    return NetworkShape("resnet101" if backbone == "resnet101" else "resnet50", **sizes)


def _count(settings: Mapping[str, Any], name: str, usual: int) -> int:
    value = settings.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        raise BundleInvalid(f"The detector's setting {name} is {value!r}; it must be a number of 1 to {LARGEST}.")
    return value
