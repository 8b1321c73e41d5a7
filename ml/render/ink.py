"""Colours, outlines and shading that the things of one picture share, and shorthand for chance."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass

import numpy as np

from ml.render.canvas import Canvas, Colour, Linear, Paint, Path, Radial, mix, polygon, scale_colour

Rng = np.random.Generator
BLACK: Colour = (14.0, 11.0, 12.0)
WHITE: Colour = (250.0, 249.0, 244.0)


def u(rng: Rng, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def chance(rng: Rng, p: float) -> bool:
    return bool(rng.random() < p)


def hsv(h: float, s: float, v: float) -> Colour:
    r, g, b = colorsys.hsv_to_rgb(h % 1.0, min(max(s, 0.0), 1.0), min(max(v, 0.0), 1.0))
    return r * 255.0, g * 255.0, b * 255.0


def random_colour(rng: Rng) -> Colour:
    """Any colour, with the ones that cartoons favour (skin and fur, grey, yellow) more often."""
    r = rng.random()
    if r < 0.22:
        return hsv(u(rng, 0.02, 0.11), u(rng, 0.15, 0.65), u(rng, 0.4, 1))
    if r < 0.38:
        return hsv(u(rng, 0.5, 0.75), u(rng, 0, 0.2), u(rng, 0.12, 0.95))
    if r < 0.47:
        return hsv(u(rng, 0.1, 0.17), u(rng, 0.5, 1), u(rng, 0.8, 1))
    return hsv(u(rng, 0, 1), u(rng, 0.1, 0.95), u(rng, 0.25, 1))


@dataclass(frozen=True, slots=True)
class Ink:
    """How the things of one picture are drawn: their outline (a share of the size) and their shading."""

    colour: Colour = BLACK
    width: float = 0.04
    tinted: float = 0.0  # 0: ``colour``; 1: a dark shade of what is outlined
    shading: float = 0.0  # 0: flat; 1: strong gradients

    def line(self, fill: Colour) -> Colour:
        return mix(self.colour, scale_colour(fill, 0.45), self.tinted)

    def paint(self, fill: Colour, x: float = 0.0, y: float = 0.0, r: float = 1.0) -> Paint:
        if self.shading < 0.05:
            return fill
        light, dark = mix(fill, WHITE, 0.35 * self.shading), scale_colour(fill, 1 - 0.55 * self.shading)
        if self.tinted > 0.5:
            return Radial((x - 0.3 * r, y - 0.4 * r), 1.7 * r, light, dark)
        return Linear((x - 0.2 * r, y - r), (x + 0.2 * r, y + r), light, dark)


def random_ink(rng: Rng) -> Ink:
    width = 0.0 if chance(rng, 0.2) else u(rng, 0.015, 0.075)
    return Ink(
        BLACK if chance(rng, 0.85) else random_colour(rng),
        width,
        u(rng, 0.6, 1.0) if chance(rng, 0.3) else 0.0,
        u(rng, 0.2, 1.0) if chance(rng, 0.45) else 0.0,
    )


def solid(c: Canvas, ink: Ink, path: Path, fill: Colour, x: float = 0.0, y: float = 0.0, r: float = 1.0) -> None:
    c.shape(path, ink.paint(fill, x, y, r), ink.line(fill), ink.width, face=0)


def box(x1: float, y1: float, x2: float, y2: float) -> Path:
    return polygon([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])


def blob(rng: Rng, n: int, low: float, high: float, wide: float = 1.0) -> Path:
    t = np.linspace(0, 2 * math.pi, n, endpoint=False)
    r = rng.uniform(low, high, n)
    return np.stack([wide * r * np.cos(t), r * np.sin(t)], axis=1)
