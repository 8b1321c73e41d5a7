"""Ears and hair. Never part of the face: they are drawn with id 0."""

from __future__ import annotations

import math

import numpy as np

from ml.render.canvas import Canvas, Path, brush, ellipse, polygon, scale_colour, smooth
from ml.render.design import Design
from ml.render.expression import Expression
from ml.render.turn import Inks, Turn, cap_path, paint_of


def draw_ears(canvas: Canvas, design: Design, expression: Expression, inks: Inks, turn: Turn) -> None:
    if design.ears == "none":
        return
    depth_order = (-1.0, 1.0) if math.sin(turn.yaw) <= 0.0 else (1.0, -1.0)
    for side in depth_order:
        _ear(canvas, design, expression, inks, turn, side)


def _ear(canvas: Canvas, design: Design, expression: Expression, inks: Inks, turn: Turn, side: float) -> None:
    """One ear, drawn upright at its root and then turned outwards; ``expression.ears`` pricks or flattens it."""
    cos, sin = math.cos(turn.yaw), math.sin(turn.yaw)
    x = design.width * (side * design.ear_spread * (0.35 + 0.65 * abs(cos)) - 0.28 * sin * design.ear_spread)
    y = -design.height * design.ear_height * math.cos(turn.pitch) + 0.2 * math.sin(turn.pitch)
    lift = expression.ears
    s, w = design.ear_size, design.ear_width * (0.75 + 0.25 * abs(cos))
    paint = paint_of(design, inks.skin, 0.0, -0.5 * s, s)
    tilt = {"pointed": 16.0, "round": 26.0, "long": 12.0, "floppy": 60.0, "side": 82.0, "leaf": 58.0}[design.ears]
    drop = {"pointed": 38.0, "round": 14.0, "long": 45.0, "floppy": 30.0, "side": 25.0, "leaf": 30.0}[design.ears]
    turned = side * (tilt - drop * lift if lift < 0 else tilt - 0.3 * tilt * lift)
    if design.ears == "round":
        cx, cy = s * math.sin(math.radians(turned)) * 0.55, -s * 0.55
        size = s * (1.0 + 0.06 * lift)
        canvas.shape(ellipse(x + cx, y + cy, size * (0.7 + 0.3 * abs(cos)), size), paint, inks.ink, inks.width, face=0)
        if not turn.away:
            canvas.fill(
                ellipse(x + cx * 0.9, y + cy + 0.06 * s, 0.66 * size * (0.7 + 0.3 * abs(cos)), 0.68 * size),
                design.inner_ear,
            )
        return
    with canvas.at(x, y, rotate=turned, scale=(1.0, 1.0 + 0.12 * max(0.0, lift))):
        outer, inner = _ear_paths(design, s, w, side)
        canvas.shape(outer, paint, inks.ink, inks.width, face=0)
        if inner is not None and not turn.away:
            canvas.fill(inner, design.inner_ear)


def _ear_paths(design: Design, s: float, w: float, side: float) -> tuple[Path, Path | None]:
    if design.ears == "pointed":
        points = [
            (-w, 0.35),
            (-0.75 * w, -0.3 * s),
            (-0.1 * w, -0.92 * s),
            (0.12 * w, -0.92 * s),
            (0.8 * w, -0.25 * s),
            (w, 0.35),
        ]
        outer = smooth(points)
        return outer, outer * (0.58, 0.72) + (0.0, 0.0)
    if design.ears == "long":
        points = [
            (-0.5 * w, 0.3),
            (-0.9 * w, -0.8 * s),
            (-0.4 * w, -1.7 * s),
            (0.4 * w, -1.7 * s),
            (0.9 * w, -0.8 * s),
            (0.5 * w, 0.3),
        ]
        outer = smooth(points)
        return outer, outer * (0.52, 0.82) + (0.0, -0.06 * s)
    if design.ears == "floppy":
        points = [(-0.6 * w, 0.2), (-0.7 * w, -0.4 * s), (side * 0.2 * w, -s), (0.7 * w, -0.5 * s), (0.6 * w, 0.2)]
        bend = [(px + side * 0.5 * max(0.0, -py - 0.3 * s), py) for px, py in points]
        return smooth(bend), None
    if design.ears == "leaf":  # a pig's: a triangle folded over at its tip
        points = [
            (-0.8 * w, 0.2),
            (-0.85 * w, -0.35 * s),
            (side * 0.35 * w, -1.0 * s),
            (0.85 * w, -0.3 * s),
            (0.8 * w, 0.2),
        ]
        outer = smooth(points)
        return outer, outer * (0.55, 0.62)
    outer = ellipse(0.0, -0.12 * s, 0.6 * w, 0.5 * s)  # side: a person's
    return outer, outer * (0.55, 0.55)


