"""Which layers a Matterport Mask R-CNN has, and the shape of each of their arrays. Plain Python.

Names and shapes are those of https://github.com/matterport/Mask_RCNN (``mrcnn/model.py``, MIT) as Keras stores them:
a convolution's kernel is (height, width, in, out), a transposed one's (height, width, out, in), a dense one (in, out).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Literal

Backbone = Literal["resnet50", "resnet101"]
ArrayShapes = dict[str, tuple[int, ...]]
STAGE4_BLOCKS: Mapping[str, int] = {"resnet50": 6, "resnet101": 23}  # res4a to res4f, to res4w
STAGES = (2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """The sizes that one file may have and another not. ``classes``: with background. ``ratios``: anchors per cell.

    ``width``: channels of the first convolution; ``pyramid``, ``rpn``, ``mask``: channels there; ``hidden``: of the box
    head. The defaults are Matterport's own.
    """

    backbone: Backbone = "resnet50"
    classes: int = 3
    width: int = 64
    pyramid: int = 256
    rpn: int = 512
    hidden: int = 1024
    mask: int = 256
    ratios: int = 3


def blocks(backbone: Backbone, stage: int) -> str:
    """The letters of a stage's blocks; the first one has a shortcut with weights."""
    return ascii_lowercase[: {2: 3, 3: 4, 4: STAGE4_BLOCKS[backbone], 5: 3}[stage]]


def expected(shape: NetworkShape) -> dict[str, ArrayShapes]:
    """Layer to array to shape, in the order of the forward pass."""
    return {**_backbone(shape), **_pyramid(shape), **_rpn(shape), **_box_head(shape), **_mask_head(shape)}


def _backbone(shape: NetworkShape) -> dict[str, ArrayShapes]:
    layers = {"conv1": _conv(7, 3, shape.width), "bn_conv1": _norm(shape.width)}
    entering = shape.width
    for stage in STAGES:
        inner = shape.width * 2 ** (stage - 2)
        for letter in blocks(shape.backbone, stage):
            of_branch = {
                "2a": _conv(1, entering, inner),
                "2b": _conv(3, inner, inner),
                "2c": _conv(1, inner, 4 * inner),
            }
            if letter == "a":
                of_branch["1"] = _conv(1, entering, 4 * inner)
            for branch, arrays in of_branch.items():
                layers[f"res{stage}{letter}_branch{branch}"] = arrays
                layers[f"bn{stage}{letter}_branch{branch}"] = _norm(arrays["bias"][0])
            entering = 4 * inner
    return layers


def _pyramid(shape: NetworkShape) -> dict[str, ArrayShapes]:
    layers = {}
    for stage in STAGES:
        layers[f"fpn_c{stage}p{stage}"] = _conv(1, 4 * shape.width * 2 ** (stage - 2), shape.pyramid)
        layers[f"fpn_p{stage}"] = _conv(3, shape.pyramid, shape.pyramid)
    return layers


def _rpn(shape: NetworkShape) -> dict[str, ArrayShapes]:
    return {
        "rpn_conv_shared": _conv(3, shape.pyramid, shape.rpn),
        "rpn_class_raw": _conv(1, shape.rpn, 2 * shape.ratios),
        "rpn_bbox_pred": _conv(1, shape.rpn, 4 * shape.ratios),
    }


def _box_head(shape: NetworkShape) -> dict[str, ArrayShapes]:
    return {
        "mrcnn_class_conv1": _conv(7, shape.pyramid, shape.hidden),
        "mrcnn_class_bn1": _norm(shape.hidden),
        "mrcnn_class_conv2": _conv(1, shape.hidden, shape.hidden),
        "mrcnn_class_bn2": _norm(shape.hidden),
        "mrcnn_class_logits": {"kernel": (shape.hidden, shape.classes), "bias": (shape.classes,)},
        "mrcnn_bbox_fc": {"kernel": (shape.hidden, 4 * shape.classes), "bias": (4 * shape.classes,)},
    }


def _mask_head(shape: NetworkShape) -> dict[str, ArrayShapes]:
    layers = {}
    for n in range(1, 5):
        layers[f"mrcnn_mask_conv{n}"] = _conv(3, shape.pyramid if n == 1 else shape.mask, shape.mask)
        layers[f"mrcnn_mask_bn{n}"] = _norm(shape.mask)
    layers["mrcnn_mask_deconv"] = _conv(2, shape.mask, shape.mask)
    layers["mrcnn_mask"] = _conv(1, shape.mask, shape.classes)
    return layers


def _conv(side: int, entering: int, leaving: int) -> ArrayShapes:
    return {"kernel": (side, side, entering, leaving), "bias": (leaving,)}


def _norm(channels: int) -> ArrayShapes:
    return dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (channels,))
