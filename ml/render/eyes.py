"""Eyes, lids, brows and tears."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ml.render.canvas import Canvas, Colour, Path, brush, ellipse, scale_colour, smooth
from ml.render.design import Design, Pose
from ml.render.expression import Expression
from ml.render.turn import Inks, Turn, draw_drop

_SEEN = 0.12  # depth on the sphere from which an eye can be seen
_HIGHLIGHT: Colour = (255.0, 255.0, 255.0)


@dataclass(frozen=True, slots=True)
class _Eye:
    side: float  # -1 the one on the viewer's left
    x: float
    y: float
    rx: float
    ry: float
    lid: float  # 0 open .. 1 shut


def _eyes(design: Design, expression: Expression, pose: Pose, turn: Turn) -> list[_Eye]:
    """The eyes that can be seen, the farther one first."""
    found = []
    for side in (-1.0, 1.0):
        x, y, depth = turn.point(side * design.eye_x, design.eye_y)
        if depth < _SEEN:
            continue
        narrow = max(0.35, turn.narrowing(side * design.eye_x, design.eye_y))
        dot = design.eye == "dot"
        scale = 1.0 + (expression.eye_scale - 1.0) * (1.6 if dot else 1.0)
        rx = design.eye_width * (0.55 + 0.45 * narrow) * narrow**0.5 * (0.5 + 0.5 * scale)
        ry = design.eye_height * scale
        lid = expression.lid_top + (expression.lid_asym if side > 0 else 0.0)
        lid = max(0.0, lid + (1.0 - lid) * pose.blink)
        found.append((depth, _Eye(side, x, y - (ry - design.eye_height) * 0.4, rx, ry, lid)))
    return [eye for _, eye in sorted(found, key=lambda pair: pair[0])]


def eye_places(canvas: Canvas, design: Design, turn: Turn) -> tuple[tuple[float, float], ...]:
    """The middles of the eyes that the turn leaves in sight, in pixels of the canvas."""
    found = [turn.point(side * design.eye_x, design.eye_y) for side in (-1.0, 1.0)]
    seen = canvas.to_pixels(np.array([(x, y) for x, y, depth in found if depth >= _SEEN]).reshape(-1, 2))
    return tuple((float(x), float(y)) for x, y in seen)


def draw_eyes(
    canvas: Canvas, design: Design, expression: Expression, pose: Pose, inks: Inks, turn: Turn, face: int
) -> int:
    """Draws the eyes on the face; how many of them can be seen."""
    eyes = _eyes(design, expression, pose, turn)
    if expression.eyes != "open":
        for eye in eyes:
            _closed(canvas, design, expression, inks, eye)
        return len(eyes)
    if design.eye == "dot" and expression.pupil > 0.6:
        for eye in eyes:
            _dot(canvas, design, expression, inks, eye)
        return len(eyes)
    outlines = [ellipse(e.x, e.y, e.rx, e.ry) for e in eyes]
    line = max(inks.width, 0.012) * 0.9
    if design.eye == "joined":
        for path in outlines:
            canvas.stroke(path, inks.ink, 2.0 * line, closed=True, face=face)
        for path in outlines:
            canvas.fill(path, design.eye_white, face)
    else:
        for path in outlines:
            canvas.shape(path, design.eye_white, inks.ink, line, face=face)
    for eye, path in zip(eyes, outlines, strict=True):
        with canvas.clip(path):
            _pupil(canvas, design, expression, eye)
            _lids(canvas, design, expression, inks, eye)
        if design.lashes > 0.0:
            _lashes(canvas, design, inks, eye)
    return len(eyes)


def _pupil(canvas: Canvas, design: Design, expression: Expression, eye: _Eye) -> None:
    share = design.pupil_size * expression.pupil
    r = min(0.95 * eye.rx, share * design.eye_width * (eye.rx / design.eye_width) ** 0.5)
    tall = 1.3 if design.eye != "iris" else 1.1
    room_x, room_y = max(0.0, eye.rx - 0.85 * r), max(0.0, eye.ry - r * tall)
    inward = -0.16 * eye.side * eye.rx  # pupils of a cartoon lean towards the nose
    x = eye.x + expression.gaze_x * room_x + inward
    y = eye.y + expression.gaze_y * room_y + 0.12 * eye.ry
    dark: Colour = (22.0, 18.0, 22.0)
    if design.eye == "iris":
        canvas.shape(ellipse(x, y, 1.35 * r, 1.45 * r), design.iris, scale_colour(design.iris, 0.5), 0.02)
        canvas.fill(ellipse(x, y, 0.72 * r, 0.78 * r), dark)
    else:
        canvas.fill(ellipse(x, y, r, r * tall), dark if design.eye == "pie" else design.iris)
    if design.eye == "pie":
        a = 1.15 * r
        canvas.fill(np.array([(x, y), (x + a * 1.2, y - a * 1.5), (x + a * 1.6, y - 0.2 * a)]), design.eye_white)
    elif r > 0.035:
        canvas.fill(ellipse(x + 0.32 * r, y - 0.5 * r * tall, 0.3 * r, 0.34 * r), _HIGHLIGHT)


def _lids(canvas: Canvas, design: Design, expression: Expression, inks: Inks, eye: _Eye) -> None:
    colour = scale_colour(inks.skin, design.lid_tone)
    if eye.lid > 0.02 or abs(expression.lid_angle) > 0.05:
        # The lid's edge: tilted about the middle; the inner end is towards the nose.
        tilt = expression.lid_angle * 0.55 * eye.ry
        middle = eye.y - eye.ry + 2.0 * eye.ry * min(1.0, eye.lid) * (1.0 if eye.lid < 0.95 else 1.1)
        inner, outer = middle + tilt, middle - tilt
        left, right = (outer, inner) if eye.side < 0 else (inner, outer)
        sag = 0.10 * eye.ry * (1.0 if eye.lid > 0.6 else -0.6)
        edge = smooth(
            [(eye.x - 1.2 * eye.rx, left), (eye.x, (left + right) / 2 + sag), (eye.x + 1.2 * eye.rx, right)],
            closed=False,
        )
        top = eye.y - 1.6 * eye.ry
        canvas.fill(np.concatenate([edge, [(eye.x + 1.3 * eye.rx, top), (eye.x - 1.3 * eye.rx, top)]]), colour)
        canvas.stroke(edge, inks.ink, max(0.035, inks.width))
    if expression.lid_bottom > 0.03:
        level = eye.y + eye.ry - 1.5 * eye.ry * expression.lid_bottom
        edge = smooth(
            [
                (eye.x - 1.2 * eye.rx, level + 0.2 * eye.ry),
                (eye.x, level - 0.06),
                (eye.x + 1.2 * eye.rx, level + 0.2 * eye.ry),
            ],
            closed=False,
        )
        low = eye.y + 1.6 * eye.ry
        canvas.fill(np.concatenate([edge, [(eye.x + 1.3 * eye.rx, low), (eye.x - 1.3 * eye.rx, low)]]), colour)
        canvas.stroke(edge, inks.ink, max(0.022, 0.7 * inks.width))


def _dot(canvas: Canvas, design: Design, expression: Expression, inks: Inks, eye: _Eye) -> None:
    path = ellipse(eye.x + 0.3 * expression.gaze_x * eye.rx, eye.y + 0.2 * expression.gaze_y * eye.ry, eye.rx, eye.ry)
    with canvas.clip(path):
        canvas.fill(path, design.iris)
        canvas.fill(ellipse(eye.x + 0.3 * eye.rx, eye.y - 0.4 * eye.ry, 0.25 * eye.rx, 0.22 * eye.ry), _HIGHLIGHT)
        _lids(canvas, design, expression, inks, eye)


def _closed(canvas: Canvas, design: Design, expression: Expression, inks: Inks, eye: _Eye) -> None:
    w, h = 1.05 * max(eye.rx, 0.12), 0.5 * max(eye.ry, 0.16)
    thick = max(0.085, 1.6 * inks.width)
    if design.eye == "dot":
        w *= 1.4
    if expression.eyes == "squeeze":
        tip, back = eye.x - eye.side * w * 0.8, eye.x + eye.side * w * 0.8
        for dy in (-h, h):
            canvas.fill(
                brush(np.array([(back, eye.y + dy), ((tip + back) / 2, eye.y + dy / 2), (tip, eye.y)]), thick, 0.4),
                inks.ink,
            )
        return
    bend = -h if expression.eyes == "arch" else 0.75 * h
    tilt = 0.4 * expression.lid_angle * h * eye.side
    points = [(eye.x - w, eye.y + tilt), (eye.x, eye.y + 1.6 * bend), (eye.x + w, eye.y - tilt)]
    shift = 0.5 * h if expression.eyes == "arch" else 0.0
    path = smooth(np.array(points) + np.array([0.0, shift]), closed=False)
    canvas.fill(brush(path, 1.2 * thick, 0.7), inks.ink)


def _lashes(canvas: Canvas, design: Design, inks: Inks, eye: _Eye) -> None:
    for k, angle in enumerate((-70.0, -45.0, -20.0)):
        a = math.radians(angle if eye.side > 0 else 180.0 - angle)
        x, y = eye.x + eye.rx * math.cos(a), eye.y + eye.ry * math.sin(a)
        d = design.lashes * (0.9 + 0.15 * k)
        tip = (x + d * math.cos(a), y + d * math.sin(a) - 0.3 * d)
        canvas.fill(brush(np.array([(x, y), ((x + tip[0]) / 2, (y + tip[1]) / 2 + 0.02), tip]), 0.055), inks.ink)


def draw_brows(canvas: Canvas, design: Design, expression: Expression, inks: Inks, turn: Turn) -> None:
    """Brows may rise above the skull, as cartoonists let them; they are never part of the face's mask."""
    if design.brow_thickness <= 0.0:
        return
    colour = design.brow_colour or inks.ink
    grow = max(0.0, expression.eye_scale - 1.0) * design.eye_height * 1.0
    for side in (-1.0, 1.0):
        _, _, depth = turn.point(side * design.eye_x, design.eye_y)
        if depth < _SEEN:
            continue
        half = max(design.eye_width, 0.16) * design.brow_length
        base = design.eye_y - design.eye_height - design.brow_gap - grow
        asym = -side * expression.brow_asym
        inner = (side * max(0.05, design.eye_x - half * 0.9), base - 0.8 * expression.brow_inner - asym)
        outer = (side * (design.eye_x + half), base - 0.8 * expression.brow_outer - asym + 0.06)
        bow = (
            0.07 + 0.12 * max(0.0, expression.brow_inner + expression.brow_outer) - 0.05 * (expression.brow_weight - 1)
        )
        middle = ((inner[0] + outer[0]) / 2, (inner[1] + outer[1]) / 2 - bow)
        points: list[tuple[float, float]] = []
        for x, y in (inner, middle, outer):
            px, _, _ = turn.point(max(-0.78, min(0.78, x)), design.eye_y - 0.15)
            _, py, _ = turn.point(x * 0.5, max(-0.75, y))
            points.append((px, py + min(0.0, y + 0.75) * design.height))
        path: Path = smooth(points, closed=False)
        canvas.fill(brush(path, design.brow_thickness * 1.5 * expression.brow_weight, 0.55), colour)
    if expression.wrinkle > 0.3 and expression.brow_inner < 0.0:
        for dx in (-0.05, 0.05):
            x, y = turn.at(dx, design.eye_y - design.eye_height * 0.9)
            canvas.stroke(np.array([(x, y - 0.12), (x * 0.96, y + 0.02)]), inks.ink, 0.03)


def draw_tears(canvas: Canvas, design: Design, expression: Expression, turn: Turn) -> None:
    if expression.tears < 0.15:
        return
    for side in (-1.0, 1.0):
        x, y, depth = turn.point(side * (design.eye_x + 0.6 * design.eye_width), design.eye_y + 0.8 * design.eye_height)
        if depth < _SEEN:
            continue
        if expression.tears > 0.85:  # a stream down the cheek
            run = [
                (x - 0.06, y),
                (x + 0.06, y),
                (x + side * 0.1 + 0.09, y + 0.35),
                (x + side * 0.08 + 0.1, y + 0.72),
                (x + side * 0.08 - 0.1, y + 0.72),
                (x + side * 0.1 - 0.07, y + 0.35),
            ]
            canvas.shape(smooth(run), (150.0, 210.0, 250.0), (60.0, 120.0, 190.0), 0.025)
        draw_drop(canvas, x + side * 0.08, y + 0.2 + 0.5 * expression.tears, 0.1)
        if expression.tears > 0.5:
            draw_drop(canvas, x + side * 0.16, y + 0.95, 0.07, -8.0 * side)
