"""Looks: named wholes of line, palette, fill, ground, light and film, from the prints of the 1930s to flat vector work.

A ``Look`` says what may vary; ``Look.dress`` draws its free numbers and gives a ``Dress``, which stays the same for a
whole episode or for one training picture. Nothing in training draws a look of ``HELD_OUT_LOOKS``.

The way of a picture: characters and things are drawn in the dress's ink on a canvas; ``Dress.develop`` recolours it,
puts it on its surface and lets it weave, masks and all; ``Dress.project`` adds film, lens and wear, frame by frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ml.render import recolour, surfaces, wear
from ml.render.canvas import Canvas, Colour, Image, scale_colour
from ml.render.crowd import COMPUTER_FAMILIES, FILM_FAMILIES, Split
from ml.render.design import Design, Fill
from ml.render.ink import BLACK, WHITE, Ink, chance, hsv, u
from ml.render.motion import drawn_since, shaken
from ml.render.recolour import Palette, Table
from ml.render.styles import (
    Style,
    apply_style,
    backlit_style,
    clean_style,
    computer_style,
    film_print,
    hidden,
    night_style,
    two_colour_print,
    wild_style,
)
from ml.render.surfaces import Surface
from ml.render.wear import Wear

Rng = np.random.Generator
Ground = Literal["any", "painted", "flat", "soft", "bare", "board"]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Line:
    """``width`` in skull radii; None: each design's own. ``colour``: None is each design's own."""

    width: float | None = None
    colour: Colour | None = None
    tinted: float = 0.0  # 0: ``colour``; 1: a dark shade of what is outlined
    fill: Fill | None = None  # None: each design's own
    shading: float = 0.0
    wobble: float = 0.0  # how far the drawing is bent, a share of the height


@dataclass(frozen=True, slots=True)
class Look:
    """A named whole. The callables draw what varies within it."""

    name: str
    says: str
    line: Callable[[Rng], Line]
    style: Callable[[Rng], Style]
    palette: Palette = recolour.full
    surfaces: tuple[Surface, ...] = ()  # one of them
    wears: tuple[Wear, ...] = ()  # one of them
    ground: Ground = "any"
    families: tuple[str, ...] = ()  # who lives in it; anybody where empty
    modelled: bool = False  # by light alone, without lines
    weave: float = 0.0
    narrow: float = 0.0  # the chance of a 4:3 picture inside a wider one
    backlit: float = 0.0  # the chance that characters stand before the light

    def dress(self, rng: Rng, aspect: float = 16 / 9) -> Dress:
        """``aspect``: the picture's width over its height."""
        style = self.style(rng)
        if aspect > 1.4 and chance(rng, self.narrow):
            style = replace(style, bars=(style.bars[0], 0.5 * (aspect - 4 / 3)))
        return Dress(
            look=self,
            line=self.line(rng),
            table=self.palette(rng),
            surface=_pick(rng, self.surfaces),
            wear=_pick(rng, self.wears),
            style=style,
            weave=u(rng, 0, self.weave) if self.weave else 0.0,
            dim=u(rng, 0.3, 0.6) if self.backlit and chance(rng, self.backlit) else 1.0,
        )


def _pick(rng: Rng, items: tuple[Item, ...]) -> Item | None:
    return items[int(rng.integers(len(items)))] if items else None


