"""Places under the sky: garden, street by night, beach, forest, snow."""

from __future__ import annotations

import math

import numpy as np

from ml.render import props
from ml.render.canvas import Canvas, Colour, Radial, ellipse, mix, polygon, scale_colour, smooth
from ml.render.scenery import WHITE, Area, Rng, hsv, put, vertical


def _sky(c: Canvas, area: Area, top: Colour, low: Colour, horizon: float) -> None:
    c.fill(area.band(area.top, horizon + 2), vertical(area, area.top, horizon, top, low))


def _hills(c: Canvas, rng: Rng, area: Area, y: float, tall: float, colour: Colour) -> None:
    n = 9
    points = [(area.x(k / (n - 1)), y - rng.uniform(0.2, 1.0) * tall) for k in range(n)]
    line = smooth(points, closed=False)
    c.fill(np.concatenate([line, [(area.right, area.bottom), (area.left, area.bottom)]]), colour)


def _clouds(c: Canvas, rng: Rng, area: Area, colour: Colour) -> None:
    for _ in range(int(rng.integers(2, 5))):
        x, y, s = area.x(rng.uniform(0, 1)), rng.uniform(0, 90), rng.uniform(16, 30)
        for dx, dy, r in ((0.0, 0.0, 1.0), (1.1, 0.15, 0.8), (-1.1, 0.2, 0.75), (0.5, -0.5, 0.75), (-0.4, -0.35, 0.7)):
            c.fill(ellipse(x + dx * s, y + dy * s, r * s, 0.75 * r * s), colour)


def _round_tree(c: Canvas, rng: Rng, x: float, y: float, s: float, leaf: Colour) -> None:
    trunk: Colour = (122.0, 84.0, 58.0)
    c.shape(
        polygon([(x - 0.13 * s, y), (x - 0.08 * s, y - s), (x + 0.08 * s, y - s), (x + 0.14 * s, y)]),
        trunk,
        scale_colour(trunk, 0.6),
        1.5,
    )
    blobs = [(0.0, -1.25, 0.5), (-0.38, -1.0, 0.38), (0.4, -1.02, 0.38), (0.0, -0.9, 0.36)]
    for dx, dy, r in blobs:
        c.shape(ellipse(x + dx * s, y + dy * s, r * s, 0.92 * r * s), leaf, scale_colour(leaf, 0.7), 2)
    for dx, dy, r in blobs:
        c.fill(ellipse(x + dx * s, y + dy * s, r * s * 0.97, 0.89 * r * s), leaf)
        c.fill(ellipse(x + (dx - 0.08) * s, y + (dy - 0.1) * s, 0.6 * r * s, 0.5 * r * s), mix(leaf, WHITE, 0.16))


def garden(c: Canvas, rng: Rng, area: Area) -> None:
    _sky(c, area, hsv(0.56, 0.4, 0.95), (226.0, 242.0, 250.0), area.floor)
    _clouds(c, rng, area, (252.0, 253.0, 255.0))
    _hills(c, rng, area, area.floor - 16, 50, (150.0, 198.0, 140.0))
    for _ in range(4):
        _round_tree(
            c,
            rng,
            area.x(rng.uniform(0, 1)),
            area.floor - 8,
            rng.uniform(70, 120),
            hsv(rng.uniform(0.24, 0.36), 0.5, rng.uniform(0.55, 0.75)),
        )
    fence: Colour = (238.0, 230.0, 214.0)
    for y in (area.floor - 46, area.floor - 20):
        c.shape(area.band(y, y + 8), fence, (160.0, 150.0, 136.0), 1.2)
    for k in range(int(area.width / 26) + 1):
        x = area.left + 26 * k
        c.shape(
            polygon(
                [
                    (x, area.floor),
                    (x, area.floor - 58),
                    (x + 8, area.floor - 68),
                    (x + 16, area.floor - 58),
                    (x + 16, area.floor),
                ]
            ),
            fence,
            (160.0, 150.0, 136.0),
            1.2,
        )
    c.fill(
        area.band(area.floor - 4, area.bottom),
        vertical(area, area.floor, area.bottom, (132.0, 190.0, 92.0), (106.0, 168.0, 76.0)),
    )
    for _ in range(26):
        x, y = area.x(rng.uniform(0, 1)), rng.uniform(area.floor + 6, area.bottom)
        petal = hsv(rng.uniform(0.85, 1.15), 0.5, 0.98)
        for a in range(5):
            c.fill(ellipse(x + 3.2 * math.cos(a * 1.26), y + 3.2 * math.sin(a * 1.26), 2.4, 2.4, n=10), petal)
        c.fill(ellipse(x, y, 2, 2, n=10), (250.0, 220.0, 90.0))


