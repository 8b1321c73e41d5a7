"""The shipped detector behind the interface: pictures in batches, faces with box-sized masks out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.image_list import ImageList

from ml.batches import in_batches
from ml.bundle import Bundle, Calibration, Thresholds
from ml.detect.base import Face, Frame
from ml.detect.lean import Found, LeanMaskRcnn
from ml.detect.network import MEAN, STD, DetectorSettings, build_detector, network_size
from ml.errors import BundleInvalid, ModelOutputInvalid
from ml.fused import can_fuse, fold_batch_norm

STRIDE = 32
SCORE_DIGITS = 4


class MaskRcnnDetector:
    """``batch``: pictures at once. The same pictures in the same batches on one machine give the same bits.

    ``half``: the network runs in bfloat16; by default where the processor computes in it, at twice the speed.
    ``lean``: the steps of ml.detect.lean instead of torchvision's; by default on a processor. Takes ``network`` over.
    """

    architecture = "mask_rcnn_mobilenet_v2_fpn"

    def __init__(
        self,
        network: MaskRCNN,
        settings: DetectorSettings,
        characters: Sequence[str],
        thresholds: Thresholds,
        calibration: Calibration,
        device: str = "cpu",
        batch: int = 4,
        half: bool | None = None,
        lean: bool | None = None,
    ) -> None:
        self.batch = batch
        self.half = computes_in_half(device) if half is None else half
        self.settings = settings
        self._characters = tuple(characters)
        self._thresholds = thresholds
        self._temperature = calibration.detector_temperature
        self._device = device
        network.eval()
        network.roi_heads.score_thresh = thresholds.lowest
        network.roi_heads.nms_thresh = thresholds.nms
        network.roi_heads.face_temperature = calibration.face_temperature
        network.roi_heads.face_bias = calibration.face_bias
        self.network = network.to(device=device, memory_format=torch.channels_last)
        self.lean: LeanMaskRcnn | None = None
        if can_fuse(device) if lean is None else lean:
            self.lean = LeanMaskRcnn(network, torch.bfloat16 if self.half else torch.float32)
        else:
            fold_batch_norm(network.backbone.features)
        self._mean = torch.tensor(MEAN, device=device).view(1, 3, 1, 1) * 255
        self._std = torch.tensor(STD, device=device).view(1, 3, 1, 1) * 255

    @classmethod
    def of_bundle(cls, bundle: Bundle, device: str) -> MaskRcnnDetector:
        """Raises BundleInvalid where the weights do not fit the settings."""
        characters = bundle.named_by(bundle.detector)
        settings = DetectorSettings.of({**bundle.detector.settings, "classes": len(characters) + 2})
        network = build_detector(settings)
        path = bundle.weights(bundle.detector)
        try:
            network.load_state_dict({k: v.float() for k, v in load_file(path).items()})
        except (RuntimeError, SafetensorError) as error:
            reason = str(error).splitlines()[0]
            raise BundleInvalid(f"{path} does not hold the weights of this detector: {reason}") from error
        return cls(network, settings, characters, bundle.thresholds, bundle.calibration, device)

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        return in_batches(frames, self.batch, self._detect)

    def _detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        batch, sizes = self.prepare(frames)
        return [
            self.faces(found, frame.shape[0], frame.shape[1], size)
            for found, frame, size in zip(self.find(batch, sizes), frames, sizes, strict=True)
        ]

    def prepare(self, frames: Sequence[Frame]) -> tuple[Tensor, list[tuple[int, int]]]:
        """One batch, channels last, normalised, and each picture's (height, width) inside it."""
        sizes = [network_size(f.shape[0], f.shape[1], self.settings) for f in frames]
        height = max(math.ceil(h / STRIDE) for h, _ in sizes) * STRIDE
        width = max(math.ceil(w / STRIDE) for _, w in sizes) * STRIDE
        stacked = np.zeros((len(frames), height, width, 3), np.uint8)
        for place, frame, (h, w) in zip(stacked, frames, sizes, strict=True):
            shrink = h < frame.shape[0]
            place[:h, :w] = cv2.resize(frame, (w, h), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)
        pictures = torch.from_numpy(stacked).to(self._device).permute(0, 3, 1, 2).float()
        pictures = pictures.sub_(self._mean).div_(self._std)
        for picture, (h, w) in zip(pictures, sizes, strict=True):
            picture[:, h:] = 0  # as torchvision pads in training: with the mean colour
            picture[:, :, w:] = 0
        return pictures, sizes

    @torch.inference_mode()
    def find(self, batch: Tensor, sizes: list[tuple[int, int]]) -> list[Found]:
        """Boxes, logits, scores and 28 x 28 masks per picture at the network's size. Raises ModelOutputInvalid."""
        if self.lean is not None:
            maps = self.lean.pyramid(batch)
            check_finite(maps)
            found = self.lean.find(maps, batch, sizes)
        else:
            with torch.autocast(batch.device.type, torch.bfloat16, enabled=self.half):
                features = self.network.backbone(batch)
                check_finite(features.values())
                proposals, _ = self.network.rpn(ImageList(batch, sizes), features)
                found, _ = self.network.roi_heads(features, proposals, sizes)
        for one in found:
            check_finite(one.values())
        return [{k: v.cpu() for k, v in one.items()} for one in found]

    def faces(self, found: dict[str, Tensor], height: int, width: int, size: tuple[int, int]) -> list[Face]:
        scale = torch.tensor([width / size[1], height / size[0]] * 2, dtype=torch.float64)
        boxes = (found["boxes"].double() * scale).numpy()
        logits = found["logits"].double() / self._temperature
        shares = logits[:, 1:].softmax(1).numpy()
        scores = found["scores"].numpy()
        masks = found["masks"].numpy()
        faces = []
        for box, share, score, mask in zip(boxes, shares, scores, masks, strict=True):
            x1, y1, x2, y2 = (round(float(v), 2) for v in box)
            box_ = (max(0.0, x1), max(0.0, y1), min(float(width), x2), min(float(height), y2))
            pasted, offset = paste(mask, box_, height, width)
            faces.append(Face(box_, pasted, offset, self._name(share), round(float(score), SCORE_DIGITS)))
        return faces

    def _name(self, share: NDArray[np.float64]) -> str | None:
        """A known character, where its share of the face's probability suffices; the last share is unknown's."""
        best = int(share.argmax())
        sure = best < len(self._characters) and share[best] >= self._thresholds.name_detector
        return self._characters[best] if sure else None


def check_finite(tensors: Iterable[Tensor]) -> None:
    """Raises ModelOutputInvalid. A sum is finite where all its numbers are, and asks for one pass over them."""
    if not all(math.isfinite(float(t.sum(dtype=torch.float32))) for t in tensors):
        raise ModelOutputInvalid("The detector gave a number that is not finite.")


def computes_in_half(device: str) -> bool:
    """Whether bfloat16 is computed by the hardware itself; elsewhere it would be slower, not faster."""
    if device == "cpu":
        return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def paste(
    mask: NDArray[np.float32], box: tuple[float, float, float, float], height: int, width: int
) -> tuple[NDArray[np.bool_], tuple[int, int]]:
    """The soft mask at the box's own size: bool patch, and the pixel (x, y) of its upper left corner."""
    x1, y1, x2, y2 = box
    left, top = max(0, math.floor(x1)), max(0, math.floor(y1))
    right, bottom = min(width, max(left + 1, math.ceil(x2))), min(height, max(top + 1, math.ceil(y2)))
    grown = cv2.resize(mask, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown >= 0.5), (left, top)
