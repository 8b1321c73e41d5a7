"""The network behind the shipped detector: torchvision's Mask R-CNN on a small backbone with lean heads.

MobileNetV2 to stride 32, a feature pyramid on strides 8, 16, 32 and 64, a box head of 256, two mask layers of 128.
Boxes, masks and the suppression of doubles know no classes: *is it a face* is one question, *whose* another.
The class scores are a softmax over background, the bundle's characters and unknown; a face's score is 1 - background.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torchvision.models import mobilenet_v2
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.roi_heads import RoIHeads, maskrcnn_loss
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign, batched_nms, clip_boxes_to_image
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool
from torchvision.ops.poolers import initLevelMapper

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, RGB / 255
TAPS = {6: 32, 13: 96, 17: 320}  # MobileNetV2 block to channels: the last block at stride 8, 16, 32
ANCHORS = ((20, 32), (48, 72), (104, 148), (208, 292))  # pixels at the network's own size, per pyramid level
RATIOS = (0.7, 1.0, 1.4)  # height / width
STRIDES = (8, 16, 32)  # of the maps that regions are cut from


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """``short_side``, ``long_side``: pixels that a picture is resized to fit. ``classes``: with background."""

    classes: int = 6
    short_side: int = 320
    long_side: int = 640
    channels: int = 128
    box_hidden: int = 256
    mask_layers: int = 2
    proposals: int = 60
    faces: int = 20  # most faces reported in one picture

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> DetectorSettings:
        return cls(**{name: int(table[name]) for name in asdict(cls()) if name in table})


class TfConv2d(nn.Conv2d):
    """A stride-2 convolution that pads as TensorFlow does: nothing before, one row and one column after."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (0, 1, 0, 1)), self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def pad_like_tensorflow(module: nn.Module) -> None:
    """Replaces every padded stride-2 convolution inside ``module``; names of parameters stay."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Conv2d) and child.stride == (2, 2) and child.padding == (1, 1):
            new = TfConv2d(
                child.in_channels, child.out_channels, 3, 2, 0, groups=child.groups, bias=child.bias is not None
            )
            new.weight, new.bias = child.weight, child.bias
            setattr(module, name, new)
        else:
            pad_like_tensorflow(child)


class Backbone(nn.Module):
    """MobileNetV2's blocks to stride 32 and a feature pyramid: four maps of ``channels``, strides 8, 16, 32, 64."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        features = mobilenet_v2().features
        self.features = nn.ModuleList(list(features.children())[: max(TAPS) + 1])
        pad_like_tensorflow(self.features)
        self.fpn = FeaturePyramidNetwork(list(TAPS.values()), channels, LastLevelMaxPool())
        self.out_channels = channels

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps: dict[str, Tensor] = {}
        for index, block in enumerate(self.features):
            x = block(x)
            if index in TAPS:
                maps[str(len(maps))] = x
        pyramid: dict[str, Tensor] = self.fpn(maps)
        return pyramid