def street(c: Canvas, rng: Rng, area: Area) -> None:
    _sky(c, area, (20.0, 26.0, 62.0), (74.0, 74.0, 124.0), area.floor)
    for _ in range(60):
        r = rng.uniform(0.6, 1.6)
        c.fill(ellipse(area.x(rng.uniform(0, 1)), rng.uniform(area.top, 130), r, r, n=8), (240.0, 240.0, 220.0))
    c.fill(ellipse(area.x(0.78), 40, 26, 26), (250.0, 244.0, 208.0))
    x = area.left
    while x < area.right:
        w, h = rng.uniform(70, 130), rng.uniform(110, 220)
        wall = mix(hsv(rng.uniform(0.5, 1.05), 0.3, 0.36), (30.0, 30.0, 60.0), 0.2)
        y = area.floor - h
        c.shape(polygon([(x, y), (x + w, y), (x + w, area.floor), (x, area.floor)]), wall, scale_colour(wall, 0.6), 2)
        c.shape(
            polygon([(x - 6, y), (x + w / 2, y - 34), (x + w + 6, y)]),
            scale_colour(wall, 0.75),
            scale_colour(wall, 0.5),
            2,
        )
        for wy in np.arange(y + 16, area.floor - 34, 42):
            for wx in np.arange(x + 14, x + w - 22, 32):
                lit = rng.random() < 0.45
                c.shape(
                    polygon([(wx, wy), (wx + 17, wy), (wx + 17, wy + 24), (wx, wy + 24)]),
                    (250.0, 218.0, 130.0) if lit else (50.0, 54.0, 88.0),
                    scale_colour(wall, 0.5),
                    1.5,
                )
        x += w + rng.uniform(0, 10)
    c.fill(area.band(area.floor, area.floor + 26), (104.0, 102.0, 126.0))
    c.fill(area.band(area.floor + 26, area.bottom), (66.0, 66.0, 88.0))
    c.fill(area.band(area.floor + 24, area.floor + 29), (140.0, 138.0, 160.0))
    lx = area.x(rng.uniform(0.3, 0.7))
    c.stroke(polygon([(lx, area.floor + 10), (lx, 60)]), (40.0, 42.0, 56.0), 6)
    c.fill(ellipse(lx, 56, 70, 70), Radial((lx, 56), 70, (255.0, 236.0, 170.0), (74.0, 70.0, 110.0)), alpha=0.45)
    c.shape(ellipse(lx, 56, 13, 16), (255.0, 240.0, 180.0), (40.0, 42.0, 56.0), 3)


