"""Heads that a turned sphere cannot give: true profiles (profiles.py), and heads thrown back (thrown_back.py)."""

from __future__ import annotations

import numpy as np

from ml.render.canvas import Canvas
from ml.render.expression import Expression
from ml.render.head import HeadDrawn
from ml.render.ink import Ink, chance, u
from ml.render.parts import hide_parts, parts_of
from ml.render.profiles import profile
from ml.render.stranger_head import Head, Look, stranger_look
from ml.render.thrown_back import thrown_back
from ml.types import Emotion

__all__ = ["THROWN_BACK", "Look", "draw_stranger", "stranger_look", "stranger_parts"]

Rng = np.random.Generator
THROWN_BACK = (Emotion.HAPPY, Emotion.SAD, Emotion.ANGRY, Emotion.SURPRISED, Emotion.SCARED)  # who throws a head back


def draw_stranger(
    canvas: Canvas,
    rng: Rng,
    look: Look,
    ink: Ink,
    expression: Expression,
    x: float,
    y: float,
    size: float,
    face: int,
    back: bool | None = None,
) -> HeadDrawn:
    """A made-up head about ``size`` pixels high with its middle at (x, y), turned to either side.

    ``back``: thrown back with a gaping mouth, rather than in profile; None leaves it to chance.
    """
    head = Head(canvas, look, ink, expression, face)
    side = 1.0 if chance(rng, 0.5) else -1.0
    back = chance(rng, 0.4) if back is None else back
    roll = float(rng.normal()) * 10 - (side * u(rng, 0, 40) if back and chance(rng, 0.4) else 0.0)
    with canvas.at(x, y, roll, (side * size / 2, size / 2)):
        if back:
            thrown_back(head)
        else:
            profile(head)
        matrix = canvas.matrix
    return HeadDrawn(len(head.eyes), tuple(head.eyes), None, matrix)


def stranger_parts(expression: Expression, back: bool) -> tuple[float, ...]:
    """The parts of PARTS that such a head shows; ``back`` as for draw_stranger."""
    names = ("ears", "sweat", "brow_asym", "gaze_x", "lid_bottom", "mouth_width", "teeth", "tongue")
    return hide_parts(parts_of(expression), (*names, "mouth_open") if back else names)
