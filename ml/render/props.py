"""Things that are no faces though a detector may think so: stones, cheese, balls, knobs, clothes, lettering, bodies.

Every prop is drawn around the origin with a size of about one unit; ``draw_prop`` puts it somewhere. A prop hides the
faces behind it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ml.render.bodies import body, haunch, paw
from ml.render.canvas import Canvas, ellipse, mix, polygon, scale_colour, smooth, tube
from ml.render.decoys import DECOYS
from ml.render.ink import BLACK, WHITE, Ink, blob, box, chance, hsv, random_colour, random_ink, solid, u

__all__ = [
    "PROPS", "Ink", "ball", "barrel", "bell_jar", "board", "body", "cheese", "clock", "cloud", "draw_prop",
    "drawers", "flower", "foliage", "haunch", "hsv", "lamp", "lettering", "moon", "paw", "picture", "plate", "reel",
    "rock", "shirt", "snake", "star", "sun", "tree", "vase", "wheel", "window",
]  # fmt: skip

Rng = np.random.Generator


# ------------------------------------------------------------------------------------------------ round things


def ball(c: Canvas, rng: Rng, ink: Ink) -> None:
    fill = random_colour(rng)
    solid(c, ink, ellipse(0, 0, 1, u(rng, 0.75, 1.15)), fill)
    kind = rng.random()
    if kind < 0.3:
        solid(c, ink, ellipse(0, 0, 0.6, 0.6), random_colour(rng), r=0.6)
        if chance(rng, 0.6):
            c.fill(ellipse(0, 0, 0.18, 0.18), BLACK)
    elif kind < 0.55:
        for k in (-0.5, 0.0, 0.5):
            c.stroke(smooth([(k * 0.6, -0.95), (k * 1.6, 0), (k * 0.6, 0.95)], False), ink.line(fill), 0.04)
    if chance(rng, 0.4):
        c.fill(ellipse(-0.35, -0.4, 0.18, 0.12, 30), WHITE)


def rock(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A stone, bush or lump with pits and cracks, some of them where eyes and a mouth might be."""
    r = rng.random()
    fill = (
        hsv(u(rng, 0.04, 0.16), u(rng, 0.1, 0.8), u(rng, 0.35, 1))
        if r < 0.5
        else hsv(u(rng, 0.5, 0.8), 0.12, u(rng, 0.2, 0.85))
        if r < 0.8
        else hsv(u(rng, 0.2, 0.42), u(rng, 0.3, 0.85), u(rng, 0.2, 0.75))
    )
    corners = blob(rng, int(rng.integers(6, 12)), 0.75, 1.15, u(rng, 1, 1.6))
    path = smooth(corners) if chance(rng, 0.6) else corners
    solid(c, ink, path, fill)
    with c.clip(path):
        for _ in range(int(rng.integers(0, 8))):
            q = u(rng, 0.05, 0.28)
            c.fill(
                ellipse(u(rng, -1.1, 1.1), u(rng, -0.9, 0.9), q * u(rng, 0.7, 1.4), q),
                scale_colour(fill, u(rng, 0.4, 0.85)),
            )
        for _ in range(int(rng.integers(0, 4))):
            a, b = u(rng, -1, 1), u(rng, -0.9, 0.9)
            crack = [
                (a, b),
                (a + u(rng, -0.4, 0.4), b + u(rng, -0.3, 0.3)),
                (a + u(rng, -0.8, 0.8), b + u(rng, -0.6, 0.6)),
            ]
            c.stroke(smooth(crack, False), scale_colour(fill, u(rng, 0.3, 0.7)), u(rng, 0.02, 0.06))


def cheese(c: Canvas, rng: Rng, ink: Ink) -> None:
    fill = hsv(u(rng, 0.11, 0.16), u(rng, 0.5, 0.85), u(rng, 0.85, 1))
    path = (
        polygon([(-1, 0.6), (-1, 0.0), (0.7, -0.6), (1, 0.0), (1, 0.6)])
        if chance(rng, 0.6)
        else ellipse(0, 0, 1, 0.9, power=2.6)
    )
    solid(c, ink, path, fill)
    with c.clip(path):
        for _ in range(int(rng.integers(3, 9))):
            q = u(rng, 0.07, 0.22)
            c.shape(
                ellipse(u(rng, -1, 1), u(rng, -0.4, 0.6), q, q * 0.85),
                scale_colour(fill, 0.75),
                ink.line(fill),
                ink.width * 0.6,
            )


