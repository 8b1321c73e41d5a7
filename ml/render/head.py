"""Draws a head: skull, muzzle, ears, hair and the face on it, turned on a sphere.

What counts as the face in the id map: skull, muzzle (beak and snout included), cheeks and eyes. Ears, hats and hair
are drawn as id 0, so that they hide faces behind them and are not part of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ml.render.beards import draw_beard, draw_mane, draw_moustache
from ml.render.canvas import Canvas, Linear, Path, brush, ellipse, scale_colour, smooth
from ml.render.design import Design, Pose
from ml.render.ears import draw_ears, draw_hair, draw_hair_behind
from ml.render.expression import Expression
from ml.render.eyes import draw_brows, draw_eyes, draw_tears, eye_places
from ml.render.growths import draw_bumps, draw_growths, draw_growths_behind
from ml.render.mouth import draw_mouth
from ml.render.turn import Inks, Turn, draw_drop, inks_of, paint_of, skull_path


@dataclass(frozen=True, slots=True)
class HeadDrawn:
    """``eyes``: how many eyes can be seen (0..2) before anything else is drawn in front.

    ``eye_places``: the middle of each of them, in pixels of the canvas; ``mouth_place`` that of the mouth, if it is
    seen. ``matrix`` maps skull radii about the skull's middle to pixels, so that more can be drawn on the head.
    """

    eyes: int
    eye_places: tuple[tuple[float, float], ...] = ()
    mouth_place: tuple[float, float] | None = None
    matrix: NDArray[np.float64] | None = field(default=None, compare=False)


def draw_head(
    canvas: Canvas,
    design: Design,
    expression: Expression,
    pose: Pose,
    x: float,
    y: float,
    size: float,
    face_id: int | None,
) -> HeadDrawn:
    """Draws a head with the middle of its skull at (x, y) and a skull ``size`` high, in units of the canvas.

    ``face_id`` 0 or None draws a head whose face is not recorded.
    """
    face = face_id or 0
    turn = Turn(design, math.radians(pose.yaw), math.radians(pose.pitch))
    inks = inks_of(design, expression)
    radius = size / (2.0 * design.height)
    stretch = 1.0 + expression.stretch * design.stretchable
    with canvas.at(
        x, y, rotate=pose.roll, scale=(radius * (1.0 + expression.smear) / math.sqrt(stretch), radius * stretch)
    ):
        if not turn.away:
            draw_hair_behind(canvas, design, inks, turn)
        draw_mane(canvas, design, inks)
        draw_growths_behind(canvas, design, expression, inks, turn)
        draw_ears(canvas, design, expression, inks, turn)
        _fluff(canvas, design, inks)
        skull = skull_path(design, expression, turn)
        paint = paint_of(design, inks.skin, 0.0, 0.0, 1.1)
        canvas.shape(skull, paint, inks.ink, inks.width, face=face)
        draw_bumps(canvas, design, inks, turn, face)
        eyes = 0
        places: tuple[tuple[float, float], ...] = ()
        mouth = None
        if turn.away:
            draw_hair(canvas, design, inks, turn, skull)
        else:
            _markings(canvas, design, expression, inks, turn, skull)
            draw_beard(canvas, design, inks, turn, skull, face)
            draw_mouth(canvas, design, expression, inks, turn, face)
            draw_moustache(canvas, design, inks, turn)
            eyes = draw_eyes(canvas, design, expression, pose, inks, turn, face)
            places = eye_places(canvas, design, turn)
            mouth = _mouth_place(canvas, design, turn)
            draw_hair(canvas, design, inks, turn, skull)
            draw_growths(canvas, design, inks, turn)
            draw_brows(canvas, design, expression, inks, turn)
            draw_tears(canvas, design, expression, turn)
        _signs(canvas, design, expression)
        matrix = canvas.matrix
    return HeadDrawn(eyes, places, mouth, matrix)


def _mouth_place(canvas: Canvas, design: Design, turn: Turn) -> tuple[float, float] | None:
    x, y, depth = turn.point(0.0, design.mouth_y, 0.85 * design.muzzle)
    if depth < 0.0:
        return None
    (place,) = canvas.to_pixels(np.array([(x, y)]))
    return float(place[0]), float(place[1])


def _fluff(canvas: Canvas, design: Design, inks: Inks) -> None:
    if design.fluff <= 0.0:
        return
    for side in (-1.0, 1.0):
        w = side * design.width * (1.0 + design.cheeks)
        tip = side * design.fluff
        points = [
            (0.6 * w, 0.05),
            (0.95 * w, 0.18),
            (w + tip, 0.26),
            (0.97 * w, 0.38),
            (w + 0.75 * tip, 0.54),
            (0.86 * w, 0.58),
            (w * 0.8 + 0.5 * tip, 0.78),
            (0.4 * w, 0.8),
        ]
        canvas.shape(np.array(points), paint_of(design, inks.skin, 0.0, 0.0, 1.1), inks.ink, inks.width, face=0)


def _markings(canvas: Canvas, design: Design, expression: Expression, inks: Inks, turn: Turn, skull: Path) -> None:
    plain = not (design.face_patch or design.stripes or design.freckles or expression.blush > 0.05)
    red_top = expression.tint_amount > 0.2 and expression.tint[0] > 200.0
    if plain and not red_top:
        return
    with canvas.clip(skull):
        if red_top:
            top = -design.height
            heat = Linear((0.0, top), (0.0, 0.5), scale_colour(expression.tint, 0.95), inks.skin)
            canvas.fill(skull, heat, alpha=min(0.7, expression.tint_amount))
        if design.face_patch:
            for side in (-1.0, 1.0):
                px, py = turn.at(side * design.eye_x * 0.95, design.eye_y + 0.02)
                canvas.fill(ellipse(px, py, 0.42, 0.56), inks.light)
            px, py = turn.at(0.0, 0.5)
            canvas.fill(ellipse(px, py, 0.74, 0.5), inks.light)
        if design.stripes:
            dark = scale_colour(inks.skin, 0.66)
            for offset, reach in ((0.0, 0.42), (-0.24, 0.3), (0.24, 0.3)):
                line = np.array([(offset, -0.93), (offset * 0.9, -0.93 + 0.6 * reach), (offset * 0.7, -0.93 + reach)])
                canvas.fill(brush(turn.path(smooth(line, closed=False)), 0.13), dark)
        if design.freckles:
            for fx, fy in ((0.52, 0.2), (0.64, 0.26), (0.58, 0.34)):
                for side in (-1.0, 1.0):
                    px, py, depth = turn.point(side * fx, fy)
                    if depth > 0.1:
                        canvas.fill(ellipse(px, py, 0.03, 0.03), scale_colour(inks.skin, 0.7))
        if expression.blush > 0.05:
            for side in (-1.0, 1.0):
                px, py, depth = turn.point(side * 0.6, 0.26)
                if depth > 0.05:
                    canvas.fill(ellipse(px, py, 0.2, 0.13), (255.0, 120.0, 120.0), alpha=0.5 * expression.blush)


def _signs(canvas: Canvas, design: Design, expression: Expression) -> None:
    """What cartoonists draw around a head: sweat, shaking lines, steam. None of it is face."""
    w, h = design.width * (1.0 + design.cheeks), design.height
    if expression.sweat > 0.1:
        places = ((0.78 * w, -0.6 * h, 0.0), (-1.12 * w, -0.5 * h, -25.0), (1.2 * w, -0.85 * h, 25.0))
        for x, y, angle in places[: 1 + round(2 * expression.sweat)]:
            draw_drop(canvas, x, y, 0.15, angle)
    if expression.tremble > 0.3:
        for side in (-1.0, 1.0):
            for k in range(2):
                x = side * (w + 0.22 + 0.16 * k)
                line = np.array([(x, 0.1), (x + side * 0.06, 0.25), (x - side * 0.04, 0.4), (x + side * 0.05, 0.58)])
                canvas.stroke(smooth(line, closed=False), design.ink, 0.04)
    if expression.steam > 0.3:
        for side in (-1.0, 1.0):
            for k, r in enumerate((0.13, 0.19, 0.15)):
                puff = ellipse(side * (w + 0.2 + 0.24 * k), -0.62 * h - 0.16 * k, r, r)
                canvas.shape(puff, (246.0, 246.0, 246.0), (150.0, 150.0, 155.0), 0.03)
