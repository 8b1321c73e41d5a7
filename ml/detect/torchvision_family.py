"""Three larger Mask R-CNNs on torchvision: networks to train, and the detector that runs what was trained.

``mask_rcnn_resnet101_fpn`` is the set-up of Jain et al. 2021: pictures resized and padded to 1280 x 1280, ResNet-101
with a feature pyramid, Mask R-CNN's first heads. ``mask_rcnn_resnet50_fpn_v2`` and ``mask_rcnn_mobilenet_v3_large_fpn``
are torchvision's own layouts; their parameters bear torchvision's names, so its weights fit where classes do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import mobilenet_v3_large
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead, FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import RPNHead
from torchvision.models.resnet import Bottleneck, ResNet
from torchvision.ops import FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from ml.batches import in_batches
from ml.bundle import Bundle, Thresholds
from ml.classify.base import UNKNOWN
from ml.detect.base import Face, Frame
from ml.detect.mask_rcnn import SCORE_DIGITS, paste
from ml.detect.network import MEAN, STD, DetectorSettings, build_detector
from ml.errors import BundleInvalid, ModelOutputInvalid

RESNET101, RESNET50_V2 = "mask_rcnn_resnet101_fpn", "mask_rcnn_resnet50_fpn_v2"
MOBILENET = "mask_rcnn_mobilenet_v3_large_fpn"
ANCHORS = (32, 64, 128, 256, 512)  # pixels at the network's own size
RATIOS = (0.5, 1.0, 2.0)  # height / width
CPU_BATCH, GPU_BATCH = 1, 8
CLASS_ROWS = "roi_heads.box_predictor.cls_score.weight"


@dataclass(frozen=True, slots=True)
class FamilySettings:
    """``short_side``, ``long_side``: pixels that a picture is resized to fit. ``square``: then padded with the mean
    colour to ``long_side`` x ``long_side``. ``channels``: of the pyramid. ``box_hidden``: width of the box head.

    ``proposals``: regions looked at; ``faces``: most reported in one picture. ``norm``: ``batch``, or ``frozen`` for
    statistics that training never touches. ``blocks``: of the ResNet's four stages, where not the architecture's own.
    """

    short_side: int = 800
    long_side: int = 1333
    square: bool = False
    channels: int = 256
    box_hidden: int = 1024
    proposals: int = 1000
    faces: int = 100
    norm: str = "batch"
    blocks: tuple[int, ...] = ()


USUAL: Mapping[str, FamilySettings] = {
    RESNET101: FamilySettings(short_side=1280, long_side=1280, square=True, blocks=(3, 4, 23, 3)),
    RESNET50_V2: FamilySettings(blocks=(3, 4, 6, 3)),
    MOBILENET: FamilySettings(short_side=320, long_side=640, proposals=300),
}


def settings_of(architecture: str, table: Mapping[str, Any]) -> FamilySettings:
    """The architecture's usual settings, with those of ``table``. Raises BundleInvalid, naming what is wrong."""
    usual = asdict(USUAL[architecture])
    given: dict[str, Any] = {}
    for name in usual.keys() & table.keys():
        value, like = table[name], usual[name]
        if name == "blocks":
            if not isinstance(value, list | tuple) or len(value) != 4 or not all(_whole(n, 64) for n in value):
                raise BundleInvalid(f"The detector's setting blocks is {value!r}; it must be four numbers of 1 to 64.")
            value = tuple(value)
        elif type(value) is not type(like) or (type(like) is int and not _whole(value, 8192)):
            raise BundleInvalid(
                f"The detector's setting {name} is {value!r}; it must be like {like!r}, from 1 to 8192."
            )
        given[name] = value
    settings = replace(USUAL[architecture], **given)
    if settings.norm not in NORMS:
        raise BundleInvalid(f"The detector's setting norm is {settings.norm!r}; {' and '.join(NORMS)} are known.")
    if settings.short_side > settings.long_side:
        raise BundleInvalid(f"The short side {settings.short_side} exceeds the long one, {settings.long_side}.")
    return settings


