"""How a finished picture looks: film stock, colour, lens, compression. Deterministic from a numpy Generator.

A ``Style`` holds for a whole episode or for one training frame; what changes from frame to frame (grain, flicker,
scratches) comes from the generator handed to ``apply_style``. Pictures are RGB uint8, height x width x 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Rng = np.random.Generator
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True)
class Style:
    """Lengths are fractions of the picture's height, so that a style looks the same at every size."""

    name: str = "clean"
    saturation: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)  # multiplies
    lift: tuple[float, float, float] = (0.0, 0.0, 0.0)  # adds, in grey levels
    contrast: float = 1.0
    gamma: float = 1.0
    vignette: float = 0.0  # how much darker the corners are
    glare: float = 0.0  # light from one side, as in a backlit shot
    shadows: float = 0.0  # depth of blotchy dark patches
    levels: int = 0  # of each channel; 0: as many as there are
    misregister: float = 0.0  # red plate shifted sideways, as in early colour film
    blur: float = 0.0
    smear: float = 0.0  # length of a motion blur
    smear_vertical: bool = False
    rescale: float = 1.0  # down to this share of the size and up again
    nearest: bool = False
    sharpen: float = 0.0
    grain: float = 0.0  # standard deviation, grey levels
    grain_coloured: bool = False
    grain_coarse: bool = False
    flicker: float = 0.0  # standard deviation of brightness from frame to frame, grey levels
    scratches: float = 0.0  # mean number per frame
    jpeg: int = 0  # quality; 0: none
    bars: tuple[float, float] = (0.0, 0.0)  # black at top and bottom, left and right
    corner: float = 0.0  # radius of rounded black corners


CLEAN = Style()