@dataclass(frozen=True, slots=True)
class Dress:
    """A look with its free numbers drawn."""

    look: Look
    line: Line
    table: Table | None
    surface: Surface | None
    wear: Wear | None
    style: Style
    weave: float
    dim: float  # brightness of what stands before the light; 1: nothing does

    def design(self, design: Design) -> Design:
        """The same character in this look's line and fill."""
        line = self.line
        if self.look.modelled:
            fill: Fill = "radial"
            return replace(design, outline=0.0, fill=fill, shading=line.shading, ink=scale_colour(design.skin, 0.3))
        if line.colour is not None and line.tinted < 0.5:
            ink = line.colour
        else:
            ink = scale_colour(design.skin, 0.4) if line.tinted >= 0.5 else design.ink
        return replace(
            design,
            ink=ink,
            outline=design.outline if line.width is None else line.width,
            fill=design.fill if line.fill is None else line.fill,
            shading=design.shading if line.fill is None else line.shading,
        )

    def ink(self, ink: Ink) -> Ink:
        """The outlines and shading of things, which start from ``ink``."""
        line = self.line
        if self.look.modelled:
            return Ink(width=0.0, tinted=1.0, shading=max(0.4, line.shading))
        return Ink(
            ink.colour if line.colour is None else line.colour,
            ink.width if line.width is None else line.width,
            max(line.tinted, ink.tinted if line.colour is None else 0.0),
            ink.shading if line.fill is None else 0.0 if line.fill == "flat" else max(0.3, line.shading),
        )

    def before_the_light(self, canvas: Canvas, ground: Image) -> None:
        """Darkens what was drawn since ``ground`` was copied from the canvas, where the light comes from behind."""
        if self.dim < 1.0:
            fresh = drawn_since(canvas, ground)
            canvas.pixels[fresh] = (canvas.pixels[fresh] * np.float32(self.dim)).astype(np.uint8)
            lit = canvas.pixels[~fresh]
            canvas.pixels[~fresh] = (lit + (255 - lit.astype(np.float32)) * 0.3).astype(np.uint8)

    def develop(self, canvas: Canvas, rng: Rng) -> None:
        """Reduces the canvas to its own size, recoloured and on its surface; masks follow where the drawing bends."""
        picture = canvas.image()
        if self.table is not None:
            picture = recolour.recoloured(picture, self.table)
        if self.surface is not None:
            picture = self.surface(picture, rng)
        canvas.pixels, canvas.supersample = picture, 1
        shaken(canvas, self.line.wobble, self.weave)

    def project(self, picture: Image, rng: Rng) -> Image:
        """A developed picture as it is seen: film, lens, light, then what copying did to it."""
        return self.worn(apply_style(picture, self.style, rng), rng)

    def worn(self, picture: Image, rng: Rng) -> Image:
        return picture if self.wear is None else self.wear(picture, rng)

    def hidden(self, height: int, width: int) -> NDArray[np.bool_] | None:
        """Pixels that are black whatever is drawn there: bars and corners."""
        return hidden(self.style, height, width)


# ------------------------------------------------------------------------------------------------ lines


def _any_line(rng: Rng) -> Line:
    """From none to very thick, in black, a shade of the fill or white; one in five wobbles."""
    r = rng.random()
    width = None if r < 0.3 else 0.0 if r < 0.45 else u(rng, 0.01, 0.05) if r < 0.8 else u(rng, 0.06, 0.14)
    colour = None if chance(rng, 0.5) else BLACK if chance(rng, 0.75) else WHITE if chance(rng, 0.4) else None
    return Line(
        width, colour, 1.0 if chance(rng, 0.25) else 0.0, wobble=u(rng, 0.001, 0.004) if chance(rng, 0.2) else 0.0
    )


def _print_line(rng: Rng) -> Line:
    return Line(u(rng, 0.025, 0.06), BLACK, wobble=u(rng, 0, 0.0015))


def _golden_line(rng: Rng) -> Line:
    return Line(u(rng, 0.015, 0.035), None, 1.0 if chance(rng, 0.4) else 0.0, "linear", u(rng, 0.1, 0.3))


def _television_line(rng: Rng) -> Line:
    return Line(u(rng, 0.04, 0.09), BLACK, fill="flat", wobble=u(rng, 0, 0.0015))


def _vector_line(rng: Rng) -> Line:
    return Line(u(rng, 0.0, 0.028), None, 1.0, "flat")


