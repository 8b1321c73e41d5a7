"""How well a colour stands out from the pages. Pure. After WCAG 2.2: relative luminance and contrast ratio."""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass

LIGHT, DARK = "#fffdf7", "#1e1b26"  # what a character's dot stands on, in app.css: --sheet in the light, in the dark
LEAST = 3.0  # of what is drawn and has to be told from what is around it (1.4.11)
FORM = re.compile(r"#[0-9a-f]{6}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Contrast:
    """With light and with dark pages, from 1 to 21."""

    light: float
    dark: float

    @property
    def enough(self) -> bool:
        return min(self.light, self.dark) >= LEAST


def is_colour(text: str) -> bool:
    return FORM.match(text) is not None


def contrast_of(colour: str) -> Contrast:
    """``colour``: like ``#8a8f98``. Raises ValueError for anything else."""
    return Contrast(ratio(colour, LIGHT), ratio(colour, DARK))


def ratio(one: str, other: str) -> float:
    a, b = sorted((luminance(one), luminance(other)))
    return (b + 0.05) / (a + 0.05)


def luminance(colour: str) -> float:
    if not is_colour(colour):
        raise ValueError(f"A colour is written like #8a8f98, not {colour[:20]!r}.")
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def nearest_enough(colour: str) -> str:
    """The same hue as light or dark as it must be to stand out from both; itself where it does."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    for step in sorted(range(-100, 101), key=abs):
        at = lightness + step / 100
        if 0.0 <= at <= 1.0:
            found = "#" + "".join(f"{round(255 * x):02x}" for x in colorsys.hls_to_rgb(hue, at, saturation))
            if step == 0:
                found = colour
            if contrast_of(found).enough:
                return found
    return colour  # not reached: some grey of every hue lies between the two


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