def _u(rng: Rng, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def _tint(rng: Rng, spread: float) -> tuple[float, float, float]:
    r, g, b = rng.uniform(1 - spread, 1 + spread * 0.6, 3)
    return float(r), float(g), float(b)


def _modern(rng: Rng) -> Style:
    return Style("modern", saturation=_u(rng, 0.9, 1.25), contrast=_u(rng, 0.95, 1.1), jpeg=int(rng.integers(75, 96)))


def _soft(rng: Rng) -> Style:
    return Style(
        "soft",
        saturation=_u(rng, 0.7, 1.1),
        vignette=_u(rng, 0.1, 0.45),
        blur=_u(rng, 0.001, 0.004),
        tint=_tint(rng, 0.1),
    )


def _grey(rng: Rng) -> Style:
    return Style(
        "grey",
        saturation=0.0,
        contrast=_u(rng, 0.7, 1.25),
        gamma=_u(rng, 0.8, 1.3),
        grain=_u(rng, 0, 9),
        jpeg=int(rng.integers(30, 95)),
    )


def _sepia(rng: Rng) -> Style:
    warm = (1.0, _u(rng, 0.85, 0.95), _u(rng, 0.62, 0.82))
    return replace(_grey(rng), name="sepia", tint=warm, vignette=_u(rng, 0.1, 0.5))


def film_print(rng: Rng) -> Style:
    """A worn print of about 1930, with the gate's rounded corners."""
    return Style(
        "film",
        saturation=0.0 if rng.random() < 0.6 else _u(rng, 0.2, 0.7),
        tint=_tint(rng, 0.1),
        contrast=_u(rng, 0.65, 1.05),
        lift=(_u(rng, 0, 22), _u(rng, 0, 16), _u(rng, 0, 18)),
        vignette=_u(rng, 0.1, 0.5),
        blur=_u(rng, 0.001, 0.005),
        grain=_u(rng, 4, 14),
        grain_coarse=bool(rng.random() < 0.5),
        flicker=_u(rng, 2, 9),
        scratches=_u(rng, 0, 2.5),
        corner=_u(rng, 0.02, 0.14) if rng.random() < 0.6 else 0.0,
        jpeg=int(rng.integers(20, 80)),
    )


def two_colour_print(rng: Rng) -> Style:
    """Early colour film: a narrow gamut that leans to red or brown, plates slightly apart, faded blacks."""
    return Style(
        "two_colour",
        saturation=_u(rng, 0.4, 0.95),
        tint=(_u(rng, 0.95, 1.1), _u(rng, 0.85, 1.0), _u(rng, 0.75, 0.98)),
        lift=(_u(rng, 5, 35), _u(rng, 0, 22), _u(rng, 3, 28)),
        contrast=_u(rng, 0.65, 0.95),
        misregister=_u(rng, 0, 0.008),
        blur=_u(rng, 0.001, 0.004),
        grain=_u(rng, 2, 9),
        vignette=_u(rng, 0, 0.4),
        corner=_u(rng, 0.03, 0.12) if rng.random() < 0.6 else 0.0,
        flicker=_u(rng, 0, 5),
        jpeg=int(rng.integers(15, 70)),
    )


def _web(rng: Rng) -> Style:
    """Copied too often: small, blurred, hard compressed."""
    return Style(
        "web",
        saturation=_u(rng, 0.7, 1.2),
        rescale=_u(rng, 0.4, 0.75),
        sharpen=_u(rng, 0, 0.8) if rng.random() < 0.4 else 0.0,
        jpeg=int(rng.integers(8, 35)),
    )


def _poster(rng: Rng) -> Style:
    return Style("poster", levels=int(rng.integers(4, 9)), saturation=_u(rng, 0.5, 1.4), jpeg=int(rng.integers(60, 95)))


def night_style(rng: Rng) -> Style:
    cold = rng.random() < 0.75
    tint = (_u(rng, 0.3, 0.55), _u(rng, 0.4, 0.6), _u(rng, 0.6, 0.95)) if cold else (_u(rng, 0.6, 0.9), 0.42, 0.3)
    return Style("night", saturation=_u(rng, 0.3, 0.8), tint=tint, gamma=_u(rng, 0.9, 1.4), vignette=_u(rng, 0, 0.6))


def backlit_style(rng: Rng) -> Style:
    return Style("backlit", tint=_tint(rng, 0.15), gamma=_u(rng, 1.2, 1.8), glare=_u(rng, 0.4, 0.9), saturation=0.8)


def _faded(rng: Rng) -> Style:
    return Style(
        "faded",
        saturation=_u(rng, 0.15, 0.6),
        contrast=_u(rng, 0.35, 0.75),
        lift=(_u(rng, -10, 35), _u(rng, -10, 30), _u(rng, -10, 30)),
        grain=_u(rng, 0, 8),
        tint=_tint(rng, 0.15),
    )


def _computer(rng: Rng) -> Style:
    """The soft light and shallow focus of three-dimensional animation."""
    return Style(
        "computer",
        saturation=_u(rng, 0.9, 1.3),
        glare=_u(rng, 0, 0.35),
        shadows=_u(rng, 0, 0.45),
        vignette=_u(rng, 0.05, 0.35),
        jpeg=int(rng.integers(50, 96)),
    )


def _odd(rng: Rng) -> Style:
    """Anything at once, to leave no gap between the named styles."""
    r = rng.random
    return Style(
        "odd",
        saturation=_u(rng, 0, 1.4),
        tint=_tint(rng, 0.25),
        lift=tuple(float(v) for v in rng.uniform(-18, 18, 3)),  # type: ignore[arg-type]
        contrast=_u(rng, 0.5, 1.3),
        gamma=_u(rng, 0.7, 1.5),
        vignette=_u(rng, 0, 0.6) if r() < 0.3 else 0.0,
        glare=_u(rng, 0, 0.8) if r() < 0.15 else 0.0,
        shadows=_u(rng, 0.2, 0.6) if r() < 0.15 else 0.0,
        levels=int(rng.integers(4, 12)) if r() < 0.07 else 0,
        blur=_u(rng, 0.001, 0.006) if r() < 0.35 else 0.0,
        smear=_u(rng, 0.01, 0.035) if r() < 0.1 else 0.0,
        smear_vertical=bool(r() < 0.4),
        rescale=_u(rng, 0.4, 0.8) if r() < 0.3 else 1.0,
        sharpen=_u(rng, 0.3, 1.0) if r() < 0.15 else 0.0,
        grain=_u(rng, 2, 14) if r() < 0.45 else 0.0,
        grain_coloured=bool(r() < 0.4),
        grain_coarse=bool(r() < 0.3),
        jpeg=int(rng.integers(15, 95)) if r() < 0.6 else 0,
        corner=_u(rng, 0.02, 0.12) if r() < 0.06 else 0.0,
    )


WILD: tuple[tuple[Callable[[Rng], Style], float], ...] = (
    (_modern, 0.11), (_soft, 0.06), (_grey, 0.07), (_sepia, 0.03), (film_print, 0.10), (two_colour_print, 0.11),
    (_web, 0.09), (_poster, 0.03), (night_style, 0.05), (backlit_style, 0.04), (_faded, 0.05), (_computer, 0.09),
    (_odd, 0.17),
)  # fmt: skip


def clean_style(rng: Rng) -> Style:
    """What a well kept modern episode looks like: nothing, or the light touch of an encoder."""
    if rng.random() < 0.35:
        return CLEAN
    return Style(
        saturation=_u(rng, 0.88, 1.12),
        contrast=_u(rng, 0.93, 1.06),
        tint=_tint(rng, 0.04),
        blur=_u(rng, 0.001, 0.0035) if rng.random() < 0.3 else 0.0,
        rescale=_u(rng, 0.6, 0.95) if rng.random() < 0.25 else 1.0,
        grain=_u(rng, 0.5, 4) if rng.random() < 0.25 else 0.0,
        jpeg=int(rng.integers(45, 96)) if rng.random() < 0.7 else 0,
    )


def film_style(rng: Rng) -> Style:
    """Film of the thirties, grey or in two colours."""
    return film_print(rng) if rng.random() < 0.4 else two_colour_print(rng)


def computer_style(rng: Rng) -> Style:
    return _computer(rng) if rng.random() < 0.8 else _soft(rng)


def wild_style(rng: Rng) -> Style:
    """A style of any decade and studio; one in eight has black bars as well."""
    weights = np.array([w for _, w in WILD])
    make = WILD[int(rng.choice(len(WILD), p=weights / weights.sum()))][0]
    style = make(rng)
    if rng.random() < 0.12:
        width = _u(rng, 0.04, 0.15)
        style = replace(style, bars=(width, 0.0) if rng.random() < 0.5 else (0.0, width))
    return style


def apply_style(picture: Picture, style: Style, rng: Rng) -> Picture:
    """A styled copy of the same size."""
    if style == CLEAN:
        return picture.copy()
    h, w = picture.shape[:2]
    f = picture.astype(np.float32)
    f = _colour(f, style)
    f = _light(f, style, rng)
    f = _lens(f, style)
    f = _stock(f, style, rng)
    out: Any = np.clip(f, 0, 255).astype(np.uint8)
    if style.levels:
        step = 255 / (style.levels - 1)
        table = np.round(np.round(np.arange(256) / step) * step).astype(np.uint8)
        out = cv2.LUT(out, table)
    covered = hidden(style, h, w)
    if covered is not None:
        out[covered] = 0
    if style.jpeg:
        ok, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, style.jpeg])
        out = cv2.imdecode(data, cv2.IMREAD_COLOR) if ok else out
    return np.ascontiguousarray(out)