def _soft_line(rng: Rng) -> Line:
    return Line(0.0, None, 1.0, "radial", u(rng, 0.3, 0.65))


def _shaky_line(rng: Rng) -> Line:
    width = u(rng, 0.07, 0.15) if chance(rng, 0.5) else u(rng, 0.02, 0.05)
    colour = BLACK if chance(rng, 0.7) else hsv(u(rng, 0, 1), 0.8, 0.35)
    return Line(width, colour, fill="flat", wobble=u(rng, 0.002, 0.005))


def _white_line(rng: Rng) -> Line:
    return Line(u(rng, 0.02, 0.07), WHITE, fill="flat", wobble=u(rng, 0, 0.002))


def _cut_line(rng: Rng) -> Line:
    return Line(0.0, fill="flat", wobble=u(rng, 0, 0.001))


def _pencil_line(rng: Rng) -> Line:
    return Line(u(rng, 0.02, 0.05), hsv(u(rng, 0.03, 0.1), u(rng, 0.2, 0.6), u(rng, 0.1, 0.3)), fill="flat")


def _wash_line(rng: Rng) -> Line:
    width = 0.0 if chance(rng, 0.4) else u(rng, 0.012, 0.03)
    return Line(width, hsv(u(rng, 0.55, 0.7), 0.4, 0.3), fill="linear", shading=0.25, wobble=u(rng, 0.002, 0.004))


def _chalk_line(rng: Rng) -> Line:
    return Line(u(rng, 0.02, 0.05), BLACK, fill="flat", wobble=u(rng, 0.001, 0.003))


def _neon_line(rng: Rng) -> Line:
    return Line(u(rng, 0.03, 0.07), BLACK if chance(rng, 0.6) else WHITE, fill="flat")


# ------------------------------------------------------------------------------------------------ film and light


def _golden_film(rng: Rng) -> Style:
    return Style(
        "golden", saturation=u(rng, 0.95, 1.35), tint=(u(rng, 1.0, 1.08), 1.0, u(rng, 0.84, 0.98)),
        contrast=u(rng, 0.95, 1.12), vignette=u(rng, 0, 0.3), blur=u(rng, 0.0005, 0.003), grain=u(rng, 1, 6),
        misregister=u(rng, 0, 0.004), jpeg=int(rng.integers(40, 92)),
    )  # fmt: skip


def _set_of_the_sixties(rng: Rng) -> Style:
    return Style(
        "television", saturation=u(rng, 0.6, 1.1), contrast=u(rng, 0.85, 1.05), lift=(u(rng, 0, 14),) * 3,
        blur=u(rng, 0.001, 0.003), grain=u(rng, 0, 5), jpeg=int(rng.integers(35, 90)),
    )  # fmt: skip


def _vector(rng: Rng) -> Style:
    return Style("vector", saturation=u(rng, 0.95, 1.3), jpeg=int(rng.integers(70, 97)) if chance(rng, 0.6) else 0)


def _dark(rng: Rng) -> Style:
    if chance(rng, 0.3):
        return backlit_style(rng)
    style = night_style(rng)
    return replace(style, grain=u(rng, 0, 7), jpeg=int(rng.integers(25, 90)))


def _washed_out(rng: Rng) -> Style:
    return Style("tape", saturation=u(rng, 0.5, 1.2), contrast=u(rng, 0.7, 1.0), lift=(u(rng, 0, 30),) * 3)


def _light_grain(rng: Rng) -> Style:
    return Style("paper", contrast=u(rng, 0.9, 1.05), jpeg=int(rng.integers(45, 95)) if chance(rng, 0.6) else 0)


def _print(rng: Rng) -> Style:
    return replace(film_print(rng), saturation=0.0, scratches=u(rng, 0.5, 5))


def _bare(rng: Rng) -> Style:
    return Style("bare", jpeg=int(rng.integers(60, 96)) if chance(rng, 0.5) else 0)


# ------------------------------------------------------------------------------------------------ the looks

