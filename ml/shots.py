"""Where shots begin, and which stretches are black, title or credit cards. Pure functions over small copies; numpy.

A cut is a change that (1) no small movement of the camera explains, (2) covers much of the picture, (3) stands out from
the changes around it, and (4) lasts: after a flash the old picture comes back, after a cut it does not. A card is a
shot that stands still and is written upon. docs/pipeline.md says what was measured.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ml.timeline import settle_cards
from ml.types import Shot, ShotKind

__all__ = ["FrameLooks", "read_shots", "settle_cards", "writing"]

SHIFT = 4  # pixels of the thumbnail (64 wide) by which the camera may move between two frames
STILL = 1.0 / 255  # mean change below which two thumbnails show the same
WINDOW = 12  # frames on each side that a cut must stand out from
LEAST_CHANGE, MOST_CHANGE = 0.02, 0.03  # mean change of light, of the full range: both measures, one of them
CELL_CHANGE = 0.02
LEAST_COVER = 0.40  # share of cells that changed, by both measures
LEAST_SCORE, MOST_SCORE = 1.0, 2.0  # cover times how far the change stands out: both measures, one of them
FLASH_FRAMES = 4
LEAST_SHOT_MS = 200
BLACK_LEVEL = 26.0  # of 255: the brightest pixels of a black frame
CARD_LEAST_MS = 1200
CARD_STILL_LEVELS, CARD_STILL_SHARE = 12, 0.97  # in so many frames no cell of the thumbnail changes by more
WRITTEN = 20.5  # the score of ``writing`` from which a still picture is a card
STROKE_LEVELS, STROKE_PIXELS = 30, 12

Thumb = NDArray[np.uint8]
Vector = NDArray[np.float64]
Grey = NDArray[np.float32]


@dataclass(slots=True)
class FrameLooks:
    """Thumbnails of successive frames, their times, and how written upon they look (``writing``)."""

    pts_ms: list[int] = field(default_factory=list)
    thumbs: list[Thumb] = field(default_factory=list)
    written: list[float] = field(default_factory=list)

    def add(self, pts_ms: int, thumb: Thumb, written: float = 0.0) -> None:
        if not self.pts_ms or pts_ms > self.pts_ms[-1]:
            self.pts_ms.append(pts_ms)
            self.thumbs.append(thumb)
            self.written.append(written)


def read_shots(looks: FrameLooks, start_ms: int, end_ms: int) -> tuple[tuple[int, ...], tuple[Shot, ...]]:
    """Cuts inside [start_ms, end_ms), and the stretches there that are no story: black ones and cards, all TITLE."""
    if not looks.thumbs:
        return (), ()
    stack = np.stack(looks.thumbs)
    pts = np.array(looks.pts_ms)
    found = [int(pts[i]) for i in find_cuts(stack, pts)]
    black = _black_stretches(stack, pts, start_ms, end_ms)
    edges = [edge for b in black for edge in (b.start_ms, b.end_ms)]
    cuts = tuple(sorted({t for t in [*found, *edges] if start_ms <= t < end_ms and (t > start_ms or t in found)}))
    cards = _cards(looks, stack, [start_ms, *cuts, end_ms], black)
    return cuts, tuple(sorted([*black, *cards], key=lambda s: s.start_ms))


def find_cuts(stack: NDArray[np.uint8], pts_ms: NDArray[np.int64]) -> list[int]:
    """Indices of frames that begin a shot."""
    change, cover = changes(stack)
    candidates = (change.min(axis=1) > LEAST_CHANGE) & (change.max(axis=1) > MOST_CHANGE)
    cuts: list[int] = []
    for pair in np.flatnonzero(candidates & (cover.min(axis=1) > LEAST_COVER)):
        i = int(pair)
        at = i + 1
        scores = [cover[i, way] * prominence(change[:, way], i) for way in (0, 1)]
        late_enough = not cuts or pts_ms[at] - pts_ms[cuts[-1]] >= LEAST_SHOT_MS
        if min(scores) > LEAST_SCORE and max(scores) > MOST_SCORE and late_enough and not is_flash(stack, at):
            cuts.append(at)
    return cuts


def changes(stack: NDArray[np.uint8]) -> tuple[Vector, Vector]:
    """Mean change of light and share of changed cells between each frame and the next; each pairs x 2.

    Measured in two ways: as it is, and with the change of the mean light taken out, which a flickering film, a fade
    or lightning makes. A cut is one by both.
    """
    grey = stack.astype(np.float32).mean(axis=3)
    pairs = max(0, len(stack) - 1)
    change, cover = np.zeros((pairs, 2)), np.zeros((pairs, 2))
    for i in range(pairs):
        for way in (0, 1):
            change[i, way], cover[i, way] = shifted_change(grey[i], grey[i + 1], level=way == 1)
    return change, cover


def shifted_change(a: Grey, b: Grey, *, level: bool = False) -> tuple[float, float]:
    """Mean absolute difference in [0, 1] of the inner parts for the best shift, and the share of changed cells."""
    whole = float(np.abs(a - b).mean()) / 255
    if whole <= STILL:
        return whole, 0.0
    inner = b[SHIFT:-SHIFT, SHIFT:-SHIFT]
    height, width = inner.shape
    best: Grey | None = None
    for dy in range(0, 2 * SHIFT + 1, 2):
        for dx in range(2 * SHIFT + 1):
            raw = a[dy : dy + height, dx : dx + width] - inner
            difference = np.abs(raw - raw.mean()) if level else np.abs(raw)
            if best is None or difference.mean() < best.mean():
                best = difference
    assert best is not None
    cells = best[: height // 8 * 8, : width // 8 * 8].reshape(height // 8, 8, width // 8, 8).mean(axis=(1, 3)) / 255
    return float(best.mean()) / 255, float((cells > CELL_CHANGE).mean())


def prominence(change: Vector, i: int) -> float:
    """How many times larger than the second largest change around it; the largest may be the next cut."""
    around = np.sort(np.concatenate([change[max(0, i - WINDOW) : i], change[i + 1 : i + 1 + WINDOW]]))
    usual = float(around[-2]) if len(around) > 1 else 0.0
    return float(change[i]) / (usual + 1e-3)


def is_flash(stack: NDArray[np.uint8], at: int) -> bool:
    """Whether the picture from before ``at`` comes back within FLASH_FRAMES, or ``at`` is that return."""
    first = max(0, at - FLASH_FRAMES - 1)
    grey = stack[first : at + FLASH_FRAMES + 1].astype(np.float32).mean(axis=3)
    before, after = grey[: at - first], grey[at - first :]
    step = shifted_change(before[-1], after[0])[0]
    returns = [shifted_change(before[-1], frame)[0] for frame in after[1:]]
    returns += [shifted_change(frame, after[0])[0] for frame in before[:-1]]
    return any(r < 0.35 * step for r in returns)


def _black_stretches(stack: NDArray[np.uint8], pts: NDArray[np.int64], start_ms: int, end_ms: int) -> list[Shot]:
    bright = np.percentile(stack.max(axis=3).reshape(len(stack), -1), 99, axis=1)
    stretches: list[Shot] = []
    begun: int | None = None
    for t, is_black in [*zip(pts.tolist(), (bright < BLACK_LEVEL).tolist(), strict=True), (end_ms, False)]:
        if is_black and begun is None:
            begun = t
        elif not is_black and begun is not None:
            a, b = max(begun, start_ms), min(t, end_ms)
            if b > a:
                stretches.append(Shot(a, b, ShotKind.BLACK))
            begun = None
    return stretches


def _cards(looks: FrameLooks, stack: NDArray[np.uint8], edges: Sequence[int], black: Sequence[Shot]) -> list[Shot]:
    pts, written = np.array(looks.pts_ms), np.array(looks.written)
    dark = {b.start_ms for b in black}
    cards: list[Shot] = []
    for a, b in itertools.pairwise(edges):
        inside = np.flatnonzero((pts >= a) & (pts < b))
        if b - a < CARD_LEAST_MS or a in dark or len(inside) == 0 or np.median(written[inside]) < WRITTEN:
            continue
        moved = np.abs(np.diff(stack[inside].astype(np.int16), axis=0)).max(axis=(1, 2, 3), initial=0)
        if len(moved) == 0 or (moved <= CARD_STILL_LEVELS).mean() >= CARD_STILL_SHARE:
            cards.append(Shot(a, b, ShotKind.TITLE))
    return cards


def writing(look: NDArray[np.uint8]) -> float:
    """How written upon a picture 320 wide looks: strokes (a rise and a fall of light close together) per busy row.

    Lines of letters give 21 and more; drawn scenes measured gave at most 18.
    """
    grey = look.astype(np.int16).sum(axis=2) // 3
    slope = np.diff(grey, axis=1)
    signs = (np.sign(slope) * (np.abs(slope) > STROKE_LEVELS)).ravel()
    steep = np.flatnonzero(signs)
    if len(steep) < 2:
        return 0.0
    rows = steep // slope.shape[1]
    strokes = (signs[steep][1:] != signs[steep][:-1]) & (np.diff(steep) <= STROKE_PIXELS) & (rows[1:] == rows[:-1])
    return float(np.quantile(np.bincount(rows[1:][strokes], minlength=slope.shape[0]), 0.9))
