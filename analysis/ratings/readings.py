"""What one character's face shows, drawing by drawing, and what follows without any statistics: shares and spans."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml.timeline import Span, find_spans
from ml.types import Emotion


@dataclass(frozen=True, slots=True)
class Readings:
    """One character's readable drawings in time order.

    ``probabilities``: (n, k), rows sum to 1; ``pts_ms``, ``shown_ms``, ``shot``: (n,) integers. ``known``: (n,) whether
    a person said what it shows, so that no model's mistakes are to be corrected; None: nowhere.
    """

    emotions: tuple[Emotion, ...]
    probabilities: NDArray[np.float64]
    pts_ms: NDArray[np.int64]
    shown_ms: NDArray[np.int64]
    shot: NDArray[np.int64]
    known: NDArray[np.bool_] | None = None

    def between(self, start_ms: int, end_ms: int) -> Readings:
        """The drawings that begin in [start_ms, end_ms)."""
        return self.where((self.pts_ms >= start_ms) & (self.pts_ms < end_ms))

    def where(self, keep: NDArray[np.bool_]) -> Readings:
        """The drawings for which ``keep``, (n,), is true."""
        return Readings(
            self.emotions,
            self.probabilities[keep],
            self.pts_ms[keep],
            self.shown_ms[keep],
            self.shot[keep],
            None if self.known is None else self.known[keep],
        )

    @property
    def readable_ms(self) -> int:
        return int(self.shown_ms.sum())

    @property
    def known_ms(self) -> int:
        """For how long of it a person said what it shows."""
        return 0 if self.known is None else int(self.shown_ms[self.known].sum())


@dataclass(frozen=True, slots=True)
class ShotTotals:
    """``weight``: (m,) readable milliseconds of each shot; ``shown``: (m, k) how they fall to the emotions."""

    weight: NDArray[np.float64]
    shown: NDArray[np.float64]

    @property
    def worth(self) -> float:
        """In how many shots of one length the time would be as well spread (Kish): at most m, 1 for a single shot."""
        return float(self.weight.sum() ** 2 / (self.weight**2).sum())


def shares(readings: Readings) -> NDArray[np.float64]:
    """(k,) shares of the readable time by probability; zeros where nothing was read."""
    total = readings.shown_ms.sum()
    if total == 0:
        return np.zeros(len(readings.emotions))
    weighted: NDArray[np.float64] = readings.shown_ms.astype(np.float64) @ readings.probabilities
    return weighted / float(total)


def likeliest(readings: Readings) -> Readings:
    """The same with each drawing wholly given to its likeliest emotion, the first of several equal ones."""
    whole = np.zeros_like(readings.probabilities)
    whole[np.arange(len(whole)), readings.probabilities.argmax(axis=1)] = 1.0
    return replace(readings, probabilities=whole)


def shot_totals(readings: Readings) -> ShotTotals:
    """Sums by shot, in the order of the shots. How often a drawing was looked at changes nothing."""
    _, place = np.unique(readings.shot, return_inverse=True)
    count = int(place.max()) + 1 if len(place) else 0
    weight = np.bincount(place, weights=readings.shown_ms, minlength=count)
    timed = readings.probabilities * readings.shown_ms[:, None]
    columns = [np.bincount(place, weights=column, minlength=count) for column in timed.T]
    return ShotTotals(weight.astype(np.float64), np.array(columns, dtype=np.float64).reshape(-1, count).T)


def emotion_spans(readings: Readings, emotion: Emotion) -> list[Span]:
    """Where the emotion shows, never across a cut."""
    column = readings.probabilities[:, readings.emotions.index(emotion)]
    found: list[Span] = []
    for shot in np.unique(readings.shot):
        inside = readings.shot == shot
        found += find_spans(column[inside], readings.pts_ms[inside].tolist(), readings.shown_ms[inside].tolist())
    return found