class Predictor(nn.Module):
    """Class scores, and one box per proposal whatever its class."""

    def __init__(self, hidden: int, classes: int) -> None:
        super().__init__()
        self.classes = nn.Linear(hidden, classes)
        self.box = nn.Linear(hidden, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.classes(x), self.box(x)


class FaceHeads(RoIHeads):  # type: ignore[misc]
    """torchvision's heads with one box and one mask per proposal instead of one per class.

    Gives per picture, when not training: ``boxes`` (N, 4), ``logits`` (N, classes), ``scores`` (N,), ``masks``
    (N, 28, 28) as probabilities; best score first.
    """

    mask_samples = 8  # positives per picture that the mask head learns from
    face_temperature, face_bias = 1.0, 0.0  # calibrate the score: see ml.bundle.Calibration

    def forward(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: list[dict[str, Tensor]] | None = None,
    ) -> tuple[list[dict[str, Tensor]], dict[str, Tensor]]:
        if self.training:
            return [], self._losses(features, proposals, image_shapes, targets or [])
        logits, regression = self.box_predictor(self.box_head(self.box_roi_pool(features, proposals, image_shapes)))
        logits, regression = logits.float(), regression.float()
        found = self._pick(logits, regression, proposals, image_shapes)
        boxes = [f["boxes"] for f in found]
        masks = self._mask_logits(features, boxes, image_shapes).float().sigmoid()
        for f, mask in zip(found, _split(masks, boxes), strict=True):
            f["masks"] = mask[:, 0]
        return found, {}

    def _mask_logits(self, features: dict[str, Tensor], boxes: list[Tensor], shapes: list[tuple[int, int]]) -> Tensor:
        if not sum(len(b) for b in boxes):
            return boxes[0].new_zeros((0, 1, 28, 28))
        logits: Tensor = self.mask_predictor(self.mask_head(self.mask_roi_pool(features, boxes, shapes)))
        return logits

    def _scores(self, logits: Tensor) -> Tensor:
        """(N, classes) -> (N,) the calibrated probability that there is a face, whosever it is."""
        odds = logits[:, 1:].logsumexp(-1) - logits[:, 0]
        return ((odds - self.face_bias) / self.face_temperature).sigmoid()

    def _pick(
        self, logits: Tensor, regression: Tensor, proposals: list[Tensor], shapes: list[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        boxes = self.box_coder.decode(regression, proposals).reshape(-1, 4)
        scores = self._scores(logits)
        found = []
        parts = zip(*(_split(one, proposals) for one in (boxes, scores, logits)), shapes, strict=True)
        for box, score, logit, shape in parts:
            box = clip_boxes_to_image(box, shape)
            wide = ((box[:, 2:] - box[:, :2]) >= 2.0).all(-1)
            keep = torch.nonzero((score >= self.score_thresh) & wide).squeeze(1)
            order = batched_nms(box[keep], score[keep], torch.zeros_like(keep), self.nms_thresh)
            keep = keep[order[: self.detections_per_img]]
            found.append({"boxes": box[keep], "logits": logit[keep], "scores": score[keep]})
        return found

    def _losses(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        shapes: list[tuple[int, int]],
        targets: list[dict[str, Tensor]],
    ) -> dict[str, Tensor]:
        proposals, matched, labels, regression_targets = self.select_training_samples(proposals, targets)
        pooled = self.box_roi_pool(features, proposals, shapes)
        logits, regression = self.box_predictor(self.box_head(pooled))
        label = torch.cat(labels)
        positive = torch.nonzero(label > 0).squeeze(1)
        box_loss = F.smooth_l1_loss(
            regression.float()[positive], torch.cat(regression_targets)[positive], beta=1 / 9, reduction="sum"
        )
        losses = {"classes": F.cross_entropy(logits.float(), label), "boxes": box_loss / max(label.numel(), 1)}
        picked = [torch.nonzero(one > 0).squeeze(1)[: self.mask_samples] for one in labels]
        mask_boxes = [p[i] for p, i in zip(proposals, picked, strict=True)]
        if sum(len(b) for b in mask_boxes):
            losses["masks"] = maskrcnn_loss(
                self._mask_logits(features, mask_boxes, shapes).float(),
                mask_boxes,
                [t["masks"] for t in targets],
                [torch.zeros_like(t["labels"]) for t in targets],
                [m[i] for m, i in zip(matched, picked, strict=True)],
            )
        return losses


def _split(joined: Tensor, like: list[Tensor]) -> Sequence[Tensor]:
    """Takes apart what was joined over pictures: as many rows for each as ``like`` has."""
    parts: Sequence[Tensor] = joined.split([len(one) for one in like])  # type: ignore[no-untyped-call]
    return parts


def build_detector(settings: DetectorSettings) -> MaskRCNN:
    """The network with random weights, ready to train; pictures come already resized, RGB in [0, 1]."""
    backbone = Backbone(settings.channels)
    anchors = AnchorGenerator(ANCHORS, (RATIOS,) * len(ANCHORS))
    mask_pool = _pool(14)
    layers = (settings.channels,) * settings.mask_layers
    model = MaskRCNN(
        backbone,
        image_mean=list(MEAN),
        image_std=list(STD),
        rpn_anchor_generator=anchors,
        rpn_head=RPNHead(settings.channels, anchors.num_anchors_per_location()[0]),
        rpn_pre_nms_top_n_train=600,
        rpn_pre_nms_top_n_test=200,
        rpn_post_nms_top_n_train=300,
        rpn_post_nms_top_n_test=settings.proposals,
        rpn_batch_size_per_image=128,
        box_roi_pool=_pool(7),
        box_head=TwoMLPHead(settings.channels * 49, settings.box_hidden),
        box_predictor=Predictor(settings.box_hidden, settings.classes),
        mask_roi_pool=mask_pool,
        mask_head=MaskRCNNHeads(settings.channels, layers, 1),
        mask_predictor=MaskRCNNPredictor(settings.channels, settings.channels, 1),
        _skip_resize=True,
    )
    old = model.roi_heads
    model.roi_heads = FaceHeads(
        old.box_roi_pool,
        old.box_head,
        old.box_predictor,
        fg_iou_thresh=0.5,
        bg_iou_thresh=0.5,
        batch_size_per_image=64,
        positive_fraction=0.25,
        bbox_reg_weights=None,
        score_thresh=0.05,
        nms_thresh=0.4,
        detections_per_img=settings.faces,
        mask_roi_pool=mask_pool,
        mask_head=old.mask_head,
        mask_predictor=old.mask_predictor,
    )
    return model


def _pool(size: int) -> MultiScaleRoIAlign:
    """Strides are stated: torchvision guesses them from the first batch, and a sliver of a picture misleads it."""
    pool = MultiScaleRoIAlign([str(n) for n in range(len(STRIDES))], size, 2)
    pool.scales = [1.0 / stride for stride in STRIDES]
    pool.map_levels = initLevelMapper(STRIDES[0].bit_length() - 1, STRIDES[-1].bit_length() - 1)
    return pool


def freeze(model: MaskRCNN, blocks: int) -> None:
    """No more training for the first ``blocks`` blocks; batch norm keeps its statistics everywhere (see ``train``)."""
    for block in list(model.backbone.features)[:blocks]:
        block.requires_grad_(False)


def train_mode(model: MaskRCNN) -> None:
    """Training mode, batch norm excepted: batches of four are too small for statistics."""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def network_size(height: int, width: int, settings: DetectorSettings) -> tuple[int, int]:
    """(height, width) of a picture at the network's size: short side as asked unless the long side would not fit."""
    scale = min(settings.short_side / min(height, width), settings.long_side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def class_names(characters: Sequence[str]) -> tuple[str, ...]:
    """The meaning of the class scores, in order."""
    return ("background", *characters, "unknown")
