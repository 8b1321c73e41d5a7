"""The places where stories happen, painted once per shot as one large picture.

Stage units: the picture is 360 units high whatever its size in pixels, (0, 0) is its upper left corner, and the
painting reaches beyond all four edges (``REACH``) so that a camera may move.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.render.canvas import Canvas, Image
from ml.render.outdoors import beach, forest, garden, snow, street
from ml.render.rooms import bedroom, kitchen, parlour
from ml.render.scenery import Area, Rng

STAGE = 360.0  # units in the picture's height
REACH = 0.22  # of the picture's width and height, painted beyond each edge


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A painted place. ``matrix`` (3 x 3) maps the picture's pixels to stage units."""

    picture: Image
    matrix: NDArray[np.float64]


PLACES: dict[str, Callable[[Canvas, Rng, Area], None]] = {
    "kitchen": kitchen,
    "parlour": parlour,
    "bedroom": bedroom,
    "garden": garden,
    "street": street,
    "beach": beach,
    "forest": forest,
    "snow": snow,
}


def paint_place(
    place: str, seed: int, width: float, pixels_per_unit: float, floor: float = 262.0, blur: float = 0.0
) -> Backdrop:
    """Paints ``place`` for a picture ``width`` stage units wide.

    ``floor`` is the height of the line where wall and ground meet; ``blur`` (stage units) softens it behind close-ups.
    """
    rng = np.random.default_rng(seed)
    mx, my = REACH * width, REACH * STAGE
    scale = max(1.0, pixels_per_unit)
    canvas = Canvas(math.ceil((width + 2 * mx) * scale), math.ceil((STAGE + 2 * my) * scale), supersample=1)
    area = Area(-mx - 4, -my - 4, width + mx + 4, STAGE + my + 4, floor)
    with canvas.at(mx * scale, my * scale, scale=scale):
        PLACES[place](canvas, rng, area)
    picture = canvas.pixels
    picture = np.asarray(cv2.addWeighted(picture, 0.86, np.full_like(picture, _haze(picture)), 0.14, 0.0), np.uint8)
    if blur > 0.0:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur * scale), np.uint8)
    matrix = np.array([[1.0 / scale, 0.0, -mx], [0.0, 1.0 / scale, -my], [0.0, 0.0, 1.0]])
    return Backdrop(picture, matrix)


def _haze(picture: Image) -> NDArray[np.uint8]:
    """The place's mean colour, lighter: mixed in, it keeps the painting behind the characters."""
    mean = picture.reshape(-1, 3).mean(axis=0)
    return np.asarray(mean + (255.0 - mean) * 0.35, np.uint8)