def draw_hair_behind(canvas: Canvas, design: Design, inks: Inks, turn: Turn) -> None:
    paint = paint_of(design, design.hair_colour, 0.0, 0.0, 1.3)
    w, h = design.width, design.height
    shift = -0.12 * math.sin(turn.yaw)
    if design.hair == "bob":
        points = [
            (0.0, -1.2 * h),
            (0.9 * w, -0.95 * h),
            (1.22 * w, 0.0),
            (1.18 * w, 0.75 * h),
            (0.6 * w, 0.85 * h),
            (-0.6 * w, 0.85 * h),
            (-1.18 * w, 0.75 * h),
            (-1.22 * w, 0.0),
            (-0.9 * w, -0.95 * h),
        ]
        canvas.shape(smooth(np.array(points) + np.array([shift, 0.0])), paint, inks.ink, inks.width, face=0)
    elif design.hair == "bun":
        canvas.shape(ellipse(2.0 * shift, -1.2 * h, 0.44, 0.4), paint, inks.ink, inks.width, face=0)
    elif design.hair == "spikes":
        points = []
        for k in range(15):
            a = math.pi * (1.02 + 0.96 * k / 14)
            r = 1.5 if k % 2 else 1.02
            points.append((w * r * math.cos(a), h * r * math.sin(a)))
        canvas.shape(polygon([*points, (0.0, 0.0)]), paint, inks.ink, inks.width, face=0)


def draw_hair(canvas: Canvas, design: Design, inks: Inks, turn: Turn, skull: Path) -> None:
    """What grows or sits on the skull in front of it."""
    if design.hair == "none":
        return
    paint = paint_of(design, design.hair_colour, 0.0, -0.8, 0.7)
    shift = 0.35 * math.sin(turn.yaw)
    w, h = design.width, design.height
    if turn.away and design.hair in ("bob", "cap", "bun", "spikes"):
        canvas.shape(skull, paint, inks.ink, inks.width, face=0)
        return
    if design.hair in ("cap", "bob", "bun", "spikes"):
        cap = cap_path(skull, -0.62 * h)
        canvas.shape(cap * (1.03, 1.05), paint, inks.ink, inks.width, face=0)
    elif design.hair == "hat":
        cap = cap_path(skull, -0.55 * h) * (1.06, 1.12)
        canvas.shape(cap, paint_of(design, design.clothes_colour, 0.0, -0.8, 0.6), inks.ink, inks.width, face=0)
        brim = ellipse(1.6 * shift, -0.58 * h, 1.15 * w, 0.15)
        canvas.shape(brim, scale_colour(design.clothes_colour, 0.8), inks.ink, inks.width, face=0)
    elif design.hair == "bow":
        _bow(canvas, design, inks, 0.5 * w * math.cos(turn.yaw) + shift, -0.92 * h)
    elif design.hair == "quiff":
        points = [
            (-0.5, -0.85 * h),
            (-0.35, -1.25 * h),
            (0.25, -1.42 * h),
            (0.62, -1.18 * h),
            (0.3, -1.16 * h),
            (0.45, -0.86 * h),
            (0.0, -0.7 * h),
        ]
        canvas.shape(smooth(np.array(points) + np.array([shift, 0.0])), paint, inks.ink, inks.width, face=0)
    else:  # tuft, curl: a few loose feathers or hairs
        for k, (bend, length) in enumerate(((-0.28, 0.3), (0.05, 0.42), (0.34, 0.32))):
            root = (shift + 0.08 * (k - 1), -0.93 * h)
            tip = (root[0] + bend, root[1] - length)
            mid = (root[0] + 0.2 * bend, root[1] - 0.7 * length)
            path = smooth([root, mid, tip], closed=False)
            if design.hair == "curl":
                canvas.stroke(path, inks.ink, 0.05, face=0)
            else:
                canvas.shape(brush(path, 0.2, 0.9), paint, inks.ink, 0.6 * inks.width, face=0)


def _bow(canvas: Canvas, design: Design, inks: Inks, x: float, y: float) -> None:
    colour = design.clothes_colour
    with canvas.at(x, y, rotate=18.0, scale=0.8):
        for side in (-1.0, 1.0):
            wing = smooth([(0.0, -0.08), (side * 0.42, -0.3), (side * 0.5, 0.0), (side * 0.42, 0.3), (0.0, 0.08)])
            canvas.shape(wing, colour, inks.ink, inks.width, face=0)
            canvas.stroke(np.array([(side * 0.1, 0.0), (side * 0.3, 0.0)]), scale_colour(colour, 0.7), 0.04)
        canvas.shape(ellipse(0.0, 0.0, 0.12, 0.14), scale_colour(colour, 0.85), inks.ink, inks.width, face=0)
