"""The places where stories happen, painted once per shot as one large picture.

Stage units: the picture is 360 units high whatever its size in pixels, (0, 0) is its upper left corner, and the
painting reaches beyond all four edges (``REACH``) so that a camera may move.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.render import props
from ml.render.canvas import Canvas, Colour, Image, Linear, Radial, ellipse, mix, polygon, scale_colour, smooth

STAGE = 360.0  # units in the picture's height
REACH = 0.22  # of the picture's width and height, painted beyond each edge
Rng = np.random.Generator

_WHITE: Colour = (255.0, 255.0, 255.0)


@dataclass(frozen=True, slots=True)
class Backdrop:
    """A painted place. ``matrix`` (3 x 3) maps the picture's pixels to stage units."""

    picture: Image
    matrix: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Area:
    left: float
    top: float
    right: float
    bottom: float
    floor: float

    @property
    def width(self) -> float:
        return self.right - self.left

    def x(self, share: float) -> float:
        return self.left + share * self.width

    def band(self, top: float, bottom: float) -> NDArray[np.float64]:
        return polygon([(self.left, top), (self.right, top), (self.right, bottom), (self.left, bottom)])


def _hsv(h: float, s: float, v: float) -> Colour:
    return props.hsv(h, s, v)


def _ink(rng: Rng) -> props.Ink:
    return props.Ink(colour=(70.0, 60.0, 66.0), width=0.03, tinted=0.8, shading=0.15)


def _put(c: Canvas, draw: Callable[[Canvas, Rng, props.Ink], None], rng: Rng, x: float, y: float, size: float) -> None:
    """Places a prop of about two ``size`` in height with its middle at (x, y)."""
    with c.at(x, y, scale=size):
        draw(c, rng, _ink(rng))


def _vertical(area: _Area, top: float, bottom: float, a: Colour, b: Colour) -> Linear:
    return Linear((0.0, top), (0.0, bottom), a, b)


# ------------------------------------------------------------------------------------------------ indoors


def _wall(c: Canvas, rng: Rng, area: _Area, hue: float, value: float = 0.9) -> None:
    base = _hsv(hue, rng.uniform(0.14, 0.34), value)
    c.fill(area.band(area.top, area.floor), _vertical(area, area.top, area.floor, mix(base, _WHITE, 0.2), base))
    kind = rng.integers(3)
    if kind == 0:
        step = rng.uniform(26, 44)
        for k in range(int(area.width / step) + 1):
            x = area.left + k * step
            c.fill(polygon([(x, area.top), (x + step / 2, area.top), (x + step / 2, area.floor), (x, area.floor)]), scale_colour(base, 0.965))
    elif kind == 1:
        for k in range(int(area.width / 40) + 1):
            for j in range(9):
                x, y = area.left + 40 * k + (20 if j % 2 else 0), area.top + 42 * j
                if y < area.floor - 10:
                    c.fill(ellipse(x, y, 5, 5, n=16), mix(base, _WHITE, 0.35))


def _floorboards(c: Canvas, rng: Rng, area: _Area, colour: Colour) -> None:
    c.fill(area.band(area.floor, area.bottom), _vertical(area, area.floor, area.bottom, scale_colour(colour, 0.86), colour))
    middle = area.x(0.5)
    for k in range(-14, 15):
        x = middle + 46 * k
        c.stroke(polygon([(x, area.floor), (middle + (x - middle) * 2.1, area.bottom)]), scale_colour(colour, 0.74), 1.3)
    skirting = area.band(area.floor - 9, area.floor)
    c.shape(skirting, mix(colour, _WHITE, 0.55), scale_colour(colour, 0.6), 1.2)


def _kitchen(c: Canvas, rng: Rng, area: _Area) -> None:
    _wall(c, rng, area, rng.uniform(0.1, 0.5))
    tile = 34.0
    a, b = (244.0, 238.0, 226.0), _hsv(rng.uniform(0, 1), 0.25, 0.8)
    c.fill(area.band(area.floor, area.bottom), a)
    for j in range(5):
        for k in range(int(area.width / tile) + 2):
            if (j + k) % 2:
                y0, y1 = area.floor + 26 * j, area.floor + 26 * (j + 1)
                x0 = area.left + tile * k
                c.fill(polygon([(x0 - 6 * j, y0), (x0 + tile - 6 * j, y0), (x0 + tile - 6 * (j + 1), y1), (x0 - 6 * (j + 1), y1)]), b)
    wood = _hsv(rng.uniform(0.02, 0.6), 0.35, rng.uniform(0.6, 0.8))
    for share in (0.08, 0.26, 0.66, 0.84):
        x = area.x(share)
        c.shape(polygon([(x, 150), (x + 150, 150), (x + 150, area.floor), (x, area.floor)]), wood, scale_colour(wood, 0.6), 2)
        c.shape(polygon([(x + 10, 168), (x + 140, 168), (x + 140, area.floor - 10), (x + 10, area.floor - 10)]), mix(wood, _WHITE, 0.14), scale_colour(wood, 0.7), 1.5)
        c.fill(ellipse(x + 128, 205, 4, 4, n=16), scale_colour(wood, 0.45))
        c.shape(polygon([(x - 5, 140), (x + 155, 140), (x + 155, 152), (x - 5, 152)]), (236.0, 230.0, 220.0), (150.0, 140.0, 130.0), 1.5)
    _put(c, props.window, rng, area.x(0.52), 80, 52)
    _put(c, props.vase, rng, area.x(0.32), 118, 22)
    _put(c, props.clock, rng, area.x(0.76), 60, 24)


