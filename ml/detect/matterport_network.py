"""Matterport's Mask R-CNN in PyTorch: ResNet-50 or -101 with a feature pyramid, region proposals, box and mask heads.

Layers bear Matterport's own names (``res2a_branch2a``, ``fpn_p2``), so weights are found by name. Written from
https://github.com/matterport/Mask_RCNN (MIT): a bias in every convolution, also before a batch norm; epsilon 0.001; the
stride of a stage on its first 1 x 1 convolution and its shortcut; pooling padded at the bottom and the right only.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torchvision.ops import FrozenBatchNorm2d, nms

from ml.detect.matterport_boxes import clipped, refined, sampled
from ml.matterport.convert import TRANSPOSED
from ml.matterport.layout import STAGES, NetworkShape, blocks, expected

EPSILON = 0.001
BEFORE_NMS, PROPOSALS, PROPOSAL_NMS = 6000, 1000, 0.7
BOX_PLACES, MASK_PLACES = 7, 14


class Rpn(NamedTuple):
    """``logits`` (N, 2): background, face. ``deltas`` (N, 4). One row per anchor."""

    logits: Tensor
    deltas: Tensor


class Heads(NamedTuple):
    """``logits`` (N, classes), ``deltas`` (N, classes, 4). One row per region."""

    logits: Tensor
    deltas: Tensor


class Found(NamedTuple):
    """``boxes`` (N, 4) normalised, ``classes`` (N,) 1 and up, ``scores`` (N,); best first."""

    boxes: Tensor
    classes: Tensor
    scores: Tensor


class MatterportNetwork(nn.Module):
    """Inference only. Pictures are (B, 3, side, side), RGB with the mean subtracted, side a multiple of 64."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        for layer, arrays in expected(shape).items():
            self.add_module(layer, _layer(layer, arrays))

    def folded(self) -> MatterportNetwork:
        """Itself, each batch norm folded into the convolution before it: the same function with fewer passes."""
        for name, norm in list(self.named_children()):
            if isinstance(norm, FrozenBatchNorm2d):
                conv = self.get_submodule(convolution_of(name))
                assert isinstance(conv, nn.Conv2d)
                conv.weight, conv.bias = fuse_conv_bn_weights(
                    conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
                )
                setattr(self, name, nn.Identity())
        return self

    def pyramid(self, pictures: Tensor) -> list[Tensor]:
        """P2 to P6, (B, channels, side / 4 ..., ...)."""
        x = F.relu(self._of("bn_conv1", self._of("conv1", pictures)))
        x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=float("-inf")), 3, 2)
        stages = []
        for stage in STAGES:
            for letter in blocks(self.shape.backbone, stage):
                x = self._block(x, f"{stage}{letter}", 2 if letter == "a" and stage > 2 else 1)
            stages.append(x)
        merged: list[Tensor] = []
        for stage, features in zip(reversed(STAGES), reversed(stages), strict=True):
            lateral = self._of(f"fpn_c{stage}p{stage}", features)
            if merged:
                lateral = lateral + F.interpolate(merged[0], scale_factor=2.0, mode="nearest")
            merged.insert(0, lateral)
        maps = [self._of(f"fpn_p{stage}", m) for stage, m in zip(STAGES, merged, strict=True)]
        return [*maps, maps[-1][:, :, ::2, ::2]]

    def rpn(self, maps: list[Tensor]) -> list[Rpn]:
        """For each picture, over all anchors of all levels."""
        logits, deltas = [], []
        for features in maps:
            shared = F.relu(self._of("rpn_conv_shared", features))
            logits.append(self._of("rpn_class_raw", shared).permute(0, 2, 3, 1).reshape(len(shared), -1, 2))
            deltas.append(self._of("rpn_bbox_pred", shared).permute(0, 2, 3, 1).reshape(len(shared), -1, 4))
        return [Rpn(a, b) for a, b in zip(torch.cat(logits, 1), torch.cat(deltas, 1), strict=True)]

    def boxes(self, maps: list[Tensor], regions: Tensor, side: int) -> Heads:
        """``maps``: P2 to P5 of one picture, without the batch. ``regions`` (N, 4)."""
        x = sampled(maps, regions, BOX_PLACES, side)
        for n in (1, 2):
            x = F.relu(self._of(f"mrcnn_class_bn{n}", self._of(f"mrcnn_class_conv{n}", x)))
        x = x.flatten(1)
        deltas = self._of("mrcnn_bbox_fc", x).reshape(len(x), -1, 4)
        return Heads(self._of("mrcnn_class_logits", x), deltas)

    def masks(self, maps: list[Tensor], regions: Tensor, side: int) -> Tensor:
        """(N, classes, 28, 28) probabilities."""
        x = sampled(maps, regions, MASK_PLACES, side)
        for n in range(1, 5):
            x = F.relu(self._of(f"mrcnn_mask_bn{n}", self._of(f"mrcnn_mask_conv{n}", x)))
        return self._of("mrcnn_mask", F.relu(self._of(TRANSPOSED, x))).sigmoid()

    def _block(self, entering: Tensor, name: str, stride: int) -> Tensor:
        x = F.relu(self._normed(entering, f"{name}_branch2a", stride))
        x = F.relu(self._normed(x, f"{name}_branch2b"))
        x = self._normed(x, f"{name}_branch2c")
        short = self._normed(entering, f"{name}_branch1", stride) if name.endswith("a") else entering
        return F.relu(x + short)

    def _normed(self, x: Tensor, branch: str, stride: int = 1) -> Tensor:
        conv = self.get_submodule(f"res{branch}")
        assert isinstance(conv, nn.Conv2d)
        return self._of(f"bn{branch}", F.conv2d(x, conv.weight, conv.bias, stride, conv.padding))

    def _of(self, layer: str, x: Tensor) -> Tensor:
        out: Tensor = self.get_submodule(layer)(x)
        return out


