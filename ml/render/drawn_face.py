"""What a drawn face does: numbers for brows, lids, pupils, mouth and the signs that cartoonists add.

Signs: a brow or an ear is positive when raised; ``lid_angle`` is positive when the inner corner is pressed down (anger)
and negative when the outer corner droops (sadness); a mouth's ``curve`` is positive when its corners go up.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from ml.render.canvas import Colour

Mouth = Literal["line", "open", "oval", "grin", "clench", "wavy", "snarl", "tongue"]
Eyes = Literal["open", "arch", "shut", "squeeze"]


@dataclass(frozen=True, slots=True)
class Expression:
    """All of a face's moving parts. Lengths are in skull radii unless said otherwise."""

    brow_inner: float = 0.0  # height of the brow's inner end, about -0.4..0.5
    brow_outer: float = 0.0
    brow_asym: float = 0.0  # lifts the left brow by this much and lowers the right one
    brow_weight: float = 1.0
    eyes: Eyes = "open"
    eye_scale: float = 1.0
    lid_top: float = 0.1  # 0 wide open .. 1 shut
    lid_bottom: float = 0.0
    lid_angle: float = 0.0
    lid_asym: float = 0.0  # closes the right eye's lid further
    pupil: float = 1.0
    gaze_x: float = 0.0  # -1..1 of the room inside the eye
    gaze_y: float = 0.0
    mouth: Mouth = "line"
    curve: float = 0.1  # -1..1
    opening: float = 0.0  # 0..1.3
    mouth_width: float = 1.0
    skew: float = 0.0  # lifts one corner
    teeth: int = 0  # 0 none, 1 upper row, 2 both rows
    tongue: float = 0.0
    tears: float = 0.0  # 0..1
    sweat: float = 0.0
    blush: float = 0.0
    wrinkle: float = 0.0  # folds between the brows or over the nose
    tint: Colour = (0.0, 0.0, 0.0)
    tint_amount: float = 0.0
    stretch: float = 0.0  # positive: taller and thinner, negative: squashed
    ears: float = 0.0  # -1 flat .. 1 pricked
    steam: float = 0.0  # puffs beside the head
    tremble: float = 0.0  # short shaking lines beside the head
    jaw: float = 0.0  # how much further than any jaw the chin hangs, 0..1.2 skull heights
    smear: float = 0.0  # widens the whole head, as in a drawing between two poses


def blend(a: Expression, b: Expression, t: float) -> Expression:
    """From ``a`` (t = 0) to ``b`` (t = 1); parts that have no between switch at one half."""
    if t <= 0.0:
        return a
    if t >= 1.0:
        return b
    values: dict[str, Any] = {}
    for field in fields(Expression):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if field.name == "tint":
            values["tint"] = b.tint if b.tint_amount > a.tint_amount else a.tint
        elif isinstance(x, float) and isinstance(y, float):
            values[field.name] = x + (y - x) * t
        else:
            values[field.name] = x if t < 0.5 else y
    return Expression(**values)


class Draw:
    """Shorthand for random numbers around the drawn ideal."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def jitter(self, s: float) -> float:
        return float(np.clip(self.rng.normal(), -2.0, 2.0)) * s

    def between(self, a: float, b: float) -> float:
        return float(self.rng.uniform(a, b))

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def side(self) -> float:
        return 1.0 if self.rng.random() < 0.5 else -1.0
