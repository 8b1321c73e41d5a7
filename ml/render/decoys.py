"""Things that a detector took for faces on real film: stones with pits, knots, chains, hats, bells, portholes, fur.

Each is drawn around the origin with a size of about one unit, as the things of ``props.py`` are.
"""

from __future__ import annotations

import math

import numpy as np

from ml.render.canvas import Canvas, Colour, brush, ellipse, mix, polygon, scale_colour, smooth, tube
from ml.render.ink import BLACK, WHITE, Ink, blob, box, chance, hsv, random_colour, solid, u

Rng = np.random.Generator


def _wood(rng: Rng) -> Colour:
    return hsv(u(rng, 0.03, 0.11), u(rng, 0.25, 0.75), u(rng, 0.2, 0.75))


def _metal(rng: Rng) -> Colour:
    return hsv(u(rng, 0.05, 0.15), u(rng, 0.3, 0.8), u(rng, 0.4, 0.95)) if chance(rng, 0.5) else _stone(rng)


def _stone(rng: Rng) -> Colour:
    return hsv(u(rng, 0, 1), u(rng, 0, 0.25), u(rng, 0.25, 0.95))


def _leaf(rng: Rng) -> Colour:
    return hsv(u(rng, 0.05, 0.45), u(rng, 0.3, 0.9), u(rng, 0.2, 0.85))


