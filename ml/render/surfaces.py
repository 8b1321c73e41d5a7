"""What a drawing is put on and with: paper, wash, chalk, print dots. RGB uint8 in, a copy of that size out."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.render.canvas import Image
from ml.render.ink import hsv, u
from ml.render.styles import smooth_noise

Rng = np.random.Generator
Surface = Callable[[Image, Rng], Image]


def _done(f: Any) -> Image:
    return np.asarray(np.clip(f, 0, 255), np.uint8)


def paper(picture: Image, rng: Rng) -> Image:
    """The tooth of drawing paper, and here and there a little less paint."""
    h, w = picture.shape[:2]
    tooth = rng.standard_normal((h, w), dtype=np.float32) * 0.03 + smooth_noise(rng, h, w, 24, 2) * 0.025
    return _done(picture * (1 + tooth)[..., None])


def gouache(picture: Image, rng: Rng) -> Image:
    """Thick opaque paint: broad strokes all over, a little uneven."""
    h, w = picture.shape[:2]
    strokes = cv2.resize(smooth_noise(rng, h, max(8, w // 5), 20, 3, 0.8), (w, h))
    return _done(picture * (1 + 0.05 * strokes)[..., None])


def soft_light(picture: Image, rng: Rng) -> Image:
    """Light that glows round bright things and falls off to one side, as computed light does."""
    h = picture.shape[0]
    small = cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    glow = cv2.resize(cv2.GaussianBlur(small, (0, 0), 0.012 * h), picture.shape[1::-1])
    mixed = cv2.addWeighted(picture, 0.78, glow, u(rng, 0.22, 0.4), 0)
    return np.asarray(mixed, np.uint8)


def copied_line(picture: Image, rng: Rng) -> Image:
    """Lines copied from pencil to cel: dark strokes broken up and rough."""
    h, w = picture.shape[:2]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    thin = np.clip(cv2.GaussianBlur(grey, (0, 0), 0.006 * h) - grey, 0, 60) / 60
    worn = (rng.random((h, w), dtype=np.float32) < 0.35).astype(np.float32) * thin
    return _done(picture + (worn * u(rng, 40, 90))[..., None])


# ------------------------------------------------------------------------------------------------ kept for tests only


@lru_cache(maxsize=32)
def _screen(h: int, w: int, cell: float, angle: float) -> NDArray[np.float32]:
    """A print screen: bumps ``cell`` pixels apart, from 0 to 1."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    k, m, f = math.cos(angle), math.sin(angle), 2 * math.pi / cell
    return np.asarray(0.5 + 0.25 * (np.cos((x * k + y * m) * f) + np.cos((y * k - x * m) * f)), np.float32)


def newsprint(picture: Image, rng: Rng) -> Image:
    """Dots of three inks, or of one, on yellowish paper."""
    h, w = picture.shape[:2]
    cell = round(max(2.6, u(rng, 0.009, 0.017) * h), 1)
    sheet = np.array(hsv(u(rng, 0.09, 0.13), u(rng, 0.08, 0.25), u(rng, 0.86, 0.97)), np.float32) / 255
    f = np.clip((picture.astype(np.float32) - 20) / 215, 0, 1)
    if rng.random() < 0.35:
        grey = cv2.cvtColor(f, cv2.COLOR_RGB2GRAY)
        dots = np.clip((grey - 1 + _screen(h, w, cell, 0.785)) * 4 + 0.5, 0, 1)
        dark = np.array(hsv(u(rng, 0, 1), 0.4, 0.13), np.float32) / 255
        return _done(255 * (dark + (sheet - dark) * dots[..., None]))
    out = np.empty_like(f)
    for k, angle in enumerate((0.262, 1.309, 0.0)):
        out[..., k] = np.clip((f[..., k] - 1 + _screen(h, w, cell, angle)) * 4 + 0.5, 0.08, 1)
    return _done(255 * out * sheet)


def watercolour(picture: Image, rng: Rng) -> Image:
    """Washes that run, pool at their rims and leave the grain of the paper."""
    h, w = picture.shape[:2]
    wash: Any = cv2.medianBlur(picture, 3 if h < 260 else 5)
    wash = cv2.GaussianBlur(wash, (0, 0), 0.0022 * h).astype(np.float32)
    rims = cv2.absdiff(cv2.GaussianBlur(wash, (0, 0), 0.012 * h), wash).mean(axis=2)
    pools = smooth_noise(rng, h, w, 6, 3, 0.6)
    grain = rng.standard_normal((h, w), dtype=np.float32)
    thin = np.clip(u(rng, 0.6, 0.78) + 0.12 * pools + 0.03 * grain, 0.3, 1.0) + np.clip(rims / 90, 0, 0.3)
    sheet = np.array([252, 248, 238], np.float32)
    return _done((sheet - (sheet - wash) * thin[..., None]) * (1 + 0.018 * smooth_noise(rng, h, w, 90, 2))[..., None])


def chalkboard(picture: Image, rng: Rng) -> Image:
    """Chalk lines and rubbed chalk fills on a dark board."""
    h, w = picture.shape[:2]
    f = cv2.GaussianBlur(picture, (0, 0), 0.0012 * h).astype(np.float32)
    wide = cv2.GaussianBlur(f, (0, 0), 0.0045 * h)
    lines = np.clip(np.abs(f - wide).max(axis=2) / 26 - 0.3, 0, 1)
    grain = cv2.GaussianBlur(rng.random((h, w), dtype=np.float32), (0, 0), 0.6)
    grain = np.clip((grain - 0.38) * 5, 0, 1)
    board = np.array(hsv(u(rng, 0.35, 0.62), u(rng, 0.1, 0.45), u(rng, 0.1, 0.24)), np.float32)
    board = board * (1 + 0.12 * smooth_noise(rng, h, w, 5, 3))[..., None]
    rubbed = (f * 0.6 + 100) * u(rng, 0.4, 0.75)
    fill = board + rubbed * (0.35 + 0.65 * grain)[..., None] * (f.mean(axis=2) / 255)[..., None]
    chalk = np.array([245, 244, 235], np.float32)
    k = (lines * (0.35 + 0.65 * grain))[..., None]
    return _done(fill + (chalk - fill) * k)


def pixels(picture: Image, rng: Rng) -> Image:
    """Square blocks, as on an old home computer: 72 to 150 rows, few shades of each colour."""
    h, w = picture.shape[:2]
    rows = min(h, int(rng.integers(72, 151)))
    small: Any = cv2.resize(picture, (max(8, round(w * rows / h)), rows), interpolation=cv2.INTER_AREA)
    small = small.astype(np.float32)
    step = 255 / int(rng.integers(2, 6))
    if rng.random() < 0.5:  # the regular dots that stand for shades in between
        bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16 - 0.47
        y, x = np.mgrid[0 : small.shape[0], 0 : small.shape[1]]
        small = small + (bayer[y % 4, x % 4] * step * 0.8)[..., None]
    small = _done(np.round(small / step) * step)
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_NEAREST), np.uint8)


def glow(picture: Image, rng: Rng) -> Image:
    """Light spills from bright colours into the dark round them."""
    h = picture.shape[0]
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    spill = cv2.resize(cv2.GaussianBlur(small, (0, 0), 0.01 * h), picture.shape[1::-1])
    return np.asarray(cv2.addWeighted(picture, 0.9, spill, u(rng, 0.3, 0.7), 0), np.uint8)
