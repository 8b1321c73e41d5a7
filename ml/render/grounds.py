"""Grounds for training pictures: the series' own places under a moving camera, and grounds of any other kind."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.render.backgrounds import PLACES, STAGE, Backdrop, paint_place
from ml.render.canvas import Canvas, Linear, brush, mix, polygon, scale_colour, smooth
from ml.render.decoys import boulders, fur_patch, knotted_trunk, leaves
from ml.render.ink import WHITE, Ink, blob, chance, hsv, random_colour, u
from ml.render.styles import smooth_noise

Rng = np.random.Generator
PAINTINGS = 24  # different paintings of one place


@lru_cache(maxsize=96)  # about 1.3 MB each
def _backdrop(place: str, seed: int, width: int) -> Backdrop:
    return paint_place(place, seed, float(width), 1.0)


def paint_stage(c: Canvas, rng: Rng, close: bool) -> None:
    """One of the series' places through a moving camera."""
    names = tuple(PLACES)
    place, seed = names[int(rng.integers(len(names)))], int(rng.integers(PAINTINGS))
    width = round(STAGE * c.width / c.height)
    zoom = u(rng, 1.3, 2.4) if close else u(rng, 1.0, 1.5)
    backdrop = _backdrop(place, seed, width)
    blurred = close and chance(rng, 0.5)
    picture = cv2.GaussianBlur(backdrop.picture, (0, 0), 2.5) if blurred else backdrop.picture
    slack_x, slack_y = c.width * (zoom - 1), c.height * (zoom - 1)
    with c.at(-u(rng, -0.15, 1.15) * slack_x, -u(rng, 0.1, 1.1) * slack_y, scale=c.height / STAGE * zoom):
        c.paste(np.asarray(picture, np.uint8), backdrop.matrix)


def paint_wild(c: Canvas, rng: Rng) -> None:
    """Flat, graded, clouded, painted or overgrown grounds; on top of them hills, floors, stripes."""
    kind = rng.random()
    if kind < 0.25:
        _painted(c, rng)
    elif kind < 0.35:
        _overgrown(c, rng)
    else:
        _graded(c, rng)
        if chance(rng, 0.5):
            _texture(c, rng, u(rng, 4, 45))
    if chance(rng, 0.25):
        _floor(c, rng)
    if chance(rng, 0.2):
        _hills(c, rng)
    if chance(rng, 0.1):
        _stripes(c, rng)


def paint_ground(c: Canvas, rng: Rng, kind: str, ink: Ink) -> None:
    """The ground of a look: "painted", "flat", "soft", "bare", "board", or "any" of all kinds."""
    if kind == "any" or chance(rng, 0.2):
        paint_wild(c, rng) if chance(rng, 0.82) else _piled(c, rng, ink)
    elif kind == "painted":
        r = rng.random()
        _painted(c, rng) if r < 0.5 else _overgrown(c, rng) if r < 0.65 else _piled(c, rng, ink)
        if chance(rng, 0.3):
            _hills(c, rng)
    elif kind == "flat":
        _shapes(c, rng)
    elif kind == "soft":
        _graded(c, rng)
        if chance(rng, 0.7):
            _texture(c, rng, u(rng, 4, 30))
        if chance(rng, 0.6):
            _floor(c, rng)
        _unfocused(c, rng)
    else:
        _sheet(c, rng, (0.8, 1.0) if kind == "bare" else (0.03, 0.2))


def _sheet(c: Canvas, rng: Rng, bright: tuple[float, float]) -> None:
    """Bare paper or a bare board, at most a wash and a line for the ground."""
    c.fill(_rectangle(0, 0, c.width, c.height), hsv(u(rng, 0, 1), u(rng, 0, 0.2), u(rng, *bright)))
    if chance(rng, 0.6):
        _hills(c, rng)
    if chance(rng, 0.5):
        _floor(c, rng)