def skull_stone(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A pale round stone with two hollows, or with three or one: never a mouth and lids."""
    fill = mix(_stone(rng), WHITE, u(rng, 0, 0.6))
    path = smooth(blob(rng, 9, 0.85, 1.1, u(rng, 0.8, 1.25)))
    solid(c, ink, path, fill)
    dark = scale_colour(fill, u(rng, 0.15, 0.6))
    with c.clip(path):
        for k in range(int(rng.choice([1, 2, 2, 3]))):
            r = u(rng, 0.14, 0.3)
            with c.at(0.75 * (k - 0.5) + u(rng, -0.1, 0.1), u(rng, -0.4, 0.2), scale=r):
                c.fill(smooth(blob(rng, 7, 0.8, 1.2)), dark)
        c.fill(ellipse(u(rng, -0.5, 0.5), 1.0, 1.3, 0.4), scale_colour(fill, 0.75), alpha=0.6)


def boulders(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A heap of rounded stones, lit from above."""
    base = _stone(rng) if chance(rng, 0.6) else _wood(rng)
    for row in range(int(rng.integers(2, 4))):
        for k in range(4):
            fill = scale_colour(base, u(rng, 0.6, 1.2))
            with c.at(-1.2 + 0.75 * k + u(rng, -0.2, 0.2), -0.6 + 0.6 * row, u(rng, -40, 40), u(rng, 0.35, 0.6)):
                path = smooth(blob(rng, 7, 0.8, 1.1, u(rng, 0.9, 1.4)))
                solid(c, ink, path, fill)
                with c.clip(path):
                    c.fill(path + np.array((0.15, 0.45)), scale_colour(fill, 0.7))
                    for _ in range(int(rng.integers(0, 3))):
                        q = u(rng, 0.06, 0.2)
                        c.fill(ellipse(u(rng, -0.6, 0.6), u(rng, -0.5, 0.5), q, q), scale_colour(fill, 0.45))


def knotted_trunk(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A trunk or plank with knots: rings within rings, some in pairs."""
    fill = _wood(rng)
    half = u(rng, 0.4, 0.8)
    path = smooth(
        [(-half, -1.6), (half, -1.6), (half * 0.85, 0), (half * 1.2, 1.6), (-half * 1.2, 1.6), (-half * 0.85, 0)]
    )
    solid(c, ink, path, fill)
    dark = scale_colour(fill, u(rng, 0.35, 0.7))
    with c.clip(path):
        for x in np.linspace(-half, half, int(rng.integers(4, 9))):
            grain = [(float(x) + u(rng, -0.08, 0.08), y) for y in (-1.6, -0.8, 0.0, 0.8, 1.6)]
            c.stroke(smooth(grain, False), dark, u(rng, 0.015, 0.05))
        pair = chance(rng, 0.5)
        y = u(rng, -0.8, 0.4)
        for k in range(int(rng.integers(1, 4))):
            at = ((k % 2 - 0.5) * half, y + 0.9 * (k // 2)) if pair else (u(rng, -half, half), u(rng, -1.3, 1.3))
            r = u(rng, 0.12, 0.24)
            for share, tone in ((1.0, dark), (0.7, fill), (0.4, scale_colour(dark, 0.5))):
                c.fill(ellipse(*at, r * share * 0.8, r * share), tone)


def chain(c: Canvas, rng: Rng, ink: Ink) -> None:
    fill = _metal(rng)
    points = smooth(
        [(-1.6, u(rng, -1, 1)), (-0.5, u(rng, -1, 1)), (0.5, u(rng, -1, 1)), (1.6, u(rng, -1, 1))], False, 3
    )
    r = u(rng, 0.14, 0.26)
    step = np.diff(points, axis=0, append=points[-1:])
    for k, ((x, y), (dx, dy)) in enumerate(zip(points, step, strict=True)):
        angle = math.degrees(math.atan2(dy, dx))
        thin = 1.0 if k % 2 else 0.45
        c.stroke(ellipse(x, y, 1.25 * r, r * thin, angle), ink.line(fill), 0.5 * r + 2 * ink.width, closed=True, face=0)
        c.stroke(ellipse(x, y, 1.25 * r, r * thin, angle), fill, 0.5 * r, closed=True)


def hat(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A hat nobody wears: bowler, top hat, sailor's cap, straw."""
    fill = random_colour(rng) if chance(rng, 0.6) else scale_colour(_stone(rng), 0.4)
    tall, wide = u(rng, 0.5, 1.4), u(rng, 0.45, 0.7)
    solid(c, ink, ellipse(0, 0.4, 1.15, u(rng, 0.15, 0.35)), fill)
    crown = [(-wide, 0.4), (-wide * u(rng, 0.8, 1.2), 0.4 - tall), (wide * u(rng, 0.8, 1.2), 0.4 - tall), (wide, 0.4)]
    path = smooth(crown) if chance(rng, 0.5) else polygon(crown)
    solid(c, ink, path, fill)
    with c.clip(path):
        c.fill(box(-1.2, 0.05, 1.2, 0.3), random_colour(rng))
        if chance(rng, 0.3):
            c.fill(ellipse(0, 0.15, 0.14, 0.14), WHITE)


def bell(c: Canvas, rng: Rng, ink: Ink) -> None:
    fill = _metal(rng)
    solid(c, ink, ellipse(0, 0.85, 0.24, 0.24), scale_colour(fill, 0.6), y=0.85, r=0.24)
    solid(c, ink, smooth([(0, -1), (0.45, -0.7), (0.55, 0.2), (1, 0.8), (-1, 0.8), (-0.55, 0.2), (-0.45, -0.7)]), fill)
    c.fill(ellipse(-0.25, -0.25, 0.1, 0.45, 10), mix(fill, WHITE, 0.6))
    c.stroke(polygon([(-0.8, 0.55), (0.8, 0.55)]), ink.line(fill), 0.06)


def pot(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A cooking pot or kettle with two handles and rivets."""
    fill = _metal(rng)
    for side in (-1, 1):
        c.stroke(ellipse(side * 0.95, 0, 0.25, 0.2), ink.line(fill), 0.12, closed=True, face=0)
    path = smooth([(-0.9, -0.6), (0.9, -0.6), (1.0, 0.1), (0.6, 0.8), (-0.6, 0.8), (-1.0, 0.1)])
    solid(c, ink, path, fill)
    for x in (-0.4, 0.4):
        c.fill(ellipse(x, u(rng, -0.3, 0.0), 0.09, 0.09), scale_colour(fill, 0.5))
    solid(c, ink, ellipse(0, -0.65, 0.92, u(rng, 0.12, 0.3)), scale_colour(fill, u(rng, 0.4, 1.1)), y=-0.65)
    if chance(rng, 0.5):
        solid(c, ink, ellipse(0, -0.95, 0.16, 0.14), scale_colour(fill, 0.7), y=-0.95, r=0.16)


def portholes(c: Canvas, rng: Rng, ink: Ink) -> None:
    """Round windows in a hull or a wall, often two."""
    wall = random_colour(rng)
    count = int(rng.choice([1, 2, 2, 3]))
    solid(c, ink, box(-0.75 * count, -0.9, 0.75 * count, 0.9), wall)
    glass, frame = scale_colour(random_colour(rng), u(rng, 0.2, 1.0)), _metal(rng)
    for k in range(count):
        x = 1.35 * (k - (count - 1) / 2)
        solid(c, ink, ellipse(x, 0, 0.55, 0.55), frame, x, 0, 0.55)
        c.shape(ellipse(x, 0, 0.4, 0.4), glass, ink.line(glass), 0.6 * ink.width)
        c.fill(ellipse(x - 0.13, -0.15, 0.1, 0.07, 30), WHITE)
        for i in range(8):
            t = math.pi * i / 4
            c.fill(ellipse(x + 0.48 * math.cos(t), 0.48 * math.sin(t), 0.035, 0.035), BLACK)


def bulbs(c: Canvas, rng: Rng, ink: Ink) -> None:
    """Lamps side by side, like the lights of a motor car or of a stage."""
    glow = hsv(u(rng, 0.08, 0.18), u(rng, 0.1, 0.6), 1.0)
    body = random_colour(rng)
    solid(c, ink, smooth([(-1.3, -0.5), (1.3, -0.5), (1.5, 0.5), (0, 0.75), (-1.5, 0.5)]), body)
    for x in (-0.85, 0.85):
        solid(c, ink, ellipse(x, 0, 0.42, 0.42), mix(body, WHITE, 0.4), x, 0, 0.42)
        c.fill(ellipse(x, 0, 0.3, 0.3), glow)
    for y in np.linspace(0.0, 0.45, int(rng.integers(2, 5))):
        c.stroke(polygon([(-0.35, float(y)), (0.35, float(y))]), ink.line(body), 0.05)


def buttons(c: Canvas, rng: Rng, ink: Ink) -> None:
    """Buttons with two or four holes, loose or on cloth."""
    if chance(rng, 0.6):
        solid(c, ink, smooth(blob(rng, 8, 0.9, 1.3)), random_colour(rng))
    fill = random_colour(rng)
    holes = int(rng.choice([2, 4]))
    for k in range(int(rng.integers(1, 4))):
        x, y = (k - 1) * u(rng, 0.3, 0.75), u(rng, -0.4, 0.4)
        solid(c, ink, ellipse(x, y, 0.32, 0.32), fill, x, y, 0.32)
        for i in range(holes):
            t = 2 * math.pi * i / holes + 0.5
            c.fill(ellipse(x + 0.12 * math.cos(t), y + 0.12 * math.sin(t), 0.055, 0.055), scale_colour(fill, 0.25))


def fur_patch(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A furry back or a rug: rows of strokes, with spots or stripes."""
    fill = _wood(rng) if chance(rng, 0.6) else random_colour(rng)
    path = smooth(blob(rng, 10, 0.85, 1.15, u(rng, 0.9, 1.5)))
    solid(c, ink, path, fill)
    with c.clip(path):
        for _ in range(int(rng.integers(0, 6))):
            r = u(rng, 0.1, 0.3)
            c.fill(
                ellipse(u(rng, -1, 1), u(rng, -0.9, 0.9), r, r * u(rng, 0.6, 1.2)), scale_colour(fill, u(rng, 0.3, 0.7))
            )
        lean = u(rng, -0.5, 0.5)
        for _ in range(34):
            x, y, n = u(rng, -1.4, 1.4), u(rng, -1.1, 1.0), u(rng, 0.12, 0.3)
            hair = np.array([(x, y), (x + 0.5 * lean * n, y + 0.5 * n), (x + lean * n, y + n)])
            c.fill(brush(hair, 0.05), scale_colour(fill, u(rng, 0.55, 1.3)))


def feathers(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A wing or tail spread like a fan, at times with an eye spot on each feather."""
    fill = random_colour(rng)
    spots = chance(rng, 0.4)
    count = int(rng.integers(5, 10))
    for k in range(count):
        t = -90 + (k - (count - 1) / 2) * u(rng, 16, 24)
        q = math.radians(t)
        x, y = 0.75 * math.cos(q), 0.4 + 0.9 * math.sin(q)
        solid(c, ink, ellipse(x, y, 0.75, 0.2, t), scale_colour(fill, u(rng, 0.75, 1.15)), x, y, 0.5)
        if spots:
            tip = (1.15 * math.cos(q), 0.4 + 1.35 * math.sin(q))
            c.fill(ellipse(*tip, 0.14, 0.14), mix(fill, WHITE, 0.6))
            c.fill(ellipse(*tip, 0.07, 0.07), scale_colour(fill, 0.25))


def leaves(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A bough: many leaves over one another, light and dark, with gaps."""
    base = _leaf(rng)
    for _ in range(int(rng.integers(14, 26))):
        x, y, t, n = u(rng, -1.3, 1.3), u(rng, -1, 1), u(rng, 0, 360), u(rng, 0.2, 0.5)
        fill = scale_colour(base, u(rng, 0.45, 1.3))
        with c.at(x, y, t, n):
            leaf = smooth([(-1, 0), (-0.2, -0.45), (1, 0), (-0.2, 0.45)], steps=4)
            c.shape(leaf, fill, ink.line(fill), 1.6 * ink.width, face=0)
            c.stroke(polygon([(-0.8, 0), (0.8, 0)]), scale_colour(fill, 0.7), 0.06)


def fruit(c: Canvas, rng: Rng, ink: Ink) -> None:
    """Fruit, eggs or gourds in a pile, each with its light spot."""
    fill = random_colour(rng)
    for k in range(int(rng.integers(1, 6))):
        x, y = (k % 3 - 1) * 0.75, 0.4 - 0.7 * (k // 3) + u(rng, -0.1, 0.1)
        solid(
            c,
            ink,
            ellipse(x, y, 0.48, u(rng, 0.4, 0.6), u(rng, -20, 20)),
            scale_colour(fill, u(rng, 0.8, 1.15)),
            x,
            y,
            0.5,
        )
        c.fill(ellipse(x - 0.15, y - 0.18, 0.1, 0.07), WHITE)
        if chance(rng, 0.5):
            c.fill(ellipse(x + u(rng, -0.1, 0.2), y + 0.1, 0.06, 0.06), scale_colour(fill, 0.3))


def dots(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A pair of dots, one higher than the other, on a box or a blob of paint; never with a mouth."""
    fill, mark = random_colour(rng), BLACK if chance(rng, 0.6) else random_colour(rng)
    square = chance(rng, 0.6)
    solid(c, ink, box(-1, -0.8, 1, 0.8) if square else smooth(blob(rng, 5, 0.7, 1.5)), fill)
    r, gap = u(rng, 0.06, 0.24), u(rng, 0.25, 0.6)
    tilt, ring = u(rng, 0.1, 0.5) * (1 if chance(rng, 0.5) else -1), square and chance(rng, 0.4)
    for side in (-1, 1):
        x, y = side * gap, u(rng, -0.3, 0.3) + side * tilt
        if ring:
            c.fill(ellipse(x, y, 1.5 * r, 1.5 * r), WHITE)
        c.fill(ellipse(x, y, r, r), mark)


def bones(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A bone, a club, a dumb-bell: two round ends."""
    fill = mix(_stone(rng), WHITE, 0.5)
    solid(c, ink, tube(polygon([(-0.9, 0.0), (0.0, 0.05), (0.9, 0.0)]), u(rng, 0.2, 0.5), u(rng, 0.2, 0.5)), fill)
    for x in (-1, 1):
        for y in (-0.22, 0.22):
            solid(c, ink, ellipse(x, y, 0.3, 0.28), fill, x, y, 0.3)
    c.fill(box(-0.9, -0.08, 0.9, 0.08), fill)


def sky_patch(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A hole in cloud or foliage through which the sky is seen."""
    base = mix(WHITE, random_colour(rng), u(rng, 0.1, 0.8))
    sky = hsv(u(rng, 0.5, 0.68), u(rng, 0.1, 0.6), u(rng, 0.4, 1.0))
    for _ in range(9):
        r = u(rng, 0.4, 0.75)
        c.fill(ellipse(u(rng, -1, 1), u(rng, -0.7, 0.7), r, 0.8 * r), scale_colour(base, u(rng, 0.85, 1.0)), face=0)
    for _ in range(int(rng.integers(1, 4))):
        with c.at(u(rng, -0.8, 0.8), u(rng, -0.5, 0.5)):
            c.fill(smooth(blob(rng, 7, 0.12, 0.4, u(rng, 1, 1.6))), sky)


DECOYS = (
    skull_stone, boulders, knotted_trunk, chain, hat, bell, pot, portholes, bulbs, buttons, fur_patch, feathers,
    leaves, fruit, dots, bones, sky_patch,
)  # fmt: skip
