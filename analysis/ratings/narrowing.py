"""Which face to ask a person about next: the one whose answer is expected to narrow a published interval most.

The interval (``interval``) says how far a share may be off: shots get random weights, and what the model says is solved
with a confusion matrix that is itself only known so well. To first order the variance of share j is

    c x sum over shots of u_j^2      u: how far the shot pulls the shares from where they are, through all readable time
    + sum over t of B_tj r_t^2       r: the corrected time that was read by the model, by what was drawn

with c = n / (n - 2) for n shots' worth, and B_tj what row t of the matrix leaves unsure of j. A piece that nobody spoke
of enters u and r as ``g``, the row of the inverse matrix that belongs to what the model says of it, which has entries
below 0 and over 1: that is what makes corrected intervals wide. Once a person said t, it enters u as t itself, and r
not at all. What the person will say is as likely as the calibrated probabilities have it, so for a piece of the part w
of the time the expected fall of the variance is

    c (u_j^2 - sum over t of p_t (u_j + w ([t = j] - g_j))^2) + sum over t of B_tj (r_t^2 - (r_t - w g_t)^2)

Without a matrix there is no such term: the interval trusts the model's probabilities as they are, and no answer narrows
it. What an answer then takes away is the doubt of the probabilities themselves, w^2 p_j (1 - p_j), and that is ranked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analysis.ratings.confusion import SINGULAR, Confusion
from analysis.ratings.interval import LEAST_WORTH, corrected
from analysis.ratings.readings import Readings, shot_totals

LEAST_ASKED_MS = 400  # a shorter stretch belongs to the one beside it
APART_MS = 1_000  # a face that is away for longer is asked about anew

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one shot in which the model reads one thing: one question. ``members``: places in the readings."""

    members: Ints
    start_ms: int
    end_ms: int
    known: bool


@dataclass(frozen=True, slots=True)
class Narrowing:
    """``variance``: (k,) of the shares to first order. ``less``: (n, k) by how much it is expected to fall with an
    answer about each piece; negative where an answer is expected to widen, 0 for a piece that is known.
    """

    variance: Floats
    less: Floats

    def gains(self, widths: Floats) -> tuple[int, Floats]:
        """``widths``: (k,) of the published intervals. (place of the widest, (n,) by how much of a share each answer
        is expected to narrow that one).
        """
        j = int(widths.argmax()) if len(widths) else 0
        return j, self.all_gains(widths)[:, j] if len(widths) else np.zeros(len(self.less))

    def all_gains(self, widths: Floats) -> Floats:
        """(n, k) by how much of a share each answer is expected to narrow each interval."""
        possible = self.variance > 0.0
        fall = np.divide(self.less, self.variance, out=np.zeros_like(self.less), where=possible)
        found: Floats = widths * (1.0 - np.sqrt(np.maximum(0.0, 1.0 - fall)))
        return found


def pieces_of(readings: Readings) -> list[Piece]:
    """In time order; each reading is in one piece. ``readings`` are in time order, as everywhere."""
    n = len(readings.pts_ms)
    if n == 0:
        return []
    known = readings.known if readings.known is not None else np.zeros(n, dtype=np.bool_)
    likeliest = readings.probabilities.argmax(axis=1)
    ends = readings.pts_ms + readings.shown_ms
    apart = (np.diff(readings.shot) != 0) | (np.diff(known) != 0) | (readings.pts_ms[1:] - ends[:-1] > APART_MS)
    turns = apart | (np.diff(likeliest) != 0)
    edges = [0, *(np.flatnonzero(turns) + 1).tolist(), n]
    joined: list[list[int]] = []
    for a, b in pairwise(edges):
        new = not joined or bool(apart[a - 1])
        if not new and min(_length(readings, *joined[-1]), _length(readings, a, b)) < LEAST_ASKED_MS:
            joined[-1][1] = b
        else:
            joined.append([a, b])
    return [Piece(np.arange(a, b), int(readings.pts_ms[a]), int(ends[b - 1]), bool(known[a])) for a, b in joined]


def _length(readings: Readings, a: int, b: int) -> int:
    return int(readings.shown_ms[a:b].sum())