def _shapes(c: Canvas, rng: Rng) -> None:
    """One flat colour with a few floating patches and plain furniture in related ones, as cheap sets are drawn."""
    w, h = c.width, c.height
    base = random_colour(rng)
    c.fill(_rectangle(0, 0, w, h), base)
    for _ in range(int(rng.integers(0, 7))):
        tone = scale_colour(mix(base, random_colour(rng), u(rng, 0.1, 0.7)), u(rng, 0.7, 1.2))
        x, y, a, b = u(rng, 0, w), u(rng, 0, h), u(rng, 0.05, 0.4) * w, u(rng, 0.05, 0.5) * h
        if chance(rng, 0.5):
            c.fill(smooth(blob(rng, 7, 0.6, 1.2)) * (a, b) + (x, y), tone)
        else:
            c.fill(_rectangle(x, y, x + a, y + b), tone)
    if chance(rng, 0.5):
        y = u(rng, 0.55, 0.9) * h
        c.fill(_rectangle(0, y, w, h), scale_colour(base, u(rng, 0.6, 1.25)))


def _unfocused(c: Canvas, rng: Rng) -> None:
    """Lights and leaves far behind, out of focus: soft discs."""
    tone = random_colour(rng)
    for _ in range(int(rng.integers(0, 14))):
        x, y, r = u(rng, 0, c.width), u(rng, 0, c.height), u(rng, 0.02, 0.16) * c.height
        bright = mix(tone, WHITE, u(rng, 0, 0.7))
        angle = np.linspace(0, 2 * math.pi, 24, endpoint=False)
        c.fill(np.stack([x + r * np.cos(angle), y + r * np.sin(angle)], axis=1), bright, alpha=u(rng, 0.15, 0.6))
    small = cv2.resize(c.pixels, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), u(rng, 0.3, 1.0) * 0.012 * c.height)
    np.copyto(c.pixels, np.asarray(cv2.resize(small, c.pixels.shape[1::-1]), np.uint8))


_PILES = (boulders, fur_patch, knotted_trunk, leaves)


def _piled(c: Canvas, rng: Rng, ink: Ink) -> None:
    """A wall of one thing over and over: stones, leaves, trunks, fur; in an eighth of pictures bricks."""
    _graded(c, rng)
    if chance(rng, 0.125):
        _bricks(c, rng)
        return
    draw, cells = _PILES[int(rng.integers(len(_PILES)))], int(rng.integers(2, 4))
    step, kept = c.height / cells, int(rng.integers(1 << 31))
    for row in range(cells + 1):
        for column in range(math.ceil(c.width / step / 1.4) + 1):
            x, y = (column * 1.4 + u(rng, -0.2, 0.2)) * step, (row + u(rng, -0.2, 0.2)) * step
            # a neighbour now and then is the same drawing again, as painters copy
            drawer = np.random.default_rng(kept) if chance(rng, 0.3) else rng
            with c.at(x, y, float(rng.normal()) * 10, 0.75 * step):
                draw(c, drawer, ink)


def _bricks(c: Canvas, rng: Rng) -> None:
    base, step = random_colour(rng), u(rng, 0.06, 0.16) * c.height
    for row in range(math.ceil(c.height / step)):
        for column in range(-1, math.ceil(c.width / step / 2) + 1):
            x, y = (2 * column + row % 2) * step, row * step
            tone = scale_colour(base, u(rng, 0.75, 1.15))
            c.fill(_rectangle(x, y, x + 1.9 * step, y + 0.88 * step), tone)


