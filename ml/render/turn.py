"""The sphere a face is drawn on: where its places fall in the picture once the head is turned."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ml.render.canvas import Canvas, Colour, Linear, Paint, Path, Radial, ellipse, hull, mix, scale_colour, smooth
from ml.render.design import Design
from ml.render.expression import Expression


@dataclass(frozen=True, slots=True)
class Turn:
    """A head turned by yaw and pitch (radians), and the projection of points on its unit sphere to the picture."""

    design: Design
    yaw: float
    pitch: float

    def point(self, x: float, y: float, out: float = 0.0) -> tuple[float, float, float]:
        """Of a place on the front of the sphere, ``out`` radii above it: x, y in the picture and depth (1 nearest)."""
        z = math.sqrt(max(0.04, 1.0 - min(0.96, x * x + y * y))) + out
        sy, cy = math.sin(self.yaw), math.cos(self.yaw)
        sp, cp = math.sin(self.pitch), math.cos(self.pitch)
        x2, z2 = x * cy + z * sy, z * cy - x * sy
        return self.design.width * x2, self.design.height * (y * cp + z2 * sp), z2 * cp - y * sp

    def at(self, x: float, y: float, out: float = 0.0) -> tuple[float, float]:
        px, py, _ = self.point(x, y, out)
        return px, py

    def path(self, points: Path, out: float = 0.0) -> Path:
        return np.array([self.at(float(x), float(y), out) for x, y in points])

    def narrowing(self, x: float, y: float) -> float:
        """How much a small flat thing at (x, y) is narrowed by the turn, 0..1."""
        z = math.sqrt(max(0.08, 1.0 - min(0.92, x * x + y * y)))
        return min(1.0, max(0.0, math.cos(self.yaw) - x / z * math.sin(self.yaw)))

    @property
    def away(self) -> bool:
        """The back of the head is seen."""
        return math.cos(self.yaw) < -0.05


@dataclass(frozen=True, slots=True)
class Inks:
    """The colours of one drawing of a head, after the expression's tint."""

    skin: Colour
    light: Colour
    ink: Colour
    width: float


def inks_of(design: Design, expression: Expression) -> Inks:
    t = expression.tint_amount
    return Inks(
        skin=mix(design.skin, expression.tint, t),
        light=mix(design.light, expression.tint, 0.6 * t),
        ink=design.ink,
        width=design.outline,
    )


def paint_of(design: Design, colour: Colour, x: float, y: float, radius: float) -> Paint:
    """The design's way of filling a form of ``radius`` about (x, y)."""
    if design.fill == "flat":
        return colour
    dark = scale_colour(colour, 1.0 - design.shading)
    bright = mix(colour, (255.0, 255.0, 255.0), 0.45 * design.shading)
    if design.fill == "linear":
        return Linear((x - 0.3 * radius, y - radius), (x + 0.3 * radius, y + radius), bright, dark)
    return Radial((x - 0.3 * radius, y - 0.4 * radius), 1.7 * radius, bright, dark)


def skull_path(design: Design, expression: Expression, turn: Turn) -> Path:
    t = np.linspace(0.0, 2.0 * math.pi, 36, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    n = design.power
    x = design.width * np.sign(c) * np.abs(c) ** (2.0 / n)
    y = design.height * np.sign(s) * np.abs(s) ** (2.0 / n)
    angle = np.arctan2(s, np.abs(c))
    x = x * (1.0 + design.cheeks * np.exp(-(((angle - 0.55) / 0.38) ** 2)))
    drop = 0.16 * expression.opening if expression.mouth in ("open", "oval") and design.muzzle < 0.15 else 0.0
    y = y * (1.0 + (design.chin + drop + 0.9 * expression.jaw) * np.exp(-(((angle - math.pi / 2) / 0.55) ** 2)))
    y = y * (1.0 + design.crown * np.exp(-(((angle + math.pi / 2) / 0.6) ** 2)))
    if design.taper:
        x = x * (1.0 + design.taper * np.clip(s, -1.0, 1.0))
    if expression.wrinkle < 0.5 and expression.curve > 0.5:  # a smile lifts the cheeks
        x = x * (1.0 + 0.05 * np.exp(-(((angle - 0.3) / 0.3) ** 2)))
    # A turned head leans its lower half towards where it looks.
    x = x + 0.06 * math.sin(turn.yaw) * np.clip(s, 0.0, 1.0)
    return smooth(np.stack([x, y], axis=1), steps=3)


def draw_drop(canvas: Canvas, x: float, y: float, size: float, angle: float = 0.0) -> None:
    with canvas.at(x, y, rotate=angle, scale=size):
        points = [(0.0, -1.3), (0.35, -0.5), (0.75, 0.3), (0.0, 1.0), (-0.75, 0.3), (-0.35, -0.5)]
        canvas.shape(smooth(points), (150.0, 210.0, 250.0), (60.0, 120.0, 190.0), 0.22)
        canvas.fill(ellipse(-0.25, 0.3, 0.16, 0.28), (255.0, 255.0, 255.0))


def cap_path(skull: Path, below: float) -> Path:
    """The part of the skull above ``below``, for caps and hair lines."""
    top = skull[skull[:, 1] < below]
    return hull(top) if len(top) > 2 else skull
