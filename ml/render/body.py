"""Whole characters: a rubber-hose body in one of several actions (actions.py), with the head on top.

A body is laid out in standing heights: (0, 0) is the ground between the feet, y is negative upwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ml.render.actions import ACTIONS, Joints, Point
from ml.render.canvas import Canvas, Colour, brush, ellipse, mix, scale_colour, smooth
from ml.render.design import Design, Pose
from ml.render.expression import Expression
from ml.render.head import HeadDrawn, draw_head
from ml.render.turn import Inks, inks_of, paint_of

__all__ = ["ACTIONS", "draw_character"]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where one body's parts are, in standing heights."""

    hips: Point
    neck: Point
    shoulders: tuple[Point, Point]
    elbows: tuple[Point, Point]
    hands: tuple[Point, Point]
    knees: tuple[Point, Point]
    feet: tuple[Point, Point]
    head: Point
    width: float


def _add(a: Point, b: Point) -> Point:
    return a[0] + b[0], a[1] + b[1]


def _middle(a: Point, b: Point, bend: float) -> Point:
    """The joint between two ends of a limb, pushed sideways by ``bend`` of its length."""
    return (a[0] + b[0]) / 2 - (b[1] - a[1]) * bend, (a[1] + b[1]) / 2 + (b[0] - a[0]) * bend


def _layout(design: Design, joints: Joints) -> _Frame:
    share, w = design.head_share, design.body_width
    leg = design.leg_length
    hips = _add((0.0, -leg), joints.hips)
    neck = _add((0.0, -(1.0 - share) - 0.01), joints.neck)
    head = _add((0.0, -(1.0 - 0.5 * share)), _add(joints.head, (0.0, 0.0)))
    arm = 0.62 * (1.0 - share)
    reach = 0.30 * w + 0.02
    top = 0.22 * (hips[1] - neck[1])
    shoulders = ((neck[0] - reach, neck[1] + top), (neck[0] + reach, neck[1] + top))
    hands = (
        _add(shoulders[0], (arm * joints.hands[0][0], arm * joints.hands[0][1])),
        _add(shoulders[1], (arm * joints.hands[1][0], arm * joints.hands[1][1])),
    )
    elbows = (_middle(shoulders[0], hands[0], 0.18 * joints.bend), _middle(shoulders[1], hands[1], -0.18 * joints.bend))
    stance = 0.24 * w
    feet = (_add((-stance, 0.0), joints.feet[0]), _add((stance, 0.0), joints.feet[1]))
    roots = ((hips[0] - 0.22 * w, hips[1] - 0.04), (hips[0] + 0.22 * w, hips[1] - 0.04))
    knees = (_middle(roots[0], feet[0], -0.14), _middle(roots[1], feet[1], -0.14))
    return _Frame(hips, neck, shoulders, elbows, hands, knees, feet, head, w)


def draw_character(
    canvas: Canvas,
    design: Design,
    expression: Expression,
    pose: Pose,
    x: float,
    y: float,
    height: float,
    face_id: int | None,
) -> HeadDrawn:
    """Draws a whole character standing on (x, y) whose standing height is ``height``, in units of the canvas."""
    joints = ACTIONS[pose.action](pose.phase % 1.0)
    inks = inks_of(design, replace(expression, tint_amount=0.0))
    frame = _layout(design, joints)
    side = 1.0 if pose.facing >= 0.0 else -1.0
    squash = 1.0 + 0.35 * expression.stretch * design.stretchable
    line = design.outline * design.head_share / (2.0 * design.height)
    body_inks = replace(inks, width=line)
    with canvas.at(x, y, rotate=pose.lean, scale=(height / math.sqrt(squash), height * squash)):
        with canvas.at(scale=(side, 1.0)):
            _tail(canvas, design, body_inks, frame, pose.phase)
            _leg(canvas, design, body_inks, frame, 0)
            _arm(canvas, design, body_inks, frame, 0)
            _leg(canvas, design, body_inks, frame, 1)
            _torso(canvas, design, body_inks, frame)
            if not joints.front:
                _arm(canvas, design, body_inks, frame, 1)
        size = design.head_share
        head = replace(pose, roll=pose.roll + side * joints.roll)
        drawn = draw_head(canvas, design, expression, head, side * frame.head[0], frame.head[1], size, face_id)
        if joints.front:
            with canvas.at(scale=(side, 1.0)):
                _arm(canvas, design, body_inks, frame, 0)
                _arm(canvas, design, body_inks, frame, 1)
    return drawn