def _whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def build_resnet101(settings: Mapping[str, Any], classes: int) -> MaskRCNN:
    given = settings_of(RESNET101, settings)
    backbone = _resnet(given)
    return _mask_rcnn(
        given,
        classes,
        backbone,
        levels=5,
        box_head=TwoMLPHead(given.channels * 49, given.box_hidden),
        mask_head=MaskRCNNHeads(given.channels, (given.channels,) * 4, 1),
    )


def build_resnet50_v2(settings: Mapping[str, Any], classes: int) -> MaskRCNN:
    """Two-layer region proposals, and convolutions with batch norm in the heads (Li et al. 2021)."""
    given = settings_of(RESNET50_V2, settings)
    norm, layers = NORMS[given.norm], [given.channels] * 4
    backbone = _resnet(given, fpn_norm=norm)
    return _mask_rcnn(
        given,
        classes,
        backbone,
        levels=5,
        rpn_head=RPNHead(given.channels, len(RATIOS), conv_depth=2),
        box_head=FastRCNNConvFCHead((given.channels, 7, 7), layers, [given.box_hidden], norm_layer=norm),
        mask_head=MaskRCNNHeads(given.channels, layers, 1, norm_layer=norm),
    )


def build_mobilenet(settings: Mapping[str, Any], classes: int) -> MaskRCNN:
    """Maps of stride 16 and 32 and their pooled last one, every size of anchor on each, as torchvision has it."""
    given = settings_of(MOBILENET, settings)
    features = mobilenet_v3_large(norm_layer=NORMS[given.norm]).features
    strided = [i for i, block in enumerate(features) if getattr(block, "_is_cn", False)]
    taps = [strided[-1], len(features) - 1]
    backbone = BackboneWithFPN(
        features,
        {str(tap): str(level) for level, tap in enumerate(taps)},
        [features[tap].out_channels for tap in taps],
        given.channels,
        LastLevelMaxPool(),
    )
    return _mask_rcnn(
        given,
        classes,
        backbone,
        levels=3,
        all_sizes=True,
        box_head=TwoMLPHead(given.channels * 49, given.box_hidden),
        mask_head=MaskRCNNHeads(given.channels, (given.channels,) * 4, 1),
    )


def build_shipped(settings: Mapping[str, Any], classes: int) -> MaskRCNN:
    """The shipped detector's network, see ml.detect.network; its last class is always *unknown*."""
    return build_detector(DetectorSettings.of({**settings, "classes": classes}))


NORMS: Mapping[str, Callable[..., nn.Module]] = {"batch": nn.BatchNorm2d, "frozen": FrozenBatchNorm2d}
BUILDERS: Mapping[str, Callable[[Mapping[str, Any], int], MaskRCNN]] = {
    RESNET101: build_resnet101,
    RESNET50_V2: build_resnet50_v2,
    MOBILENET: build_mobilenet,
}


def _resnet(settings: FamilySettings, fpn_norm: Callable[..., nn.Module] | None = None) -> BackboneWithFPN:
    body = ResNet(Bottleneck, list(settings.blocks), norm_layer=NORMS[settings.norm])
    stages = {f"layer{n}": str(n - 1) for n in (1, 2, 3, 4)}
    widths = [256, 512, 1024, 2048]
    return BackboneWithFPN(body, stages, widths, settings.channels, LastLevelMaxPool(), norm_layer=fpn_norm)


def _mask_rcnn(
    settings: FamilySettings, classes: int, backbone: nn.Module, *, levels: int, all_sizes: bool = False, **heads: Any
) -> MaskRCNN:
    sizes = (ANCHORS,) * levels if all_sizes else tuple((size,) for size in ANCHORS)
    square = {"size_divisible": settings.long_side} if settings.square else {}
    return MaskRCNN(
        backbone,
        box_predictor=FastRCNNPredictor(settings.box_hidden, classes),
        mask_predictor=MaskRCNNPredictor(settings.channels, settings.channels, classes),
        min_size=settings.short_side,
        max_size=settings.long_side,
        image_mean=list(MEAN),
        image_std=list(STD),
        rpn_anchor_generator=AnchorGenerator(sizes, (RATIOS,) * levels),
        rpn_post_nms_top_n_test=settings.proposals,
        box_detections_per_img=settings.faces,
        **heads,
        **square,
    )


