"""Heads that a turned sphere cannot give: true profiles, and heads thrown back with gaping mouths.

Units: the head spans about -1..1; profiles look to the right and are mirrored by the caller's transform.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ml.render.canvas import Canvas, Colour, Path, brush, ellipse, hull, mix, scale_colour, smooth
from ml.render.expression import Expression
from ml.render.head import HeadDrawn
from ml.render.ink import BLACK, WHITE, Ink, chance, hsv, random_colour, u
from ml.render.palette import fur, hair_tone, pick, skin_tone
from ml.render.parts import hide_parts, parts_of
from ml.types import Emotion

Rng = np.random.Generator
MOUTH: Colour = (96.0, 20.0, 30.0)
TONGUE: Colour = (224.0, 100.0, 108.0)
HELD_OUT_KINDS = ("dragon", "frog", "alien")
THROWN_BACK = (Emotion.HAPPY, Emotion.SAD, Emotion.ANGRY, Emotion.SURPRISED, Emotion.SCARED)  # who throws a head back


@dataclass(frozen=True, slots=True)
class Look:
    kind: str
    skin: Colour
    light: Colour
    bill: Colour
    hair: Colour


def stranger_look(rng: Rng, split: str = "training") -> Look:
    """Somebody made up; in the split ``held_out`` of kinds that training never draws."""
    if split == "held_out":
        kind = pick(rng, *HELD_OUT_KINDS)
        skin = hsv(u(rng, 0.2, 0.9), u(rng, 0.2, 0.8), u(rng, 0.45, 0.9))
        return Look(kind, skin, mix(skin, WHITE, 0.5), hsv(0.1, 0.8, 0.9), hair_tone(rng))
    kind = pick(rng, "man", "man", "tough", "dog", "dog", "bird", "bird", "cat", "rodent")
    skin = skin_tone(rng) if kind in ("man", "tough") else random_colour(rng) if kind == "bird" else fur(rng)
    light = pick(rng, mix(skin, WHITE, 0.5), skin, (246.0, 226.0, 196.0))
    return Look(kind, skin, light, hsv(u(rng, 0.05, 0.15), u(rng, 0.4, 1), u(rng, 0.65, 1)), hair_tone(rng))


class _Head:
    """One drawing in progress: what it is drawn on, in which colours, and where its eyes came to lie."""

    def __init__(self, canvas: Canvas, rng: Rng, look: Look, ink: Ink, expression: Expression, face: int) -> None:
        self.canvas, self.rng, self.ink, self.expression, self.face = canvas, rng, ink, expression, face
        self.kind, self.skin, self.light = look.kind, look.skin, look.light
        self.bill, self.hair = look.bill, look.hair
        self.eyes: list[tuple[float, float]] = []

    def part(
        self, path: Path, colour: Colour, face: bool = True, x: float = 0.0, y: float = 0.0, r: float = 1.0
    ) -> None:
        paint = self.ink.paint(colour, x, y, r)
        self.canvas.shape(path, paint, self.ink.line(colour), self.ink.width, face=self.face if face else 0)

    def line(self, points: list[tuple[float, float]], width: float) -> None:
        self.canvas.fill(
            brush(smooth(points, closed=False), width, 0.6),
            self.ink.line(self.skin) if self.ink.width else scale_colour(self.skin, 0.35),
        )

    def eye(self, x: float, y: float, rx: float, ry: float) -> None:
        """An eye looking to the right, with its lid and brow."""
        rng, e, c = self.rng, self.expression, self.canvas
        (place,) = c.to_pixels(np.array([(x, y)]))
        self.eyes.append((float(place[0]), float(place[1])))
        if e.eyes != "open":
            bend = -0.7 * ry if e.eyes == "arch" else 0.5 * ry
            self.line([(x - rx * 1.2, y), (x, y + bend), (x + rx * 1.2, y)], 0.09)
            return
        ry *= e.eye_scale
        path = ellipse(x, y, rx, ry, u(rng, -8, 8))
        if chance(rng, 0.2):
            c.fill(ellipse(x, y, 0.55 * rx, 0.55 * ry), BLACK, self.face)
        else:
            c.shape(path, WHITE, self.ink.line(self.skin), max(0.02, self.ink.width * 0.8), face=self.face)
            with c.clip(path):
                r = 0.6 * rx * e.pupil
                c.fill(ellipse(x + 0.35 * rx, y + 0.25 * e.gaze_y * ry, r, min(1.4 * r, ry)), BLACK)
                lid = y - ry + 2 * ry * max(0.0, e.lid_top)
                tilt = 0.6 * e.lid_angle * ry
                top = y - 2 * ry
                edge = [
                    (x - 1.3 * rx, lid - tilt),
                    (x + 1.3 * rx, lid + tilt),
                    (x + 1.3 * rx, top),
                    (x - 1.3 * rx, top),
                ]
                c.fill(np.array(edge), scale_colour(self.skin, 0.85))
        inner, outer = y - ry - 0.1 - 0.7 * e.brow_inner, y - ry - 0.1 - 0.7 * e.brow_outer
        self.line([(x - 1.3 * rx, outer), (x, (inner + outer) / 2 - 0.05), (x + 1.1 * rx, inner)], u(rng, 0.05, 0.14))


def draw_stranger(
    canvas: Canvas,
    rng: Rng,
    look: Look,
    ink: Ink,
    expression: Expression,
    x: float,
    y: float,
    size: float,
    face: int,
    back: bool | None = None,
) -> HeadDrawn:
    """A made-up head about ``size`` pixels high with its middle at (x, y), turned to either side.

    ``back``: thrown back with a gaping mouth, rather than in profile; None leaves it to chance.
    """
    head = _Head(canvas, rng, look, ink, expression, face)
    side = 1.0 if chance(rng, 0.5) else -1.0
    back = chance(rng, 0.4) if back is None else back
    roll = float(rng.normal()) * 10 - (side * u(rng, 0, 40) if back and chance(rng, 0.4) else 0.0)
    with canvas.at(x, y, roll, (side * size / 2, size / 2)):
        if back:
            _thrown_back(head)
        else:
            _profile(head)
        matrix = canvas.matrix
    return HeadDrawn(len(head.eyes), tuple(head.eyes), None, matrix)


def stranger_parts(expression: Expression, back: bool) -> tuple[float, ...]:
    """The parts of PARTS that a head of this module shows."""
    names = ("ears", "sweat", "brow_asym", "gaze_x", "mouth_width", "teeth", "tongue")
    return hide_parts(parts_of(expression), (*names, "mouth_open") if back else names)


# ------------------------------------------------------------------------------------------------ profiles


def _profile(h: _Head) -> None:
    rng = h.rng
    _behind(h)
    tough = h.kind == "tough"
    opening = min(
        1.0, h.expression.opening if h.expression.mouth in ("open", "oval", "tongue") else 0.25 * h.expression.opening
    )
    if h.kind in ("dog", "cat", "rodent"):
        skull = ellipse(-0.1, -0.12, u(rng, 0.75, 0.95), u(rng, 0.72, 0.9))
        _snout(h, skull, opening)
    elif h.kind == "bird":
        skull = ellipse(-0.1, -0.1, u(rng, 0.65, 0.9), u(rng, 0.7, 0.95))
        _beak(h, skull, opening)
    else:
        _man(h, opening, tough)
    ex, ey = u(rng, 0.22, 0.42), u(rng, -0.38, -0.16)
    rx, ry = u(rng, 0.09, 0.2), u(rng, 0.14, 0.32)
    if chance(rng, 0.45):  # the far eye peeps over the bridge of the nose
        h.eye(ex + rx * 1.3, ey - 0.03, rx * 0.75, ry * 0.95)
    h.eye(ex, ey, rx, ry)
    _before(h)


def _behind(h: _Head) -> None:
    rng = h.rng
    if h.kind in ("cat", "dog", "rodent") and chance(rng, 0.8):
        far = [(0.0, -0.6), (u(rng, -0.1, 0.3), -u(rng, 1.1, 1.6)), (0.4, -0.6)]
        if h.kind == "rodent":
            h.part(ellipse(-0.05, -0.95, 0.42, 0.46), h.skin, face=False)
        elif h.kind == "cat":
            h.part(smooth(far), scale_colour(h.skin, 0.9), face=False)
    if h.kind in ("man", "tough") and chance(rng, 0.5):
        h.part(
            smooth([(-0.9, -0.9), (0.3, -1.15), (0.2, -0.6), (-0.5, 0.2), (-1.15, u(rng, 0.2, 0.9)), (-1.2, -0.3)]),
            h.hair,
            face=False,
        )


def _man(h: _Head, opening: float, tough: bool) -> None:
    """Brow, nose, lips and chin in outline; the jaw of a tough runs ahead of his nose."""
    rng = h.rng
    nose, droop = u(rng, 0.12, 0.6), u(rng, -0.12, 0.2)
    jaw = u(rng, 0.15, 0.4) if tough else u(rng, -0.2, 0.12)
    forehead, low = u(rng, 0.5, 0.85), u(rng, 0.85, 1.15) + 0.3 * opening
    bulb = [(0.7, -0.14), (0.72 + nose, 0.04 + droop), (0.68 + 0.8 * nose, 0.2 + droop), (0.7, 0.26)]
    lips = [(0.76 + 0.3 * jaw, 0.38), (0.7, 0.47), (0.72 + 0.6 * jaw, 0.56 + 0.5 * opening)]
    chin = [(0.66 + jaw, low - 0.12), (0.4 + jaw, low), (-0.1, 0.95), (-0.6, 0.75)]
    skull = [(-0.92, 0.2), (-0.95, -0.35), (-0.55, -0.85), (0.0, -1.0), (forehead, -0.72), (0.74, -0.36)]
    outline = [*skull, *bulb, *lips, *chin]
    h.part(smooth(outline, steps=4), h.skin)
    curve = h.expression.curve
    corner = (u(rng, 0.15, 0.4), 0.48 - 0.2 * curve + 0.2 * opening)
    if opening > 0.12:
        mouth = smooth([(0.71, 0.42), corner, (0.4, 0.6 + 0.5 * opening), (0.7, 0.54 + 0.48 * opening)])
        h.canvas.fill(mouth, MOUTH, h.face)
        with h.canvas.clip(mouth):
            h.canvas.fill(ellipse(0.5, 0.66 + 0.5 * opening, 0.25, 0.18), TONGUE)
            if chance(rng, 0.6):
                h.canvas.fill(ellipse(0.6, 0.42, 0.3, 0.09), WHITE)
    else:
        h.line([(0.74, 0.46), (0.5, 0.5), corner], 0.07)
    if chance(rng, 0.5):  # a bulb of a nose
        h.part(
            ellipse(0.72 + 0.7 * nose, 0.08 + droop, 0.1 + 0.3 * nose, 0.12 + 0.22 * nose),
            mix(h.skin, (230.0, 90.0, 80.0), u(rng, 0, 0.5)),
        )


def _snout(h: _Head, skull: Path, opening: float) -> None:
    rng = h.rng
    length = u(rng, 0.5, 1.1) if h.kind == "dog" else u(rng, 0.15, 0.5)
    y, thick = u(rng, 0.12, 0.32), u(rng, 0.24, 0.36)
    tip = 0.6 + length
    lower = hull(ellipse(0.2, 0.45, 0.35, 0.3), ellipse(tip - 0.25, y + 0.35 + 0.7 * opening, 0.16, 0.12))
    if opening > 0.1:
        h.part(lower, h.light)
        gap = np.array([(0.15, 0.4), (tip - 0.1, y + 0.15), (tip - 0.15, y + 0.35 + 0.65 * opening)])
        h.canvas.fill(gap, MOUTH, h.face)
        h.canvas.fill(
            ellipse(0.45 + 0.3 * length, y + 0.3 + 0.5 * opening, 0.3 * length + 0.08, 0.1, 20 * opening), TONGUE
        )
    h.part(skull, h.skin)
    muzzle = hull(ellipse(0.3, y + 0.1, 0.4, thick + 0.1), ellipse(tip - 0.2, y, 0.22, thick * 0.8))
    h.part(muzzle, h.light if chance(rng, 0.5) else h.skin, x=0.6, y=y, r=0.5)
    if opening <= 0.1:
        curve = h.expression.curve
        h.line([(tip - 0.15, y + 0.2), (0.6, y + 0.3), (0.2, y + 0.28 - 0.25 * curve)], 0.07)
    nose = u(rng, 0.09, 0.2)
    h.canvas.fill(
        ellipse(tip, y - thick * 0.5, nose, nose * 0.8), BLACK if chance(rng, 0.7) else (220.0, 110.0, 120.0), h.face
    )
    if chance(rng, 0.3) and opening > 0.1:
        for k in range(4):
            x = 0.5 + (tip - 0.7) * k / 3
            h.canvas.fill(np.array([(x, y + 0.2), (x + 0.1, y + 0.2), (x + 0.05, y + 0.36)]), WHITE)


def _beak(h: _Head, skull: Path, opening: float) -> None:
    rng = h.rng
    length, deep, hook = u(rng, 0.45, 1.3), u(rng, 0.14, 0.34), u(rng, 0.0, 0.45) if chance(rng, 0.5) else 0.0
    y = u(rng, 0.0, 0.22)
    drop = 0.7 * opening
    lower = smooth(
        [
            (0.4, y + 0.12),
            (0.6 + 0.6 * length, y + 0.2 + drop * 0.9),
            (0.55 + 0.8 * length, y + 0.22 + drop),
            (0.4, y + 0.38 + 0.3 * drop),
        ]
    )
    h.part(lower, scale_colour(h.bill, 0.88))
    if opening > 0.1:
        h.canvas.fill(
            np.array([(0.35, y + 0.1), (0.6 + 0.75 * length, y + 0.1), (0.5 + 0.7 * length, y + 0.18 + 0.85 * drop)]),
            MOUTH,
            h.face,
        )
    h.part(skull, h.skin)
    upper = [
        (0.45, y - deep),
        (0.6 + 0.5 * length, y - deep * 0.9),
        (0.6 + length, y + 0.05),
        (0.6 + length - 0.05, y + 0.12 + hook),
        (0.6 + 0.7 * length, y + 0.12),
        (0.4, y + 0.16),
    ]
    h.part(smooth(upper, steps=4), h.bill, x=0.7, y=y, r=0.5)
    h.canvas.fill(ellipse(0.72, y - 0.4 * deep, 0.06, 0.03), scale_colour(h.bill, 0.4))


def _before(h: _Head) -> None:
    """Near ear, hair, hat, pipe."""
    rng = h.rng
    if h.kind in ("man", "tough"):
        h.part(ellipse(-0.25, 0.05, u(rng, 0.1, 0.18), u(rng, 0.16, 0.26)), h.skin, face=False)
        r = rng.random()
        if r < 0.3:
            h.part(
                smooth(
                    [(-1.0, 0.1), (-1.05, -0.6), (-0.3, -1.1), (0.6, -0.85), (0.45, -0.55), (-0.1, -0.5), (-0.4, -0.05)]
                ),
                h.hair,
                face=False,
            )
        elif r < 0.6:
            cap = random_colour(rng)
            h.part(smooth([(-0.95, -0.5), (-0.85, -1.1), (0.2, -1.25), (0.75, -0.65), (0.0, -0.55)]), cap, face=False)
            if chance(rng, 0.6):
                h.part(
                    smooth([(0.3, -0.7), (1.2, -0.62), (1.1, -0.52), (0.3, -0.56)]), scale_colour(cap, 0.8), face=False
                )
        if chance(rng, 0.2):
            h.part(
                smooth([(-0.3, 0.3), (0.1, 0.35), (0.5, 0.62), (0.75, 0.7), (0.6, u(rng, 1.0, 1.6)), (-0.2, 1.1)]),
                h.hair,
                face=False,
            )
        if h.kind == "tough" and chance(rng, 0.5):  # a pipe
            h.canvas.stroke(
                smooth([(0.75, 0.5), (1.0, 0.55), (1.15, 0.5)], closed=False), (120.0, 84.0, 50.0), 0.08, face=0
            )
            h.part(ellipse(1.2, 0.4, 0.11, 0.16), (140.0, 96.0, 56.0), face=False)
    elif h.kind == "dog":
        h.part(
            smooth([(-0.35, -0.6), (0.0, -0.55), (0.1, 0.2), (-0.1, u(rng, 0.4, 0.9)), (-0.4, 0.3)]),
            scale_colour(h.skin, u(rng, 0.5, 1)),
            face=False,
        )
    elif h.kind == "cat":
        h.part(np.array([(-0.6, -0.6), (-0.35, -u(rng, 1.2, 1.7)), (0.05, -0.75)]), h.skin, face=False)
    elif h.kind == "rodent":
        h.part(ellipse(-0.45, -0.8, u(rng, 0.3, 0.55), u(rng, 0.35, 0.6)), h.skin, face=False)
    elif chance(rng, 0.4):
        for k in range(3):
            h.part(
                ellipse(-0.4 - 0.15 * k, -0.9 + 0.12 * k, 0.32, 0.1, 50 + 25 * k),
                h.skin if chance(rng, 0.6) else random_colour(rng),
                face=False,
            )


# ------------------------------------------------------------------------------------------------ thrown back


def _thrown_back(h: _Head) -> None:
    """Seen from the front and below: the mouth fills the face, eyes and nose crowd its upper rim."""
    rng, c = h.rng, h.canvas
    wide, tall = u(rng, 0.75, 1.05), u(rng, 0.9, 1.15)
    if h.kind in ("cat", "dog", "rodent"):
        for side in (-1, 1):
            h.part(ellipse(side * 0.75, -0.72, u(rng, 0.25, 0.4), u(rng, 0.3, 0.5), side * 30), h.skin, face=False)
    elif chance(rng, 0.6):
        h.part(ellipse(0, -0.55 * tall, wide * 1.05, 0.55), h.hair, face=False)
    h.part(
        smooth(
            [
                (0, -tall),
                (0.75 * wide, -0.75 * tall),
                (wide, 0),
                (0.85 * wide, 0.75 * tall),
                (0, tall),
                (-0.85 * wide, 0.75 * tall),
                (-wide, 0),
                (-0.75 * wide, -0.75 * tall),
            ]
        ),
        h.skin,
    )
    mx, my = u(rng, -0.08, 0.08), u(rng, 0.15, 0.35)
    mw, mh = wide * u(rng, 0.45, 0.8), u(rng, 0.35, 0.62)
    if h.kind == "bird":
        beak = ellipse(mx, my, mw * 1.2, mh * 1.2, power=u(rng, 1.4, 2))
        h.part(beak, h.bill)
    elif h.kind != "man" and chance(rng, 0.6):
        h.part(ellipse(mx, my, mw * 1.25, mh * 1.2), h.light)
    mouth = smooth(
        [
            (mx - mw, my - mh * u(rng, 0.2, 0.7)),
            (mx, my - mh),
            (mx + mw, my - mh * u(rng, 0.2, 0.7)),
            (mx + 0.8 * mw, my + 0.6 * mh),
            (mx, my + mh),
            (mx - 0.8 * mw, my + 0.6 * mh),
        ]
    )
    c.shape(
        mouth,
        pick(rng, MOUTH, (30.0, 8.0, 12.0), (150.0, 36.0, 46.0)),
        h.ink.line(h.skin),
        max(0.02, h.ink.width),
        face=h.face,
    )
    with c.clip(mouth):
        c.fill(ellipse(mx, my + mh * 0.9, 0.65 * mw, 0.5 * mh), TONGUE)
        if chance(rng, 0.7):
            c.fill(ellipse(mx, my - mh * 1.05, 0.9 * mw, 0.35 * mh), WHITE)
        if chance(rng, 0.3):
            c.fill(ellipse(mx, my - 0.35 * mh, 0.08, 0.2), scale_colour(TONGUE, 0.8))
    ey = my - mh - u(rng, 0.16, 0.3)
    ey = max(ey, -0.78 * tall)
    rx, ry = u(rng, 0.1, 0.22), u(rng, 0.09, 0.22)
    gap = rx * u(rng, 1.0, 1.8) + 0.02
    for side in (-1, 1):
        h.eye(mx + side * gap, ey, rx, ry)
    if h.kind != "bird":
        nose = u(rng, 0.07, 0.2)
        ny = my - mh - 0.02
        animal = h.kind in ("cat", "dog", "rodent")
        h.part(ellipse(mx, ny, nose * 1.2, nose * 0.8), BLACK if animal else h.skin, x=mx, y=ny, r=nose)
        if not animal:
            for side in (-1, 1):
                c.fill(
                    ellipse(mx + side * 0.45 * nose, ny + 0.2 * nose, 0.25 * nose, 0.2 * nose),
                    scale_colour(h.skin, 0.35),
                )
    if math.hypot(wide, tall) > 1.4 and chance(rng, 0.3):  # folds of the neck
        h.line([(-0.5 * wide, 0.92 * tall), (0, tall * 1.0), (0.5 * wide, 0.92 * tall)], 0.05)
