"""The yardstick of the benchmark: the same weights run the way torchvision's Mask R-CNN runs a list of pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from safetensors.torch import load_file
from torch import Tensor
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from ml.bundle import Bundle
from ml.detect.base import Frame
from ml.detect.network import MEAN, STD, DetectorSettings, build_detector


def as_torchvision(
    bundle: Bundle, settings: DetectorSettings, device: str
) -> Callable[[Sequence[Frame]], list[dict[str, Tensor]]]:
    """Single precision, batch norm not folded, torchvision's resizing and its masks pasted into whole pictures.

    The steps are those of torchvision's ``GeneralizedRCNN.forward``.
    """
    network = build_detector(settings)
    network.load_state_dict({k: v.float() for k, v in load_file(bundle.weights(bundle.detector)).items()})
    network.roi_heads.score_thresh = bundle.thresholds.detection
    network.roi_heads.nms_thresh = bundle.thresholds.nms
    network.eval().to(device)
    transform = GeneralizedRCNNTransform(settings.short_side, settings.long_side, list(MEAN), list(STD)).eval()

    @torch.inference_mode()
    def detect(frames: Sequence[Frame]) -> list[dict[str, Tensor]]:
        tensors = [torch.from_numpy(f).permute(2, 0, 1).float().div(255).to(device) for f in frames]
        batch, _ = transform(tensors)
        features = network.backbone(batch.tensors)
        proposals, _ = network.rpn(batch, features)
        found, _ = network.roi_heads(features, proposals, batch.image_sizes)
        for one in found:
            one["masks"] = one["masks"][:, None]
        sizes = [(f.shape[0], f.shape[1]) for f in frames]
        pasted: list[dict[str, Tensor]] = transform.postprocess(found, batch.image_sizes, sizes)
        return pasted

    return detect