def hidden(style: Style, height: int, width: int) -> NDArray[np.bool_] | None:
    """Pixels that the style covers with black (bars, rounded corners); None where it covers none."""
    if style.bars == (0.0, 0.0) and style.corner == 0.0:
        return None
    top, left = round(style.bars[0] * height), round(style.bars[1] * height)
    shown = np.zeros((height, width), np.uint8)
    r = round(style.corner * height)
    x1, y1, x2, y2 = left, top, width - left - 1, height - top - 1
    cv2.rectangle(shown, (x1 + r, y1), (x2 - r, y2), 1, -1)
    cv2.rectangle(shown, (x1, y1 + r), (x2, y2 - r), 1, -1)
    for x, y in ((x1 + r, y1 + r), (x2 - r, y1 + r), (x1 + r, y2 - r), (x2 - r, y2 - r)):
        cv2.circle(shown, (x, y), r, 1, -1)
    return np.asarray(shown == 0)


def _colour(f: Any, s: Style) -> NDArray[np.float32]:
    if s.saturation != 1.0:
        grey = (f @ LUMA)[..., None]
        f = grey + (f - grey) * np.float32(s.saturation)
    if s.gamma != 1.0:
        f = 255 * np.power(np.clip(f, 0, 255) / 255, np.float32(s.gamma))
    if s.contrast != 1.0:
        f = (f - 128) * np.float32(s.contrast) + 128
    if s.tint != (1.0, 1.0, 1.0) or s.lift != (0.0, 0.0, 0.0):
        f = f * np.array(s.tint, np.float32) + np.array(s.lift, np.float32)
    return np.asarray(f, np.float32)


