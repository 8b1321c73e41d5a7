"""The yardstick of the benchmark: torchvision's Mask R-CNN, used as its documentation shows, on the same backbone."""

from __future__ import annotations

from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator

from ml.detect.network import ANCHORS, RATIOS, Backbone, DetectorSettings


def as_torchvision(settings: DetectorSettings) -> MaskRCNN:
    """Random weights, torchvision's own heads, limits, resizing and pasting of masks; one picture at a time."""
    anchors = AnchorGenerator(ANCHORS, (RATIOS,) * len(ANCHORS))
    network = MaskRCNN(
        Backbone(settings.channels),
        num_classes=settings.classes,
        min_size=settings.short_side,
        max_size=settings.long_side,
        rpn_anchor_generator=anchors,
    )
    network.eval()
    return network