def wheel(c: Canvas, rng: Rng, ink: Ink) -> None:
    rim, hub = random_colour(rng), random_colour(rng)
    solid(c, ink, ellipse(0, 0, 1, 1), rim)
    solid(c, ink, ellipse(0, 0, 0.78, 0.78), mix(rim, WHITE, 0.5) if chance(rng, 0.6) else random_colour(rng))
    n = int(rng.integers(3, 10))
    for i in range(n):
        t = 2 * math.pi * i / n
        c.stroke(polygon([(0, 0), (0.8 * math.cos(t), 0.8 * math.sin(t))]), rim, 0.08)
    solid(c, ink, ellipse(0, 0, 0.22, 0.22), hub, r=0.22)


def reel(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A film reel, a button, a plug: a disc with two to five holes."""
    fill, hole = random_colour(rng), BLACK if chance(rng, 0.5) else random_colour(rng)
    solid(c, ink, ellipse(0, 0, 1, u(rng, 0.7, 1)), fill)
    n = int(rng.integers(2, 6))
    start = u(rng, 0, 6.28)
    for i in range(n):
        t = start + 2 * math.pi * i / n
        c.fill(ellipse(0.5 * math.cos(t), 0.5 * math.sin(t), 0.2, 0.2), hole)


def plate(c: Canvas, rng: Rng, ink: Ink) -> None:
    fill = random_colour(rng)
    flat = u(rng, 0.25, 1)
    solid(c, ink, ellipse(0, 0, 1, flat), fill)
    c.shape(ellipse(0, 0, 0.68, 0.68 * flat), mix(fill, WHITE, 0.4), ink.line(fill), ink.width * 0.7)
    for _ in range(int(rng.integers(0, 5))):
        solid(
            c,
            ink,
            ellipse(u(rng, -0.4, 0.4), u(rng, -0.4, 0.3) * flat, u(rng, 0.1, 0.25), u(rng, 0.1, 0.25)),
            random_colour(rng),
            r=0.2,
        )


def clock(c: Canvas, rng: Rng, ink: Ink) -> None:
    solid(c, ink, ellipse(0, 0, 1, 1), random_colour(rng))
    solid(c, ink, ellipse(0, 0, 0.8, 0.8), WHITE)
    for i in range(12):
        t = math.pi * i / 6
        c.fill(ellipse(0.66 * math.cos(t), 0.66 * math.sin(t), 0.05, 0.05), BLACK)
    for length in (0.35, 0.6):
        t = u(rng, 0, 6.28)
        c.stroke(polygon([(0, 0), (length * math.cos(t), length * math.sin(t))]), BLACK, 0.07)


def sun(c: Canvas, rng: Rng, ink: Ink) -> None:
    fill = hsv(u(rng, 0.08, 0.16), u(rng, 0.2, 0.9), 1)
    n = int(rng.integers(8, 16))
    if chance(rng, 0.6):
        t = np.arange(2 * n) * math.pi / n
        r = np.where(np.arange(2 * n) % 2 == 0, 1.5, 1.05)
        solid(c, ink, np.stack([r * np.cos(t), r * np.sin(t)], axis=1), mix(fill, (255, 140, 0), 0.3))
    solid(c, ink, ellipse(0, 0, 1, 1), fill)


def moon(c: Canvas, rng: Rng, ink: Ink) -> None:
    fill = hsv(u(rng, 0.1, 0.17), u(rng, 0, 0.4), u(rng, 0.8, 1))
    if chance(rng, 0.5):
        t = np.linspace(-1.9, 1.9, 20)
        outer = np.stack([-np.cos(t), np.sin(t)], axis=1)
        inner = np.stack([0.35 - 0.75 * np.cos(t[::-1]), 0.9 * np.sin(t[::-1])], axis=1)
        solid(c, ink, np.concatenate([outer, inner]), fill)
    else:
        solid(c, ink, ellipse(0, 0, 1, 1), fill)
        for _ in range(int(rng.integers(2, 8))):
            q = u(rng, 0.06, 0.22)
            c.fill(ellipse(u(rng, -0.6, 0.6), u(rng, -0.6, 0.6), q, q), scale_colour(fill, u(rng, 0.75, 0.92)))


# ------------------------------------------------------------------------------------------------ things at home


def vase(c: Canvas, rng: Rng, ink: Ink) -> None:
    fill = random_colour(rng)
    half = [(u(rng, 0.2, 0.4), -1.0), (u(rng, 0.12, 0.25), -0.7), (u(rng, 0.5, 0.9), 0.1), (u(rng, 0.25, 0.5), 0.9)]
    path = smooth(half + [(-x, y) for x, y in reversed(half)])
    solid(c, ink, path, fill)
    with c.clip(path):
        for _ in range(int(rng.integers(0, 4))):
            y = u(rng, -0.6, 0.8)
            c.fill(box(-1, y, 1, y + u(rng, 0.05, 0.2)), random_colour(rng))
        if chance(rng, 0.4):
            for x in (-0.25, 0.25):
                c.fill(ellipse(x, 0.05, 0.12, 0.12), random_colour(rng))
    if chance(rng, 0.4):
        for side in (-1, 1):
            c.stroke(
                smooth([(side * 0.3, -0.6), (side * 0.95, -0.4), (side * 0.6, 0.2)], False), ink.line(fill), 0.1, face=0
            )


def barrel(c: Canvas, rng: Rng, ink: Ink) -> None:
    fill = hsv(u(rng, 0.03, 0.11), u(rng, 0.3, 0.8), u(rng, 0.3, 0.8))
    path = smooth([(-0.6, -1), (0.6, -1), (0.85, 0), (0.6, 1), (-0.6, 1), (-0.85, 0)])
    solid(c, ink, path, fill)
    with c.clip(path):
        for x in (-0.5, -0.2, 0.15, 0.45):
            c.stroke(smooth([(x * 0.8, -1), (x * 1.25, 0), (x * 0.8, 1)], False), scale_colour(fill, 0.6), 0.03)
        for y in (-0.65, 0.6):
            c.fill(box(-1, y, 1, y + 0.14), hsv(0.6, 0.1, u(rng, 0.2, 0.7)))
    if chance(rng, 0.4):
        c.fill(ellipse(0, 0, 0.12, 0.12), BLACK)


def lamp(c: Canvas, rng: Rng, ink: Ink) -> None:
    shade = random_colour(rng)
    solid(c, ink, box(-0.06, -0.1, 0.06, 1.0), random_colour(rng))
    solid(c, ink, ellipse(0, 1.0, 0.45, 0.12), random_colour(rng), y=1.0, r=0.3)
    solid(c, ink, polygon([(-0.35, -0.9), (0.35, -0.9), (0.75, 0), (-0.75, 0)]), shade)


def drawers(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A chest with paired knobs, a cooker, a cupboard: the most face-like furniture."""
    fill = random_colour(rng)
    solid(c, ink, box(-1, -1, 1, 1), fill)
    knob = random_colour(rng)
    rows = int(rng.integers(1, 5))
    for i in range(rows):
        y1, y2 = -0.9 + 1.8 * i / rows, -0.9 + 1.8 * (i + 1) / rows - 0.1
        c.shape(box(-0.88, y1, 0.88, y2), mix(fill, WHITE, 0.2), ink.line(fill), max(0.02, ink.width * 0.7))
        for x in (-0.45, 0.45):
            c.shape(ellipse(x, (y1 + y2) / 2, 0.11, 0.11), knob, ink.line(knob), ink.width * 0.6)


def window(c: Canvas, rng: Rng, ink: Ink) -> None:
    fill = random_colour(rng)
    wide = u(rng, 0.7, 1.4)
    solid(c, ink, box(-wide, -1, wide, 1), fill)
    solid(c, ink, box(-wide * 0.86, -0.86, wide * 0.86, 0.86), random_colour(rng))
    c.stroke(polygon([(0, -0.9), (0, 0.9)]), fill, 0.1)
    c.stroke(polygon([(-wide * 0.9, 0), (wide * 0.9, 0)]), fill, 0.1)


def picture(c: Canvas, rng: Rng, ink: Ink) -> None:
    wide = u(rng, 0.7, 1.4)
    solid(c, ink, box(-wide, -1, wide, 1), random_colour(rng))
    inner = box(-wide * 0.8, -0.8, wide * 0.8, 0.8)
    solid(c, ink, inner, random_colour(rng))
    with c.clip(inner):
        for _ in range(int(rng.integers(1, 4))):
            x, y = u(rng, -1, 1), u(rng, -0.4, 0.9)
            with c.at(x, y):
                c.fill(smooth(blob(rng, 8, 0.2, 0.6)), random_colour(rng))


def board(c: Canvas, rng: Rng, ink: Ink) -> None:
    """Planks, a fence, a crate, steps."""
    fill = random_colour(rng)
    w, h = u(rng, 0.5, 1.6), u(rng, 0.4, 1.3)
    path = box(-w, -h, w * u(rng, 0.85, 1.15), h)
    solid(c, ink, path, fill)
    n = int(rng.integers(2, 6))
    for i in range(1, n):
        at = -1 + 2 * i / n
        line = polygon([(-w, at * h), (w, at * h)]) if chance(rng, 0.5) else polygon([(at * w, -h), (at * w, h)])
        c.stroke(line, ink.line(fill), max(0.02, ink.width))


def bell_jar(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A glass, a bowl, a jar with something round in it."""
    fill = random_colour(rng)
    solid(
        c,
        ink,
        smooth([(-0.7, -0.8), (0.7, -0.8), (0.85, 0.3), (0.5, 1), (-0.5, 1), (-0.85, 0.3)]),
        mix(fill, WHITE, 0.5),
    )
    c.fill(ellipse(0, 0.35, 0.6, 0.5), fill)
    c.shape(ellipse(0, -0.8, 0.7, 0.14), mix(fill, WHITE, 0.7), ink.line(fill), ink.width)


# ------------------------------------------------------------------------------------------------ clothes, words


def shirt(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A torso in clothes: buttons like eyes, a tie or bow like a nose, a pocket like a mouth."""
    fill = random_colour(rng)
    path = smooth([(-0.45, -1), (0.45, -1), (1, -0.6), (0.85, 1), (-0.85, 1), (-1, -0.6)])
    solid(c, ink, path, fill)
    with c.clip(path):
        if chance(rng, 0.3):
            for y in np.arange(-1.0, 1.0, u(rng, 0.25, 0.5)):
                c.fill(box(-1.2, float(y), 1.2, float(y) + 0.13), random_colour(rng))
        c.stroke(polygon([(0, -1), (0, 1)]), ink.line(fill), max(0.02, ink.width))
    collar = random_colour(rng)
    for side in (-1, 1):
        solid(c, ink, polygon([(0, -0.6), (side * 0.5, -1.05), (side * 0.6, -0.6)]), collar)
    button = random_colour(rng)
    double = chance(rng, 0.4)
    for i in range(int(rng.integers(0, 5))):
        for x in (-0.25, 0.25) if double else (0.1,):
            c.shape(ellipse(x, -0.3 + 0.33 * i, 0.09, 0.09), button, ink.line(button), ink.width * 0.5)
    if chance(rng, 0.5):
        tie = random_colour(rng)
        if chance(rng, 0.5):
            solid(c, ink, polygon([(-0.1, -0.8), (0.1, -0.8), (0.22, 0.3), (0, 0.55), (-0.22, 0.3)]), tie)
        else:
            for side in (-1, 1):
                solid(c, ink, polygon([(0, -0.7), (side * 0.45, -0.95), (side * 0.45, -0.45)]), tie)


def lettering(c: Canvas, rng: Rng, ink: Ink) -> None:
    letters = "ABCDEFGHIJKLMNOPRSTUVWOOQ0835"
    words = "".join(letters[int(i)] for i in rng.integers(0, len(letters), int(rng.integers(2, 10))))
    c.text(words, 0, 0, u(rng, 0.4, 0.9), WHITE if chance(rng, 0.5) else random_colour(rng), u(rng, 0.08, 0.2))


# ------------------------------------------------------------------------------------------------ outdoors


def cloud(c: Canvas, rng: Rng, ink: Ink) -> None:
    fill = mix(WHITE, random_colour(rng), u(rng, 0, 0.3))
    puffs = [(u(rng, -1.2, 1.2), u(rng, -0.4, 0.3), u(rng, 0.35, 0.7)) for _ in range(int(rng.integers(4, 8)))]
    if ink.width and chance(rng, 0.4):
        for x, y, r in puffs:
            c.stroke(ellipse(x, y, r, r * 0.8), ink.line(fill), ink.width * 2, closed=True)
    for x, y, r in puffs:
        c.fill(ellipse(x, y, r, r * 0.8), fill, face=0)


def tree(c: Canvas, rng: Rng, ink: Ink) -> None:
    trunk = hsv(u(rng, 0.03, 0.1), u(rng, 0.3, 0.7), u(rng, 0.2, 0.6))
    solid(c, ink, smooth([(-0.14, -0.2), (0.14, -0.2), (0.2, 1.3), (0.35, 1.5), (-0.35, 1.5), (-0.2, 1.3)]), trunk)
    leaf = hsv(u(rng, 0.18, 0.42), u(rng, 0.3, 0.9), u(rng, 0.25, 0.8))
    if chance(rng, 0.3):
        for y in (0.4, 0.0, -0.4):
            solid(c, ink, polygon([(0, y - 0.8), (0.75, y + 0.2), (-0.75, y + 0.2)]), leaf, y=y, r=0.6)
    else:
        with c.at(0, -0.6):
            solid(c, ink, smooth(blob(rng, 10, 0.7, 1.05)), leaf)
    if chance(rng, 0.25):
        c.fill(ellipse(0, 0.5, 0.1, 0.16), scale_colour(trunk, 0.4))


def flower(c: Canvas, rng: Rng, ink: Ink) -> None:
    c.stroke(smooth([(0, 0), (u(rng, -0.3, 0.3), 1), (u(rng, -0.3, 0.3), 1.8)], False), hsv(0.3, 0.7, 0.5), 0.1)
    petal = random_colour(rng)
    n = int(rng.integers(5, 9))
    for i in range(n):
        t = 360 * i / n
        k = math.radians(t)
        solid(c, ink, ellipse(0.6 * math.cos(k), 0.6 * math.sin(k), 0.42, 0.26, t), petal, r=0.9)
    solid(c, ink, ellipse(0, 0, 0.35, 0.35), random_colour(rng), r=0.35)


def foliage(c: Canvas, rng: Rng, ink: Ink) -> None:
    """Blades of grass, feathers or reeds."""
    fill = hsv(u(rng, 0.15, 0.45), u(rng, 0.2, 0.9), u(rng, 0.2, 0.85)) if chance(rng, 0.8) else random_colour(rng)
    for _ in range(int(rng.integers(4, 10))):
        x, lean = u(rng, -0.8, 0.8), u(rng, -0.7, 0.7)
        blade = smooth(
            [(x - 0.1, 1), (x + lean * 0.5, 0), (x + lean, u(rng, -1.2, -0.4)), (x + 0.1 + lean * 0.5, 0), (x + 0.1, 1)]
        )
        solid(c, ink, blade, mix(fill, WHITE, u(rng, 0, 0.25)))


def star(c: Canvas, rng: Rng, ink: Ink) -> None:
    n = int(rng.integers(4, 11))
    t = np.arange(2 * n) * math.pi / n + u(rng, 0, 6.28)
    r = np.where(np.arange(2 * n) % 2 == 0, 1.0, u(rng, 0.4, 0.8))
    solid(c, ink, np.stack([r * np.cos(t), r * np.sin(t)], axis=1), random_colour(rng))


def snake(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A rope, hose or tail."""
    path = smooth([(u(rng, -1.6, 1.6), u(rng, -1.2, 1.2)) for _ in range(4)], False)
    fill = random_colour(rng)
    a, b = u(rng, 0.1, 0.4), u(rng, 0.05, 0.4)
    solid(c, ink, tube(path, a, b), fill)


Draw = Callable[[Canvas, Rng, Ink], None]
PROPS: tuple[tuple[Draw, float], ...] = (
    (ball, 0.09), (rock, 0.13), (cheese, 0.04), (wheel, 0.04), (reel, 0.04), (plate, 0.04), (clock, 0.03), (sun, 0.03),
    (moon, 0.03), (vase, 0.05), (barrel, 0.03), (lamp, 0.03), (drawers, 0.04), (window, 0.03), (picture, 0.03),
    (board, 0.05), (bell_jar, 0.02), (shirt, 0.05), (lettering, 0.06), (cloud, 0.04), (tree, 0.05), (flower, 0.04),
    (foliage, 0.04), (star, 0.02), (snake, 0.04), (paw, 0.07), (body, 0.05), (haunch, 0.06),
    *((draw, 0.05) for draw in DECOYS),
)  # fmt: skip
_WEIGHTS = np.array([w for _, w in PROPS])
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def draw_prop(c: Canvas, rng: Rng, x: float, y: float, size: float, ink: Ink | None = None) -> None:
    """One random thing centred at (x, y); ``size`` is about half its width, in pixels."""
    draw = PROPS[int(rng.choice(len(PROPS), p=_WEIGHTS))][0]
    tilt = float(rng.normal()) * 12 if draw is not lettering else 0.0
    with c.at(x, y, tilt, size):
        draw(c, rng, random_ink(rng) if ink is None else ink)
