"""Movement that a single frame shows: smeared and repeated characters, whip pans, a gate that does not hold still.

Masks stay where the sharp drawing is; a face of which a smear leaves nothing is unmarked.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.render.canvas import Canvas, Image
from ml.render.ink import chance, u
from ml.render.styles import smooth_noise

Rng = np.random.Generator


def drawn_since(canvas: Canvas, before: Image) -> NDArray[np.bool_]:
    """Which of the canvas's (supersampled) pixels differ from ``before``, a copy of them."""
    return np.asarray((canvas.pixels != before).any(axis=2))


def smear(canvas: Canvas, before: Image, rng: Rng, length: float) -> None:
    """Smears what was drawn since ``before`` along one direction, by ``length`` pixels of the finished picture."""
    window = _window(drawn_since(canvas, before), round(1.2 * length * canvas.supersample) + 2)
    if window is None:
        return
    y, x = window
    new, old = canvas.pixels[y, x], before[y, x]
    alpha = (new != old).any(axis=2).astype(np.uint8)[..., None]
    layer = np.concatenate([new * alpha, 255 * alpha], axis=2)
    share = 1 / canvas.supersample  # what is smeared needs no more than the finished picture's pixels
    layer = np.asarray(cv2.resize(layer, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8)
    kernel = _streak(max(3, round(length)), u(rng, -0.5, 0.5) + (math.pi / 2) * chance(rng, 0.2))
    layer = np.asarray(cv2.filter2D(layer, -1, kernel, borderType=cv2.BORDER_CONSTANT), np.uint8)
    smeared = np.asarray(cv2.resize(layer, (old.shape[1], old.shape[0])), np.float32)
    cover = smeared[..., 3:] / 255
    np.copyto(canvas.pixels[y, x], np.clip(smeared[..., :3] + old * (1 - cover), 0, 255).astype(np.uint8))


def repeat(canvas: Canvas, before: Image, rng: Rng, head: float) -> None:
    """Fading copies of what was drawn since ``before`` behind it, as animators draw quick moves."""
    fresh = drawn_since(canvas, before)
    if not fresh.any():
        return
    now, s = canvas.pixels.copy(), canvas.supersample
    np.copyto(canvas.pixels, before)
    dx, dy = u(rng, 0.12, 0.4) * head * s * (1 if chance(rng, 0.5) else -1), u(rng, -0.15, 0.15) * head * s
    h, w = now.shape[:2]
    for k in range(int(rng.integers(1, 4)), 0, -1):
        move = np.array([[1, 0, k * dx], [0, 1, k * dy]], np.float32)
        mask = cv2.warpAffine(fresh.astype(np.uint8), move, (w, h), flags=cv2.INTER_NEAREST).astype(bool)
        copy: Any = cv2.warpAffine(now, move, (w, h), flags=cv2.INTER_NEAREST)
        faint = np.float32(u(rng, 0.2, 0.45) / k)
        canvas.pixels[mask] = (copy[mask] * faint + canvas.pixels[mask] * (1 - faint)).astype(np.uint8)
    canvas.pixels[fresh] = now[fresh]


def whip(canvas: Canvas, rng: Rng, length: float) -> None:
    """The camera swings: the whole picture is smeared sideways by ``length`` pixels, small faces beyond recognition."""
    n = max(3, round(length * canvas.supersample))
    size = (1, n) if chance(rng, 0.1) else (n, 1)
    np.copyto(canvas.pixels, cv2.blur(canvas.pixels, size))
    for face in np.unique(canvas.ids):
        if face and math.sqrt(np.count_nonzero(canvas.ids == face)) < 3.0 * length:
            canvas.ids[canvas.ids == face] = 0


def shaken(canvas: Canvas, wobble: float, weave: float) -> None:
    """Bends the drawing by ``wobble`` and shifts it by up to ``weave`` (shares of the height), its masks with it.

    How follows from the drawing itself, so that a held drawing holds still. Needs a canvas without supersampling.
    """
    if not wobble and not weave:
        return
    h, w = canvas.pixels.shape[:2]
    rng = np.random.default_rng(zlib.crc32(np.ascontiguousarray(canvas.pixels[::4, ::4]).tobytes()))
    dx, dy = (np.full((h, w), v, np.float32) for v in rng.uniform(-weave * h, weave * h, 2))
    if wobble:
        dx += np.float32(wobble * h) * smooth_noise(rng, h, w, 16, 2)
        dy += np.float32(wobble * h) * smooth_noise(rng, h, w, 16, 2)
    x = dx + np.arange(w, dtype=np.float32)[None]
    y = dy + np.arange(h, dtype=np.float32)[:, None]
    canvas.pixels = np.asarray(cv2.remap(canvas.pixels, x, y, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE), np.uint8)
    canvas.ids = np.asarray(cv2.remap(canvas.ids, x, y, cv2.INTER_NEAREST, None, cv2.BORDER_CONSTANT), np.uint8)


def _window(mask: NDArray[np.bool_], rim: int) -> tuple[slice, slice] | None:
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not ys.size:
        return None
    h, w = mask.shape
    return (
        slice(max(0, int(ys[0]) - rim), min(h, int(ys[-1]) + rim + 1)),
        slice(max(0, int(xs[0]) - rim), min(w, int(xs[-1]) + rim + 1)),
    )


def _streak(length: int, angle: float) -> NDArray[np.float32]:
    kernel = np.zeros((length | 1, length | 1), np.float32)
    c, d = length // 2, length / 2
    tip = (round(c + d * math.cos(angle)), round(c + d * math.sin(angle)))
    tail = (round(c - d * math.cos(angle)), round(c - d * math.sin(angle)))
    cv2.line(kernel, tail, tip, 1.0, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)
