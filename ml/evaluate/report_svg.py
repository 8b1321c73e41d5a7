"""Small plots as inline SVG: lines, and values with their intervals. Needs no library and asks nothing of the network.

A plot is 360 units wide, so that on a phone one unit is about one pixel and its text can be read. Colour is never the
only sign: each line has a dash of its own and, where lines cross, a mark of its own; the key repeats both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np

WIDTH, HEIGHT = 360, 280
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 10, 42
# After Okabe and Ito's palette for every kind of colour vision, darkened to 4.5 : 1 and more on white.
COLOURS = ("#0b5a93", "#b34500", "#00704f", "#9a3f7c", "#6a5400", "#1f7a9c", "#8a1f1f", "#444444", "#111111")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 2", "1 2", "6 2 2 2 2 2", "")
MARKS = "ostdxpvho"
MARK_STEPS = 5  # marks per line
MOST_POINTS = 160  # drawn per line; more cannot be seen


@dataclass(frozen=True, slots=True)
class Line:
    """Points from left to right. ``style``: number of its colour, dash and mark. ``steps``: drawn as stairs."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 0
    steps: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    label: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high one; beyond them held at the edge."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, at = np.log(low), np.log(high), np.log(at)
        return float((at - low) / (high - low)) if high > low else 0.0

    def ticks(self) -> list[float]:
        if self.log:
            powers = range(int(np.floor(np.log10(self.low))), int(np.ceil(np.log10(self.high))) + 1)
            return [t for p in powers for t in (10.0**p, 3 * 10.0**p) if self.low <= t <= self.high]
        step = _nice((self.high - self.low) / 5)
        first = int(np.ceil(self.low / step - 1e-9))
        return [round(n * step, 10) for n in range(first, int(np.floor(self.high / step + 1e-9)) + 1)]


def _nice(rough: float) -> float:
    power = 10.0 ** np.floor(np.log10(rough)) if rough > 0 else 1.0
    return float(next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999))


def plot(title: str, x: Axis, y: Axis, lines: Sequence[Line], diagonal: bool = False) -> str:
    """The plot and its key, as HTML. ``diagonal``: a thin line from the lower left to the upper right corner."""
    parts = [_frame(x, y)]
    if diagonal:
        (x1, y1), (x2, y2) = _at(x, y, x.low, y.low), _at(x, y, x.high, y.high)
        parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="diagonal"/>')
    parts += [_drawn(line, x, y) for line in lines if len(line.x)]
    shown = [line for line in lines if len(line.x)]
    key = "".join(f"<li>{_swatch(line.style)}{escape(line.name)}</li>" for line in shown)
    svg = _svg(title, HEIGHT, "".join(parts))
    return f'<div class="plot">{svg}<ul class="key">{key}</ul></div>'


def whiskers(title: str, axis: Axis, rows: Sequence[tuple[str, float | None, float | None, float | None]]) -> str:
    """One row each: name, value, lower and upper bound; a value that is None is left out."""
    kept = [r for r in rows if r[1] is not None]
    height = 34 * len(kept) + BOTTOM
    parts = []
    for tick in axis.ticks():
        x = _x(axis, tick)
        parts.append(f'<line x1="{x}" y1="4" x2="{x}" y2="{height - BOTTOM + 4}" class="grid"/>')
        parts.append(f'<text x="{x}" y="{height - BOTTOM + 18}" text-anchor="middle">{tick:g}</text>')
    for n, (name, value, low, high) in enumerate(kept):
        top = 34 * n + 14
        x = _x(axis, value or 0.0)
        parts.append(f'<text x="{LEFT}" y="{top}">{escape(name)}</text>')
        if low is not None and high is not None:
            a, b = _x(axis, low), _x(axis, high)
            parts.append(f'<path d="M{a} {top + 6}v8M{a} {top + 10}H{b}M{b} {top + 6}v8" class="whisker"/>')
        parts.append(f'<circle cx="{x}" cy="{top + 10}" r="4" fill="{COLOURS[0]}"/>')
    parts.append(f'<text x="{_middle()}" y="{height - 6}" text-anchor="middle">{escape(axis.label)}</text>')
    return f'<div class="plot">{_svg(title, height, "".join(parts))}</div>'


