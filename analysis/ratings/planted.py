"""Episodes with planted truth, to see whether intervals hold what they promise.

An episode has a planted share per emotion. Its shots hold one or two expressions, each drawn by those shares, so a
longer or another cut of the same episode would come to the planted shares in the end; what this one cut shows lies
around them. The model's errors are shared: within a shot, an expression is taken for the same other one on most of its
drawings. The confusion matrix that the bundle brings comes from other shots, made the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.ratings.confusion import Confusion
from analysis.ratings.readings import Readings
from ml.types import EMOTIONS

DRAWING_MS = 125  # animated on threes
SHARED = 0.8  # of the drawings of one expression in one shot have the error (or the lack of one) in common
HELD_OUT_SHOTS = 210
SERIES = np.array([0.30, 0.10, 0.14, 0.10, 0.09, 0.05, 0.22])  # what the series shows on average
LIKENESS = 8.0  # how like each other its episodes are (Dirichlet)
LEAST_SHOTS, MOST_SHOTS = 8, 150
LEAST_ACCURACY, MOST_ACCURACY = 0.6, 0.97

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Planted:
    """``planted``: (k,) the shares that shots were drawn by; ``shown``: (k,) what this cut shows, to the millisecond.

    ``accuracy``: mean over emotions of how often the model is right. ``drawn``: (n,) the emotion that each drawing
    shows, as its place among EMOTIONS; -1 where the face is somebody else's, which a person would see.
    """

    readings: Readings
    confusion: Confusion
    planted: Floats
    shown: Floats
    shots: int
    accuracy: float
    drawn: Ints


def plant(
    rng: np.random.Generator,
    *,
    shots: int | None = None,
    accuracy: float | None = None,
    planted: Floats | None = None,
    worse_by: float = 0.0,
    moods: float = 0.0,
    strangers: float = 0.0,
) -> Planted:
    """One episode. What is not given is drawn: 8 to 150 shots, accuracy 0.6 to 0.97.

    ``worse_by``: how much less accurate the model is here than on the held-out shots. ``moods``: chance that a shot
    goes on with the expression of the one before. Both break what the intervals take for granted. ``strangers``: share
    of shots in which the face is somebody else's, so that what they are read as belongs to no share.
    """
    k = len(EMOTIONS)
    count = shots or int(np.exp(rng.uniform(np.log(LEAST_SHOTS), np.log(MOST_SHOTS))))
    right = accuracy if accuracy is not None else float(rng.uniform(LEAST_ACCURACY, MOST_ACCURACY))
    true_shares = rng.dirichlet(LIKENESS * SERIES) if planted is None else planted
    matrix = _matrix(rng, k, right)
    here = _blurred(matrix, worse_by)
    drawn, shot = _drawings(rng, count, true_shares, moods)
    said = _said(rng, drawn, shot, here)
    n = len(drawn)
    probabilities = np.full((n, k), (1.0 - right) / (k - 1))
    probabilities[np.arange(n), said] = right
    readings = Readings(
        EMOTIONS, probabilities, np.arange(n, dtype=np.int64) * DRAWING_MS, np.full(n, DRAWING_MS, np.int64), shot
    )
    held_out = _held_out(rng, matrix)
    if strangers:
        drawn = np.where((rng.random(count) < strangers)[shot], -1, drawn)
    of_it = drawn[drawn >= 0]
    shown = np.bincount(of_it, minlength=k) / max(1, len(of_it))
    return Planted(readings, held_out, true_shares, shown, count, float(np.trace(matrix)) / k, drawn)


def _matrix(rng: np.random.Generator, k: int, accuracy: float) -> Floats:
    """Some emotions are told better than others, and each is mistaken for a few others above all."""
    right = np.clip(accuracy + rng.uniform(-0.08, 0.08, k) * min(1.0, 4 * (1 - accuracy)), 0.4, 0.99)
    wrong = rng.dirichlet(np.full(k - 1, 1.0), size=k)
    matrix = np.zeros((k, k))
    for t in range(k):
        matrix[t, [s for s in range(k) if s != t]] = (1 - right[t]) * wrong[t]
        matrix[t, t] = right[t]
    return matrix


def _blurred(matrix: Floats, worse_by: float) -> Floats:
    """The same with that much of every diagonal entry spread over the others."""
    k = len(matrix)
    moved = matrix - worse_by * np.eye(k) + worse_by * (1 - np.eye(k)) / (k - 1)
    return np.clip(moved, 0.0, 1.0)


def _drawings(rng: np.random.Generator, shots: int, planted: Floats, moods: float) -> tuple[Ints, Ints]:
    """What each drawing shows, and its shot."""
    drawn: list[Ints] = []
    shot: list[Ints] = []
    last = -1
    for index in range(shots):
        length = max(4, int(np.clip(rng.lognormal(0.9, 0.6), 0.5, 15.0) * 1000 / DRAWING_MS))
        first = last if last >= 0 and rng.random() < moods else int(rng.choice(len(planted), p=planted))
        second = int(rng.choice(len(planted), p=planted)) if rng.random() < 0.3 else first
        half = int(rng.integers(1, length)) if second != first else length
        drawn.append(np.array([first] * half + [second] * (length - half)))
        shot.append(np.full(length, index))
        last = second
    return np.concatenate(drawn).astype(np.int64), np.concatenate(shot).astype(np.int64)


def _said(rng: np.random.Generator, drawn: Ints, shot: Ints, matrix: Floats) -> Ints:
    """What the model takes each drawing for: mostly what it took that expression for before in the same shot."""
    k = len(matrix)
    chances = np.cumsum(matrix / matrix.sum(axis=1, keepdims=True), axis=1)

    def ask(shown: Ints) -> Ints:
        told: Ints = np.minimum((rng.random(len(shown))[:, None] > chances[shown]).sum(axis=1), k - 1)
        return told

    _, place = np.unique(shot * k + drawn, return_inverse=True)
    pairs = np.unique(shot * k + drawn)
    common = ask((pairs % k).astype(np.int64))[place]
    return np.where(rng.random(len(drawn)) < SHARED, common, ask(drawn))


def _held_out(rng: np.random.Generator, matrix: Floats) -> Confusion:
    """The bundle's matrix: as many shots of each emotion, each with errors of its own that its faces share."""
    k = len(matrix)
    each = HELD_OUT_SHOTS // k
    faces = 12
    shot = np.repeat(np.arange(k * each), faces)
    drawn = np.repeat(np.tile(np.arange(k), each), faces)
    said = _said(rng, drawn, shot, matrix)
    counts = np.zeros((k, k))
    np.add.at(counts, (drawn, said), 1)
    return Confusion(counts, groups=k * each)
