"""What only some creatures have: horns, antennae, a frog's bumps, an owl's discs, and gear that a skull is fused with.

None of it is face, except the bumps that eyes sit on.
"""

from __future__ import annotations

import math

import numpy as np

from ml.render.canvas import Canvas, Path, brush, ellipse, mix, polygon, scale_colour, smooth, tube
from ml.render.design import Design
from ml.render.expression import Expression
from ml.render.turn import Inks, Turn, paint_of


def draw_growths_behind(canvas: Canvas, design: Design, expression: Expression, inks: Inks, turn: Turn) -> None:
    """What the skull is drawn over: horns, wool, the back of a hood or a scarf."""
    if design.horns not in ("none", "unicorn"):
        _horns(canvas, design, expression, inks, turn)
    w, h = design.width * (1.0 + 0.6 * design.cheeks), design.height * (1.0 + max(0.0, design.crown))
    paint = paint_of(design, _cloth(design), 0.0, 0.0, 1.3)
    if design.gear == "wool":
        for k in range(11):
            a = math.pi * (0.98 + 1.04 * k / 10)
            puff = ellipse(w * 1.02 * math.cos(a), h * 0.98 * math.sin(a), 0.36, 0.34)
            canvas.shape(puff, design.hair_colour, inks.ink, inks.width, face=0)
    elif design.gear in ("hood", "headscarf"):
        tip = 1.55 if design.gear == "hood" else 1.25
        around = [(0.0, -tip * h), (0.95 * w, -0.95 * h), (1.28 * w, 0.1), (1.0 * w, 1.05 * h), (0.0, 1.2 * h)]
        left = [(-x, y) for x, y in reversed(around[1:-1])]
        canvas.shape(smooth([*around, *left]), paint, inks.ink, inks.width, face=0)


def draw_bumps(canvas: Canvas, design: Design, inks: Inks, turn: Turn, face: int) -> None:
    """The domes of the skull that a frog's eyes sit in; and the discs round an owl's."""
    if turn.away or not (design.bumps or design.discs > 0.0):
        return
    for side in (-1.0, 1.0):
        x, y, depth = turn.point(side * design.eye_x, design.eye_y)
        if depth < 0.05:
            continue
        if design.bumps:
            rx, ry = 1.35 * design.eye_width, 1.3 * design.eye_height
            paint = paint_of(design, inks.skin, x, y, ry)
            canvas.shape(ellipse(x, y, rx, ry), paint, inks.ink, inks.width, face=face)
            canvas.fill(ellipse(x * 0.97, y + 0.55 * ry, 0.98 * rx, 0.75 * ry), inks.skin, face)
        if design.discs > 0.0:
            r = design.discs * design.eye_height
            narrow = 0.6 + 0.4 * turn.narrowing(side * design.eye_x, design.eye_y)
            canvas.shape(ellipse(x, y, r * narrow, r), inks.light, mix(inks.light, inks.ink, 0.4), 0.5 * inks.width)


def draw_growths(canvas: Canvas, design: Design, inks: Inks, turn: Turn) -> None:
    """What lies over the skull's upper part."""
    if design.horns == "unicorn":
        x, y = turn.at(0.0, -0.7)
        s = design.horn_size
        horn = polygon([(x - 0.16, y), (x + 0.3 * math.sin(turn.yaw), y - 1.5 * s), (x + 0.16, y)])
        canvas.shape(horn, design.horn_colour, inks.ink, inks.width, face=0)
    if design.gear != "none":
        _GEAR[design.gear](canvas, design, inks, turn)


def _cloth(design: Design) -> tuple[float, float, float]:
    return design.clothes_colour


# ------------------------------------------------------------------------------------------------ horns


def _horns(canvas: Canvas, design: Design, expression: Expression, inks: Inks, turn: Turn) -> None:
    s, cos, sin = design.horn_size, abs(math.cos(turn.yaw)), math.sin(turn.yaw)
    if design.horns == "ridge":  # plates along the crown
        for k in range(5):
            a = math.radians(-90 + 24 * (k - 2))
            x, y = design.width * math.cos(a) * 0.98, design.height * (1 + design.crown) * math.sin(a) * 0.98
            r = s * (0.5 - 0.08 * abs(k - 2))
            with canvas.at(x, y, rotate=math.degrees(a) + 90):
                spike = polygon([(-0.2, 0.1), (0.0, -r), (0.2, 0.1)])
                canvas.shape(spike, design.horn_colour, inks.ink, inks.width, face=0)
        return
    for side in (-1.0, 1.0):
        x = design.width * (side * 0.5 * (0.35 + 0.65 * cos) - 0.2 * sin)
        y = -0.72 * design.height * (1.0 + design.crown)
        with canvas.at(x, y, rotate=side * (16.0 - 6.0 * expression.ears), scale=(side, 1.0)):
            for path, colour in _horn(design, s):
                canvas.shape(path, colour, inks.ink, inks.width, face=0)