def _svg(title: str, height: int, inside: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{inside}</svg>"
    )


def _frame(x: Axis, y: Axis) -> str:
    floor = HEIGHT - BOTTOM
    parts = []
    for tick in x.ticks():
        place = _x(x, tick)
        parts.append(f'<line x1="{place}" y1="{TOP}" x2="{place}" y2="{floor}" class="grid"/>')
        parts.append(f'<text x="{place}" y="{floor + 15}" text-anchor="middle">{tick:g}</text>')
    for tick in y.ticks():
        place = _at(x, y, x.low, tick)[1]
        parts.append(f'<line x1="{LEFT}" y1="{place}" x2="{WIDTH - RIGHT}" y2="{place}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{place + 4}" text-anchor="end">{tick:g}</text>')
    middle = (TOP + floor) / 2
    parts.append(f'<text x="{_middle()}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x.label)}</text>')
    parts.append(
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{escape(y.label)}</text>'
    )
    return "".join(parts)


def _middle() -> float:
    return (LEFT + WIDTH - RIGHT) / 2


def _x(axis: Axis, value: float) -> float:
    return round(LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT), 1)


def _at(x: Axis, y: Axis, a: float, b: float) -> tuple[float, float]:
    return _x(x, a), round(HEIGHT - BOTTOM - y.place(b) * (HEIGHT - TOP - BOTTOM), 1)


def _drawn(line: Line, x: Axis, y: Axis) -> str:
    points = [_at(x, y, float(a), float(b)) for a, b in zip(line.x, line.y, strict=True)]
    if len(points) > MOST_POINTS:
        chosen = np.unique(np.linspace(0, len(points) - 1, MOST_POINTS).astype(int))
        points = [points[int(n)] for n in chosen]
    path = f"M{points[0][0]} {points[0][1]}"
    for before, (a, b) in pairwise(points):
        path += f"H{a}V{b}" if line.steps and before[0] != a else f"L{a} {b}"
    marks = [points[int(n)] for n in np.unique(np.linspace(0, len(points) - 1, MARK_STEPS).astype(int))]
    colour, dash = _style(line.style)
    drawn = f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
    return drawn + "".join(_mark(line.style, a, b) for a, b in marks)


def _style(number: int) -> tuple[str, str]:
    return COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]


def _mark(number: int, x: float, y: float, r: float = 4.0) -> str:
    kind, colour = MARKS[number % len(MARKS)], COLOURS[number % len(COLOURS)]
    shapes = {
        "s": f"M{x - r} {y - r}h{2 * r}v{2 * r}h{-2 * r}z",
        "t": f"M{x} {y - r}l{r} {2 * r}h{-2 * r}z",
        "v": f"M{x} {y + r}l{r} {-2 * r}h{-2 * r}z",
        "d": f"M{x} {y - r}l{r} {r}l{-r} {r}l{-r} {-r}z",
        "h": f"M{x - r} {y - r}l{2 * r} {2 * r}v{-2 * r}l{-2 * r} {2 * r}z",
        "x": f"M{x - r} {y - r}l{2 * r} {2 * r}m0 {-2 * r}l{-2 * r} {2 * r}",
        "p": f"M{x - r} {y}h{2 * r}m{-r} {-r}v{2 * r}",
    }
    if kind == "o":
        return f'<circle cx="{x}" cy="{y}" r="{r}" fill="{colour}"/>'
    filled = "none" if kind in "xp" else colour
    return f'<path d="{shapes[kind]}" fill="{filled}" stroke="{colour}" stroke-width="1.6"/>'


def _swatch(number: int) -> str:
    colour, dash = _style(number)
    line = f'<path d="M1 8H33" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
    return f'<svg viewBox="0 0 34 16" class="swatch" aria-hidden="true">{line}{_mark(number, 17, 8)}</svg>'
