"""How a Matterport Mask R-CNN gets its picture: resized into a square, or unscaled in the middle of one. Numpy only.

``resize`` is Matterport's "square" mode: scaled to fit, then padded with zeros to a square, the picture in its middle.
``pad`` is what the fork of Jain et al. does: its resized picture is thrown away, and the frame sits unscaled in the
middle of the zeros. Either way the mean colour is subtracted after the padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.detect.base import Frame
from ml.errors import BundleInvalid, PictureTooLarge

MODES = ("resize", "pad")
MEAN = (123.7, 116.8, 103.9)  # RGB, of 0 to 255; no deviation
STEP = 64  # the network halves six times
LARGEST_SIDE = 4096


@dataclass(frozen=True, slots=True)
class Preparation:
    """``side``: of the square, a multiple of 64. ``mode``: one of MODES.

    ``least_short_side``: a picture whose short side is less is enlarged to it, as far as the long one fits; 0 stands
    for ``side``: enlarged as far as it fits. Only ``resize`` heeds it.
    """

    side: int = 1024
    mode: str = "resize"
    least_short_side: int = 0

    def __post_init__(self) -> None:
        if not (STEP <= self.side <= LARGEST_SIDE and self.side % STEP == 0):
            raise BundleInvalid(
                f"The input side is {self.side}; it must be a multiple of {STEP}, at most {LARGEST_SIDE}: "
                "the network halves the picture six times."
            )
        if self.mode not in MODES:
            raise BundleInvalid(f"The mode {self.mode!r} is not known; {' and '.join(MODES)} are.")
        if not 0 <= self.least_short_side <= self.side:
            raise BundleInvalid(f"The least short side is {self.least_short_side}; it must be 0 to {self.side}.")

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Preparation:
        """Raises BundleInvalid."""
        try:
            return cls(int(table["side"]), str(table["mode"]), int(table.get("least_short_side", 0)))
        except (KeyError, TypeError, ValueError) as error:
            raise BundleInvalid(f"The bundle's preprocessing.picture is incomplete: {error}.") from error

    def said(self) -> str:
        """For people, such as "resized to fit 1024 x 1024"."""
        how = "resized to fit" if self.mode == "resize" else "unscaled in the middle of"
        return f"{how} {self.side} x {self.side}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """``pixels``: float32, side x side x 3, mean subtracted. ``window``: (y1, x1, y2, x2) of the picture inside it."""

    pixels: NDArray[np.float32]
    window: tuple[int, int, int, int]


def prepare(frame: Frame, how: Preparation) -> Prepared:
    """Raises PictureTooLarge where mode ``pad`` is given a picture that is larger than the square."""
    height, width = frame.shape[:2]
    if how.mode == "pad":
        if max(height, width) > how.side:
            raise PictureTooLarge(
                f"The picture is {width} x {height}; unscaled it does not fit the square of {how.side} x {how.side} "
                "that this bundle pads to. Import the weights with a larger --input, or with --mode resize."
            )
        inside = frame
    else:
        scale = fitting_scale(height, width, how)
        inside = frame if scale == 1 else resized(frame, round(height * scale), round(width * scale))
    height, width = inside.shape[:2]
    top, left = (how.side - height) // 2, (how.side - width) // 2
    square = np.zeros((how.side, how.side, 3), np.float32)
    square[top : top + height, left : left + width] = inside
    return Prepared(square - np.array(MEAN, np.float32), (top, left, top + height, left + width))


def fitting_scale(height: int, width: int, how: Preparation) -> float:
    scale = max(1.0, (how.least_short_side or how.side) / min(height, width))
    if round(max(height, width) * scale) > how.side:
        scale = how.side / max(height, width)
    return scale


def resized(frame: Frame, height: int, width: int) -> Frame:
    """Bilinear between pixel centres, nothing smoothed before, zeros outside, truncated to whole numbers."""
    rows = _along(frame.astype(np.float64), 0, height)
    return np.asarray(_along(rows, 1, width), np.float64).astype(np.uint8)


def resized_mask(mask: NDArray[np.float32], height: int, width: int) -> NDArray[np.float64]:
    """The same for one soft mask, not truncated."""
    return _along(_along(mask.astype(np.float64), 0, height), 1, width)


def _along(values: NDArray[np.float64], axis: int, length: int) -> NDArray[np.float64]:
    """Bilinear along one axis. A place outside the first and last centre mixes the edge with zero."""
    have = values.shape[axis]
    places = (np.arange(length) + 0.5) * (have / length) - 0.5
    first = np.floor(places).astype(np.int64)
    part = places - first
    shape = [1] * values.ndim
    shape[axis] = length
    low = (1 - part) * (first >= 0)
    high = part * (first + 1 < have)
    a = np.take(values, np.clip(first, 0, have - 1), axis) * low.reshape(shape)
    b = np.take(values, np.clip(first + 1, 0, have - 1), axis) * high.reshape(shape)
    return np.asarray(a + b)