_ALL = (
    Look("print_1930", "a worn grey print of the thirties", _print_line, _print, ground="painted",
         families=FILM_FAMILIES, weave=0.004, narrow=0.5),
    Look("two_colour", "early colour film of two dyes, faded", _print_line, two_colour_print, ground="painted",
         families=FILM_FAMILIES, weave=0.004, narrow=0.5),
    Look("golden_age", "painted colour of the forties", _golden_line, _golden_film, surfaces=(surfaces.gouache,),
         ground="painted", weave=0.001, narrow=0.4),
    Look("television", "limited animation of the sixties: thick even line, few flat colours", _television_line,
         _set_of_the_sixties, recolour.limited_own, ground="flat", narrow=0.5),
    Look("vector", "flat modern digital work with a thin coloured line", _vector_line, _vector, ground="flat"),
    Look("soft_3d", "soft computed light, no line", _soft_line, computer_style, surfaces=(surfaces.soft_light,),
         ground="soft", families=COMPUTER_FAMILIES, modelled=True),
    Look("dark", "night, and characters before the light", _any_line, _dark, backlit=0.5),
    Look("compressed", "hardly any bits: blocks, rescaling, combs", _any_line, clean_style,
         wears=(wear.low_bitrate, wear.hard_jpeg, wear.low_bitrate, wear.combed)),
    Look("tape", "worn video tape", _any_line, _washed_out, wears=(wear.tape,), narrow=0.4),
    Look("pastel", "pale milky colours", _vector_line, _light_grain, recolour.pastel, (surfaces.paper,), ground="flat"),
    Look("earth", "browns and ochres, lines copied from pencil", _pencil_line, _set_of_the_sixties, recolour.earth,
         (surfaces.copied_line,), ground="painted", weave=0.001),
    Look("few_inks", "a wobbling line and four to eight colours", _shaky_line, _light_grain, recolour.limited),
    Look("one_hue", "one hue from dark to light, often a white line",
         lambda rng: _white_line(rng) if chance(rng, 0.5) else _any_line(rng), _light_grain, recolour.monochrome),
    Look("cut_paper", "shapes of paper without lines", _cut_line, _light_grain, surfaces=(surfaces.paper,),
         ground="flat"),
    Look("anything", "any line under any film", _any_line, wild_style),
    # -- for tests only
    Look("newsprint", "print dots on cheap paper", _chalk_line, _bare, surfaces=(surfaces.newsprint,)),
    Look("watercolour", "washes on paper", _wash_line, _bare, surfaces=(surfaces.watercolour,), ground="bare"),
    Look("chalk", "chalk on a board", _chalk_line, _bare, surfaces=(surfaces.chalkboard,), ground="board"),
    Look("neon", "glowing hues on violet black", _neon_line, _bare, recolour.neon, (surfaces.glow,)),
    Look("pixels", "square blocks and few shades", _any_line, _bare, surfaces=(surfaces.pixels,)),
)  # fmt: skip

LOOKS: dict[str, Look] = {look.name: look for look in _ALL}
HELD_OUT_LOOKS: tuple[str, ...] = ("newsprint", "watercolour", "chalk", "neon", "pixels")
TRAINING_LOOKS: tuple[str, ...] = tuple(name for name in LOOKS if name not in HELD_OUT_LOOKS)
_WEIGHTS = {"print_1930": 1.5, "two_colour": 1.5, "soft_3d": 1.6, "golden_age": 1.4, "anything": 2.0}


def random_look(rng: Rng, split: Split = "training") -> Look:
    """A look to train with, or one that is kept for tests (``split`` "held_out")."""
    names = HELD_OUT_LOOKS if split == "held_out" else TRAINING_LOOKS
    weights = np.array([_WEIGHTS.get(name, 1.0) for name in names])
    return LOOKS[names[int(rng.choice(len(names), p=weights / weights.sum()))]]
