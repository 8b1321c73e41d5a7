"""What every painter of places needs: the area to fill and a few tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.render import props
from ml.render.canvas import Canvas, Colour, Linear, polygon

Rng = np.random.Generator
WHITE: Colour = (255.0, 255.0, 255.0)


@dataclass(frozen=True, slots=True)
class Area:
    left: float
    top: float
    right: float
    bottom: float
    floor: float

    @property
    def width(self) -> float:
        return self.right - self.left

    def x(self, share: float) -> float:
        return self.left + share * self.width

    def band(self, top: float, bottom: float) -> NDArray[np.float64]:
        return polygon([(self.left, top), (self.right, top), (self.right, bottom), (self.left, bottom)])


def hsv(h: float, s: float, v: float) -> Colour:
    return props.hsv(h, s, v)


def ink(rng: Rng) -> props.Ink:
    return props.Ink(colour=(70.0, 60.0, 66.0), width=0.03, tinted=0.8, shading=0.15)


def put(c: Canvas, draw: Callable[[Canvas, Rng, props.Ink], None], rng: Rng, x: float, y: float, size: float) -> None:
    """Places a prop of about two ``size`` in height with its middle at (x, y)."""
    with c.at(x, y, scale=size):
        draw(c, rng, ink(rng))


def vertical(area: Area, top: float, bottom: float, a: Colour, b: Colour) -> Linear:
    return Linear((0.0, top), (0.0, bottom), a, b)
