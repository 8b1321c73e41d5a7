"""Which frames show a new drawing. Cartoons hold: most frames repeat the one before. Pure numpy.

The noise of film and compression changes every frame a little; a mouth changes a few blocks a lot. So a frame is new
where one block of a small copy changed by more than what noise does, and what noise does is learnt as we go.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

LOOK_WIDTH = 320  # pixels: the small copy that is looked at
BLOCK = 8  # pixels of the small copy
LEVELS = (5.0, 6.0, 7.0, 8.5, 10.0, 12.0, 14.5)  # grey levels by which a block must change; the first that fits
HISTORY = 72  # frames from which noise is learnt: three seconds of film
HELD_SHARE = 0.15  # at least so many of them must look held, else nothing tells noise from motion
BETWEEN_SHARE = 0.06  # at most so many may lie between noise and motion
LEAST, SPREAD, MOST = 5.0, 4.0, 12.0  # without a clear level: LEAST plus SPREAD times the busy blocks' change, to MOST


class DrawingGate:
    """Compares each small copy with that of the last new drawing, so that a slow change adds up until it counts."""

    def __init__(self) -> None:
        self._drawing: NDArray[np.int16] | None = None
        self._before: NDArray[np.int16] | None = None
        self._history: deque[float] = deque(maxlen=HISTORY)

    def is_new(self, small: NDArray[np.uint8]) -> bool:
        """``small``: RGB, height x width x 3. A frame of another size is a new drawing."""
        look = small.astype(np.int16)
        drawing, before = self._drawing, self._before
        self._before = look
        if drawing is None or before is None or drawing.shape != look.shape or before.shape != look.shape:
            self._drawing = look
            return True
        self._history.append(float(block_changes(before, look).max()))
        blocks = block_changes(drawing, look)
        level = noise_level(self._history)
        if level is None:
            level = min(LEAST + SPREAD * float(np.quantile(blocks, 0.9)), MOST)
        if blocks.max() <= level:
            return False
        self._drawing = look
        return True


def noise_level(history: deque[float]) -> float | None:
    """A level in the gap between the changes of held frames and those of new drawings; None where there is no gap."""
    if len(history) < HISTORY // 6:
        return None
    changes = np.asarray(history)
    for level in LEVELS:
        held = (changes < 0.8 * level).mean()
        between = ((changes >= 0.8 * level) & (changes < 1.4 * level)).mean()
        if held >= HELD_SHARE and between <= BETWEEN_SHARE:
            return level
    return None


def block_changes(a: NDArray[np.int16], b: NDArray[np.int16]) -> NDArray[np.float32]:
    """Mean over each block of the largest change of the three colours, in grey levels."""
    difference = np.abs(a - b).max(axis=2)
    height, width = difference.shape
    size_y, size_x = min(BLOCK, height), min(BLOCK, width)
    rows, columns = height // size_y, width // size_x
    cut = difference[: rows * size_y, : columns * size_x].astype(np.float32)
    means: NDArray[np.float32] = cut.reshape(rows, size_y, columns, size_x).mean(axis=(1, 3))
    return means
