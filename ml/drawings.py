"""Which frames show a new drawing. Cartoons hold: most frames repeat the one before. Pure numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOOK_WIDTH = 320  # pixels: the small copy that is looked at
BLOCK = 8  # pixels of the small copy
LEAST = 6.0  # grey levels by which a block must change
NOISE_FACTOR = 5.0
NOISE_MOST = 2.0  # grey levels: what may pass as noise of film or compression, however restless the whole picture


class DrawingGate:
    """Compares each small copy with that of the last new drawing, so that a slow change adds up until it counts."""

    def __init__(self) -> None:
        self._last: NDArray[np.int16] | None = None

    def is_new(self, small: NDArray[np.uint8]) -> bool:
        """``small``: RGB, height x width x 3; one size per gate."""
        look = small.astype(np.int16)
        if self._last is not None and self._last.shape == look.shape and not differs(self._last, look):
            return False
        self._last = look
        return True


def differs(a: NDArray[np.int16], b: NDArray[np.int16]) -> bool:
    blocks = block_means(np.abs(a - b).max(axis=2))
    noise = min(float(np.median(blocks)), NOISE_MOST)
    return bool(blocks.max() > LEAST + NOISE_FACTOR * noise)


def block_means(difference: NDArray[np.int16]) -> NDArray[np.float32]:
    height, width = difference.shape
    rows, columns = max(1, height // BLOCK), max(1, width // BLOCK)
    size_y, size_x = min(BLOCK, height), min(BLOCK, width)
    cut = difference[: rows * size_y, : columns * size_x].astype(np.float32)
    means: NDArray[np.float32] = cut.reshape(rows, size_y, columns, size_x).mean(axis=(1, 3))
    return means
