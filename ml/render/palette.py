"""Colours of skin, fur and hair, and a choice among given things."""

from __future__ import annotations

from typing import Any

import numpy as np

from ml.render.canvas import Colour
from ml.render.ink import BLACK, WHITE, chance, hsv, random_colour, u

Rng = np.random.Generator


def pick(rng: Rng, *options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def skin_tone(rng: Rng) -> Colour:
    return hsv(u(rng, 0.02, 0.11), u(rng, 0.15, 0.6), u(rng, 0.35, 1.0))


def fur(rng: Rng) -> Colour:
    r = rng.random()
    if r < 0.3:
        return hsv(u(rng, 0.5, 0.75), u(rng, 0.0, 0.25), u(rng, 0.15, 0.9))
    if r < 0.65:
        return hsv(u(rng, 0.02, 0.12), u(rng, 0.25, 0.85), u(rng, 0.25, 0.95))
    if r < 0.75:
        return (30.0, 28.0, 30.0) if chance(rng, 0.5) else (242.0, 240.0, 235.0)
    return random_colour(rng)


def hair_tone(rng: Rng) -> Colour:
    return pick(rng, BLACK, hsv(u(rng, 0.02, 0.12), u(rng, 0.3, 0.9), u(rng, 0.12, 0.9)), WHITE, random_colour(rng))  # type: ignore[no-any-return]