def roughen(c: Canvas, rng: Rng) -> None:
    """Fur, cloth, leaves: fine noise over everything drawn so far."""
    h, w = c.pixels.shape[:2]
    noise = smooth_noise(rng, h, w, max(8, w // int(rng.integers(2, 7))), 2, 0.7)
    strength = np.float32(u(rng, 0.02, 0.09))
    np.copyto(c.pixels, np.clip(c.pixels * (1 + strength * noise)[..., None], 0, 255).astype(np.uint8))


def _graded(c: Canvas, rng: Rng) -> None:
    w, h = c.width, c.height
    a = random_colour(rng)
    b = scale_colour(a, u(rng, 0.4, 0.95)) if chance(rng, 0.6) else random_colour(rng)
    flat = chance(rng, 0.4)
    c.fill(_rectangle(0, 0, w, h), a if flat else Linear((u(rng, 0, w), 0), (u(rng, 0, w), h), a, b))


def _painted(c: Canvas, rng: Rng) -> None:
    """Rocks, cliffs, clouds and washes: noise read through a palette of a few related colours, lit from one side."""
    h, w = c.height, c.width
    stretch = math.exp(u(rng, -0.9, 0.9))
    field = smooth_noise(
        rng, h, max(8, round(w * stretch)), int(rng.integers(3, 14)), int(rng.integers(2, 6)), u(rng, 0.4, 0.75)
    )
    field = np.asarray(cv2.resize(field, (w, h)), np.float32)
    stops = int(rng.integers(3, 7))
    first, second = random_colour(rng), random_colour(rng)
    tones = [scale_colour(mix(first, second, u(rng, 0, 1)), u(rng, 0.45, 1.15)) for _ in range(stops)]
    place = np.clip((field + 1.8) / 3.6, 0, 1)
    if chance(rng, 0.4):  # hard edges, as of cut paper or gouache
        place = np.round(place * (stops - 1)) / (stops - 1)
    table = np.stack(
        [np.interp(np.arange(256) / 255, np.linspace(0, 1, stops), [t[k] for t in tones]) for k in range(3)], axis=1
    )
    picture = table[(place * 255).astype(np.uint8)].astype(np.float32)
    if chance(rng, 0.5):
        light = np.gradient(field, axis=int(rng.integers(2)))
        picture += light[..., None] * u(rng, 100, 500)
    _cover(c, picture)


def _overgrown(c: Canvas, rng: Rng) -> None:
    """A meadow or thicket: hundreds of blades in neighbouring greens, or of strokes in any colour."""
    w, h = c.width, c.height
    _graded(c, rng)
    base = random_colour(rng)
    long, lean = u(rng, 0.04, 0.2) * h, u(rng, -0.6, 0.6)
    for _ in range(int(rng.integers(60, 220))):
        x, y, tall = u(rng, 0, w), u(rng, 0, 1.1) * h, long * u(rng, 0.4, 1)
        blade = np.array(
            [(x, y), (x + 0.3 * lean * tall, y - 0.5 * tall), (x + lean * tall + u(rng, -0.2, 0.2) * tall, y - tall)]
        )
        c.fill(brush(blade, tall * 0.12 + 0.8), scale_colour(base, u(rng, 0.55, 1.3)))


def _floor(c: Canvas, rng: Rng) -> None:
    y, colour = u(rng, 0.5, 0.95) * c.height, random_colour(rng)
    c.fill(
        _rectangle(0, y, c.width, c.height), Linear((0, y), (0, c.height), colour, scale_colour(colour, u(rng, 0.5, 1)))
    )


def _hills(c: Canvas, rng: Rng) -> None:
    w, h = c.width, c.height
    for _ in range(int(rng.integers(1, 4))):
        base = u(rng, 0.4, 0.95) * h
        line = smooth([(w * k / 4, base + u(rng, -0.15, 0.15) * h) for k in range(-1, 6)], closed=False)
        c.fill(np.concatenate([line, [(w * 1.3, h * 1.2), (-w * 0.3, h * 1.2)]]), random_colour(rng))


def _stripes(c: Canvas, rng: Rng) -> None:
    n, stripe = int(rng.integers(4, 18)), random_colour(rng)
    for k in range(n):
        c.fill(_rectangle(c.width * k / n, 0, c.width * (k + 0.5) / n, c.height), stripe, alpha=0.5)


def _texture(c: Canvas, rng: Rng, strength: float) -> None:
    """Paint strokes, foliage, rock: noise in brightness and, half the time, in colour."""
    h, w = c.height, c.width
    cells, octaves, fall = int(rng.integers(3, 24)), int(rng.integers(1, 5)), u(rng, 0.4, 0.95)
    layers = 3 if chance(rng, 0.5) else 1
    noise = np.dstack([smooth_noise(rng, h, w, cells, octaves, fall) for _ in range(layers)])
    if chance(rng, 0.2):
        noise = np.sign(noise)
    size = (c.pixels.shape[1], c.pixels.shape[0])
    large = np.asarray(cv2.resize(noise * np.float32(strength), size), np.float32).reshape(size[1], size[0], layers)
    np.copyto(c.pixels, np.clip(c.pixels + large, 0, 255).astype(np.uint8))


def _cover(c: Canvas, picture: NDArray[np.float32]) -> None:
    size = (c.pixels.shape[1], c.pixels.shape[0])
    np.copyto(c.pixels, cv2.resize(np.clip(picture, 0, 255).astype(np.uint8), size))


def _rectangle(x1: float, y1: float, x2: float, y2: float) -> NDArray[np.float64]:
    return polygon([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