def _parlour(c: Canvas, rng: Rng, area: _Area) -> None:
    _wall(c, rng, area, rng.uniform(0, 1), 0.84)
    _floorboards(c, rng, area, _hsv(rng.uniform(0.05, 0.09), rng.uniform(0.35, 0.5), rng.uniform(0.62, 0.78)))
    rug = _hsv(rng.uniform(0, 1), 0.45, 0.75)
    c.fill(ellipse(area.x(0.5), area.floor + 62, 250, 34), rug)
    c.stroke(ellipse(area.x(0.5), area.floor + 62, 225, 28), mix(rug, _WHITE, 0.5), 5, closed=True)
    _put(c, props.window, rng, area.x(rng.uniform(0.22, 0.34)), 105, 62)
    _put(c, props.picture, rng, area.x(rng.uniform(0.5, 0.6)), 84, 34)
    _put(c, props.lamp, rng, area.x(rng.uniform(0.66, 0.72)), area.floor - 66, 66)
    _put(c, props.drawers, rng, area.x(rng.uniform(0.8, 0.88)), area.floor - 44, 50)
    sofa = _hsv(rng.uniform(0, 1), 0.4, 0.66)
    x, y = area.x(0.42), area.floor
    for part in (
        polygon([(x - 105, y - 85), (x + 105, y - 85), (x + 105, y), (x - 105, y)]),
        polygon([(x - 122, y - 50), (x - 92, y - 50), (x - 92, y + 12), (x - 122, y + 12)]),
        polygon([(x + 92, y - 50), (x + 122, y - 50), (x + 122, y + 12), (x + 92, y + 12)]),
        polygon([(x - 95, y - 32), (x + 95, y - 32), (x + 95, y + 10), (x - 95, y + 10)]),
    ):
        c.shape(smooth(part, steps=3) if len(part) > 6 else part, sofa, scale_colour(sofa, 0.6), 2.5)
        sofa = mix(sofa, _WHITE, 0.07)


def _bedroom(c: Canvas, rng: Rng, area: _Area) -> None:
    night = (58.0, 66.0, 112.0)
    c.fill(area.band(area.top, area.floor), _vertical(area, area.top, area.floor, scale_colour(night, 0.8), mix(night, _WHITE, 0.16)))
    _floorboards(c, rng, area, (98.0, 84.0, 106.0))
    x = area.x(0.3)
    c.shape(polygon([(x - 62, 30), (x + 62, 30), (x + 62, 160), (x - 62, 160)]), (30.0, 34.0, 80.0), (180.0, 170.0, 190.0), 6)
    c.fill(ellipse(x + 18, 76, 24, 24), (252.0, 244.0, 200.0))
    c.fill(ellipse(x + 30, 70, 21, 21), (30.0, 34.0, 80.0))
    c.stroke(polygon([(x, 30), (x, 160)]), (180.0, 170.0, 190.0), 4)
    c.fill(polygon([(x - 62, area.floor + 20), (x + 62, area.floor + 20), (x + 170, area.bottom), (x - 10, area.bottom)]), (170.0, 180.0, 220.0), alpha=0.25)
    bed = _hsv(rng.uniform(0.5, 0.95), 0.35, 0.6)
    bx = area.x(0.74)
    c.shape(polygon([(bx - 120, 170), (bx - 100, 170), (bx - 100, area.floor + 20), (bx - 120, area.floor + 20)]), (120.0, 82.0, 70.0), (70.0, 46.0, 44.0), 2)
    c.shape(polygon([(bx - 100, 205), (bx + 130, 205), (bx + 130, area.floor + 6), (bx - 100, area.floor + 6)]), bed, scale_colour(bed, 0.6), 2)
    c.shape(smooth([(bx - 98, 192), (bx - 50, 186), (bx - 30, 206), (bx - 96, 212)]), (230.0, 230.0, 244.0), (140.0, 140.0, 170.0), 2)
    _put(c, props.picture, rng, area.x(0.55), 80, 28)