def expected_narrowing(readings: Readings, pieces: Sequence[Piece], confusion: Confusion | None) -> Narrowing:
    """Of every piece of ``pieces_of(readings)``, given the others as they are now."""
    k = len(readings.emotions)
    whole = float(readings.readable_ms)
    if not pieces or k == 0 or whole <= 0:
        return Narrowing(np.zeros(k), np.zeros((len(pieces), k)))
    part, p = _parts(readings, pieces, whole)
    known = np.array([piece.known for piece in pieces])
    worth = max(shot_totals(readings).worth, LEAST_WORTH)
    spread = worth / (worth - 2.0)
    if confusion is None:
        return _by_doubt(readings, pieces, part, p, known, spread, whole)
    mean = confusion.mean()
    inverse: Floats = np.linalg.pinv(mean, rcond=SINGULAR).astype(np.float64)
    g = _said(readings, pieces) @ inverse
    g[known] = p[known]
    share = corrected(readings, confusion)
    pull = _by_shot(readings, pieces, part[:, None] * (g - share))
    read = (part[:, None] * g)[~known].sum(axis=0)
    unsure = _matrix_variance(confusion, mean, inverse)
    variance = spread * _shot_sums(readings, pieces, part[:, None] * (g - share)) + read**2 @ unsure
    w = part[:, None]
    without = pull - w * g
    # the mean over t of (without + w [t = j])^2, by what the person may say
    after = without**2 + p * (2 * without * w + w**2)
    less = spread * (pull**2 - after) + (read**2 - (read - w * g) ** 2) @ unsure
    less[known] = 0.0
    return Narrowing(variance, less)


def _by_doubt(
    readings: Readings, pieces: Sequence[Piece], part: Floats, p: Floats, known: NDArray[np.bool_], spread: float,
    whole: float,
) -> Narrowing:  # fmt: skip
    share = readings.shown_ms.astype(np.float64) @ readings.probabilities / whole
    doubt = part[:, None] ** 2 * p * (1.0 - p)
    doubt[known] = 0.0
    variance = spread * _shot_sums(readings, pieces, part[:, None] * (p - share)) + doubt.sum(axis=0)
    return Narrowing(variance, doubt)


def _parts(readings: Readings, pieces: Sequence[Piece], whole: float) -> tuple[Floats, Floats]:
    """(n,) part of the readable time, (n, k) mean probabilities, of each piece."""
    shown = readings.shown_ms.astype(np.float64)
    times = np.array([shown[x.members].sum() for x in pieces])
    p = np.array([shown[x.members] @ readings.probabilities[x.members] for x in pieces]) / times[:, None]
    return times / whole, p


def _said(readings: Readings, pieces: Sequence[Piece]) -> Floats:
    """(n, k) which part of each piece the model gives to which emotion, each drawing wholly to its likeliest."""
    best = readings.probabilities.argmax(axis=1)
    shown = readings.shown_ms.astype(np.float64)
    k = readings.probabilities.shape[1]
    rows = [np.bincount(best[x.members], weights=shown[x.members], minlength=k) for x in pieces]
    said = np.array(rows)
    found: Floats = said / said.sum(axis=1, keepdims=True)
    return found


def _places(readings: Readings, pieces: Sequence[Piece]) -> tuple[Ints, int]:
    _, place = np.unique([int(readings.shot[x.members[0]]) for x in pieces], return_inverse=True)
    return place.astype(np.int64), int(place.max()) + 1


def _by_shot(readings: Readings, pieces: Sequence[Piece], pulls: Floats) -> Floats:
    """(n, k) the pull of the whole shot that each piece belongs to."""
    place, count = _places(readings, pieces)
    sums = np.zeros((count, pulls.shape[1]))
    np.add.at(sums, place, pulls)
    found: Floats = sums[place]
    return found


def _shot_sums(readings: Readings, pieces: Sequence[Piece], pulls: Floats) -> Floats:
    """(k,) squares of the shots' pulls, summed."""
    place, count = _places(readings, pieces)
    sums = np.zeros((count, pulls.shape[1]))
    np.add.at(sums, place, pulls)
    found: Floats = (sums**2).sum(axis=0)
    return found


def _matrix_variance(confusion: Confusion, mean: Floats, inverse: Floats) -> Floats:
    """(k, k) B[t, j]: variance of share j, for each unit of drawn t squared, since row t is known only so well."""
    evidence = confusion.evidence
    found = np.empty_like(mean)
    for t, row in enumerate(mean):
        spread = (np.diag(row) - np.outer(row, row)) / (evidence[t].sum() + 1.0)
        found[t] = np.einsum("sj,sr,rj->j", inverse, spread, inverse)
    return found
