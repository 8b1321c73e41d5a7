"""Bodies without heads, lone hands, backs and bellies: what a face detector must leave alone."""

from __future__ import annotations

import math

import numpy as np

from ml.render.canvas import Canvas, Colour, ellipse, mix, smooth, tube
from ml.render.ink import BLACK, WHITE, Ink, blob, box, chance, hsv, random_colour, random_ink, solid, u

Rng = np.random.Generator


def paw(c: Canvas, rng: Rng, ink: Ink, fill: Colour | None = None) -> None:
    """A lone hand, glove or paw with its arm."""
    arm = random_colour(rng) if fill is None else fill
    glove = (
        WHITE
        if chance(rng, 0.4)
        else hsv(u(rng, 0.03, 0.1), u(rng, 0.2, 0.55), u(rng, 0.5, 1))
        if chance(rng, 0.5)
        else arm
    )
    t0 = u(rng, 0, 360)
    k = math.radians(t0 + 180)
    path = smooth(
        [
            (0.3 * math.cos(k), 0.3 * math.sin(k)),
            (1.6 * math.cos(k + 0.2), 1.6 * math.sin(k + 0.2)),
            (3 * math.cos(k), 3 * math.sin(k)),
        ],
        False,
    )
    solid(c, ink, tube(path, 0.55, 0.7), arm)
    for i in range(int(rng.integers(3, 5))):
        q = math.radians(t0 - 40 + 32 * i)
        solid(c, ink, ellipse(0.8 * math.cos(q), 0.8 * math.sin(q), 0.42, 0.18, t0 - 40 + 32 * i), glove, r=0.7)
    c.shape(ellipse(0, 0, 0.6, 0.55), ink.paint(glove, r=0.7), None, 0.0, face=0)


def limb(
    c: Canvas, rng: Rng, ink: Ink, points: list[tuple[float, float]], width: float, fill: Colour, end: Colour
) -> None:
    """An arm or a leg along the points with a round hand or foot at its end."""
    solid(c, ink, tube(smooth(points, False), width * u(rng, 0.9, 1.4), width * u(rng, 0.7, 1.1)), fill)
    x, y = points[-1]
    r = width * u(rng, 0.6, 1.1)
    for i in range(int(rng.integers(0, 4))):
        q = u(rng, 0, 6.28) + 0.5 * i
        solid(
            c, ink, ellipse(x + r * math.cos(q), y + r * math.sin(q), r * 0.6, r * 0.28, math.degrees(q)), end, x, y, r
        )
    solid(c, ink, ellipse(x, y, r * u(rng, 1, 1.5), r * u(rng, 0.7, 1)), end, x, y, r)


def body(c: Canvas, rng: Rng, ink: Ink, fill: Colour | None = None) -> None:
    """A whole figure below a neck at the origin: torso, belly, limbs, feet, tail. One unit is half a head."""
    skin = random_colour(rng) if fill is None else fill
    belly = mix(skin, WHITE, 0.55) if chance(rng, 0.7) else random_colour(rng)
    cloth = skin if chance(rng, 0.55) else random_colour(rng)
    glove = WHITE if chance(rng, 0.3) else skin
    foot = (skin, WHITE, BLACK, random_colour(rng))[int(rng.integers(4))]
    w, h, lean = u(rng, 0.4, 1.5), u(rng, 0.9, 2.6), u(rng, -0.7, 0.7)
    bottom = 0.2 + h
    if chance(rng, 0.4):
        tail = [
            (lean, bottom - 0.3),
            (lean + u(rng, -2, 2), bottom + u(rng, -0.4, 0.6)),
            (lean + u(rng, -2.6, 2.6), bottom + u(rng, -1.6, 0.5)),
        ]
        solid(c, ink, tube(smooth(tail, False), u(rng, 0.15, 0.4), u(rng, 0.05, 0.3)), skin)
    for side in (-1, 1):
        hip, knee = lean + side * w * 0.45, lean + side * w * u(rng, 0.4, 1.1)
        leg = [
            (hip, bottom - 0.3),
            (knee, bottom + u(rng, 0.1, 0.6)),
            (knee + u(rng, -0.5, 0.5), bottom + u(rng, 0.5, 1.4)),
        ]
        limb(c, rng, ink, leg, u(rng, 0.18, 0.55), cloth, foot)
    torso = smooth(
        [
            (-w * 0.4, 0),
            (w * 0.4, 0),
            (lean * 0.5 + w, h * 0.45),
            (lean + w * u(rng, 0.5, 1.2), bottom),
            (lean, bottom + 0.15),
            (lean - w * u(rng, 0.5, 1.2), bottom),
            (lean * 0.5 - w, h * 0.45),
        ]
    )
    solid(c, ink, torso, cloth, lean * 0.5, h * 0.5, h * 0.6)
    with c.clip(torso):
        if chance(rng, 0.45):
            c.fill(ellipse(lean * 0.6, h * 0.6, w * u(rng, 0.4, 0.7), h * u(rng, 0.3, 0.5)), belly)
        elif chance(rng, 0.3):
            c.fill(box(-4, h * u(rng, 0.3, 0.7), 4, 8), random_colour(rng))
    for i in range(int(rng.integers(0, 5)) if chance(rng, 0.3) else 0):
        c.fill(ellipse(lean * 0.3 * i / 4, 0.3 + h * 0.22 * i, 0.09, 0.09), random_colour(rng))
    for side in (-1, 1):
        if chance(rng, 0.85):
            arm = [
                (side * w * 0.5, 0.3),
                (side * w * u(rng, 1, 1.8), u(rng, -0.2, 1.4)),
                (side * w * u(rng, 0.3, 2.4), u(rng, -1.0, 2.0)),
            ]
            limb(c, rng, ink, arm, u(rng, 0.16, 0.4), skin if chance(rng, 0.6) else cloth, glove)
    if chance(rng, 0.25):
        solid(c, ink, ellipse(0, 0.1, u(rng, 0.35, 0.6), 0.18), random_colour(rng), r=0.4)


def haunch(c: Canvas, rng: Rng, ink: Ink, fill: Colour | None = None) -> None:
    """A rounded back, hip or belly near the camera, with the dots and lines that fur has."""
    skin = random_colour(rng) if fill is None else fill
    path = smooth(blob(rng, 7, 0.85, 1.15, u(rng, 0.9, 1.4)))
    solid(c, ink, path, skin)
    with c.clip(path):
        if chance(rng, 0.5):
            c.fill(
                ellipse(u(rng, -0.4, 0.4), u(rng, 0, 0.6), u(rng, 0.4, 0.8), u(rng, 0.4, 0.8)), mix(skin, WHITE, 0.5)
            )
        for _ in range(int(rng.integers(0, 4))):
            x, y = u(rng, -0.8, 0.8), u(rng, -0.8, 0.8)
            c.stroke(
                smooth([(x, y), (x + 0.15, y + 0.12), (x + 0.35, y + 0.1)], False), ink.line(skin), max(0.02, ink.width)
            )


def draw_body(
    c: Canvas, rng: Rng, x: float, y: float, size: float, fill: Colour | None, ink: Ink | None = None
) -> None:
    """A body whose neck is at (x, y); ``size`` is half the height of the head that belongs on it."""
    with c.at(x, y, float(rng.normal()) * 8, size):
        body(c, rng, random_ink(rng) if ink is None else ink, fill)
