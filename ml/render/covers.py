"""What lies on a part of somebody's face: bandages, snow, hands, cups, bars, brims, scarves, glasses.

Drawn in the head's own frame (skull radii). What is worn on the face (a bandage, snow, foam, glasses) leaves the face's
mask whole; what is held before it (a hand, a cup, bars) hides that part of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from ml.render.canvas import Canvas, Colour, Path, brush, ellipse, polygon, scale_colour, smooth, tube
from ml.render.head import HeadDrawn
from ml.render.ink import BLACK, WHITE, Ink, blob, box, chance, hsv, random_colour, u
from ml.render.palette import pick, skin_tone
from ml.render.parts import BROW_PARTS, EYE_PARTS, MOUTH_PARTS

Rng = np.random.Generator
Hidden = tuple[str, ...]


class _Place:
    """A head that is there already: its eyes and mouth in its own frame."""

    def __init__(self, canvas: Canvas, rng: Rng, drawn: HeadDrawn, ink: Ink) -> None:
        assert drawn.matrix is not None
        self.canvas, self.rng, self.ink = canvas, rng, ink
        back = np.linalg.inv(drawn.matrix)

        def local(point: tuple[float, float]) -> tuple[float, float]:
            x, y, _ = back @ np.array([point[0], point[1], 1.0])
            return float(x), float(y)

        self.eyes = sorted(local(p) for p in drawn.eye_places)
        ex = sum(x for x, _ in self.eyes) / len(self.eyes)
        self.eye_y = sum(y for _, y in self.eyes) / len(self.eyes)
        self.mouth = local(drawn.mouth_place) if drawn.mouth_place is not None else (ex, self.eye_y + 0.75)

    def part(self, path: Path, colour: Colour, face: int | None) -> None:
        line = self.ink.line(colour)
        self.canvas.shape(path, self.ink.paint(colour), line, 0.8 * self.ink.width, face=face)


@contextmanager
def _within(canvas: Canvas, drawn: HeadDrawn) -> Iterator[None]:
    saved = canvas.matrix
    if drawn.matrix is not None:
        canvas.matrix = drawn.matrix
    try:
        yield
    finally:
        canvas.matrix = saved


def draw_cover(canvas: Canvas, rng: Rng, drawn: HeadDrawn, ink: Ink, lying: bool = False) -> Hidden:
    """Draws something on or before the head; which of PARTS can no longer be seen.

    ``lying``: what sleepers have about them, a pillow or a blanket.
    """
    if drawn.matrix is None or not drawn.eye_places:
        return ()
    with _within(canvas, drawn):
        place = _Place(canvas, rng, drawn, ink)
        if lying:
            return _blanket(place)
        return _COVERS[int(rng.integers(len(_COVERS)))](place)


# ------------------------------------------------------------------------------------------------ worn on the face


def _bandage(p: _Place) -> Hidden:
    """Strips round the skull: over the brow, over one eye, or round the jaw like a toothache."""
    rng = p.rng
    white = pick(rng, WHITE, (236.0, 230.0, 214.0))
    kind = rng.random()
    if kind < 0.4:
        y = p.eye_y - u(rng, 0.45, 0.6)
        strip = smooth(
            [(-1.0, y + 0.05), (0.0, y + 0.12), (1.0, y + 0.05), (0.95, y - 0.3), (0.0, y - 0.28), (-0.95, y - 0.3)]
        )
        p.part(strip, white, None)
        p.canvas.stroke(np.array([(-0.9, y - 0.1), (0.0, y - 0.05), (0.9, y - 0.1)]), scale_colour(white, 0.75), 0.03)
        return BROW_PARTS
    if kind < 0.7 and len(p.eyes) == 2:
        x, y = p.eyes[int(rng.integers(2))]
        side = 1.0 if x > 0 else -1.0
        p.part(tube(np.array([(x - side * 1.1, y - 0.75), (x + side * 0.5, y + 0.3)]), 0.3, 0.3), white, None)
        p.part(ellipse(x, y, u(rng, 0.28, 0.36), u(rng, 0.3, 0.4)), white, None)
        return ()
    x, y = p.mouth
    for side in (-1.0, 1.0):
        p.part(
            tube(
                smooth([(side * 0.3, -0.95), (side * 0.85, -0.2), (side * 0.8, 0.5), (side * 0.3, 1.0)], False),
                0.22,
                0.24,
            ),
            white,
            None,
        )
    return ()


def _plaster(p: _Place) -> Hidden:
    x, y = u(p.rng, -0.5, 0.5), u(p.rng, 0.1, 0.4) if chance(p.rng, 0.6) else -0.6
    for angle in (35.0, -35.0) if chance(p.rng, 0.6) else (20.0,):
        with p.canvas.at(x, y, rotate=angle):
            p.part(ellipse(0.0, 0.0, 0.3, 0.1, power=3.5), (232.0, 196.0, 150.0), None)
    return ()


def _splat(p: _Place) -> Hidden:
    """Snow, foam, mud, soot, cake: on the crown, and in blots that leave an eye."""
    rng = p.rng
    colour = pick(rng, WHITE, (238.0, 244.0, 252.0), (104.0, 70.0, 40.0), (40.0, 38.0, 40.0), (252.0, 232.0, 200.0))
    crown = [(-0.95, -0.5), (-0.6, -1.15), (0.0, -1.3), (0.6, -1.15), (0.95, -0.5)]
    low = [(x, p.eye_y - u(rng, 0.35, 0.55)) for x in (0.6, 0.3, 0.0, -0.3, -0.6)]
    hidden: Hidden = ()
    if chance(rng, 0.7):
        p.part(smooth([*crown, *low]), colour, None)
        hidden = BROW_PARTS if min(y for _, y in low) > p.eye_y - 0.4 else ()
    for _ in range(int(rng.integers(1, 4))):
        x, y = u(rng, -0.7, 0.7), u(rng, 0.1, 0.9)
        if math.hypot(x - p.mouth[0], y - p.mouth[1]) < 0.35:
            continue
        size = u(rng, 0.08, 0.22)
        p.part(smooth(blob(rng, 7, 0.7, 1.2) * size + (x, y)), colour, None)
    return hidden


def _beard_of_foam(p: _Place) -> Hidden:
    x, y = p.mouth
    colour = pick(p.rng, WHITE, (238.0, 246.0, 252.0))
    for k in range(9):
        a = math.pi * (k / 8)
        p.part(ellipse(x + 0.6 * math.cos(a), y + 0.05 + 0.42 * math.sin(a), 0.24, 0.22), colour, None)
    return ()


def _kerchief(p: _Place) -> Hidden:
    """A mask, a scarf or a kerchief over mouth and nose."""
    x, y = p.mouth
    colour = random_colour(p.rng)
    top = max(y - u(p.rng, 0.35, 0.5), p.eye_y + 0.35)
    path = [(-1.02, top - 0.1), (x, top), (1.02, top - 0.1), (0.85, 0.7), (x, max(1.05, y + 0.4)), (-0.85, 0.7)]
    p.part(smooth(path, steps=4), colour, None)
    return MOUTH_PARTS


def _glasses(p: _Place) -> Hidden:
    rng = p.rng
    dark = chance(rng, 0.35)
    r, rim = u(rng, 0.28, 0.42), u(rng, 0.03, 0.07)
    colour = pick(rng, BLACK, random_colour(rng))
    for x, y in p.eyes:
        lens = ellipse(x, y, r, r * u(rng, 0.8, 1.1), power=pick(rng, 2.0, 3.5))
        if dark:
            p.canvas.fill(lens, (24.0, 24.0, 32.0))
            p.canvas.fill(ellipse(x - 0.3 * r, y - 0.35 * r, 0.25 * r, 0.14 * r, -30), (170.0, 180.0, 200.0))
        p.canvas.stroke(lens, colour, rim, closed=True)
    if len(p.eyes) == 2:
        (x1, y1), (x2, y2) = p.eyes
        p.canvas.stroke(np.array([(x1 + r, y1), (x2 - r, y2)]), colour, rim)
    return EYE_PARTS if dark else ()


# ------------------------------------------------------------------------------------------------ held before it


def _hand(p: _Place) -> Hidden:
    """A hand or a glove over the mouth or at a cheek."""
    rng = p.rng
    colour = pick(rng, WHITE, skin_tone(rng), random_colour(rng))
    over = chance(rng, 0.5)
    side = 1.0 if chance(rng, 0.5) else -1.0
    x, y = p.mouth if over else (side * u(rng, 0.65, 0.9), u(rng, 0.1, 0.6))
    arm = smooth([(x, y), (x + side * 0.7, y + 0.6), (x + side * u(rng, 0.4, 1.6), y + 1.8)], False)
    p.part(tube(arm, 0.3, 0.45), colour, 0)
    lean = side * u(rng, 10, 50)
    with p.canvas.at(x, y, rotate=-lean):
        p.part(ellipse(0.0, 0.05, 0.32, 0.3), colour, 0)
        for k in range(4):
            p.part(ellipse(-0.24 + 0.16 * k, -0.26, 0.09, 0.22), colour, 0)
    return ()


def _cup(p: _Place) -> Hidden:
    """A mug, a glass or a bowl at the mouth."""
    rng = p.rng
    x, y = p.mouth
    w, h = u(rng, 0.28, 0.5), u(rng, 0.4, 0.75)
    colour = random_colour(rng)
    with p.canvas.at(x, y, rotate=u(rng, -25, 25)):
        if chance(rng, 0.6):
            p.canvas.stroke(ellipse(w * 1.1, 0.5 * h, 0.2, 0.24), scale_colour(colour, 0.8), 0.1, closed=True, face=0)
        p.part(polygon([(-w, -0.1), (w, -0.1), (0.8 * w, h), (-0.8 * w, h)]), colour, 0)
        p.part(ellipse(0.0, -0.1, w, 0.09), scale_colour(colour, 0.6), 0)
    return ()


def _bars(p: _Place) -> Hidden:
    """Bars of a cage or a window, or pickets."""
    rng = p.rng
    gap, thick = u(rng, 0.5, 0.8), u(rng, 0.08, 0.2)
    colour = pick(rng, (60.0, 62.0, 70.0), (150.0, 152.0, 160.0), hsv(0.08, 0.5, 0.5))
    shift = u(rng, 0.0, gap)
    for k in range(-3, 4):
        x = k * gap + shift
        p.part(box(x - thick / 2, -1.7, x + thick / 2, 1.7), colour, 0)
    if chance(rng, 0.5):
        y = pick(rng, -1.2, 1.2)
        p.part(box(-2.0, y - thick / 2, 2.0, y + thick / 2), colour, 0)
    return ()


def _brim(p: _Place) -> Hidden:
    """A hat pulled down to the eyes."""
    rng = p.rng
    colour = random_colour(rng)
    y = p.eye_y - u(rng, 0.28, 0.42)
    p.part(smooth([(-1.0, y), (-0.95, -1.0), (-0.5, -1.5), (0.5, -1.5), (0.95, -1.0), (1.0, y)]), colour, 0)
    p.part(
        ellipse(u(rng, -0.15, 0.15), y, u(rng, 1.2, 1.5), u(rng, 0.12, 0.22), u(rng, -10, 10)),
        scale_colour(colour, 0.8),
        0,
    )
    return BROW_PARTS


def _rim(p: _Place) -> Hidden:
    """A wall, a snow heap, a book or the edge of a box: only what is above the nose looks over it."""
    rng = p.rng
    y = max(p.eye_y + u(rng, 0.5, 0.75), 0.15)
    colour = pick(rng, WHITE, random_colour(rng), random_colour(rng))
    if chance(rng, 0.4):
        top = [(x, y + u(rng, -0.1, 0.1)) for x in (-1.6, -0.8, 0.0, 0.8, 1.6)]
        p.part(smooth([*top, (1.7, 1.6), (0.0, 1.8), (-1.7, 1.6)]), colour, 0)
    else:
        p.part(box(-1.8, y, 1.8, 1.9), colour, 0)
        if chance(rng, 0.5):
            for k in range(3):
                p.canvas.stroke(np.array([(-1.8, y + 0.35 * k), (1.8, y + 0.35 * k)]), scale_colour(colour, 0.7), 0.04)
    return ()


def _leaves(p: _Place) -> Hidden:
    rng = p.rng
    green = hsv(u(rng, 0.2, 0.4), u(rng, 0.4, 0.8), u(rng, 0.3, 0.7))
    side = 1.0 if chance(rng, 0.5) else -1.0
    for _ in range(int(rng.integers(4, 10))):
        x, y = side * u(rng, 0.35, 1.3), u(rng, -1.1, 1.2)
        p.part(
            ellipse(x, y, u(rng, 0.15, 0.35), u(rng, 0.07, 0.14), u(rng, 0, 180)),
            scale_colour(green, u(rng, 0.7, 1.2)),
            0,
        )
    return ()


def _blanket(p: _Place) -> Hidden:
    """Sheets up to the chin or the nose, at times an ice bag on the brow."""
    rng = p.rng
    colour = random_colour(rng)
    y = u(rng, 0.75, 1.0) if chance(rng, 0.7) else max(p.eye_y + 0.45, 0.3)
    edge = [(-1.7, y + u(rng, -0.1, 0.1)), (-0.6, y), (0.5, y + 0.05), (1.7, y + u(rng, -0.1, 0.1))]
    p.part(smooth([*edge, (1.8, 1.9), (-1.8, 1.9)], steps=4), colour, 0)
    p.canvas.fill(brush(smooth(edge, False), 0.16, 0.0), scale_colour(colour, 1.2), 0)
    if chance(rng, 0.2):
        p.part(ellipse(0.1, -0.95, 0.5, 0.3), (140.0, 170.0, 210.0), 0)
    return ()


_COVERS: tuple[Callable[[_Place], Hidden], ...] = (
    _bandage, _bandage, _plaster, _splat, _splat, _beard_of_foam, _kerchief, _glasses, _glasses, _hand, _hand, _cup,
    _bars, _brim, _brim, _rim, _leaves,
)  # fmt: skip
