"""Which detectors there are: the architecture that a bundle names to the code behind it, imported when asked for.

``DETECTORS`` turns a bundle into something that finds faces; ``NETWORKS`` builds what a training loop trains.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ml.bundle import Bundle
from ml.detect.base import Detector
from ml.errors import BundleInvalid

if TYPE_CHECKING:
    from torch import nn

_FAMILY = "ml.detect.torchvision_family"
# architecture -> "module:Class"; the class has ``of_bundle(bundle, device) -> Detector``
DETECTORS: dict[str, str] = {
    "mask_rcnn_mobilenet_v2_fpn": "ml.detect.mask_rcnn:MaskRcnnDetector",
    "mask_rcnn_resnet101_fpn": f"{_FAMILY}:FamilyDetector",
    "mask_rcnn_resnet50_fpn_v2": f"{_FAMILY}:FamilyDetector",
    "mask_rcnn_mobilenet_v3_large_fpn": f"{_FAMILY}:FamilyDetector",
    "matterport_mask_rcnn": "ml.detect.matterport:MatterportDetector",
    "haar": "ml.detect.haar:HaarDetector",
    "yolo_seg_onnx": "ml.detect.yolo_seg:YoloSegDetector",
}
# architecture -> "module:function"; the function is ``(settings, classes) -> nn.Module``
NETWORKS: dict[str, str] = {
    "mask_rcnn_mobilenet_v2_fpn": f"{_FAMILY}:build_shipped",
    "mask_rcnn_resnet101_fpn": f"{_FAMILY}:build_resnet101",
    "mask_rcnn_resnet50_fpn_v2": f"{_FAMILY}:build_resnet50_v2",
    "mask_rcnn_mobilenet_v3_large_fpn": f"{_FAMILY}:build_mobilenet",
}


def detector_of(bundle: Bundle, device: str) -> Detector:
    """Raises BundleInvalid for an architecture that is not known or weights that do not fit it."""
    entry = DETECTORS.get(bundle.detector.architecture)
    if entry is None:
        raise BundleInvalid(f"The bundle's detector {bundle.detector.architecture!r} is not known to this version.")
    detector: Detector = resolve(entry).of_bundle(bundle, device)
    return detector


def build_network(architecture: str, settings: Mapping[str, Any], classes: int) -> nn.Module:
    """A network to train, random weights. ``classes``: with background.

    In training mode it takes a list of pictures, float RGB (3, height, width) in [0, 1], and a list of targets
    (``boxes`` (N, 4) x1 y1 x2 y2, ``labels`` (N,), ``masks`` (N, height, width) uint8), and gives losses by name.
    Raises BundleInvalid for an architecture that is not known or cannot be trained here.
    """
    entry = NETWORKS.get(architecture)
    if entry is None:
        raise BundleInvalid(f"{architecture!r} is no detector that can be trained; these are: {', '.join(NETWORKS)}.")
    network: nn.Module = resolve(entry)(settings, classes)
    return network


def resolve(entry: str) -> Any:
    """``package.module:Name`` to the thing itself."""
    module, _, name = entry.partition(":")
    return getattr(importlib.import_module(module), name)