def _limb(canvas: Canvas, points: list[Point], colour: Colour, thick: float, inks: Inks) -> None:
    path = smooth(points, closed=False, steps=8)
    if inks.width > 0.0:
        canvas.stroke(path, inks.ink, thick + 2.0 * inks.width, face=0)
    canvas.stroke(path, colour, thick, face=0)


def _leg(canvas: Canvas, design: Design, inks: Inks, frame: _Frame, which: int) -> None:
    foot = frame.feet[which]
    offset = 0.22 * frame.width * (1 if which else -1)
    root = (frame.hips[0] + offset, frame.hips[1] - 0.04)
    ankle = (foot[0], foot[1] - 0.03)
    colour = design.feet_colour if design.hands == "wing" else inks.skin
    if design.clothes == "trousers":
        colour = design.clothes_colour
    thick = design.limb * (0.55 if design.hands == "wing" else 1.1)
    _limb(canvas, [root, frame.knees[which], ankle], colour, thick, inks)
    _foot(canvas, design, inks, foot)


def _foot(canvas: Canvas, design: Design, inks: Inks, foot: Point) -> None:
    x, y = foot
    s = design.limb
    if design.hands == "wing":  # webbed
        points = [
            (x - 0.5 * s, y - 0.45 * s),
            (x + 0.6 * s, y - 0.5 * s),
            (x + 1.7 * s, y - 0.2 * s),
            (x + 1.4 * s, y),
            (x + 0.9 * s, y - 0.06 * s),
            (x + 0.4 * s, y + 0.05 * s),
            (x - 0.1 * s, y - 0.06 * s),
            (x - 0.6 * s, y),
        ]
        canvas.shape(smooth(points, steps=4), design.feet_colour, inks.ink, inks.width, face=0)
    elif design.hands == "hoof" and not design.shoes:
        points = [(x - 0.55 * s, y - 0.9 * s), (x + 0.55 * s, y - 0.9 * s), (x + 0.8 * s, y), (x - 0.65 * s, y)]
        canvas.shape(np.array(points), design.feet_colour, inks.ink, inks.width, face=0)
    else:
        colour = design.feet_colour if design.shoes else inks.skin
        canvas.shape(ellipse(x + 0.4 * s, y - 0.42 * s, 1.15 * s, 0.55 * s), colour, inks.ink, inks.width, face=0)
        for k in (0.8, 1.15):
            if not design.shoes:
                toe = np.array([(x + k * s, y - 0.62 * s), (x + (k + 0.05) * s, y - 0.2 * s)])
                canvas.stroke(toe, inks.ink, 0.8 * inks.width)


def _arm(canvas: Canvas, design: Design, inks: Inks, frame: _Frame, which: int) -> None:
    shoulder, elbow, hand = frame.shoulders[which], frame.elbows[which], frame.hands[which]
    colour = inks.skin
    if design.clothes in ("shirt", "dress"):
        colour = design.clothes_colour if design.clothes == "shirt" else inks.skin
    if design.hands == "wing":
        d = np.array(hand) - np.array(shoulder)
        n = np.array([-d[1], d[0]]) * 0.32
        a = np.array(shoulder)
        points = [
            a - 0.5 * n,
            a + 0.55 * d + n * 0.9,
            a + d + 0.35 * n,
            a + 1.05 * d,
            a + 0.85 * d - 0.4 * n,
            a + 0.4 * d - 0.75 * n,
        ]
        canvas.shape(smooth(np.array(points)), paint_of(design, inks.skin, 0, -0.4, 0.2), inks.ink, inks.width, face=0)
        return
    _limb(canvas, [shoulder, elbow, hand], colour, design.limb, inks)
    _hand(canvas, design, inks, elbow, hand)