def _horn(design: Design, s: float) -> list[tuple[Path, tuple[float, float, float]]]:
    """The pieces of the right one, upright at its root."""
    colour = design.horn_colour
    if design.horns == "short":
        return [(smooth([(-0.16, 0.1), (-0.1, -0.5 * s), (0.12, -0.95 * s), (0.16, -0.3 * s), (0.17, 0.1)]), colour)]
    if design.horns == "long":
        path = smooth([(0.0, 0.1), (0.3 * s, -0.4 * s), (0.75 * s, -0.7 * s), (0.9 * s, -1.3 * s)], closed=False)
        return [(tube(path, 0.34, 0.05), colour)]
    if design.horns == "ram":
        t = np.linspace(0.0, 1.55 * math.pi, 18)
        r = s * (0.62 - 0.07 * t)
        path = np.stack([0.35 * s + r * np.sin(t - 0.9), -0.1 * s - r * np.cos(t - 0.9)], axis=1)
        return [(tube(path, 0.36, 0.1), colour)]
    if design.horns == "antlers":
        stem = smooth([(0.0, 0.1), (0.12 * s, -0.7 * s), (0.5 * s, -1.5 * s)], closed=False)
        fork = smooth([(0.1 * s, -0.6 * s), (0.5 * s, -0.75 * s), (0.75 * s, -1.1 * s)], closed=False)
        inner = smooth([(0.25 * s, -1.0 * s), (0.05 * s, -1.3 * s), (0.05 * s, -1.6 * s)], closed=False)
        return [(tube(p, 0.16, 0.07), colour) for p in (fork, inner, stem)]
    stalk = smooth([(0.0, 0.1), (0.05 * s, -0.7 * s), (0.35 * s, -1.2 * s)], closed=False)  # antennae
    return [(tube(stalk, 0.08, 0.07), design.skin), (ellipse(0.37 * s, -1.25 * s, 0.17, 0.17), colour)]


# ------------------------------------------------------------------------------------------------ fused gear


def _top(design: Design, turn: Turn, low: float, grow: float = 1.04) -> Path:
    """The crown of the skull above ``low`` (skull heights), with an edge that curves as the head nods."""
    w, h = design.width * grow * (1.0 - 0.5 * design.taper), design.height * grow * (1.0 + 0.7 * design.crown)
    t = np.linspace(math.pi + math.asin(-low) * 0.95, 2 * math.pi - math.asin(-low) * 0.95, 16)
    arc = np.stack([w * np.cos(t), h * np.sin(t)], axis=1)
    bend = 0.16 * math.sin(turn.pitch) - 0.05
    x1, x2 = float(arc[-1, 0]), float(arc[0, 0])
    edge = [
        (x1 * 0.5, low * h + 0.4 * bend),
        (0.25 * math.sin(turn.yaw), low * h + bend),
        (x2 * 0.5, low * h + 0.4 * bend),
    ]
    return np.concatenate([arc, np.array(edge)])


def _crown(canvas: Canvas, design: Design, inks: Inks, turn: Turn) -> None:
    w, h = 0.72 * design.width * (1.0 - 0.6 * design.taper), design.height * (1.0 + 0.8 * design.crown)
    gold, dx = mix((240.0, 196.0, 60.0), design.clothes_trim, 0.3), 0.18 * math.sin(turn.yaw)
    teeth = []
    for k in range(9):
        x = -w * 1.08 + 2.16 * w * k / 8 + dx
        teeth.append((x, -h * (1.42 if k % 2 == 0 else 1.1)))
    path = polygon([*teeth, (w * 0.95 + dx, -0.66 * h), (dx, -0.58 * h), (-w * 0.95 + dx, -0.66 * h)])
    canvas.shape(path, paint_of(design, gold, 0.0, -h, 0.6), inks.ink, max(inks.width, 0.015), face=0)
    for k in range(3):
        canvas.fill(ellipse(dx + (k - 1) * 0.5 * w, -0.84 * h, 0.08, 0.09), _cloth(design))


def _turban(canvas: Canvas, design: Design, inks: Inks, turn: Turn) -> None:
    w, h = design.width, design.height * (1.0 + 0.6 * design.crown)
    colour, dx = _cloth(design), 0.15 * math.sin(turn.yaw)
    path = ellipse(dx * 0.5, -0.95 * h, 1.08 * w, 0.56 * h)
    canvas.shape(path, paint_of(design, colour, 0.0, -h, 0.8), inks.ink, inks.width, face=0)
    with canvas.clip(path):
        for k in range(4):
            line = smooth(
                [(-1.1 * w, -0.6 * h - 0.22 * k), (dx, -0.5 * h - 0.3 * k), (1.1 * w, -1.0 * h - 0.2 * k)], False
            )
            canvas.fill(brush(line, 0.06, 0.5), scale_colour(colour, 0.7))
    canvas.shape(ellipse(dx, -0.85 * h, 0.13, 0.16), design.clothes_trim, inks.ink, 0.6 * inks.width, face=0)


