"""Palettes: what becomes of every colour of a picture, as one table that is looked up pixel by pixel.

A table is uint8 of shape (32768, 3): row ``r >> 3 << 10 | g >> 3 << 5 | b >> 3`` is what RGB (r, g, b) becomes. A
palette keeps dark dark and light light, so that what is drawn on a face can still be read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.render.canvas import Image
from ml.render.ink import hsv, u

Rng = np.random.Generator
Table = NDArray[np.uint8]
Palette = Callable[[Rng], Table | None]
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@lru_cache(maxsize=1)
def _cube() -> NDArray[np.float32]:
    """Every colour that a table has a row for, 32768 x 3."""
    k = np.arange(32768)
    return np.asarray(np.stack([k >> 10, (k >> 5) & 31, k & 31], axis=1) * (255 / 31), np.float32)


def recoloured(picture: Image, table: Table) -> Image:
    p = picture.astype(np.uint16) >> 3
    return np.asarray(table[(p[..., 0] << 10) | (p[..., 1] << 5) | p[..., 2]])


def _table(colours: NDArray[Any]) -> Table:
    return np.asarray(np.clip(colours, 0, 255), np.uint8)


def _grey(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((colours @ _LUMA)[:, None], np.float32)


def full(rng: Rng) -> Table | None:
    """Colours as they are."""
    return None


def pastel(rng: Rng) -> Table:
    """Pale and milky; what was black is a soft dark."""
    cube = _cube()
    white = np.array(hsv(u(rng, 0, 1), u(rng, 0.0, 0.08), 1.0), np.float32)
    soft = _grey(cube) + (cube - _grey(cube)) * np.float32(u(rng, 0.5, 0.8))
    return _table(white - (white - soft) * np.float32(u(rng, 0.5, 0.68)))


def earth(rng: Rng) -> Table:
    """Browns, ochres, dull greens and blues, as in painted cels of the seventies."""
    cube = _cube()
    dull = _grey(cube) + (cube - _grey(cube)) * np.float32(u(rng, 0.3, 0.6))
    tint = np.array([u(rng, 1.0, 1.1), u(rng, 0.9, 0.98), u(rng, 0.62, 0.8)], np.float32)
    return _table(dull * tint + np.array([u(rng, 5, 25), u(rng, 2, 14), 0], np.float32))


def monochrome(rng: Rng) -> Table:
    """One hue from dark to light."""
    hue, strong = u(rng, 0, 1), u(rng, 0.2, 0.7)
    dark = np.array(hsv(hue + u(rng, -0.1, 0.1), strong, u(rng, 0.05, 0.3)), np.float32)
    light = np.array(hsv(hue, 0.35 * strong, u(rng, 0.85, 1.0)), np.float32)
    return _table(dark + (light - dark) * (_grey(_cube()) / 255))


def limited(rng: Rng) -> Table:
    """Four to eight colours and no other: near-black, near-white and hues spread from dark to light between them."""
    count = int(rng.integers(4, 9))
    inks = [hsv(u(rng, 0, 1), u(rng, 0, 0.4), u(rng, 0.03, 0.15)), hsv(u(rng, 0, 0.2), u(rng, 0, 0.12), 1.0)]
    first = u(rng, 0, 1)
    for k in range(count - 2):
        level = (k + 0.8) / (count - 0.6)
        inks.append(hsv(first + u(rng, 0.15, 0.85) * k, u(rng, 0.25, 0.9) * (1.15 - level), 0.25 + 0.75 * level))
    return _nearest(np.array(inks, np.float32), u(rng, 1.2, 2.2))


def limited_own(rng: Rng) -> Table | None:
    """Half the time few steps of each colour, as a paint shop with a short list had them; else colours as they are."""
    if rng.random() < 0.5:
        return None
    cube, step = _cube(), np.float32(255 / int(rng.integers(3, 6)))
    grey = _grey(cube)
    return _table(np.round((grey + (cube - grey) * np.float32(u(rng, 0.6, 1.0))) / step) * step)


def neon(rng: Rng) -> Table:
    """Glowing hues on violet black: five to seven colours."""
    hues = [0.86, 0.5, 0.16, 0.33, 0.62][: int(rng.integers(3, 6))]
    shift = u(rng, -0.04, 0.04)
    inks = [(14.0, 6.0, 30.0), (48.0, 16.0, 86.0), (255.0, 252.0, 255.0)]
    inks += [hsv(h + shift, u(rng, 0.75, 1.0), u(rng, 0.8, 1.0)) for h in hues]
    return _nearest(np.array(inks, np.float32), u(rng, 0.7, 1.1), u(rng, 1.3, 2.0))


def _nearest(inks: NDArray[np.float32], weight: float, gamma: float = 1.0) -> Table:
    """Every colour, darkened by ``gamma``, becomes the nearest of ``inks``; ``weight``: brightness against hue."""
    cube = np.asarray(255 * (_cube() / 255) ** np.float32(gamma), np.float32)

    def place(colours: NDArray[np.float32]) -> NDArray[np.float32]:
        grey = _grey(colours)
        return np.concatenate([grey * np.float32(weight), colours - grey], axis=1)

    a, b = place(cube), place(inks)
    far = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
    return _table(inks[np.argmin(far, axis=1)])
