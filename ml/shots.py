"""Where shots begin, and which stretches are black, title or credit cards. Pure functions over thumbnails; numpy only.

A cut is a change that (1) no small movement of the camera explains, (2) stands out from the changes around it, and
(3) lasts: after a flash the old picture comes back, after a cut it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ml.timeline import settle_cards
from ml.types import Shot, ShotKind

__all__ = ["FrameLooks", "read_shots", "settle_cards"]

SHIFTS = 4  # pixels of the thumbnail (64 wide) by which the camera may move between two frames
WINDOW = 12  # frames on each side that a cut must stand out from
LEAST_CHANGE = 0.055  # of the full range, after the best shift
TIMES_AROUND = 2.6
LEAST_COLOUR = 0.18  # share of pixels that change their colour bin
FLASH_FRAMES = 4
LEAST_SHOT_MS = 200
BLACK_LEVEL = 26.0  # of 255: the brightest pixels of a black frame
CARD_MOST_CHANGE = 0.012
CARD_START_MS = 30_000

Thumb = NDArray[np.uint8]
Vector = NDArray[np.float64]


@dataclass(slots=True)
class FrameLooks:
    """Thumbnails of successive frames with their times."""

    pts_ms: list[int] = field(default_factory=list)
    thumbs: list[Thumb] = field(default_factory=list)

    def add(self, pts_ms: int, thumb: Thumb) -> None:
        if not self.pts_ms or pts_ms > self.pts_ms[-1]:
            self.pts_ms.append(pts_ms)
            self.thumbs.append(thumb)


def read_shots(
    looks: FrameLooks, start_ms: int, end_ms: int, *, is_last: bool = True
) -> tuple[tuple[int, ...], tuple[Shot, ...]]:
    """Cuts inside [start_ms, end_ms), and the stretches there that are no story."""
    if not looks.thumbs:
        return (), ()
    stack = np.stack(looks.thumbs)
    pts = np.array(looks.pts_ms)
    cuts = tuple(int(pts[i]) for i in find_cuts(stack, pts) if start_ms <= pts[i] < end_ms)
    black = _black_stretches(stack, pts, start_ms, end_ms)
    edges = {edge for b in black for edge in (b.start_ms, b.end_ms) if start_ms < edge < end_ms}
    return tuple(sorted({*cuts, *edges})), tuple(black)


def find_cuts(stack: NDArray[np.uint8], pts_ms: NDArray[np.int64]) -> list[int]:
    """Indices of frames that begin a shot."""
    if len(stack) < 2:
        return []
    change, colour = changes(stack)
    cuts: list[int] = []
    for i in np.flatnonzero((change > LEAST_CHANGE) & (colour > LEAST_COLOUR)):
        at = int(i) + 1
        if _stands_out(change, int(i)) and not _is_flash(stack, at) and _late_enough(pts_ms, cuts, at):
            cuts.append(at)
    return cuts


def changes(stack: NDArray[np.uint8]) -> tuple[Vector, Vector]:
    """Between each frame and the next: least mean difference over small shifts, and share of colour that moved."""
    grey = stack.astype(np.float32).mean(axis=3)
    pairs = len(stack) - 1
    change = np.empty(pairs)
    colour = np.empty(pairs)
    bins = _histograms(stack)
    for i in range(pairs):
        change[i] = shifted_difference(grey[i], grey[i + 1])
        colour[i] = 0.5 * np.abs(bins[i + 1] - bins[i]).sum()
    return change, colour


def shifted_difference(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Mean absolute difference in [0, 1] of the inner parts, for the best shift of up to SHIFTS pixels."""
    whole = float(np.abs(a - b).mean()) / 255
    if whole <= LEAST_CHANGE:
        return whole
    m = SHIFTS
    inner = b[m:-m, m:-m]
    height, width = inner.shape
    best = whole
    for dy in range(0, 2 * m + 1, 2):
        for dx in range(0, 2 * m + 1):
            best = min(best, float(np.abs(a[dy : dy + height, dx : dx + width] - inner).mean()) / 255)
    return best


def _histograms(stack: NDArray[np.uint8]) -> Vector:
    """Share of pixels per colour bin, 4 x 4 x 4, per frame."""
    bins = (stack >> 6).astype(np.int64)
    index = bins[..., 0] * 16 + bins[..., 1] * 4 + bins[..., 2]
    flat = index.reshape(len(stack), -1)
    return np.stack([np.bincount(row, minlength=64) for row in flat]) / flat.shape[1]


def _stands_out(change: Vector, i: int) -> bool:
    around = np.concatenate([change[max(0, i - WINDOW) : i], change[i + 1 : i + 1 + WINDOW]])
    if len(around) == 0:
        return True
    usual = float(np.sort(around)[-2]) if len(around) > 1 else float(around[-1])
    return bool(change[i] > TIMES_AROUND * float(np.mean(around)) and change[i] > usual)


def _is_flash(stack: NDArray[np.uint8], at: int) -> bool:
    """Whether the picture before ``at`` comes back within FLASH_FRAMES; also true for the return itself."""
    grey = stack[max(0, at - FLASH_FRAMES - 1) : at + FLASH_FRAMES + 1].astype(np.float32).mean(axis=3)
    here = min(at, FLASH_FRAMES + 1)
    step = shifted_difference(grey[here - 1], grey[here])
    before, after = grey[:here], grey[here:]
    returns = [shifted_difference(before[-1], f) for f in after[1:]] + [
        shifted_difference(after[0], f) for f in before[:-1]
    ]
    return any(r < 0.35 * step for r in returns)


def _late_enough(pts_ms: NDArray[np.int64], cuts: Sequence[int], at: int) -> bool:
    return not cuts or pts_ms[at] - pts_ms[cuts[-1]] >= LEAST_SHOT_MS


def _black_stretches(stack: NDArray[np.uint8], pts: NDArray[np.int64], start_ms: int, end_ms: int) -> list[Shot]:
    bright = np.percentile(stack.max(axis=3).reshape(len(stack), -1), 99, axis=1)
    stretches: list[Shot] = []
    begun: int | None = None
    for t, is_black in [*zip(pts.tolist(), (bright < BLACK_LEVEL).tolist(), strict=True), (end_ms, False)]:
        if is_black and begun is None:
            begun = t
        elif not is_black and begun is not None:
            a, b = max(begun, start_ms), min(t, end_ms)
            if b - a > 0:
                stretches.append(Shot(a, b, ShotKind.BLACK))
            begun = None
    return stretches
