"""What is timed: our bundle as it analyses, torchvision's default networks, and our weights run torchvision's way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torchvision.models import mobilenet_v2
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import mobilenet_backbone
from torchvision.transforms.functional import normalize, resize

from ml.bench.clock import Clock
from ml.detect.base import Face, Frame
from ml.detect.mask_rcnn import MaskRcnnDetector
from ml.detect.network import MEAN, STD
from ml.detect.reference import as_torchvision
from ml.runtime import Models

RESIZE, BACKBONE, REGIONS, BOXES = "resize and normalise", "backbone", "FPN and RPN", "box head"
MASKS, PASTE, CROP, CLASSIFY, REST = "mask head", "paste", "crop", "classify", "the rest"
STAGES = (RESIZE, BACKBONE, REGIONS, BOXES, MASKS, PASTE, CROP, CLASSIFY, REST)
CROP_SIDE, FACE_BATCH = 224, 32
PROPOSALS = 150  # as in torchvision's Faster R-CNN of this backbone at 320 pixels; MaskRCNN's 1000 would be slower


class Contender(Protocol):
    clock: Clock

    def run(self, frames: Sequence[Frame]) -> None: ...


class Ours:
    """Detector and classifier of a bundle, as the pipeline calls them."""

    def __init__(self, models: Models, batch: int) -> None:
        self.models, self.clock, self.batch = models, Clock(), batch
        detector = models.detector
        if isinstance(detector, MaskRcnnDetector):
            detector.batch = batch
            self.clock.watch(detector, "prepare", RESIZE)
            self.clock.watch(detector, "faces", PASTE)
            if detector.lean is not None:
                steps = {"features": BACKBONE, "fpn": REGIONS, "propose": REGIONS, "judge": BOXES, "add_masks": MASKS}
                for step, stage in steps.items():
                    self.clock.watch(detector.lean, step, stage)
        if models.classifier is not None:
            self.clock.watch(models.classifier, "classify", CLASSIFY)

    def run(self, frames: Sequence[Frame]) -> None:
        with self.clock.stage(REST):
            found = [
                faces
                for start in range(0, len(frames), self.batch)
                for faces in self.models.detector.detect(frames[start : start + self.batch])
            ]
        with self.clock.stage(CROP):
            self.models.read_faces(frames, found)


class TorchvisionDefault:
    """MaskRCNN on ``mobilenet_backbone("mobilenet_v3_large", fpn=True)`` at 320 pixels with its default heads, and
    MobileNetV2 at 224 for every face; random weights, single precision.

    Random weights find nothing sensible, so after its own judging of its own proposals (whose time counts) each picture
    goes on with the boxes that our detector found there: both draw, paste, cut and classify the same faces.
    """

    def __init__(self, faces: Sequence[Sequence[Face]], batch: int, device: str = "cpu") -> None:
        torch.manual_seed(0)
        self.clock, self.batch, self.device = Clock(), batch, device
        self.boxes = [torch.tensor([f.box for f in of_frame], device=device).reshape(-1, 4) for of_frame in faces]
        self.detector = self._detector().eval().to(device)
        self.classifier = mobilenet_v2().eval().to(device)
        heads, at = self.detector.roi_heads, self.clock.watch
        at(self.detector.transform, "forward", RESIZE)
        at(self.detector.backbone.body, "forward", BACKBONE)
        at(self.detector.backbone.fpn, "forward", REGIONS)
        at(self.detector.rpn, "forward", REGIONS)
        at(heads, "forward", BOXES)
        for part in (heads.mask_roi_pool, heads.mask_head, heads.mask_predictor):
            at(part, "forward", MASKS)
        at(self.detector.transform, "postprocess", PASTE)
        self._judge = heads.postprocess_detections
        heads.postprocess_detections = self._judged
        self._now: list[Tensor] = []

    @staticmethod
    def _detector() -> MaskRCNN:
        backbone = mobilenet_backbone(backbone_name="mobilenet_v3_large", weights=None, fpn=True, trainable_layers=6)
        sizes = ((32, 64, 128, 256, 512),) * 3
        return MaskRCNN(
            backbone,
            num_classes=91,
            min_size=320,
            max_size=640,
            rpn_anchor_generator=AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes)),
            rpn_pre_nms_top_n_test=PROPOSALS,
            rpn_post_nms_top_n_test=PROPOSALS,
        )

    def _judged(
        self, logits: Tensor, regression: Tensor, proposals: list[Tensor], shapes: list[tuple[int, int]]
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        self._judge(logits, regression, proposals, shapes)
        labels = [torch.ones(len(b), dtype=torch.int64, device=self.device) for b in self._now]
        return self._now, [torch.ones(len(b), device=self.device) for b in self._now], labels

    @torch.inference_mode()
    def run(self, frames: Sequence[Frame]) -> None:
        """``frames``: those that the faces were found in."""
        crops: list[Tensor] = []
        for start in range(0, len(frames), self.batch):
            with self.clock.stage(RESIZE):
                pictures = [
                    torch.from_numpy(f).to(self.device).permute(2, 0, 1).float().div(255)
                    for f in frames[start : start + self.batch]
                ]
            boxes = self.boxes[start : start + self.batch]
            self._now = [b * _scale(p) for p, b in zip(pictures, boxes, strict=True)]
            with self.clock.stage(REST):
                self.detector(pictures)
            with self.clock.stage(CROP):
                crops += [_crop(p, box) for p, of_frame in zip(pictures, boxes, strict=True) for box in of_frame]
        with self.clock.stage(CLASSIFY):
            for start in range(0, len(crops), FACE_BATCH):
                self.classifier(torch.stack(crops[start : start + FACE_BATCH])).softmax(1).tolist()


class SameWeights:
    """Our detector's weights run as torchvision's Mask R-CNN runs a list of pictures; nothing is classified."""

    def __init__(self, models: Models, detector: MaskRcnnDetector, batch: int) -> None:
        self.clock, self.batch = Clock(), batch
        self._detect = as_torchvision(models.bundle, detector.settings, models.device)

    def run(self, frames: Sequence[Frame]) -> None:
        with self.clock.stage(REST):
            for start in range(0, len(frames), self.batch):
                self._detect(frames[start : start + self.batch])


def _scale(picture: Tensor) -> float:
    height, width = picture.shape[1:]
    return min(320 / min(height, width), 640 / max(height, width))


def _crop(picture: Tensor, box: Tensor) -> Tensor:
    x1, y1, x2, y2 = (int(v) for v in box.tolist())
    cut = picture[:, y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    crop: Any = normalize(resize(cut, [CROP_SIDE, CROP_SIDE], antialias=True), list(MEAN), list(STD))
    return torch.as_tensor(crop)