class FamilyDetector:
    """``names``: what each class from 1 on means; None: a face of nobody the bundle knows."""

    def __init__(
        self,
        network: MaskRCNN,
        names: Sequence[str | None],
        thresholds: Thresholds,
        device: str = "cpu",
        batch: int = 0,
    ) -> None:
        network.eval()
        network.roi_heads.score_thresh = thresholds.detection
        network.roi_heads.nms_thresh = thresholds.nms
        self.network = network.to(device)
        self.batch = batch or (CPU_BATCH if device == "cpu" else GPU_BATCH)
        self._names = tuple(names)
        self._sure = thresholds.name_detector
        self._device = device

    @classmethod
    def of_bundle(cls, bundle: Bundle, device: str) -> FamilyDetector:
        """How many classes there are is told from the weights: one more than names has *unknown* last.

        Raises BundleInvalid where the weights do not fit the settings.
        """
        path = bundle.weights(bundle.detector)
        try:
            tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
        except SafetensorError as error:
            raise BundleInvalid(f"{path} cannot be read: {error}") from error
        names: list[str | None] = list(bundle.named_by(bundle.detector))
        rows = tensors.get(CLASS_ROWS)
        classes = 0 if rows is None else rows.shape[0]
        if classes == len(names) + 2:
            names.append(None)
        if classes != len(names) + 1:
            raise BundleInvalid(f"{path} tells {max(0, classes - 1)} classes of faces apart; {len(names)} are named.")
        network = BUILDERS[bundle.detector.architecture](bundle.detector.settings, classes)
        try:
            network.load_state_dict(tensors)
        except RuntimeError as error:
            reason = " ".join(str(error).split()[:40])
            raise BundleInvalid(f"{path} does not hold the weights of this detector: {reason}") from error
        with torch.no_grad():  # softmax(logits / temperature)
            for parameter in network.roi_heads.box_predictor.cls_score.parameters():
                parameter.div_(bundle.calibration.detector_temperature)
        known = [None if name == UNKNOWN else name for name in names]
        return cls(network, known, bundle.thresholds, device)

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        return in_batches(frames, self.batch, self._detect)

    @torch.inference_mode()
    def _detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        pictures = [torch.from_numpy(f).to(self._device).permute(2, 0, 1).float().div(255) for f in frames]
        batch, _ = self.network.transform(pictures)
        features = self.network.backbone(batch.tensors)
        proposals, _ = self.network.rpn(batch, features)
        found, _ = self.network.roi_heads(features, proposals, batch.image_sizes)
        numbers = [*features.values(), *(tensor for one in found for tensor in one.values())]
        if not all(bool(torch.isfinite(n).all()) for n in numbers):
            raise ModelOutputInvalid("The detector gave a number that is not finite.")
        return [
            self._faces(one, frame.shape[0], frame.shape[1], size)
            for one, frame, size in zip(found, frames, batch.image_sizes, strict=True)
        ]

    def _faces(self, found: Mapping[str, Tensor], height: int, width: int, size: tuple[int, int]) -> list[Face]:
        scale = torch.tensor([width / size[1], height / size[0]] * 2, dtype=torch.float64)
        boxes = (found["boxes"].cpu().double() * scale).tolist()
        masks = found["masks"][:, 0].cpu().numpy()
        faces = []
        for box, score, label, mask in zip(
            boxes, found["scores"].tolist(), found["labels"].tolist(), masks, strict=True
        ):
            x1, y1, x2, y2 = (round(v, 2) for v in box)
            inside = (max(0.0, x1), max(0.0, y1), min(float(width), x2), min(float(height), y2))
            if inside[2] <= inside[0] or inside[3] <= inside[1]:
                continue
            pasted, offset = paste(mask, inside, height, width)
            name = self._names[label - 1] if score >= self._sure else None
            faces.append(Face(inside, pasted, offset, name, round(score, SCORE_DIGITS)))
        return faces