def _hand(canvas: Canvas, design: Design, inks: Inks, elbow: Point, hand: Point) -> None:
    s = design.limb
    angle = math.atan2(hand[1] - elbow[1], hand[0] - elbow[0])
    colour = design.hand_colour or inks.skin
    if design.hands == "hoof":
        colour = design.hand_colour or design.feet_colour
        canvas.shape(
            ellipse(hand[0], hand[1], 0.62 * s, 0.55 * s, math.degrees(angle)), colour, inks.ink, inks.width, face=0
        )
        return
    r = 0.95 * s if design.hands == "glove" else 0.78 * s
    c, m = math.cos(angle), math.sin(angle)
    palm = (hand[0] + 0.4 * r * c, hand[1] + 0.4 * r * m)
    fingers = (-0.75, 0.0, 0.7) if design.hands == "glove" else (-0.55, 0.45)
    for spread in fingers:
        a = angle + spread
        tip = (palm[0] + 0.95 * r * math.cos(a), palm[1] + 0.95 * r * math.sin(a))
        canvas.shape(
            ellipse(tip[0], tip[1], 0.5 * r, 0.3 * r, math.degrees(a), n=20), colour, inks.ink, inks.width, face=0
        )
    canvas.shape(
        ellipse(palm[0], palm[1], r * 0.85, r * 0.78, math.degrees(angle), n=24), colour, inks.ink, inks.width, face=0
    )


def _torso(canvas: Canvas, design: Design, inks: Inks, frame: _Frame) -> None:
    w, pear = frame.width, design.body_round
    (hx, hy), (nx, ny) = frame.hips, frame.neck
    low = hy + 0.045 + 0.06 * pear
    span = low - ny
    wide, slim = 0.5 * w * (0.86 + 0.26 * pear), 0.5 * w * (0.72 - 0.2 * pear)

    def across(t: float, half: float) -> tuple[Point, Point]:
        cx, cy = nx + (hx - nx) * t, ny + span * t
        return (cx - half, cy), (cx + half, cy)

    levels = ((0.02, 0.55 * slim), (0.22, slim), (0.55, 0.5 * (slim + wide)), (0.8, wide), (0.97, 0.62 * wide))
    left = [across(t, half)[0] for t, half in levels]
    right = [across(t, half)[1] for t, half in levels]
    path = smooth([*left, *reversed(right)])
    canvas.shape(path, paint_of(design, inks.skin, hx, hy - 0.3 * span, 0.5 * w), inks.ink, inks.width, face=0)
    with canvas.clip(path):
        if design.belly:
            canvas.fill(ellipse(hx + 0.06 * w, ny + 0.66 * span, 0.62 * wide, 0.36 * span), inks.light)
        _clothes(canvas, design, inks, (nx, ny), span, w)
    if inks.width > 0.0:
        canvas.stroke(path, inks.ink, inks.width, closed=True)
    if design.clothes in ("scarf", "bowtie"):
        _neckwear(canvas, design, inks, (nx, ny), slim)


def _clothes(canvas: Canvas, design: Design, inks: Inks, neck: Point, span: float, w: float) -> None:
    x, y = neck
    colour, trim = design.clothes_colour, design.clothes_trim
    if design.clothes == "vest":
        for side in (-1.0, 1.0):
            points = [
                (x + side * 0.08 * w, y - 0.02),
                (x + side * w, y - 0.02),
                (x + side * w, y + 0.85 * span),
                (x + side * 0.3 * w, y + 0.85 * span),
                (x + side * 0.05 * w, y + 0.45 * span),
            ]
            canvas.shape(np.array(points), colour, inks.ink, inks.width)
    elif design.clothes in ("dress", "shirt"):
        bottom = 1.1 if design.clothes == "dress" else 0.7
        points = [(x - w, y - 0.02), (x + w, y - 0.02), (x + w, y + bottom * span), (x - w, y + bottom * span)]
        canvas.shape(np.array(points), colour, inks.ink, inks.width)
        if design.clothes == "dress":
            for k in range(9):
                px, py = x + (((k * 37) % 9) / 9 - 0.44) * 1.0 * w, y + (0.15 + 0.8 * ((k * 5) % 9) / 9) * span
                canvas.fill(ellipse(px, py, 0.05 * w, 0.05 * w), trim)
        else:
            for k in range(1, 4):
                canvas.fill(ellipse(x + 0.04 * w, y + 0.17 * k * span, 0.04 * w, 0.04 * w), trim)
    elif design.clothes == "trousers":
        points = [(x - w, y + 0.55 * span), (x + w, y + 0.55 * span), (x + w, y + 1.2 * span), (x - w, y + 1.2 * span)]
        canvas.shape(np.array(points), colour, inks.ink, inks.width)
        for side in (-1.0, 1.0):
            strap = np.array([(x + side * 0.22 * w, y - 0.02), (x + side * 0.26 * w, y + 0.58 * span)])
            canvas.stroke(strap, colour, 0.1 * w)
            canvas.fill(ellipse(x + side * 0.25 * w, y + 0.6 * span, 0.05 * w, 0.05 * w), trim)


