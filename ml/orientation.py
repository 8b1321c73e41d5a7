"""How a stored picture must be turned to stand upright: the display matrix that phones and editors write."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Orientation:
    """``quarters``: quarter turns counter-clockwise. Other angles are left as stored, as most players do."""

    quarters: int

    @classmethod
    def of(cls, frame: av.VideoFrame) -> Orientation:
        quarters, rest = divmod(round(frame.rotation), 90)
        return cls(quarters % 4 if rest == 0 else 0)

    def size(self, width: int, height: int) -> tuple[int, int]:
        return (height, width) if self.quarters % 2 else (width, height)


def upright(picture: NDArray[np.uint8], orientation: Orientation) -> NDArray[np.uint8]:
    return np.rot90(picture, orientation.quarters) if orientation.quarters else picture
