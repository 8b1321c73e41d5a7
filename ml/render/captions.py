"""Words over a picture: subtitles, credits, signs, speech bubbles, logos. They hide what is behind their strokes."""

from __future__ import annotations

import math

import cv2
import numpy as np

from ml.render.canvas import Canvas, Colour, ellipse, polygon, scale_colour
from ml.render.ink import BLACK, WHITE, chance, hsv, random_colour, u

Rng = np.random.Generator
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX, cv2.FONT_HERSHEY_PLAIN,
)  # fmt: skip
_PAIRS = "badokalomineporasutivogarlin"
_SYLLABLES = (*(_PAIRS[k : k + 2] for k in range(0, len(_PAIRS), 2)), "OO", "8", "who", "ah")


def words(rng: Rng, least: int, most: int) -> str:
    """Words that mean nothing, of one to three syllables."""
    out = []
    for _ in range(int(rng.integers(least, most + 1))):
        picks = rng.integers(0, len(_SYLLABLES), int(rng.integers(1, 4)))
        out.append("".join(_SYLLABLES[int(k)] for k in picks))
    line = " ".join(out)
    return line.upper() if chance(rng, 0.3) else line.capitalize()


def write(
    c: Canvas, line: str, x: float, y: float, size: float, colour: Colour, font: int, weight: float, rim: Colour | None
) -> None:
    """One line centred at (x, y), capitals ``size`` pixels high, ``weight`` of that thick; ``rim``: its edge."""
    s = c.supersample
    factor = size * s / (10.0 if font == cv2.FONT_HERSHEY_PLAIN else 22.0)
    thick = max(1, round(weight * size * s))
    (w, h), _ = cv2.getTextSize(line, font, factor, thick)
    at = (round(x * s - w / 2), round(y * s + h / 2))
    if rim is not None:
        cv2.putText(c.pixels, line, at, font, factor, rim, thick + max(2, round(0.16 * size * s)), cv2.LINE_AA)
    cv2.putText(c.pixels, line, at, font, factor, colour, thick, cv2.LINE_AA)
    cv2.putText(c.ids, line, (at[0] // s, at[1] // s), font, factor / s, (0,), max(1, thick // s), cv2.LINE_8)


def _font(rng: Rng) -> int:
    return FONTS[int(rng.integers(len(FONTS)))]


def subtitles(c: Canvas, rng: Rng) -> None:
    size = u(rng, 0.024, 0.05) * c.height
    colour = WHITE if chance(rng, 0.6) else hsv(0.15, u(rng, 0.4, 0.9), 1.0)
    rim = BLACK if chance(rng, 0.8) else None
    font, weight, rows = _font(rng), u(rng, 0.08, 0.16), int(rng.integers(1, 3))
    for k in range(rows):
        y = c.height * 0.94 - (rows - 1 - k) * 1.9 * size
        write(c, words(rng, 2, 6), 0.5 * c.width, y, size, colour, font, weight, rim)


def credits(c: Canvas, rng: Rng) -> None:
    """Names in a column over the running picture."""
    size, font = u(rng, 0.025, 0.06) * c.height, _font(rng)
    colour = WHITE if chance(rng, 0.6) else random_colour(rng)
    x, y = u(rng, 0.25, 0.75) * c.width, u(rng, 0.05, 0.4) * c.height
    rim, weight = (BLACK if chance(rng, 0.5) else None), u(rng, 0.08, 0.18)
    for _ in range(int(rng.integers(2, 8))):
        write(c, words(rng, 1, 3), x, y, size, colour, font, weight, rim)
        y += 2.1 * size


def title(c: Canvas, rng: Rng) -> None:
    """One or two large words."""
    size, font = u(rng, 0.08, 0.22) * c.height, _font(rng)
    x, y = u(rng, 0.3, 0.7) * c.width, u(rng, 0.15, 0.85) * c.height
    write(
        c,
        words(rng, 1, 1),
        x,
        y,
        size,
        random_colour(rng),
        font,
        u(rng, 0.1, 0.28),
        BLACK if chance(rng, 0.6) else None,
    )


def sign(c: Canvas, rng: Rng) -> None:
    """A board with a word or two."""
    size, line = u(rng, 0.03, 0.08) * c.height, words(rng, 1, 2)
    half, x, y = 0.55 * size * len(line), u(rng, 0.1, 0.9) * c.width, u(rng, 0.1, 0.9) * c.height
    fill = random_colour(rng)
    dark = sum(fill) < 330
    with c.at(x, y):
        board = polygon([(-half, -1.4 * size), (half, -1.4 * size), (half, 1.4 * size), (-half, 1.4 * size)])
        c.shape(board, fill, scale_colour(fill, 0.4), u(rng, 0.0, 0.3) * size, face=0)
    write(c, line, x, y, size, WHITE if dark else BLACK, _font(rng), u(rng, 0.08, 0.2), None)


def bubble(c: Canvas, rng: Rng) -> None:
    """A balloon of speech or thought with its tail."""
    size, rows = u(rng, 0.022, 0.045) * c.height, int(rng.integers(1, 4))
    x, y = u(rng, 0.15, 0.85) * c.width, u(rng, 0.1, 0.5) * c.height
    rx, ry = u(rng, 4.5, 8.0) * size, (1.4 + 1.1 * rows) * size
    line = max(1.0, 0.12 * size)
    tip = (u(rng, -1.2, 1.2) * rx, ry * u(rng, 1.4, 2.2))
    with c.at(x, y):
        if chance(rng, 0.3):
            for t in (0.75, 0.95, 1.1):
                c.shape(ellipse(tip[0] * t, tip[1] * t, 0.7 * size / t, 0.6 * size / t), WHITE, BLACK, line, face=0)
        else:
            c.shape(polygon([(-0.3 * rx, 0.5 * ry), tip, (0.1 * rx, 0.5 * ry)]), WHITE, BLACK, line, face=0)
        c.shape(ellipse(0, 0, rx, ry, power=u(rng, 2.0, 4.0)), WHITE, BLACK, line, face=0)
    for k in range(rows):
        at = y + (k - (rows - 1) / 2) * 1.9 * size
        write(c, words(rng, 1, 2)[:10], x, at, size, BLACK, _font(rng), u(rng, 0.08, 0.16), None)


def logo(c: Canvas, rng: Rng) -> None:
    """A station's or studio's mark: rings and shields with a letter or two, in a corner or large."""
    large = chance(rng, 0.25)
    r = u(rng, 0.15, 0.4) * c.height if large else u(rng, 0.03, 0.07) * c.height
    x = u(rng, 0.3, 0.7) * c.width if large else (1.6 * r if chance(rng, 0.5) else c.width - 1.6 * r)
    y = u(rng, 0.3, 0.7) * c.height if large else (1.6 * r if chance(rng, 0.5) else c.height - 1.6 * r)
    with c.at(x, y):
        for share in sorted(rng.uniform(0.4, 1.0, int(rng.integers(1, 4))), reverse=True):
            c.fill(ellipse(0, 0, share * r, share * r, power=u(rng, 2, 5)), random_colour(rng), face=0)
        if chance(rng, 0.3):
            t = np.arange(10) * math.pi / 5
            star = np.where(np.arange(10) % 2 == 0, 0.6 * r, 0.27 * r)
            c.fill(np.stack([star * np.sin(t), -star * np.cos(t)], axis=1), random_colour(rng), face=0)
            return
    letters = "".join("ABCDGOQRTUX08"[int(k)] for k in rng.integers(0, 13, int(rng.integers(1, 4))))
    write(c, letters, x, y, 0.5 * r, WHITE if chance(rng, 0.6) else BLACK, _font(rng), u(rng, 0.12, 0.3), None)


_KINDS = (subtitles, subtitles, subtitles, credits, title, sign, sign, bubble, bubble, logo)


def caption(c: Canvas, rng: Rng) -> None:
    """Words of one kind somewhere over the picture."""
    _KINDS[int(rng.integers(len(_KINDS)))](c, rng)
