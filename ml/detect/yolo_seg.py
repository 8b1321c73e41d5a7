"""Exported YOLOv8-seg and YOLO11-seg models behind the interface: letterbox, suppression of doubles, masks.

What the rows of the output mean (boxes as centre and size in pixels of the input, class probabilities, 32 mask
coefficients) and the letterbox grey of 114 are those of the public export format; the code is our own. Each class
knows its own doubles: boxes of two classes never suppress one another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ml.bundle import Bundle
from ml.detect.base import Face, Frame
from ml.detect.haar import overlaps
from ml.detect.yolo_onnx import COEFFICIENTS, Floats, YoloModel
from ml.errors import BundleInvalid
from ml.types import Box

GREY = 114
MAX_FACES = 100  # in one picture
MAX_CANDIDATES = 5_000  # boxes above the threshold that are looked at, the surest first
SCORE_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Letterbox:
    """``left``, ``top``: padding in pixels of the input. ``across``, ``down``: pixels of the input per pixel of the
    picture; they differ a little, as the resized picture has whole pixels.
    """

    left: int
    top: int
    across: float
    down: float


class YoloSegDetector:
    """``characters``: of each class of the model, None for a face of nobody in particular."""

    architecture = "yolo_seg_onnx"

    def __init__(
        self, model: YoloModel, characters: Sequence[str | None], threshold: float = 0.25, nms: float = 0.7
    ) -> None:
        self.model = model
        self._characters = tuple(characters)
        self._threshold, self._nms = threshold, nms

    @classmethod
    def of_bundle(cls, bundle: Bundle, device: str) -> YoloSegDetector:
        """Runs on the processor whatever the device. Raises BundleInvalid, OnnxInvalid or OnnxMissing."""
        model = YoloModel(bundle.weights(bundle.detector))
        listed = bundle.detector.settings.get("characters")
        names = model.layout.names
        if not isinstance(listed, list) or len(listed) != len(names):
            raise BundleInvalid(f"The bundle's detector.settings.characters must give one for each of {len(names)}.")
        for character in listed:
            if character is not None and character not in bundle.characters:
                raise BundleInvalid(f"The bundle's detector names {character!r}, none of its characters.")
        return cls(model, listed, bundle.thresholds.detection, bundle.thresholds.nms)

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        return [self._faces(frame) for frame in frames]

    def _faces(self, frame: Frame) -> list[Face]:
        picture, place = letterbox(frame, self.model.layout.size)
        predictions, prototypes = self.model.run(picture)
        height, width = frame.shape[:2]
        faces = []
        for box, of_class, score, coefficients in self._kept(predictions):
            outer = to_picture(box, place, height, width)
            if outer[2] - outer[0] < 1 or outer[3] - outer[1] < 1:
                continue
            mask, offset = None, (0, 0)
            if prototypes is not None:
                offset = (math.floor(outer[0]), math.floor(outer[1]))
                mask = assemble(prototypes, coefficients, place, self.model.layout.size, outer)
            faces.append(Face(outer, mask, offset, self._characters[of_class], round(score, SCORE_DIGITS)))
        return faces

    def _kept(self, predictions: Floats) -> list[tuple[Box, int, float, Floats]]:
        """Boxes in pixels of the input (x1, y1, x2, y2), best first, doubles of one class suppressed."""
        classes = len(self._characters)
        shares = predictions[4 : 4 + classes]
        of_class, scores = shares.argmax(0), shares.max(0)
        sure = np.flatnonzero((scores >= self._threshold) & (predictions[2:4] > 0).all(0))
        sure = sure[np.argsort(-scores[sure], kind="stable")][:MAX_CANDIDATES]
        x, y, w, h = predictions[:4, sure].astype(np.float64)
        boxes = np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 1)
        kept: list[int] = []
        alive = np.ones(len(sure), bool)
        for n in range(len(sure)):
            if alive[n] and len(kept) < MAX_FACES:
                kept.append(n)
                doubles = overlaps(_box(boxes[n]), boxes) > self._nms
                alive &= ~(doubles & (of_class[sure] == of_class[sure[n]]))
        return [
            (
                _box(boxes[n]),
                int(of_class[sure[n]]),
                min(1.0, max(0.0, float(scores[sure[n]]))),
                predictions[4 + classes : 4 + classes + COEFFICIENTS, sure[n]],
            )
            for n in kept
        ]


def letterbox(frame: Frame, size: tuple[int, int]) -> tuple[Floats, Letterbox]:
    """(3, H, W), RGB in 0..1: the picture fitted into ``size`` with its proportions, grey around it."""
    height, width = frame.shape[:2]
    gain = min(size[0] / height, size[1] / width)
    inner = (max(1, round(height * gain)), max(1, round(width * gain)))
    top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas = np.full((*size, 3), GREY, np.uint8)
    canvas[top : top + inner[0], left : left + inner[1]] = (
        frame if inner == (height, width) else cv2.resize(frame, (inner[1], inner[0]), interpolation=cv2.INTER_LINEAR)
    )
    scaled = np.ascontiguousarray(canvas.transpose(2, 0, 1), dtype=np.float32) / np.float32(255)
    return np.asarray(scaled, np.float32), Letterbox(left, top, inner[1] / width, inner[0] / height)


def to_picture(box: Box, place: Letterbox, height: int, width: int) -> Box:
    """From pixels of the input to those of the picture, cut at its edges."""
    x1, x2 = ((v - place.left) / place.across for v in (box[0], box[2]))
    y1, y2 = ((v - place.top) / place.down for v in (box[1], box[3]))
    left, top = min(max(x1, 0.0), width), min(max(y1, 0.0), height)
    return round(left, 2), round(top, 2), round(min(max(x2, left), width), 2), round(min(max(y2, top), height), 2)


def assemble(
    prototypes: Floats, coefficients: Floats, place: Letterbox, size: tuple[int, int], box: Box
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """sigmoid(coefficients x prototypes) > 0.5 in the picture's pixels, for the whole pixels that ``box`` touches.

    The soft mask is sampled bilinearly at the middle of each pixel, so it needs not be made for the whole picture.
    """
    logits = np.tensordot(coefficients.astype(np.float32), prototypes, 1)
    left, top, right, bottom = math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])
    # middle of a pixel of the picture -> place in the input -> place in the prototypes, whose middles are at +0.5 too
    columns = ((np.arange(left, right) + 0.5) * place.across + place.left) * (logits.shape[1] / size[1]) - 0.5
    rows = ((np.arange(top, bottom) + 0.5) * place.down + place.top) * (logits.shape[0] / size[0]) - 0.5
    grid_x, grid_y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    soft = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
    sampled = cv2.remap(soft.astype(np.float32), grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled > 0.5)


def _box(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Box:
    return float(values[0]), float(values[1]), float(values[2]), float(values[3])