# ------------------------------------------------------------------------------------------------ outdoors


def _sky(c: Canvas, area: _Area, top: Colour, low: Colour, horizon: float) -> None:
    c.fill(area.band(area.top, horizon + 2), _vertical(area, area.top, horizon, top, low))


def _hills(c: Canvas, rng: Rng, area: _Area, y: float, tall: float, colour: Colour) -> None:
    n = 9
    points = [(area.x(k / (n - 1)), y - rng.uniform(0.2, 1.0) * tall) for k in range(n)]
    line = smooth(points, closed=False)
    c.fill(np.concatenate([line, [(area.right, area.bottom), (area.left, area.bottom)]]), colour)


def _clouds(c: Canvas, rng: Rng, area: _Area, colour: Colour) -> None:
    for _ in range(int(rng.integers(2, 5))):
        x, y, s = area.x(rng.uniform(0, 1)), rng.uniform(0, 90), rng.uniform(16, 30)
        for dx, dy, r in ((0.0, 0.0, 1.0), (1.1, 0.15, 0.8), (-1.1, 0.2, 0.75), (0.5, -0.5, 0.75), (-0.4, -0.35, 0.7)):
            c.fill(ellipse(x + dx * s, y + dy * s, r * s, 0.75 * r * s), colour)


def _round_tree(c: Canvas, rng: Rng, x: float, y: float, s: float, leaf: Colour) -> None:
    trunk: Colour = (122.0, 84.0, 58.0)
    c.shape(polygon([(x - 0.13 * s, y), (x - 0.08 * s, y - s), (x + 0.08 * s, y - s), (x + 0.14 * s, y)]), trunk, scale_colour(trunk, 0.6), 1.5)
    blobs = [(0.0, -1.25, 0.5), (-0.38, -1.0, 0.38), (0.4, -1.02, 0.38), (0.0, -0.9, 0.36)]
    for dx, dy, r in blobs:
        c.shape(ellipse(x + dx * s, y + dy * s, r * s, 0.92 * r * s), leaf, scale_colour(leaf, 0.7), 2)
    for dx, dy, r in blobs:
        c.fill(ellipse(x + dx * s, y + dy * s, r * s * 0.97, 0.89 * r * s), leaf)
        c.fill(ellipse(x + (dx - 0.08) * s, y + (dy - 0.1) * s, 0.6 * r * s, 0.5 * r * s), mix(leaf, _WHITE, 0.16))


def _garden(c: Canvas, rng: Rng, area: _Area) -> None:
    _sky(c, area, _hsv(0.56, 0.4, 0.95), (226.0, 242.0, 250.0), area.floor)
    _clouds(c, rng, area, (252.0, 253.0, 255.0))
    _hills(c, rng, area, area.floor - 16, 50, (150.0, 198.0, 140.0))
    for _ in range(4):
        _round_tree(c, rng, area.x(rng.uniform(0, 1)), area.floor - 8, rng.uniform(70, 120), _hsv(rng.uniform(0.24, 0.36), 0.5, rng.uniform(0.55, 0.75)))
    fence: Colour = (238.0, 230.0, 214.0)
    for y in (area.floor - 46, area.floor - 20):
        c.shape(area.band(y, y + 8), fence, (160.0, 150.0, 136.0), 1.2)
    for k in range(int(area.width / 26) + 1):
        x = area.left + 26 * k
        c.shape(polygon([(x, area.floor), (x, area.floor - 58), (x + 8, area.floor - 68), (x + 16, area.floor - 58), (x + 16, area.floor)]), fence, (160.0, 150.0, 136.0), 1.2)
    c.fill(area.band(area.floor - 4, area.bottom), _vertical(area, area.floor, area.bottom, (132.0, 190.0, 92.0), (106.0, 168.0, 76.0)))
    for _ in range(26):
        x, y = area.x(rng.uniform(0, 1)), rng.uniform(area.floor + 6, area.bottom)
        petal = _hsv(rng.uniform(0.85, 1.15), 0.5, 0.98)
        for a in range(5):
            c.fill(ellipse(x + 3.2 * math.cos(a * 1.26), y + 3.2 * math.sin(a * 1.26), 2.4, 2.4, n=10), petal)
        c.fill(ellipse(x, y, 2, 2, n=10), (250.0, 220.0, 90.0))


