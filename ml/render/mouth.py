"""Muzzle, bill or snout, the nose, and the mouth on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ml.render.canvas import Canvas, Colour, Path, brush, ellipse, hull, mix, scale_colour, smooth
from ml.render.design import Design
from ml.render.expression import Expression
from ml.render.noses import draw_odd_nose
from ml.render.turn import Inks, Turn, paint_of

_TEETH: Colour = (253.0, 252.0, 245.0)
_OVER_MOUTH = ("snout", "ball", "button", "heart", "trunk", "carrot", "nostrils")  # noses drawn over the mouth


def draw_mouth(canvas: Canvas, design: Design, expression: Expression, inks: Inks, turn: Turn, face: int) -> None:
    """Draws muzzle, mouth and nose; what stands out beyond the skull is face as well."""
    out = _out(design)
    lines = replace(inks, ink=scale_colour(inks.ink, 0.5)) if design.nose == "beak" else inks
    if design.nose == "beak":
        _bill(canvas, design, expression, inks, turn, face)
    elif design.muzzle > 0.0:
        _muzzle(canvas, design, expression, inks, turn, face)
    if design.nose in _OVER_MOUTH:
        _mouth_shape(canvas, design, expression, lines, turn, out)
        _nose(canvas, design, inks, turn, face)
    else:
        if design.nose == "human":
            _nose(canvas, design, inks, turn, face)
        _mouth_shape(canvas, design, expression, lines, turn, out)
    for side in (-1.0, 1.0):
        _whiskers(canvas, design, expression, inks, turn, side)


def _out(design: Design) -> float:
    return 0.32 if design.nose == "beak" else 0.85 * design.muzzle


def _drop(expression: Expression) -> float:
    """How far the jaw hangs."""
    return 0.5 * expression.opening if expression.mouth in ("open", "oval", "tongue") else 0.1 * expression.opening


def _muzzle(canvas: Canvas, design: Design, expression: Expression, inks: Inks, turn: Turn, face: int) -> None:
    drop = _drop(expression)
    w, h = design.muzzle_width, design.muzzle_height
    colour = inks.light if design.muzzle_light else inks.skin
    narrow = 0.75 + 0.25 * turn.narrowing(0.0, design.muzzle_y)
    x, y = turn.at(0.0, design.muzzle_y, design.muzzle)
    if drop > 0.12:  # the jaw under it
        jaw = ellipse(x, y + 0.35 * h + 0.62 * drop, 0.78 * w * narrow, 0.6 * h + 0.45 * drop)
        canvas.shape(jaw, paint_of(design, colour, x, y, h), inks.ink, inks.width, face=face)
    if design.muzzle > 0.12:  # the bridge from the face to the muzzle's end
        bx, by = turn.at(0.0, design.muzzle_y - 0.08)
        bridge = hull(ellipse(bx, by, 0.8 * w, 0.85 * h), ellipse(x, y, 0.9 * w * narrow, 0.9 * h))
        canvas.fill(bridge, inks.skin if not design.muzzle_light else mix(inks.skin, inks.light, 0.75), face)
    lobes = [
        (0.0, -0.78),
        (0.62, -0.72),
        (1.05, -0.05),
        (0.72, 0.78),
        (0.3, 0.92),
        (0.0, 0.8),
        (-0.3, 0.92),
        (-0.72, 0.78),
        (-1.05, -0.05),
        (-0.62, -0.72),
    ]
    path = smooth(np.array(lobes) * (w * narrow, h) + (x, y))
    edge = inks.ink if not design.muzzle_light or design.muzzle > 0.3 else mix(inks.light, inks.skin, 0.7)
    canvas.shape(path, paint_of(design, colour, x, y, 1.2 * h), edge, inks.width * 0.8, face=face)


def _bill(canvas: Canvas, design: Design, expression: Expression, inks: Inks, turn: Turn, face: int) -> None:
    drop = _drop(expression)
    colour = mix(design.nose_colour, expression.tint, 0.5 * expression.tint_amount)
    w, h = design.muzzle_width, design.muzzle_height
    x, y = turn.at(0.0, design.muzzle_y, 0.32)
    bx, by = turn.at(0.0, design.muzzle_y, 0.0)
    narrow = 0.7 + 0.3 * turn.narrowing(0.0, design.muzzle_y)
    lower = ellipse(x, y + 0.3 * h + 0.72 * drop, 0.72 * w * narrow, 0.62 * h + 0.5 * drop)
    canvas.shape(lower, scale_colour(colour, 0.86), inks.ink, inks.width, face=face)
    curve = 0.18 * expression.curve
    tip = (x, y - 0.75 * h)
    upper = smooth(
        [
            tip,
            (x + 0.5 * w * narrow, y - 0.62 * h),
            (x + 1.02 * w * narrow, y + 0.05 * h - curve * h),
            (x + 0.9 * w * narrow, y + 0.5 * h - curve),
            (x + 0.4 * w * narrow, y + 0.72 * h),
            (x, y + 0.62 * h),
            (x - 0.4 * w * narrow, y + 0.72 * h),
            (x - 0.9 * w * narrow, y + 0.5 * h - curve),
            (x - 1.02 * w * narrow, y + 0.05 * h - curve * h),
            (x - 0.5 * w * narrow, y - 0.62 * h),
        ]
    )
    root = ellipse(bx, by - 0.2 * h, 0.6 * w, 0.6 * h)
    canvas.shape(hull(root, ellipse(x, y, 0.7 * w * narrow, 0.6 * h)), colour, inks.ink, inks.width, face=face)
    canvas.shape(upper, paint_of(design, colour, x, y, h), inks.ink, inks.width, face=face)
    for side in (-1.0, 1.0):
        nostril = ellipse(x + side * 0.2 * w * narrow, y - 0.4 * h, 0.03, 0.05, 15.0 * side)
        canvas.fill(nostril, scale_colour(colour, 0.5))


def _nose(canvas: Canvas, design: Design, inks: Inks, turn: Turn, face: int) -> None:
    if design.nose in ("trunk", "carrot", "nostrils"):
        draw_odd_nose(canvas, design, inks, turn, face)
        return
    s = design.nose_size
    out = design.muzzle + (0.12 if design.nose in ("ball", "snout") else 0.04)
    x, y = turn.at(0.0, design.nose_y, out)
    narrow = 0.7 + 0.3 * turn.narrowing(0.0, design.nose_y)
    if design.nose == "human":
        side = 1.0 if turn.yaw >= 0.0 else -1.0
        bx, by = turn.at(-0.03 * side, design.nose_y - 0.22)
        line = smooth(
            [(bx, by), (x + side * 0.9 * s, y), (x + side * 0.5 * s, y + 0.55 * s), (x - side * 0.3 * s, y + 0.55 * s)],
            closed=False,
        )
        canvas.stroke(line, scale_colour(inks.skin, 0.55), max(0.03, inks.width))
        return
    if design.nose == "snout":
        base = turn.at(0.0, design.nose_y, 0.0)
        disc = ellipse(x, y, 1.25 * s * narrow, s)
        rim = hull(ellipse(base[0], base[1], 1.3 * s, 1.05 * s), disc)
        canvas.shape(rim, scale_colour(design.nose_colour, 0.93), inks.ink, inks.width, face=face)
        canvas.shape(disc, paint_of(design, design.nose_colour, x, y, s), inks.ink, 0.8 * inks.width, face=face)
        for side in (-1.0, 1.0):
            hole = ellipse(x + side * 0.45 * s * narrow, y, 0.16 * s * narrow + 0.01, 0.36 * s)
            canvas.fill(hole, scale_colour(design.nose_colour, 0.45))
        return
    if design.nose == "heart":
        shape = smooth(
            [
                (x, y - 0.45 * s),
                (x + 0.8 * s * narrow, y - 0.65 * s),
                (x + 0.95 * s * narrow, y - 0.1 * s),
                (x, y + 0.8 * s),
                (x - 0.95 * s * narrow, y - 0.1 * s),
                (x - 0.8 * s * narrow, y - 0.65 * s),
            ]
        )
    else:
        shape = ellipse(
            x,
            y,
            s * (1.15 if design.nose == "button" else 1.0) * narrow,
            s * (0.82 if design.nose == "button" else 1.0),
        )
    canvas.shape(shape, design.nose_colour, inks.ink if design.nose == "ball" else None, inks.width, face=face)
    shine = ellipse(x - 0.3 * s, y - 0.35 * s, 0.26 * s, 0.17 * s, -20.0)
    canvas.fill(shine, mix(design.nose_colour, (255.0, 255.0, 255.0), 0.75))


def _whiskers(canvas: Canvas, design: Design, expression: Expression, inks: Inks, turn: Turn, side: float) -> None:
    if design.whiskers <= 0.0:
        return
    x, y, depth = turn.point(side * 0.85 * design.muzzle_width, design.muzzle_y - 0.02, design.muzzle * 0.8)
    if depth < 0.0:
        return
    droop = -0.25 * expression.curve * design.whiskers
    for k, rise in enumerate((-0.22, 0.0, 0.2)):
        length = design.whiskers * (1.0 - 0.08 * abs(k - 1))
        end = (x + side * length, y + rise * length + 0.5 * droop)
        middle = ((x + end[0]) / 2, (y + 0.07 * (k - 1) + end[1]) / 2 - 0.05)
        line = smooth([(x, y + 0.07 * (k - 1)), middle, end], closed=False)
        canvas.fill(brush(line, 0.042, 0.8), inks.ink)


# ------------------------------------------------------------------------------------------------ the mouth itself


def _mouth_shape(canvas: Canvas, design: Design, expression: Expression, inks: Inks, turn: Turn, out: float) -> None:
    e = expression
    w = design.mouth_width * e.mouth_width
    thick = max(0.055, 1.3 * inks.width)

    def place(points: Path) -> Path:
        skewed = points + np.stack([np.zeros(len(points)), -e.skew * 0.35 * points[:, 0] / max(w, 0.05)], axis=1)
        # Flat in height: a mouth that opens wide stays in the plane of its corners.
        across = np.clip(skewed[:, 0], -0.9, 0.9)
        base = turn.path(np.stack([across, np.full(len(points), design.mouth_y)], axis=1), out)
        return base + np.stack([np.zeros(len(points)), skewed[:, 1] * design.height], axis=1)

    u = np.linspace(-1.0, 1.0, 15)
    bow = 1.0 - u**2
    if e.mouth == "line":
        v = e.curve * 0.3 * (bow - 0.6) * (0.6 + w)
        _ink_line(canvas, place(np.stack([w * u, v], axis=1)), thick, inks, ticks=e.curve > 0.45)
    elif e.mouth == "wavy":
        v = 0.075 * np.sin(u * 8.2) - e.curve * -0.12 * bow
        _ink_line(canvas, place(np.stack([w * u, v], axis=1)), thick, inks, ticks=False)
    else:
        upper, lower = _lips(e, w, u, bow)
        outline = place(np.concatenate([upper, lower[::-1]]))
        upper_line = place(upper)
        _inside(canvas, design, e, inks, outline, upper_line, place(lower))
        canvas.stroke(outline, inks.ink, 0.75 * thick, closed=True)
        if e.mouth in ("grin", "open") and e.curve > 0.4:
            _ticks(canvas, upper_line, thick, inks)
        if e.mouth == "tongue":
            _tongue_out(canvas, design, e, inks, place(np.array([(0.15 * w, lower[7][1] - 0.05)]))[0])
    if design.buck_teeth and ((e.mouth == "line" and e.curve > -0.3) or (e.mouth == "open" and e.curve > 0.3)):
        x, y = turn.at(0.0, design.mouth_y + e.curve * 0.05, out)
        for side in (-1.0, 1.0):
            tooth = np.array([(x, y), (x + side * 0.1, y), (x + side * 0.1, y + 0.16), (x, y + 0.16)])
            canvas.shape(tooth, _TEETH, inks.ink, 0.6 * inks.width)


def _lips(e: Expression, w: float, u: Path, bow: Path) -> tuple[Path, Path]:
    """Upper and lower edge of an open mouth, both from its left to its right corner."""
    depth = 0.62 * e.opening
    round_bow = np.sqrt(np.maximum(0.0, bow))
    if e.mouth == "oval":
        return (
            np.stack([w * u, -0.4 * depth * round_bow], axis=1),
            np.stack([w * u, 1.1 * depth * round_bow], axis=1),
        )
    if e.mouth == "grin":
        v = e.curve * 0.2 * (bow - 0.6)
        return np.stack([w * u, v - 0.02], axis=1), np.stack([w * u, v + (0.2 + depth) * bow**0.7], axis=1)
    if e.mouth == "clench":
        square = np.maximum(0.0, 1.0 - np.abs(u) ** 6)
        v = e.curve * 0.22 * (bow - 0.6)
        half = 0.08 + 0.3 * depth
        return np.stack([w * u, v - half * square], axis=1), np.stack([w * u, v + half * square], axis=1)
    if e.mouth == "snarl":
        raised = np.exp(-(((u - 0.45 * np.sign(e.skew + 1e-9)) / 0.4) ** 2))
        v = e.curve * 0.2 * (bow - 0.6)
        return (
            np.stack([w * u, v - (0.06 + 0.75 * depth * raised) * bow**0.5], axis=1),
            np.stack([w * u, v + (0.05 + 0.35 * depth * raised) * bow**0.5], axis=1),
        )
    if e.curve >= 0.0:  # open, smiling: flat above, deep below
        return (
            np.stack([w * u, (0.14 * e.curve) * (bow - 0.7)], axis=1),
            np.stack([w * u, -0.1 * e.curve + (0.12 * e.curve + depth) * round_bow], axis=1),
        )
    rise = 0.24 * -e.curve  # open, unhappy: arched above, flatter below
    return (
        np.stack([w * u, 0.1 - (rise + 0.35 * depth) * round_bow], axis=1),
        np.stack([w * u, 0.1 + (0.75 * depth) * np.maximum(0.0, 1.0 - np.abs(u) ** 3.5) - 0.25 * rise * bow], axis=1),
    )


def _inside(canvas: Canvas, design: Design, e: Expression, inks: Inks, outline: Path, upper: Path, lower: Path) -> None:
    low, high = outline.min(axis=0), outline.max(axis=0)
    tall, wide = high[1] - low[1], high[0] - low[0]
    middle = (low[0] + high[0]) / 2
    with canvas.clip(outline):
        if e.mouth in ("grin", "clench", "snarl"):
            canvas.fill(outline, _TEETH)
            count = 7 if e.mouth != "snarl" else 6
            for k in range(1, count):
                x = low[0] + wide * k / count
                canvas.stroke(np.array([(x, low[1]), (x, high[1])]), mix(inks.ink, _TEETH, 0.3), 0.022)
            centre = (upper + lower) / 2
            if e.mouth != "snarl":
                canvas.stroke(centre, inks.ink, 0.035)
            return
        canvas.fill(outline, design.mouth_inside)
        if e.tongue > 0.0 and e.mouth != "tongue":
            canvas.fill(ellipse(middle, high[1], 0.34 * wide, 0.42 * tall), design.tongue_colour)
        if e.teeth >= 1:
            band = min(0.3 * tall, 0.13)
            canvas.fill(np.concatenate([upper - np.array([0.0, 0.2]), (upper + np.array([0.0, band]))[::-1]]), _TEETH)
        if e.teeth >= 2:
            band = min(0.22 * tall, 0.1)
            canvas.fill(np.concatenate([lower + np.array([0.0, 0.2]), (lower - np.array([0.0, band]))[::-1]]), _TEETH)


def _tongue_out(canvas: Canvas, design: Design, e: Expression, inks: Inks, at: tuple[float, float] | Path) -> None:
    x, y = float(at[0]), float(at[1])
    w, h = 0.16, 0.26 + 0.25 * e.opening
    path = smooth(
        [(x - w, y - 0.02), (x - 1.05 * w, y + 0.6 * h), (x, y + h), (x + 1.05 * w, y + 0.6 * h), (x + w, y - 0.02)]
    )
    canvas.shape(path, design.tongue_colour, inks.ink, max(0.03, 0.8 * inks.width))
    canvas.stroke(np.array([(x, y + 0.05), (x, y + 0.55 * h)]), scale_colour(design.tongue_colour, 0.7), 0.03)


def _ink_line(canvas: Canvas, path: Path, thick: float, inks: Inks, ticks: bool) -> None:
    canvas.fill(brush(path, 1.25 * thick, 0.6), inks.ink)
    if ticks:
        _ticks(canvas, path, thick, inks)


def _ticks(canvas: Canvas, path: Path, thick: float, inks: Inks) -> None:
    """The small creases at the corners of a smile."""
    for corner, side in ((path[0], -1.0), (path[-1], 1.0)):
        x, y = float(corner[0]), float(corner[1])
        tick = smooth([(x - side * 0.02, y - 0.08), (x + side * 0.05, y), (x + side * 0.02, y + 0.07)], closed=False)
        canvas.fill(brush(tick, thick, 0.5), inks.ink)