def _helmet(canvas: Canvas, design: Design, inks: Inks, turn: Turn) -> None:
    colour = mix(_cloth(design), (150.0, 155.0, 165.0), 0.5)
    path = _top(design, turn, -0.48, 1.1)
    canvas.shape(path, paint_of(design, colour, 0.0, -0.8, 0.8), inks.ink, max(inks.width, 0.02), face=0)
    h = design.height * (1.0 + 0.7 * design.crown)
    rim = smooth(
        [(-1.08 * design.width, -0.44 * h), (0.2 * math.sin(turn.yaw), -0.5 * h), (1.08 * design.width, -0.44 * h)],
        False,
    )
    canvas.stroke(rim, scale_colour(colour, 0.75), 0.13, face=0)


def _hood(canvas: Canvas, design: Design, inks: Inks, turn: Turn) -> None:
    """The rim that frames the face."""
    w, h = design.width * (1.0 + 0.6 * design.cheeks), design.height
    dx = 0.16 * math.sin(turn.yaw)
    outer = smooth([(0.0, -1.2 * h), (0.85 * w, -0.85 * h), (1.2 * w, 0.0), (0.95 * w, 0.95 * h), (0.0, 1.15 * h),
                    (-0.95 * w, 0.95 * h), (-1.2 * w, 0.0), (-0.85 * w, -0.85 * h)])  # fmt: skip
    inner = ellipse(dx, 0.1 * h, 0.84 * w, 0.88 * h, n=len(outer))
    ring = np.concatenate([outer, outer[:1], inner[:1], inner[::-1]])
    canvas.fill(ring, paint_of(design, scale_colour(_cloth(design), 0.92), 0.0, 0.0, 1.2), 0)
    canvas.stroke(inner, inks.ink, max(0.6 * inks.width, 0.015), closed=True)


def _fringe(canvas: Canvas, design: Design, inks: Inks, turn: Turn) -> None:
    """Hair that falls in points over the forehead."""
    w, h = design.width * 1.06 * (1.0 - 0.5 * design.taper), design.height * (1.0 + 0.8 * design.crown)
    dx = 0.25 * math.sin(turn.yaw)
    top = [(w * math.cos(a), 1.1 * h * math.sin(a)) for a in np.linspace(-0.15, -math.pi + 0.15, 12)]
    n = 7
    points = []
    for k in range(2 * n + 1):
        x = -w * 0.97 + 1.94 * w * k / (2 * n) + dx * (1 - abs(k / n - 1))
        points.append((x, -h * (0.62 if k % 2 == 0 else 0.36) - 0.06 * math.cos(math.pi * (k / n - 1))))
    hair = polygon([*top, *points])
    canvas.shape(hair, paint_of(design, design.hair_colour, 0.0, -0.8, 0.7), inks.ink, inks.width, face=0)


def _wool(canvas: Canvas, design: Design, inks: Inks, turn: Turn) -> None:
    h, dx = design.height * (1.0 + 0.8 * design.crown), 0.2 * math.sin(turn.yaw)
    for x, y, r in ((-0.5, -0.9, 0.3), (0.5, -0.9, 0.3), (-0.22, -1.1, 0.34), (0.24, -1.1, 0.34), (0.0, -0.78, 0.32)):
        canvas.shape(
            ellipse(x * design.width + dx, y * h, r, r * 0.9), design.hair_colour, inks.ink, inks.width, face=0
        )


def _wizard(canvas: Canvas, design: Design, inks: Inks, turn: Turn) -> None:
    w, h, dx = design.width, design.height * (1.0 + 0.7 * design.crown), 0.2 * math.sin(turn.yaw)
    colour = _cloth(design)
    left = [(-0.8 * w + dx, -0.6 * h), (-0.35 * w, -1.5 * h), (0.1 * w - dx, -2.3 * h)]
    cone = smooth([*left, (0.3 * w - 2 * dx, -2.15 * h), (0.35 * w, -1.5 * h), (0.8 * w + dx, -0.6 * h)])
    canvas.shape(cone, paint_of(design, colour, 0.0, -1.4, 0.8), inks.ink, inks.width, face=0)
    for x, y in ((-0.2, -1.0), (0.25, -1.25), (0.05, -1.7)):
        canvas.fill(polygon([(x, y - 0.12), (x + 0.09, y + 0.08), (x - 0.09, y + 0.08)]), design.clothes_trim)
    brim = ellipse(dx, -0.62 * h, 1.35 * w, 0.2, 0.0)
    canvas.shape(brim, scale_colour(colour, 0.82), inks.ink, inks.width, face=0)


def _headscarf(canvas: Canvas, design: Design, inks: Inks, turn: Turn) -> None:
    _hood(canvas, design, inks, turn)
    w, h = design.width, design.height
    for k in range(5):
        a = math.radians(-150 + 30 * k)
        canvas.fill(ellipse(1.04 * w * math.cos(a), 1.04 * h * math.sin(a), 0.07, 0.07), design.clothes_trim)


_GEAR = {
    "crown": _crown, "turban": _turban, "helmet": _helmet, "hood": _hood, "fringe": _fringe, "wool": _wool,
    "wizard": _wizard, "headscarf": _headscarf,
}  # fmt: skip
