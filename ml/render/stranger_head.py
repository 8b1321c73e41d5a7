"""A head that is not drawn on a sphere: its colours, its eyes and tears, and what it is drawn on.

Units: the head spans about -1..1; profiles look to the right and are mirrored by the caller's transform.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.render.canvas import Canvas, Colour, Path, brush, ellipse, mix, scale_colour, smooth
from ml.render.expression import Expression
from ml.render.ink import BLACK, WHITE, Ink, chance, hsv, random_colour, u
from ml.render.palette import fur, hair_tone, pick, skin_tone
from ml.render.turn import draw_drop

Rng = np.random.Generator
MOUTH: Colour = (96.0, 20.0, 30.0)
TONGUE: Colour = (224.0, 100.0, 108.0)
PEOPLE = ("man", "tough", "child")
KINDS = (*PEOPLE, "man", "dog", "dog", "bird", "bird", "cat", "rodent", "fox", "horse", "crocodile", "pig", "cow")
HELD_OUT_KINDS = ("frog", "alien", "elephant")


@dataclass(frozen=True, slots=True)
class Look:
    kind: str
    skin: Colour
    light: Colour
    bill: Colour
    hair: Colour
    shape: int  # two heads of one look have the same nose, eyes and hat


def stranger_look(rng: Rng, split: str = "training") -> Look:
    """Somebody made up; in the split ``held_out`` of kinds that training never draws."""
    kind = pick(rng, *(KINDS if split == "training" else HELD_OUT_KINDS))
    if kind in PEOPLE:
        skin = skin_tone(rng)
    elif kind in ("bird", "alien"):
        skin = random_colour(rng)
    elif kind in ("crocodile", "frog"):
        skin = hsv(u(rng, 0.2, 0.45), u(rng, 0.3, 0.8), u(rng, 0.35, 0.85))
    elif kind == "elephant":
        skin = hsv(u(rng, 0.5, 0.95), u(rng, 0.03, 0.25), u(rng, 0.45, 0.8))
    else:
        skin = fur(rng)
    light = pick(rng, mix(skin, WHITE, 0.5), skin, (246.0, 226.0, 196.0))
    return Look(
        kind,
        skin,
        light,
        hsv(u(rng, 0.05, 0.15), u(rng, 0.4, 1), u(rng, 0.65, 1)),
        hair_tone(rng),
        int(rng.integers(1 << 31)),
    )


class Head:
    """One drawing in progress: what it is drawn on, in which colours, and where its eyes came to lie."""

    def __init__(self, canvas: Canvas, look: Look, ink: Ink, expression: Expression, face: int) -> None:
        rng = np.random.default_rng(look.shape)
        self.canvas, self.rng, self.ink, self.expression, self.face = canvas, rng, ink, expression, face
        self.kind, self.skin, self.light = look.kind, look.skin, look.light
        self.bill, self.hair = look.bill, look.hair
        self.eyes: list[tuple[float, float]] = []
        self.dots = chance(rng, 0.15)  # eyes without whites
        self.brow = 0.0 if chance(rng, 0.12) else u(rng, 0.05, 0.14)
        self.pupil = u(rng, 0.4, 0.75)
        self.slant = u(rng, -8, 8)
        self.toothy = chance(rng, 0.6)

    @property
    def person(self) -> bool:
        return self.kind in PEOPLE

    @property
    def opening(self) -> float:
        """How far the mouth is open, 0..1."""
        e = self.expression
        return min(1.0, e.opening if e.mouth in ("open", "oval", "tongue") else 0.25 * e.opening)

    def part(
        self, path: Path, colour: Colour, face: bool = True, x: float = 0.0, y: float = 0.0, r: float = 1.0
    ) -> None:
        paint = self.ink.paint(colour, x, y, r)
        self.canvas.shape(path, paint, self.ink.line(colour), self.ink.width, face=self.face if face else 0)

    def line(self, points: list[tuple[float, float]], width: float) -> None:
        self.canvas.fill(
            brush(smooth(points, closed=False), width, 0.6),
            self.ink.line(self.skin) if self.ink.width else scale_colour(self.skin, 0.35),
        )

    def eye(self, x: float, y: float, rx: float, ry: float, nose: float = 1.0) -> None:
        """An eye with its lid, brow and tears; the nose lies to its right (1) or to its left (-1)."""
        e, c = self.expression, self.canvas
        (place,) = c.to_pixels(np.array([(x, y)]))
        self.eyes.append((float(place[0]), float(place[1])))
        if e.eyes == "squeeze":
            tip = (x + nose * rx * 0.9, y)
            for dy in (-0.6 * ry, 0.6 * ry):
                self.line([(x - nose * rx * 1.1, y + dy), (x, y + 0.5 * dy), tip], 0.08)
        elif e.eyes != "open":
            bend = -0.7 * ry if e.eyes == "arch" else 0.5 * ry
            self.line([(x - rx * 1.2, y), (x, y + bend), (x + rx * 1.2, y)], 0.09)
        else:
            ry *= e.eye_scale
            rx *= 0.5 + 0.5 * e.eye_scale
            self._open(x, y, rx, ry, nose)
        if self.brow > 0.0:
            level = y - ry - 0.1
            inner, outer = level - 0.7 * e.brow_inner, level - 0.7 * e.brow_outer
            arch = (x, (inner + outer) / 2 - 0.05)
            self.line([(x - nose * 1.3 * rx, outer), arch, (x + nose * 1.1 * rx, inner)], self.brow * e.brow_weight)
        if e.tears >= 0.15:
            for k in range(1 + round(2 * e.tears)):
                draw_drop(c, x - nose * 0.3 * rx, y + ry + 0.12 + 0.24 * k, 0.1)

    def _open(self, x: float, y: float, rx: float, ry: float, nose: float) -> None:
        e, c = self.expression, self.canvas
        path = ellipse(x, y, rx, ry, self.slant)
        if self.dots:
            path = ellipse(x, y, 0.55 * rx, 0.55 * ry)
            c.fill(path, BLACK, self.face)
        else:
            c.shape(path, WHITE, self.ink.line(self.skin), max(0.02, self.ink.width * 0.8), face=self.face)
        with c.clip(path):
            if not self.dots:
                r = self.pupil * rx * e.pupil
                c.fill(ellipse(x + nose * 0.3 * rx, y + 0.3 * e.gaze_y * ry, r, min(1.4 * r, ry)), BLACK)
            lid = y - ry + 2 * ry * max(0.0, e.lid_top)
            tilt = 0.6 * e.lid_angle * ry
            top = y - 2 * ry
            edge = [
                (x - nose * 1.3 * rx, lid - tilt),
                (x + nose * 1.3 * rx, lid + tilt),
                (x + nose * 1.3 * rx, top),
                (x - nose * 1.3 * rx, top),
            ]
            c.fill(np.array(edge), scale_colour(self.skin, 0.85))
