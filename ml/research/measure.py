"""Macro-F1 and accuracy with intervals: over whole shows where there are several, else over whole shots of the one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.evaluate.bootstrap import ROUNDS, SEED, frame_weights, interval
from ml.evaluate.metrics import accuracy, confusion, macro_f1
from ml.research.faces import Faces
from ml.types import EMOTIONS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Score:
    """A figure, and the same figure of each resampled set. Two scores of the same faces were resampled alike."""

    value: float
    resampled: Floats

    def __sub__(self, other: Score) -> Score:
        return Score(self.value - other.value, self.resampled - other.resampled)

    def __str__(self) -> str:
        bounds = interval(list(self.resampled))
        return f"{self.value:.3f}" if bounds is None else f"{self.value:.3f} [{bounds[0]:.3f}, {bounds[1]:.3f}]"

    @property
    def signed(self) -> str:
        bounds = interval(list(self.resampled))
        return f"{self.value:+.3f}" + ("" if bounds is None else f" [{bounds[0]:+.3f}, {bounds[1]:+.3f}]")


def scores(faces: Faces, said: Ints, rounds: int = ROUNDS) -> dict[str, Score]:
    """``said``: (N,) or (R, N), emotions by repeated runs, whose figures are averaged. Macro-F1 and accuracy."""
    runs = np.atleast_2d(said)
    shows = sorted(set(faces.show.tolist()))
    if len(shows) > 1:
        of = [_figures(faces.emotion[faces.show == s], runs[:, faces.show == s], None) for s in shows]
        return _resampled_means(np.array(of), rounds)
    weights = frame_weights(faces.shot.tolist(), rounds)
    every = np.array([_figures(faces.emotion, runs, w) for w in weights])
    value = _figures(faces.emotion, runs, None)
    return {name: Score(value[i], every[:, i]) for i, name in enumerate(("macro-F1", "accuracy"))}


def mean_over_shows(values: Sequence[float], rounds: int = ROUNDS) -> Score:
    """Of one figure per show."""
    drawn = _drawn(len(values), rounds)
    return Score(float(np.mean(values)), drawn @ np.asarray(values, np.float64))


def weighted_mean(values: Floats, groups: Sequence[str], rounds: int = ROUNDS) -> Score:
    """Of one number per face, whole groups resampled."""
    weights = frame_weights(list(groups), rounds)
    return Score(float(values.mean()), (weights @ values) / np.maximum(weights.sum(1), 1))


def _drawn(count: int, rounds: int) -> Floats:
    return np.random.default_rng(SEED).multinomial(count, [1 / count] * count, size=rounds) / count


def _resampled_means(of: Floats, rounds: int) -> dict[str, Score]:
    drawn = _drawn(len(of), rounds)
    return {n: Score(float(of[:, i].mean()), drawn @ of[:, i]) for i, n in enumerate(("macro-F1", "accuracy"))}


def _figures(truth: Ints, runs: Ints, weights: Ints | None) -> tuple[float, float]:
    tables = [confusion(truth, run, len(EMOTIONS), 1, weights) for run in runs]
    return float(np.mean([macro_f1(t) or 0.0 for t in tables])), float(np.mean([accuracy(t) or 0.0 for t in tables]))


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"
