"""Things in front of the characters: they hide what is behind them. A size is half a height, in stage units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ml.render import props
from ml.render.canvas import Canvas, Colour, ellipse, mix, polygon, scale_colour

Rng = np.random.Generator
_WHITE: Colour = (255.0, 255.0, 255.0)


def _bush(c: Canvas, rng: Rng) -> None:
    leaf = props.hsv(rng.uniform(0.24, 0.4), rng.uniform(0.4, 0.6), rng.uniform(0.42, 0.62))
    edge = scale_colour(leaf, 0.55)
    for row, dark in ((0.0, 1.0), (0.75, 0.93), (1.5, 0.86), (2.3, 0.8)):
        tone = scale_colour(leaf, dark)
        for x in np.linspace(-1.15 - 0.1 * row, 1.15 + 0.1 * row, 6):
            y, r = row + rng.uniform(-0.65, -0.35), rng.uniform(0.44, 0.6)
            c.shape(ellipse(x, y, r, 0.9 * r), tone, edge, 0.04, face=0)
            c.fill(ellipse(x - 0.07, y - 0.1, 0.6 * r, 0.5 * r), mix(tone, _WHITE, 0.12))


def _crate(c: Canvas, rng: Rng) -> None:
    wood = props.hsv(rng.uniform(0.06, 0.1), rng.uniform(0.4, 0.6), rng.uniform(0.55, 0.75))
    dark = scale_colour(wood, 0.55)
    c.shape(polygon([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.6), (-1.0, 1.6)]), wood, dark, 0.06, face=0)
    for y in (-0.4, 0.2, 0.8):
        c.stroke(polygon([(-1.0, y), (1.0, y)]), dark, 0.04)
    for x in (-1.0, 0.76):
        c.shape(polygon([(x, -1.0), (x + 0.24, -1.0), (x + 0.24, 1.6), (x, 1.6)]), mix(wood, _WHITE, 0.12), dark, 0.05)


def _table(c: Canvas, rng: Rng) -> None:
    cloth = props.hsv(rng.uniform(0, 1), rng.uniform(0.3, 0.5), rng.uniform(0.7, 0.9))
    c.shape(
        polygon([(-2.4, -0.5), (2.4, -0.5), (2.5, 2.0), (-2.5, 2.0)]), cloth, scale_colour(cloth, 0.55), 0.05, face=0
    )
    for k in range(10):
        x = -2.3 + 0.5 * k
        c.fill(polygon([(x, -0.2), (x + 0.25, -0.2), (x + 0.25, 2.0), (x, 2.0)]), mix(cloth, _WHITE, 0.45))
    c.shape(
        polygon([(-2.5, -0.62), (2.5, -0.62), (2.5, -0.3), (-2.5, -0.3)]),
        mix(cloth, _WHITE, 0.6),
        scale_colour(cloth, 0.55),
        0.05,
        face=0,
    )
    with c.at(rng.uniform(-1.6, 1.6), -1.0, scale=0.4):
        draw = (props.vase, props.cheese, props.flower)[int(rng.integers(3))]
        draw(c, rng, props.Ink(colour=(70.0, 56.0, 60.0), width=0.05, tinted=0.7))


def _post(c: Canvas, rng: Rng) -> None:
    tone = props.hsv(rng.uniform(0.02, 0.12), rng.uniform(0.2, 0.5), rng.uniform(0.35, 0.6))
    c.shape(
        polygon([(-0.18, -6.0), (0.18, -6.0), (0.2, 3.0), (-0.2, 3.0)]), tone, scale_colour(tone, 0.5), 0.05, face=0
    )
    c.fill(polygon([(-0.1, -6.0), (-0.02, -6.0), (-0.02, 3.0), (-0.1, 3.0)]), mix(tone, _WHITE, 0.25))


FRONT: dict[str, Callable[[Canvas, Rng], None]] = {"bush": _bush, "crate": _crate, "table": _table, "post": _post}
