"""From a picture and a found face to the square crop that a classifier reads. Pure numpy and OpenCV.

The paper's *segmented mask* (Jain et al. 2021): every RGB value times the mask, cropped to the box, padded to a square,
resized to 256 x 256. ``CropSettings()`` is exactly that; a bundle states its own settings, and training cuts its crops
with the same function, so both see the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.classify.base import Crop
from ml.detect.base import Face, Frame


@dataclass(frozen=True, slots=True)
class CropSettings:
    """``size``: side of the crop in pixels. ``margin``: widening of the box on each side, a share of its longer side.

    ``outside``: what is left of the light outside the mask, 0 (black, the paper) to 1 (the mask is not used): brows,
    tears and sweat often leave the skull.
    """

    size: int = 256
    margin: float = 0.0
    outside: float = 0.0


PAPER_CROP = CropSettings()


def segmented_face(frame: Frame, face: Face, settings: CropSettings = PAPER_CROP) -> Crop:
    """``size`` x ``size`` x 3. What lies outside the picture, and the padding to a square, is black.

    The face sits in the middle and keeps its proportions. A box without area gives a black crop.
    """
    size = settings.size
    x1, y1, x2, y2 = face.box
    side = max(x2 - x1, y2 - y1)
    crop = np.zeros((size, size, 3), np.uint8)
    if not (x2 - x1 > 0 and y2 - y1 > 0):
        return crop
    widen = settings.margin * side
    left, top = math.floor(x1 - widen), math.floor(y1 - widen)
    right, bottom = math.ceil(x2 + widen), math.ceil(y2 + widen)
    patch = cut(frame, left, top, right, bottom)
    if settings.outside < 1.0 and face.mask is not None:
        ox, oy = face.offset
        inside = cut(face.mask.astype(np.uint8), left - ox, top - oy, right - ox, bottom - oy).astype(bool)
        dimmed = (patch.astype(np.float32) * settings.outside).astype(np.uint8)
        patch = np.where(inside[:, :, None], patch, dimmed)
    height, width = patch.shape[:2]
    scale = size / max(height, width)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(patch, (new_width, new_height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    x, y = (size - new_width) // 2, (size - new_height) // 2
    crop[y : y + new_height, x : x + new_width] = small
    return crop


def cut(picture: NDArray[np.uint8], left: int, top: int, right: int, bottom: int) -> NDArray[np.uint8]:
    """The rectangle, also where it leaves the picture: zeros there. Shape (bottom - top, right - left, ...)."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if (x1, y1, x2, y2) == (left, top, right, bottom):
        return picture[top:bottom, left:right]
    out = np.zeros((bottom - top, right - left, *picture.shape[2:]), np.uint8)
    if x2 > x1 and y2 > y1:
        out[y1 - top : y2 - top, x1 - left : x2 - left] = picture[y1:y2, x1:x2]
    return out
