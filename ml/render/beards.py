"""Hair of the lower face and round it: manes, beards, stubble, moustaches."""

from __future__ import annotations

import math

import numpy as np

from ml.render.canvas import Canvas, Path, mix, scale_colour, smooth
from ml.render.design import Design
from ml.render.turn import Inks, Turn, paint_of


def draw_mane(canvas: Canvas, design: Design, inks: Inks) -> None:
    """A ring of locks behind the head; not face."""
    if design.mane <= 0.0:
        return
    n = 13
    t = np.arange(2 * n) * math.pi / n
    reach = np.where(np.arange(2 * n) % 2 == 0, 1.0 + design.mane, 1.0 + 0.6 * design.mane)
    w, h = design.width * (1.0 + 0.6 * design.cheeks), design.height * (1.0 + max(0.0, design.chin) * 0.6)
    path = smooth(np.stack([w * reach * np.cos(t), h * reach * np.sin(t)], axis=1), steps=3)
    canvas.shape(path, paint_of(design, design.hair_colour, 0.0, 0.0, 1.4), inks.ink, inks.width, face=0)


def draw_beard(canvas: Canvas, design: Design, inks: Inks, turn: Turn, skull: Path, face: int) -> None:
    """Stubble on the jaw, or a beard over it: what lies on the skull is face, what hangs below is not."""
    if design.beard <= 0.0 and not design.stubble:
        return
    colour = mix(inks.skin, (60.0, 60.0, 70.0), 0.3) if design.beard <= 0.0 else design.hair_colour
    w, h = design.width * (1.0 + design.cheeks), design.height * (1.0 + max(0.0, design.chin))
    x, y = turn.at(0.0, design.mouth_y - 0.24)
    cheek = 0.12 * math.sin(turn.yaw)
    if design.beard > 0.0:
        low = h * (1.0 + 0.7 * design.beard)
        half = [(1.02, 0.05), (1.04, 0.5 * h), (0.8, 0.71 * low), (0.51, 0.82 * low), (0.3, 0.97 * low)]
        locks = [(-px * w, py) for px, py in half] + [(x * 0.6, low)] + [(px * w, py) for px, py in reversed(half)]
        lip = [(x + 0.5, y + 0.04), (x, y - 0.02), (x - 0.5, y + 0.04)]
        edge = [(0.78 * w + cheek, 0.12), *lip, (-0.78 * w + cheek, 0.12)]
        path = smooth([*locks, *edge])
        canvas.shape(path, paint_of(design, colour, 0.0, 0.7, 0.8), inks.ink, inks.width, face=0)
        canvas.mark(skull, face)
        return
    with canvas.clip(skull):
        chin = [(1.3 * w, 0.28), (1.3 * w, 2.0), (-1.3 * w, 2.0)]
        jaw = [(-1.3 * w, 0.28), (x - 0.5, y + 0.1), (x, y), (x + 0.5, y + 0.1), *chin]
        canvas.fill(smooth(jaw), colour, face)


def draw_moustache(canvas: Canvas, design: Design, inks: Inks, turn: Turn) -> None:
    if design.moustache <= 0.0:
        return
    x, y = turn.at(0.0, design.mouth_y - 0.2, design.muzzle + 0.06)
    narrow = 0.6 + 0.4 * turn.narrowing(0.0, design.mouth_y)
    for side in (-1.0, 1.0):
        reach = side * (0.3 + 0.5 * design.moustache) * narrow
        upper = [(x, y - 0.08), (x + 0.5 * reach, y - 0.1), (x + reach, y + 0.1 * design.moustache)]
        wing = [*upper, (x + 0.55 * reach, y + 0.16), (x, y + 0.08)]
        canvas.shape(smooth(wing), design.hair_colour, scale_colour(design.hair_colour, 0.6), 0.6 * inks.width)
