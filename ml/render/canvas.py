"""A small vector canvas over OpenCV that also knows, for every pixel, whose face is seen there.

Colours are RGB tuples of numbers in [0, 255]. A path is a float array of shape (n, 2) in the units of the current
transform, y down. ``face`` says what a drawing operation means for the id map: ``None`` leaves it as it is, ``0``
hides whatever face was there, ``n`` marks the pixels as face ``n`` (1..255).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]
Path = NDArray[np.float64]
Image = NDArray[np.uint8]

_SHIFT = 4  # fractional bits of the coordinates given to OpenCV
_ONE = 1 << _SHIFT
_LIMIT = 1 << 14  # pixels; beyond it OpenCV's fixed point overflows


@dataclass(frozen=True, slots=True)
class Linear:
    """A gradient from colour ``a`` at point ``start`` to ``b`` at ``end`` (path units)."""

    start: tuple[float, float]
    end: tuple[float, float]
    a: Colour
    b: Colour


@dataclass(frozen=True, slots=True)
class Radial:
    """A gradient from colour ``a`` at ``centre`` to ``b`` at distance ``radius`` (path units)."""

    centre: tuple[float, float]
    radius: float
    a: Colour
    b: Colour


Paint = Colour | Linear | Radial


# ------------------------------------------------------------------------------------------------ colours and paths


def mix(a: Colour, b: Colour, t: float) -> Colour:
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def scale_colour(c: Colour, k: float) -> Colour:
    return (min(255.0, c[0] * k), min(255.0, c[1] * k), min(255.0, c[2] * k))


def polygon(points: Sequence[tuple[float, float]]) -> Path:
    return np.asarray(points, dtype=np.float64)


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0.0, power: float = 2.0, n: int = 40) -> Path:
    """A (super-)ellipse; ``angle`` in degrees, ``power`` 2 is an ellipse, larger is boxier."""
    t = np.linspace(0.0, 2.0 * math.pi, n, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    if power != 2.0:
        c = np.sign(c) * np.abs(c) ** (2.0 / power)
        s = np.sign(s) * np.abs(s) ** (2.0 / power)
    px, py = rx * c, ry * s
    if angle:
        k, m = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        px, py = px * k - py * m, px * m + py * k
    return np.stack([x + px, y + py], axis=1)


def smooth(points: Sequence[tuple[float, float]] | Path, closed: bool = True, steps: int = 6) -> Path:
    """A Catmull-Rom curve through the points, flattened to ``steps`` segments a span."""
    p = np.asarray(points, dtype=np.float64)
    n = len(p)
    if n < 3:
        return p
    index = np.arange(n if closed else n - 1)
    a, b, c, d = (p[(index + k) % n if closed else np.clip(index + k, 0, n - 1)][:, None, :] for k in (-1, 0, 1, 2))
    t = (np.arange(steps) / steps)[None, :, None]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    flat = curve.reshape(-1, 2)
    return flat if closed else np.concatenate([flat, p[-1:]])


def hull(*paths: Path) -> Path:
    """The convex hull of several paths, as one path."""
    return np.asarray(cv2.convexHull(np.concatenate(paths).astype(np.float32))[:, 0], dtype=np.float64)


def brush(path: Path, width: float, taper: float = 1.0) -> Path:
    """The outline of an open ink stroke that swells in the middle; ``taper`` 0 keeps its width to the ends."""
    d = np.gradient(path, axis=0)
    length = np.maximum(np.hypot(d[:, 0], d[:, 1]), 1e-9)
    normal = np.stack([-d[:, 1] / length, d[:, 0] / length], axis=1)
    t = np.linspace(0.0, 1.0, len(path))
    half = 0.5 * width * ((1.0 - taper) + taper * np.sin(np.pi * (0.06 + 0.88 * t)))[:, None]
    return np.concatenate([path + normal * half, (path - normal * half)[::-1]])


def tube(path: Path, start: float, end: float) -> Path:
    """The outline of a limb along ``path`` whose width goes from ``start`` to ``end``."""
    d = np.gradient(path, axis=0)
    length = np.maximum(np.hypot(d[:, 0], d[:, 1]), 1e-9)
    normal = np.stack([-d[:, 1] / length, d[:, 0] / length], axis=1)
    half = 0.5 * np.linspace(start, end, len(path))[:, None]
    return np.concatenate([path + normal * half, (path - normal * half)[::-1]])


# ------------------------------------------------------------------------------------------------ the canvas


class Canvas:
    """An RGB picture and an id map of the same size, drawn on together.

    The picture is drawn antialiased at ``supersample`` times its size and reduced by ``image()``; the id map is drawn
    at its own size without antialiasing. Coordinates given to the methods go through the current transform; the
    outermost unit is a pixel of the finished picture.
    """

    def __init__(self, width: int, height: int, supersample: int = 2, background: Colour = (255, 255, 255)) -> None:
        self.width, self.height, self.supersample = width, height, supersample
        self.pixels: Image = np.empty((height * supersample, width * supersample, 3), np.uint8)
        self.pixels[:] = np.asarray(background, np.uint8)
        self.ids: Image = np.zeros((height, width), np.uint8)
        self.matrix: NDArray[np.float64] = np.eye(3)
        self._parts: dict[int, list[Path]] = {}  # what each face would cover if nothing hid it, in pixels
        self._clips = 0

    # -- transforms

    @contextmanager
    def at(
        self, x: float = 0.0, y: float = 0.0, rotate: float = 0.0, scale: float | tuple[float, float] = 1.0
    ) -> Iterator[None]:
        """Inside: the origin is moved to (x, y), turned by ``rotate`` degrees (clockwise on the screen), scaled."""
        sx, sy = scale if isinstance(scale, tuple) else (scale, scale)
        k, m = math.cos(math.radians(rotate)), math.sin(math.radians(rotate))
        saved = self.matrix
        self.matrix = saved @ np.array([[k * sx, -m * sy, x], [m * sx, k * sy, y], [0.0, 0.0, 1.0]])
        try:
            yield
        finally:
            self.matrix = saved

    @property
    def unit(self) -> float:
        """How many pixels of the finished picture one unit of length is now."""
        m = self.matrix
        return math.sqrt(abs(m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]))

    def to_pixels(self, path: Path) -> Path:
        return path @ self.matrix[:2, :2].T + self.matrix[:2, 2]

    # -- drawing

    def fill(self, path: Path, paint: Paint, face: int | None = None, alpha: float = 1.0) -> None:
        points = self.to_pixels(path)
        if alpha >= 1.0 and isinstance(paint, tuple):
            cv2.fillPoly(self.pixels, [self._fixed(points * self.supersample)], paint, cv2.LINE_AA, _SHIFT)
        elif alpha > 0.0:
            self._blend(points * self.supersample, paint, alpha)
        if face is not None:
            cv2.fillPoly(self.ids, [self._fixed(points)], face, cv2.LINE_8, _SHIFT)
            if face and not self._clips:
                self._parts.setdefault(face, []).append(points)

    def mark(self, path: Path, face: int) -> None:
        """Says whose face ``path`` is without drawing anything."""
        cv2.fillPoly(self.ids, [self._fixed(self.to_pixels(path))], (face,), cv2.LINE_8, _SHIFT)

    def stroke(self, path: Path, colour: Colour, width: float, closed: bool = False, face: int | None = None) -> None:
        """A line of even width (path units) with round ends and joins."""
        points = self.to_pixels(path)
        pixels = width * self.unit
        if pixels <= 0.0:
            return
        thick = max(1, round(pixels * self.supersample))
        cv2.polylines(self.pixels, [self._fixed(points * self.supersample)], closed, colour, thick, cv2.LINE_AA, _SHIFT)
        if face is not None:
            cv2.polylines(self.ids, [self._fixed(points)], closed, face, max(1, round(pixels)), cv2.LINE_8, _SHIFT)

    def shape(
        self,
        path: Path,
        paint: Paint,
        outline: Colour | None = None,
        width: float = 0.0,
        face: int | None = None,
    ) -> None:
        """A filled closed path with its outline."""
        self.fill(path, paint, face)
        if outline is not None and width > 0.0:
            self.stroke(path, outline, width, closed=True, face=face)

    @contextmanager
    def clip(self, path: Path) -> Iterator[None]:
        """Whatever is drawn inside shows only within ``path``."""
        points = self.to_pixels(path)
        box = self._box(points * self.supersample, self.pixels.shape)
        small = self._box(points, self.ids.shape)
        if box is None or small is None:
            saved_pixels, saved_ids = self.pixels, self.ids
            self.pixels, self.ids = self.pixels.copy(), self.ids.copy()
            try:
                yield
            finally:
                self.pixels, self.ids = saved_pixels, saved_ids
            return
        # Draw on a copy of the whole picture's window only: the rest is kept away by shrinking the arrays.
        outer_pixels, outer_ids, outer_matrix = self.pixels, self.ids, self.matrix
        self._clips += 1
        x1, y1, x2, y2 = small
        s = self.supersample
        self.pixels = outer_pixels[y1 * s : y2 * s, x1 * s : x2 * s].copy()
        self.ids = outer_ids[y1:y2, x1:x2].copy()
        self.matrix = np.array([[1.0, 0.0, -x1], [0.0, 1.0, -y1], [0.0, 0.0, 1.0]]) @ outer_matrix
        local = points - (x1, y1)
        try:
            yield
        finally:
            mask = np.zeros(self.pixels.shape[:2], np.uint8)
            cv2.fillPoly(mask, [self._fixed(local * s)], 255, cv2.LINE_AA, _SHIFT)
            target = outer_pixels[y1 * s : y2 * s, x1 * s : x2 * s]
            _mix_into(target, self.pixels, mask)
            inside = np.zeros(self.ids.shape, np.uint8)
            cv2.fillPoly(inside, [self._fixed(local)], 255, cv2.LINE_8, _SHIFT)
            window = outer_ids[y1:y2, x1:x2]
            np.copyto(window, self.ids, where=inside > 0)
            self.pixels, self.ids, self.matrix = outer_pixels, outer_ids, outer_matrix
            self._clips -= 1

    def paste(self, picture: Image, matrix: NDArray[np.float64] | None = None) -> None:
        """Covers the canvas with ``picture``; ``matrix`` (3 x 3) maps its pixels to units of the current transform."""
        s = self.supersample
        total = np.diag([s, s, 1.0]) @ self.matrix @ (np.eye(3) if matrix is None else matrix)
        h, w = self.pixels.shape[:2]
        cv2.warpAffine(
            picture, total[:2], (w, h), dst=self.pixels, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        self.ids[:] = 0

    def text(self, words: str, x: float, y: float, size: float, colour: Colour, weight: float = 0.1) -> None:
        """One line of lettering centred at (x, y) with capitals ``size`` high; hides faces behind its strokes."""
        font = cv2.FONT_HERSHEY_DUPLEX
        s = self.supersample
        pixels = size * self.unit * s
        factor = pixels / 22.0
        thick = max(1, round(weight * pixels))
        (w, h), _ = cv2.getTextSize(words, font, factor, thick)
        px, py = self.to_pixels(np.array([[x, y]]))[0] * s
        origin = (round(px - w / 2), round(py + h / 2))
        cv2.putText(self.pixels, words, origin, font, factor, colour, thick, cv2.LINE_AA)
        small = (round((px - w / 2) / s), round((py + h / 2) / s))
        cv2.putText(self.ids, words, small, font, factor / s, (0,), max(1, round(thick / s)), cv2.LINE_8)

    def image(self) -> Image:
        """The finished picture, RGB uint8 of shape (height, width, 3)."""
        if self.supersample == 1:
            return self.pixels.copy()
        return np.asarray(cv2.resize(self.pixels, (self.width, self.height), interpolation=cv2.INTER_AREA), np.uint8)

    def whole_area(self, face: int) -> int:
        """How many pixels ``face`` would cover if nothing were in front of it and the picture had no edge."""
        parts = self._parts.get(face)
        if not parts:
            return 0
        low = np.floor(np.min([p.min(axis=0) for p in parts], axis=0)).astype(int)
        high = np.ceil(np.max([p.max(axis=0) for p in parts], axis=0)).astype(int)
        w, h = (int(v) + 2 for v in high - low)
        if w > 4096 or h > 4096:
            raise ValueError(f"face {face} would be {w} x {h} pixels large")
        mask = np.zeros((h, w), np.uint8)
        for part in parts:
            cv2.fillPoly(mask, [self._fixed(part - low)], 1, cv2.LINE_8, _SHIFT)
        return int(np.count_nonzero(mask))

    # -- inside

    @staticmethod
    def _fixed(points: Path) -> NDArray[np.int32]:
        return np.asarray(np.rint(np.clip(points - 0.5, -_LIMIT, _LIMIT) * _ONE), np.int32)[:, None, :]

    @staticmethod
    def _box(points: Path, shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
        x1, y1 = np.floor(points.min(axis=0)).astype(int) - 2
        x2, y2 = np.ceil(points.max(axis=0)).astype(int) + 3
        box = (max(0, int(x1)), max(0, int(y1)), min(shape[1], int(x2)), min(shape[0], int(y2)))
        return box if box[0] < box[2] and box[1] < box[3] else None

    def _blend(self, points: Path, paint: Paint, alpha: float) -> None:
        box = self._box(points, self.pixels.shape)
        if box is None:
            return
        x1, y1, x2, y2 = box
        mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
        cv2.fillPoly(mask, [self._fixed(points - (x1, y1))], round(255 * alpha), cv2.LINE_AA, _SHIFT)
        if isinstance(paint, tuple):
            colours: Image = np.empty((*mask.shape, 3), np.uint8)
            colours[:] = np.asarray(paint, np.float64).clip(0, 255).astype(np.uint8)
        else:
            colours = self._gradient(paint, box)
        _mix_into(self.pixels[y1:y2, x1:x2], colours, mask)

    def _gradient(self, paint: Linear | Radial, box: tuple[int, int, int, int]) -> Image:
        x1, y1, x2, y2 = box
        s = self.supersample
        xs = np.arange(x1, x2, dtype=np.float32)[None, :]
        ys = np.arange(y1, y2, dtype=np.float32)[:, None]
        if isinstance(paint, Linear):
            p, q = self.to_pixels(np.array([paint.start, paint.end])) * s
            d = q - p
            k = max(float(d @ d), 1e-6)
            t = ((xs - p[0]) * (d[0] / k) + (ys - p[1]) * (d[1] / k)).astype(np.float32)
        else:
            (p,) = self.to_pixels(np.array([paint.centre])) * s
            r = max(paint.radius * self.unit * s, 1e-3)
            t = cv2.sqrt(((xs - p[0]) ** 2 + (ys - p[1]) ** 2).astype(np.float32)) / np.float32(r)
        steps = np.asarray(np.clip(t, 0.0, 1.0) * 255.0, np.uint8)
        ramp = np.linspace(0.0, 1.0, 256)[:, None]
        a, b = np.asarray(paint.a, np.float64), np.asarray(paint.b, np.float64)
        table = np.asarray((a + (b - a) * ramp).clip(0, 255), np.uint8)
        return np.asarray(table[steps])


def _mix_into(target: Image, source: Image, mask: Image) -> None:
    """target = target + (source - target) * mask / 255, in place and exact at 0 and 255."""
    m = mask.astype(np.uint16)[:, :, None]
    mixed = source.astype(np.uint16) * m + target.astype(np.uint16) * (255 - m) + 127
    np.floor_divide(mixed, 255, out=mixed)
    target[:] = mixed.astype(np.uint8)