def _street(c: Canvas, rng: Rng, area: _Area) -> None:
    _sky(c, area, (20.0, 26.0, 62.0), (74.0, 74.0, 124.0), area.floor)
    for _ in range(60):
        r = rng.uniform(0.6, 1.6)
        c.fill(ellipse(area.x(rng.uniform(0, 1)), rng.uniform(area.top, 130), r, r, n=8), (240.0, 240.0, 220.0))
    c.fill(ellipse(area.x(0.78), 40, 26, 26), (250.0, 244.0, 208.0))
    x = area.left
    while x < area.right:
        w, h = rng.uniform(70, 130), rng.uniform(110, 220)
        wall = mix(_hsv(rng.uniform(0.5, 1.05), 0.3, 0.36), (30.0, 30.0, 60.0), 0.2)
        y = area.floor - h
        c.shape(polygon([(x, y), (x + w, y), (x + w, area.floor), (x, area.floor)]), wall, scale_colour(wall, 0.6), 2)
        c.shape(polygon([(x - 6, y), (x + w / 2, y - 34), (x + w + 6, y)]), scale_colour(wall, 0.75), scale_colour(wall, 0.5), 2)
        for wy in np.arange(y + 16, area.floor - 34, 42):
            for wx in np.arange(x + 14, x + w - 22, 32):
                lit = rng.random() < 0.45
                c.shape(polygon([(wx, wy), (wx + 17, wy), (wx + 17, wy + 24), (wx, wy + 24)]), (250.0, 218.0, 130.0) if lit else (50.0, 54.0, 88.0), scale_colour(wall, 0.5), 1.5)
        x += w + rng.uniform(0, 10)
    c.fill(area.band(area.floor, area.floor + 26), (104.0, 102.0, 126.0))
    c.fill(area.band(area.floor + 26, area.bottom), (66.0, 66.0, 88.0))
    c.fill(area.band(area.floor + 24, area.floor + 29), (140.0, 138.0, 160.0))
    lx = area.x(rng.uniform(0.3, 0.7))
    c.stroke(polygon([(lx, area.floor + 10), (lx, 60)]), (40.0, 42.0, 56.0), 6)
    c.fill(ellipse(lx, 56, 70, 70), Radial((lx, 56), 70, (255.0, 236.0, 170.0), (74.0, 70.0, 110.0)), alpha=0.45)
    c.shape(ellipse(lx, 56, 13, 16), (255.0, 240.0, 180.0), (40.0, 42.0, 56.0), 3)


def _beach(c: Canvas, rng: Rng, area: _Area) -> None:
    horizon = area.floor - 62
    _sky(c, area, _hsv(rng.uniform(0.52, 0.58), 0.42, 0.96), (254.0, 240.0, 214.0), horizon)
    c.fill(ellipse(area.x(rng.uniform(0.15, 0.85)), 46, 28, 28), (255.0, 240.0, 150.0))
    _clouds(c, rng, area, (255.0, 252.0, 246.0))
    c.fill(area.band(horizon, area.floor + 4), _vertical(area, horizon, area.floor, (60.0, 150.0, 196.0), (126.0, 208.0, 214.0)))
    for _ in range(18):
        x, y, w = area.x(rng.uniform(0, 1)), rng.uniform(horizon + 6, area.floor - 4), rng.uniform(14, 40)
        c.stroke(smooth([(x, y), (x + w / 2, y - 3), (x + w, y)], closed=False), (214.0, 240.0, 244.0), 2)
    foam = smooth([(area.x(k / 12), area.floor + rng.uniform(-5, 5)) for k in range(13)], closed=False)
    c.fill(np.concatenate([foam, [(area.right, area.bottom), (area.left, area.bottom)]]), (244.0, 222.0, 166.0))
    c.stroke(foam, (252.0, 252.0, 250.0), 6)
    for _ in range(20):
        x, y, r = area.x(rng.uniform(0, 1)), rng.uniform(area.floor + 20, area.bottom), rng.uniform(1.5, 4)
        c.fill(ellipse(x, y, r * 1.6, r, n=12), (222.0, 194.0, 138.0))
    x, y, tone = area.x(rng.uniform(0.1, 0.3)), area.floor + 30, _hsv(rng.uniform(0, 1), 0.6, 0.9)
    c.stroke(polygon([(x, y), (x + 10, y - 130)]), (150.0, 110.0, 80.0), 5)
    for k in range(6):
        a, b = math.pi + math.pi * k / 6, math.pi + math.pi * (k + 1) / 6
        wedge = [(x + 10, y - 170)] + [(x + 10 + 86 * math.cos(t), y - 118 + 52 * math.sin(t)) for t in np.linspace(a, b, 6)]
        c.shape(polygon(wedge), tone if k % 2 else (252.0, 250.0, 244.0), scale_colour(tone, 0.6), 1.5)