def _light(f: Any, s: Style, rng: Rng) -> NDArray[np.float32]:
    h, w = f.shape[:2]
    if s.vignette:
        y = np.linspace(-1, 1, h, dtype=np.float32)[:, None]
        x = np.linspace(-1, 1, w, dtype=np.float32)[None]
        f = f * (1 - np.float32(s.vignette) * np.clip((x * x + y * y) / 1.6, 0, 1))[..., None]
    if s.glare:
        angle = _u(rng, 0, 2 * np.pi)
        y = np.linspace(-1, 1, h, dtype=np.float32)[:, None] * np.sin(angle)
        x = np.linspace(-1, 1, w, dtype=np.float32)[None] * np.cos(angle)
        ramp = np.clip((x + y + 0.3) / 1.7, 0, 1).astype(np.float32)[..., None] ** 2
        f = f + np.float32(s.glare) * ramp * (np.array([255, 245, 215], np.float32) - f)
    if s.shadows:
        f = f * (1 - np.float32(s.shadows) * (smooth_noise(rng, h, w, 4, 3) > 0.15)[..., None])
    return np.asarray(f, np.float32)


def _lens(f: NDArray[np.float32], s: Style) -> NDArray[np.float32]:
    h, w = f.shape[:2]
    g: Any = f
    if s.misregister:
        shift = np.array([[1, 0, s.misregister * h], [0, 1, 0]], np.float32)
        red = cv2.warpAffine(np.ascontiguousarray(g[..., 0]), shift, (w, h), borderMode=cv2.BORDER_REPLICATE)
        g = np.dstack([red, g[..., 1], g[..., 2]])
    if s.smear:
        n = max(2, round(s.smear * h))
        kernel = np.full((n, 1) if s.smear_vertical else (1, n), 1 / n, np.float32)
        g = cv2.filter2D(g, -1, kernel)
    if s.blur * h > 0.15:
        g = cv2.GaussianBlur(g, (0, 0), s.blur * h)
    if s.rescale < 1.0:
        up = cv2.INTER_NEAREST if s.nearest else cv2.INTER_LINEAR
        small = cv2.resize(
            g, (max(8, round(w * s.rescale)), max(8, round(h * s.rescale))), interpolation=cv2.INTER_AREA
        )
        g = cv2.resize(small, (w, h), interpolation=up)
    if s.sharpen:
        g = g + s.sharpen * (g - cv2.GaussianBlur(g, (0, 0), max(0.6, 0.006 * h)))
    return np.asarray(g, np.float32)


def _stock(f: NDArray[np.float32], s: Style, rng: Rng) -> NDArray[np.float32]:
    h, w = f.shape[:2]
    if s.grain:
        gh, gw = (h // 2 + 1, w // 2 + 1) if s.grain_coarse else (h, w)
        noise: Any = rng.standard_normal((gh, gw, 3 if s.grain_coloured else 1), dtype=np.float32) * s.grain
        if s.grain_coarse:
            noise = cv2.resize(noise, (w, h), interpolation=cv2.INTER_LINEAR).reshape(h, w, -1) * 1.4
        f = f + noise
    if s.flicker:
        f = f + np.float32(rng.normal() * s.flicker)
    for _ in range(int(rng.poisson(s.scratches)) if s.scratches else 0):
        x, bright = int(rng.integers(0, w)), float(rng.uniform(-90, 110))
        if rng.random() < 0.6:  # a scratch along the film, else a speck of dust
            top = int(rng.integers(0, h))
            f[top : top + int(rng.integers(h // 6, h)), x : x + 1] += bright
        else:
            y, r = int(rng.integers(0, h)), max(1, round(float(rng.uniform(0.004, 0.015)) * h))
            f[max(0, y - r) : y + r, max(0, x - r) : x + r] += bright
    return f


def smooth_noise(rng: Rng, height: int, width: int, cells: int, octaves: int, fall: float = 0.5) -> NDArray[np.float32]:
    """Clouds: a sum of enlarged noise, about zero mean and unit deviation, height x width."""
    out = np.zeros((height, width), np.float32)
    scale = 1.0
    total = 0.0
    for _ in range(octaves):
        rows = max(2, round(cells * height / width))
        noise = rng.standard_normal((rows, cells), dtype=np.float32)
        out += np.float32(scale) * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        total += scale * scale
        scale *= fall
        cells = min(cells * 2, width)
    return out / np.float32(total**0.5)
