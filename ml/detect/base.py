"""What a detector is: pictures in, faces out. Needs numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ml.types import Box

Frame = NDArray[np.uint8]  # RGB, height x width x 3


@dataclass(frozen=True, slots=True)
class Face:
    """One face in one picture.

    ``box``: pixels of that picture, right and lower edges exclusive, inside the picture.
    ``mask``: bool, only the patch whose upper left pixel is ``offset`` (x, y); outside it nothing is face. None where
    a detector finds boxes alone.
    ``character``: a name that the bundle knows, or None: a face of nobody it knows. ``score`` in [0, 1].
    """

    box: Box
    mask: NDArray[np.bool_] | None
    offset: tuple[int, int]
    character: str | None
    score: float

    def full_mask(self, height: int, width: int) -> NDArray[np.bool_]:
        """The mask of the whole picture; the filled box where the detector gave none."""
        full = np.zeros((height, width), bool)
        if self.mask is None:
            x1, y1, x2, y2 = (round(v) for v in self.box)
            full[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] = True
            return full
        x, y = self.offset
        rows, columns = self.mask.shape
        full[y : y + rows, x : x + columns] = self.mask[: max(height - y, 0), : max(width - x, 0)]
        return full


class Detector(Protocol):
    """Pictures of one call may differ in size. Same pictures, same batch: the same faces, to the bit."""

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        """One list of faces per picture, best score first.

        Raises ml.errors.ModelOutputInvalid where the network gives a number that is not finite.
        """
        ...
