"""Noses that are no button: an elephant's trunk, a snowman's carrot, the nostrils of frogs, horses and dragons."""

from __future__ import annotations

import math

import numpy as np

from ml.render.canvas import Canvas, brush, ellipse, scale_colour, smooth, tube
from ml.render.design import Design
from ml.render.turn import Inks, Turn, paint_of


def draw_odd_nose(canvas: Canvas, design: Design, inks: Inks, turn: Turn, face: int) -> None:
    if design.nose == "trunk":
        _trunk(canvas, design, inks, turn, face)
    elif design.nose == "carrot":
        _carrot(canvas, design, inks, turn, face)
    else:
        _nostrils(canvas, design, inks, turn)


def _trunk(canvas: Canvas, design: Design, inks: Inks, turn: Turn, face: int) -> None:
    """It hangs to the side of the mouth, so that the mouth can be seen."""
    s = design.nose_size
    side = 1.0 if turn.yaw >= 0.0 else -1.0
    x, y = turn.at(0.0, design.nose_y, 0.1)
    bend = side * (0.45 + 0.35 * abs(math.sin(turn.yaw)))
    tip = (x + 1.45 * bend, y + 0.35 + 1.3 * s)
    path = smooth([(x, y - 0.1), (x + 0.45 * bend, y + 0.5), (x + bend, y + 0.45 + 1.2 * s), tip], closed=False)
    trunk = tube(path, 0.3 + 0.35 * s, 0.16 + 0.2 * s)
    canvas.shape(trunk, paint_of(design, inks.skin, x, y + 0.4, 0.7), inks.ink, inks.width, face=face)
    canvas.fill(ellipse(x, y - 0.1, 0.13 + 0.19 * s, 0.2), inks.skin, face)  # no edge where it grows from
    for k in range(2, 5):
        px, py = path[len(path) * k // 6]
        ring = np.array([(px - 0.1, py), (px, py + 0.05), (px + 0.1, py)])
        canvas.fill(brush(ring, 0.035), scale_colour(inks.skin, 0.6))


def _carrot(canvas: Canvas, design: Design, inks: Inks, turn: Turn, face: int) -> None:
    s = design.nose_size
    bx, by = turn.at(0.0, design.nose_y)
    reach = 0.25 + 1.6 * s
    tx, ty = turn.at(0.0, design.nose_y + 0.05, reach)
    ahead = 1.0 if turn.yaw >= 0.0 else -1.0
    if math.hypot(tx - bx, ty - by) < 0.25:  # seen from the front it is bent a little aside
        tx, ty = bx + ahead * 0.35, by + 0.16
    d = np.array([tx - bx, ty - by])
    n = np.array([-d[1], d[0]]) / max(float(np.hypot(*d)), 1e-6) * (0.09 + 0.3 * s)
    base = np.array([bx, by])
    path = np.stack([base + n, base + 0.5 * d + 0.6 * n, base + d, base + 0.5 * d - 0.6 * n, base - n, base - 0.2 * d])
    canvas.shape(smooth(path), paint_of(design, design.nose_colour, bx, by, 0.4), inks.ink, inks.width, face=face)


def _nostrils(canvas: Canvas, design: Design, inks: Inks, turn: Turn) -> None:
    s = design.nose_size
    for side in (-1.0, 1.0):
        x, y = turn.at(side * (0.1 + 0.9 * s), design.nose_y, 0.9 * design.muzzle)
        narrow = 0.5 + 0.5 * turn.narrowing(side * 0.1, design.nose_y)
        dark = scale_colour(inks.light if design.muzzle > 0.0 and design.muzzle_light else inks.skin, 0.45)
        canvas.fill(ellipse(x, y, 0.3 * s * narrow + 0.015, 0.45 * s + 0.01, 20.0 * side), dark)