def _neckwear(canvas: Canvas, design: Design, inks: Inks, neck: Point, slim: float) -> None:
    x, y = neck
    colour = design.clothes_colour
    y += 0.025
    if design.clothes == "scarf":
        canvas.shape(ellipse(x, y, 1.15 * slim, 0.034), colour, inks.ink, inks.width, face=0)
        tail = [
            (x + 0.5 * slim, y),
            (x + 0.9 * slim, y + 0.02),
            (x + 1.1 * slim, y + 0.15),
            (x + 0.5 * slim, y + 0.16),
            (x + 0.35 * slim, y + 0.03),
        ]
        canvas.shape(np.array(tail), scale_colour(colour, 0.92), inks.ink, inks.width, face=0)
        return
    for side in (-1.0, 1.0):
        wing = [(x, y + 0.01), (x + side * 0.075, y - 0.03), (x + side * 0.075, y + 0.045)]
        canvas.shape(np.array(wing), colour, inks.ink, inks.width, face=0)
    canvas.shape(ellipse(x, y + 0.008, 0.018, 0.022), scale_colour(colour, 0.8), inks.ink, inks.width, face=0)


def _tail(canvas: Canvas, design: Design, inks: Inks, frame: _Frame, phase: float) -> None:
    if design.tail == "none":
        return
    x, y = frame.hips
    sway = 0.03 * math.sin(2 * math.pi * phase)
    root = (x - 0.3 * frame.width, y)
    if design.tail == "cat":
        points = [
            root,
            (x - 0.24, y + 0.06),
            (x - 0.33, y - 0.06 + sway),
            (x - 0.27 + sway, y - 0.22),
            (x - 0.33 + 2 * sway, y - 0.31),
        ]
        _limb(canvas, points, inks.skin, 0.75 * design.limb, inks)
        canvas.stroke(smooth(points[-2:], closed=False), mix(inks.skin, inks.light, 0.8), 0.75 * design.limb)
    elif design.tail == "mouse":
        points = [
            root,
            (x - 0.22, y + 0.1),
            (x - 0.34, y + 0.02 + sway),
            (x - 0.4 + sway, y - 0.12),
            (x - 0.5, y - 0.1 + sway),
        ]
        _limb(canvas, points, design.inner_ear, 0.32 * design.limb, inks)
    elif design.tail == "curl":
        t = np.linspace(0.0, 2.4 * math.pi, 26)
        spiral = np.stack([root[0] - 0.01 - 0.009 * t, y - 0.03 - 0.035 * np.sin(t)], axis=1)
        canvas.stroke(spiral, inks.ink, 0.026 + 2 * inks.width, face=0)
        canvas.stroke(spiral, inks.skin, 0.026, face=0)
    elif design.tail == "feathers":
        for k in (-1, 0, 1):
            tip = (root[0] - 0.11 + 0.02 * abs(k), y - 0.09 + 0.05 * k + sway)
            canvas.shape(
                brush(smooth([root, ((root[0] + tip[0]) / 2, y - 0.02 + 0.03 * k), tip], closed=False), 0.07),
                inks.skin,
                inks.ink,
                inks.width,
                face=0,
            )
    elif design.tail == "bushy":
        points = [
            (root[0] + 0.03, y),
            (x - 0.22, y + 0.05),
            (x - 0.36, y - 0.1 + sway),
            (x - 0.33, y - 0.34 + sway),
            (x - 0.2, y - 0.3),
            (x - 0.16, y - 0.1),
        ]
        canvas.shape(smooth(points), inks.skin, inks.ink, inks.width, face=0)
    else:
        canvas.shape(ellipse(root[0] - 0.01, y, 0.045, 0.045), inks.light, inks.ink, inks.width, face=0)