def _forest(c: Canvas, rng: Rng, area: _Area) -> None:
    autumn = rng.random() < 0.4
    hue = (0.05, 0.13) if autumn else (0.27, 0.42)
    _sky(c, area, (196.0, 222.0, 206.0), (238.0, 244.0, 214.0), area.floor)
    for depth, count in ((0.55, 14), (0.75, 10), (1.0, 7)):
        for _ in range(count):
            x = area.x(rng.uniform(0, 1))
            leaf = mix(_hsv(rng.uniform(*hue), 0.5, 0.62), (214.0, 232.0, 210.0), 1.0 - depth)
            _round_tree(c, rng, x, area.floor - 40 * (1 - depth), rng.uniform(110, 170) * depth, leaf)
        y = area.floor - 40 * (1 - depth) - 6
        ground = mix((124.0, 156.0, 88.0) if not autumn else (176.0, 140.0, 86.0), (214.0, 232.0, 210.0), 1.0 - depth)
        c.fill(area.band(y, area.bottom), ground)
    for _ in range(12):
        _put(c, props.foliage, rng, area.x(rng.uniform(0, 1)), area.floor + rng.uniform(0, 14), rng.uniform(8, 16))


def _snow(c: Canvas, rng: Rng, area: _Area) -> None:
    _sky(c, area, (150.0, 182.0, 218.0), (230.0, 238.0, 248.0), area.floor)
    _hills(c, rng, area, area.floor - 10, 90, (206.0, 222.0, 240.0))
    for _ in range(7):
        x, s = area.x(rng.uniform(0, 1)), rng.uniform(60, 120)
        for k in range(3):
            y, w = area.floor - 10 - 0.28 * s * k, (0.5 - 0.12 * k) * s
            c.shape(polygon([(x - w, y), (x, y - 0.55 * s), (x + w, y)]), (84.0, 128.0, 112.0), (56.0, 90.0, 84.0), 1.5)
            c.fill(polygon([(x - 0.45 * w, y - 0.3 * s), (x, y - 0.55 * s), (x + 0.45 * w, y - 0.3 * s)]), (244.0, 248.0, 252.0))
    c.fill(area.band(area.floor - 6, area.bottom), _vertical(area, area.floor, area.bottom, (240.0, 245.0, 252.0), (214.0, 226.0, 242.0)))
    for _ in range(70):
        r = rng.uniform(1, 2.8)
        c.fill(ellipse(area.x(rng.uniform(0, 1)), rng.uniform(area.top, area.bottom), r, r, n=10), (255.0, 255.0, 255.0))


PLACES: dict[str, Callable[[Canvas, Rng, _Area], None]] = {
    "kitchen": _kitchen,
    "parlour": _parlour,
    "bedroom": _bedroom,
    "garden": _garden,
    "street": _street,
    "beach": _beach,
    "forest": _forest,
    "snow": _snow,
}


def paint_place(
    place: str, seed: int, width: float, pixels_per_unit: float, floor: float = 262.0, blur: float = 0.0
) -> Backdrop:
    """Paints ``place`` for a picture ``width`` stage units wide.

    ``floor`` is the height of the line where wall and ground meet; ``blur`` (stage units) softens it behind close-ups.
    """
    rng = np.random.default_rng(seed)
    mx, my = REACH * width, REACH * STAGE
    scale = max(1.0, pixels_per_unit)
    canvas = Canvas(math.ceil((width + 2 * mx) * scale), math.ceil((STAGE + 2 * my) * scale), supersample=1)
    area = _Area(-mx - 4, -my - 4, width + mx + 4, STAGE + my + 4, floor)
    with canvas.at(mx * scale, my * scale, scale=scale):
        PLACES[place](canvas, rng, area)
    picture = canvas.pixels
    picture = np.asarray(cv2.addWeighted(picture, 0.86, np.full_like(picture, _haze(picture)), 0.14, 0.0), np.uint8)
    if blur > 0.0:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur * scale), np.uint8)
    matrix = np.array([[1.0 / scale, 0.0, -mx], [0.0, 1.0 / scale, -my], [0.0, 0.0, 1.0]])
    return Backdrop(picture, matrix)


def _haze(picture: Image) -> NDArray[np.uint8]:
    """The place's mean colour, lighter: mixed in, it keeps the painting behind the characters."""
    mean = picture.reshape(-1, 3).mean(axis=0)
    return np.asarray(mean + (255.0 - mean) * 0.35, np.uint8)