def beach(c: Canvas, rng: Rng, area: Area) -> None:
    horizon = area.floor - 62
    _sky(c, area, hsv(rng.uniform(0.52, 0.58), 0.42, 0.96), (254.0, 240.0, 214.0), horizon)
    c.fill(ellipse(area.x(rng.uniform(0.15, 0.85)), 46, 28, 28), (255.0, 240.0, 150.0))
    _clouds(c, rng, area, (255.0, 252.0, 246.0))
    c.fill(
        area.band(horizon, area.floor + 4),
        vertical(area, horizon, area.floor, (60.0, 150.0, 196.0), (126.0, 208.0, 214.0)),
    )
    for _ in range(18):
        x, y, w = area.x(rng.uniform(0, 1)), rng.uniform(horizon + 6, area.floor - 4), rng.uniform(14, 40)
        c.stroke(smooth([(x, y), (x + w / 2, y - 3), (x + w, y)], closed=False), (214.0, 240.0, 244.0), 2)
    foam = smooth([(area.x(k / 12), area.floor + rng.uniform(-5, 5)) for k in range(13)], closed=False)
    c.fill(np.concatenate([foam, [(area.right, area.bottom), (area.left, area.bottom)]]), (244.0, 222.0, 166.0))
    c.stroke(foam, (252.0, 252.0, 250.0), 6)
    for _ in range(20):
        x, y, r = area.x(rng.uniform(0, 1)), rng.uniform(area.floor + 20, area.bottom), rng.uniform(1.5, 4)
        c.fill(ellipse(x, y, r * 1.6, r, n=12), (222.0, 194.0, 138.0))
    x, y, tone = area.x(rng.uniform(0.1, 0.3)), area.floor + 30, hsv(rng.uniform(0, 1), 0.6, 0.9)
    c.stroke(polygon([(x, y), (x + 10, y - 130)]), (150.0, 110.0, 80.0), 5)
    for k in range(6):
        a, b = math.pi + math.pi * k / 6, math.pi + math.pi * (k + 1) / 6
        wedge = [(x + 10, y - 170)] + [
            (x + 10 + 86 * math.cos(t), y - 118 + 52 * math.sin(t)) for t in np.linspace(a, b, 6)
        ]
        c.shape(polygon(wedge), tone if k % 2 else (252.0, 250.0, 244.0), scale_colour(tone, 0.6), 1.5)


def forest(c: Canvas, rng: Rng, area: Area) -> None:
    autumn = rng.random() < 0.4
    hue = (0.05, 0.13) if autumn else (0.27, 0.42)
    _sky(c, area, (196.0, 222.0, 206.0), (238.0, 244.0, 214.0), area.floor)
    for depth, count in ((0.55, 14), (0.75, 10), (1.0, 7)):
        for _ in range(count):
            x = area.x(rng.uniform(0, 1))
            leaf = mix(hsv(rng.uniform(*hue), 0.5, 0.62), (214.0, 232.0, 210.0), 1.0 - depth)
            _round_tree(c, rng, x, area.floor - 40 * (1 - depth), rng.uniform(110, 170) * depth, leaf)
        y = area.floor - 40 * (1 - depth) - 6
        ground = mix((124.0, 156.0, 88.0) if not autumn else (176.0, 140.0, 86.0), (214.0, 232.0, 210.0), 1.0 - depth)
        c.fill(area.band(y, area.bottom), ground)
    for _ in range(12):
        put(c, props.foliage, rng, area.x(rng.uniform(0, 1)), area.floor + rng.uniform(0, 14), rng.uniform(8, 16))


def snow(c: Canvas, rng: Rng, area: Area) -> None:
    _sky(c, area, (150.0, 182.0, 218.0), (230.0, 238.0, 248.0), area.floor)
    _hills(c, rng, area, area.floor - 10, 90, (206.0, 222.0, 240.0))
    for _ in range(7):
        x, s = area.x(rng.uniform(0, 1)), rng.uniform(60, 120)
        for k in range(3):
            y, w = area.floor - 10 - 0.28 * s * k, (0.5 - 0.12 * k) * s
            c.shape(polygon([(x - w, y), (x, y - 0.55 * s), (x + w, y)]), (84.0, 128.0, 112.0), (56.0, 90.0, 84.0), 1.5)
            c.fill(
                polygon([(x - 0.45 * w, y - 0.3 * s), (x, y - 0.55 * s), (x + 0.45 * w, y - 0.3 * s)]),
                (244.0, 248.0, 252.0),
            )
    c.fill(
        area.band(area.floor - 6, area.bottom),
        vertical(area, area.floor, area.bottom, (240.0, 245.0, 252.0), (214.0, 226.0, 242.0)),
    )
    for _ in range(70):
        r = rng.uniform(1, 2.8)
        c.fill(
            ellipse(area.x(rng.uniform(0, 1)), rng.uniform(area.top, area.bottom), r, r, n=10), (255.0, 255.0, 255.0)
        )
