"""Outlines and boxes of labels: checked as if an enemy had drawn them. Pixels; right and lower edges exclusive."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.data.reading import Bad
from ml.data.records import Polygon
from ml.types import Box

MAX_POINTS = 20_000  # of one outline
MAX_CHECKED = 1_500  # points up to which an outline is searched for crossings, which takes their square
CORNERS = 36  # of the polygon that stands for an ellipse
_LARGEST = 1e7  # of a coordinate; far outside every picture
_SLACK = 1.0  # pixels that a label may reach over the edge unnoticed: tools round


@dataclass(frozen=True, slots=True)
class Outline:
    """A checked box, clipped to the picture, and what somebody should know about it."""

    box: Box
    notes: tuple[str, ...] = ()


def number(value: Any, what: str = "a coordinate") -> float:
    """Raises Bad for what is no finite number of a sensible size."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Bad(f"{what} is {_short(value)}, not a number")
    if not abs(value) <= _LARGEST:
        raise Bad(f"{what} is not finite, or absurdly large")
    return float(value)


def polygon(xs: Any, ys: Any) -> Polygon:
    """From two lists of coordinates. Raises Bad."""
    if not isinstance(xs, list | tuple) or not isinstance(ys, list | tuple):
        raise Bad("the outline's points are no lists")
    if len(xs) != len(ys):
        raise Bad(f"the outline has {len(xs)} x and {len(ys)} y coordinates")
    if len(xs) > MAX_POINTS:
        raise Bad(f"the outline has {len(xs)} points; {MAX_POINTS} is the most")
    points = tuple((number(x), number(y)) for x, y in zip(xs, ys, strict=True))
    if len(set(points)) < 3:
        raise Bad(f"the outline has {len(set(points))} different points; it needs three")
    return points


def ellipse(cx: float, cy: float, rx: float, ry: float, theta: float = 0.0) -> Polygon:
    """A polygon of 36 corners on the ellipse; ``theta`` in radians, clockwise on the screen. Raises Bad."""
    if rx <= 0 or ry <= 0:
        raise Bad("the ellipse has no area")
    turns = (2 * math.pi * k / CORNERS for k in range(CORNERS))
    c, s = math.cos(theta), math.sin(theta)
    return tuple(
        (
            round(cx + rx * math.cos(t) * c - ry * math.sin(t) * s, 3),
            round(cy + rx * math.cos(t) * s + ry * math.sin(t) * c, 3),
        )
        for t in turns
    )


def bounds(polygons: Sequence[Polygon]) -> Box:
    xs = [x for p in polygons for x, _ in p]
    ys = [y for p in polygons for _, y in p]
    return min(xs), min(ys), max(xs), max(ys)


def checked_box(box: Box, width: int, height: int) -> Outline:
    """Clipped to the picture where its size is known (not 0). Raises Bad where nothing is left of it."""
    x1, y1, x2, y2 = (number(v) for v in box)
    if x2 <= x1 or y2 <= y1:
        raise Bad("the box has no area")
    if not width or not height:
        if x2 <= 0 or y2 <= 0:
            raise Bad("the label lies outside the picture")
        return Outline((max(x1, 0.0), max(y1, 0.0), x2, y2), _over(min(x1, y1) < -_SLACK))
    clipped = (max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)))
    if clipped[2] <= clipped[0] or clipped[3] <= clipped[1]:
        raise Bad(f"the label lies outside the picture of {width} x {height} pixels")
    over = min(x1, y1) < -_SLACK or x2 > width + _SLACK or y2 > height + _SLACK
    return Outline(clipped, _over(over))


def checked_polygons(polygons: Sequence[Polygon], width: int, height: int) -> Outline:
    """The box around them. Raises Bad for outlines without area or outside the picture."""
    crossing = False
    for points in polygons:
        crossed = crosses_itself(points)
        crossing |= crossed
        if not crossed and abs(area(points)) < 1e-6:
            raise Bad("the outline has no area")
    outline = checked_box(bounds(polygons), width, height)
    return Outline(outline.box, (*outline.notes, *(("the outline crosses itself",) if crossing else ())))


def area(points: Polygon) -> float:
    """Signed, by the shoelace formula, from the first point for precision."""
    x0, y0 = points[0]
    moved = [(x - x0, y - y0) for x, y in points]
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(moved, moved[1:] + moved[:1], strict=True)) / 2


def crosses_itself(points: Polygon) -> bool:
    """Whether two sides that are no neighbours cross properly; not looked for above MAX_CHECKED points."""
    kept = [b for a, b in zip((*points[-1:], *points[:-1]), points, strict=True) if a != b]
    if not 4 <= len(kept) <= MAX_CHECKED:
        return False
    p = np.asarray(kept, np.float64)
    q = np.concatenate((p[1:], p[:1]))
    starts_side = _side(p, q, p)  # [i, j]: on which side of line i the start of side j lies
    ends_side = np.concatenate((starts_side[:, 1:], starts_side[:, :1]), axis=1)
    apart = starts_side * ends_side < 0
    return bool(np.any(apart & apart.T))


def _side(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> NDArray[np.float64]:
    d = b - a
    e = c[None, :, :] - a[:, None, :]
    return np.sign(d[:, None, 0] * e[..., 1] - d[:, None, 1] * e[..., 0])


def _over(over: bool) -> tuple[str, ...]:
    return ("the label reaches over the edge of the picture",) if over else ()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