def proposals(one: Rpn, anchors: Tensor) -> Tensor:
    """(PROPOSALS, 4) regions of one picture; rows of zeros where fewer are left."""
    score = one.logits.softmax(1)[:, 1]
    order = score.sort(descending=True, stable=True).indices[:BEFORE_NMS]
    boxes = clipped(refined(anchors[order], one.deltas[order]), anchors.new_tensor([0.0, 0.0, 1.0, 1.0]))
    kept = boxes[nms(boxes, score[order], PROPOSAL_NMS)[:PROPOSALS]]
    return F.pad(kept, (0, 0, 0, PROPOSALS - len(kept)))


def detections(
    regions: Tensor, logits: Tensor, deltas: Tensor, window: Tensor, least: float, overlap: float, most: int
) -> Found:
    """Each region's best class where that is no background, its own box; doubles of one class are left out."""
    shares = logits.softmax(1)
    classes = shares.argmax(1)
    scores = shares.gather(1, classes[:, None]).squeeze(1)
    own = deltas[torch.arange(len(deltas), device=deltas.device), classes]
    boxes = clipped(refined(regions, own), window)
    candidates = torch.nonzero((classes > 0) & (scores >= least)).squeeze(1)
    kept = []
    for value in range(1, logits.shape[1]):
        same = candidates[classes[candidates] == value]
        kept.append(same[nms(boxes[same], scores[same], overlap)[:most]])
    chosen = torch.cat(kept).sort().values
    chosen = chosen[scores[chosen].sort(descending=True, stable=True).indices[:most]]
    return Found(boxes[chosen], classes[chosen], scores[chosen])


def convolution_of(norm: str) -> str:
    """The name of the layer before a batch norm, such as ``res2a_branch1`` before ``bn2a_branch1``."""
    if norm.startswith("mrcnn_"):
        return norm.replace("_bn", "_conv")
    return norm.removeprefix("bn_") if norm.startswith("bn_") else f"res{norm.removeprefix('bn')}"


def _layer(name: str, arrays: dict[str, tuple[int, ...]]) -> nn.Module:
    if "gamma" in arrays:
        return FrozenBatchNorm2d(arrays["gamma"][0], eps=EPSILON)  # type: ignore[no-any-return]
    kernel = arrays["kernel"]
    if len(kernel) == 2:
        return nn.Linear(*kernel)
    side, _, entering, leaving = kernel
    if name == TRANSPOSED:
        return nn.ConvTranspose2d(leaving, entering, side, side)  # Keras keeps (height, width, out, in)
    if name == "conv1":
        return nn.Conv2d(entering, leaving, side, stride=2, padding=3)
    return nn.Conv2d(entering, leaving, side, padding=1 if side == 3 else 0)
