"""The outline of a mask, for whoever draws it over a picture. Pure: COCO run lengths in, polygons out."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Ring = tuple[Point, ...]

FINE = 64  # a mask is looked at in about so many steps along its longer side
LEAST_AREA = 0.02  # of the largest ring; what is smaller is a crumb
LARGEST_SIDE = 16_384  # pixels; no picture is larger
KEPT = 4_096  # outlines that a process remembers: a few megabytes


class MaskInvalid(ValueError):
    """A stored mask that is no COCO run-length encoding of its size."""


@lru_cache(maxsize=KEPT)
def outline_of(size: tuple[int, int], counts: str) -> tuple[Ring, ...]:
    """Closed rings around what the mask covers and around its holes (fill them by the even-odd rule), in pixels of the
    picture, the largest first; empty for an empty mask. Within about a 64th of the mask's longer side of the truth.

    ``size``: height, width. Raises MaskInvalid.
    """
    picture, left, top = _cropped(size, counts)
    if not picture.size:
        return ()
    step = max(1, -(-max(picture.shape) // FINE))
    rings = [_simplified(_halfway(ring), 0.6) for ring in _rings(picture[::step, ::step])]
    areas = [abs(_area(ring)) for ring in rings]
    least = LEAST_AREA * max(areas, default=0.0)
    kept = [ring for area, ring in sorted(zip(areas, rings, strict=True), key=lambda a: -a[0]) if area >= least > 0]
    return tuple(tuple((round(left + x * step, 1), round(top + y * step, 1)) for x, y in ring) for ring in kept)


def runs_of(counts: str) -> list[int]:
    """The lengths of the runs, the first of which is background: five bits a character, each run from the third on as
    its difference to the one before the last. Raises MaskInvalid.
    """
    found: list[int] = []
    at = 0
    while at < len(counts):
        value = shift = 0
        more = True
        while more:
            if at >= len(counts) or shift > 40:
                raise MaskInvalid("The run lengths end in the middle of a number.")
            part = ord(counts[at]) - 48
            if not 0 <= part < 64:
                raise MaskInvalid(f"Run lengths hold no {counts[at]!r}.")
            value |= (part & 31) << shift
            more = bool(part & 32)
            at, shift = at + 1, shift + 5
            if not more and part & 16:
                value -= 1 << shift
        found.append(value + found[-2] if len(found) > 2 else value)
    return found


def _cropped(size: tuple[int, int], counts: str) -> tuple[NDArray[np.bool_], int, int]:
    """What the mask covers and no more, with its left and upper edge in the picture."""
    height, width = size
    if not (0 < height <= LARGEST_SIDE and 0 < width <= LARGEST_SIDE):
        raise MaskInvalid(f"A mask of {width} x {height} pixels.")
    runs = runs_of(counts)
    if any(run < 0 for run in runs) or sum(runs) != height * width:
        raise MaskInvalid(f"The run lengths do not fill {width} x {height} pixels.")
    ends = np.cumsum(np.array(runs, np.int64))
    starts, stops = ends[0::2][: len(runs) // 2], ends[1::2]
    some = stops > starts
    if not some.any():
        return np.zeros((0, 0), bool), 0, 0
    starts, stops = starts[some], stops[some]
    left, right = int(starts[0]) // height, -(-int(stops[-1]) // height)  # columns stand one after the other
    flat = np.zeros((right - left) * height + 1, np.int8)
    np.add.at(flat, starts - left * height, 1)
    np.add.at(flat, stops - left * height, -1)
    columns = np.cumsum(flat[:-1]).astype(bool).reshape(right - left, height)
    rows = np.flatnonzero(columns.any(axis=0))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    return columns[:, top:bottom].T, left, top


def _rings(picture: NDArray[np.bool_]) -> list[Ring]:
    """Closed walks along the edges between covered and other pixels, the covered ones on the right."""
    padded = np.pad(picture, 1)
    inside = padded[1:-1, 1:-1]
    after: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for empty, begin, end in (
        (~padded[:-2, 1:-1], (0, 0), (1, 0)),
        (~padded[1:-1, 2:], (1, 0), (1, 1)),
        (~padded[2:, 1:-1], (1, 1), (0, 1)),
        (~padded[1:-1, :-2], (0, 1), (0, 0)),
    ):
        for y, x in np.argwhere(inside & empty).tolist():
            after.setdefault((x + begin[0], y + begin[1]), []).append((x + end[0], y + end[1]))
    rings = []
    while after:
        first = next(iter(after))
        ring, before, here = [first], first, after[first][0]
        _taken(after, first, here)
        while here != first:
            ring.append(here)
            there = _rightmost(before, here, after[here])
            _taken(after, here, there)
            before, here = here, there
        rings.append(tuple((float(x), float(y)) for x, y in ring))
    return rings


def _taken(after: dict[tuple[int, int], list[tuple[int, int]]], start: tuple[int, int], end: tuple[int, int]) -> None:
    after[start].remove(end)
    if not after[start]:
        del after[start]


def _rightmost(before: tuple[int, int], here: tuple[int, int], ends: list[tuple[int, int]]) -> tuple[int, int]:
    """Where two pixels touch at a corner only, the walk stays with its own."""
    dx, dy = here[0] - before[0], here[1] - before[1]
    return max(ends, key=lambda end: dx * (end[1] - here[1]) - dy * (end[0] - here[0]))


def _halfway(ring: Ring) -> Ring:
    """Through the middles of the edges, which takes the stairs out of slopes."""
    return tuple(((ax + bx) / 2, (ay + by) / 2) for (ax, ay), (bx, by) in pairwise((*ring, ring[0])))


def _simplified(ring: Ring, off: float) -> Ring:
    """Without the points that are at most ``off`` beside the line that is left (Douglas and Peucker)."""
    points = np.array(ring)
    far = int(((points - points[0]) ** 2).sum(axis=1).argmax())
    keep = {0, far}
    closed = np.vstack([points, points[:1]])
    waiting = [(0, far), (far, len(points))]
    while waiting:
        a, b = waiting.pop()
        if b - a < 2:
            continue
        (ax, ay), (bx, by) = closed[a], closed[b]
        length = float(np.hypot(bx - ax, by - ay)) or 1.0
        beside = np.abs((bx - ax) * (closed[a + 1 : b, 1] - ay) - (by - ay) * (closed[a + 1 : b, 0] - ax)) / length
        worst = int(beside.argmax())
        if beside[worst] > off:
            middle = a + 1 + worst
            keep.add(middle)
            waiting += [(a, middle), (middle, b)]
    return tuple(ring[i] for i in sorted(keep)) if len(keep) > 2 else ring


def _area(ring: Ring) -> float:
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise((*ring, ring[0]))) / 2
