"""Whether a probability means what it says: reliability, ECE, Brier score, NLL, temperature. Pure; numpy only.

``probabilities``: (N, K), rows sum to 1. ``truth``: (N,) class numbers. ``weights``: (N,) how often each face counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
SMALLEST = 5e-6  # probabilities of a reading are rounded to five digits: a true class at 0 is not worth infinity
TEMPERATURES = (0.05, 20.0)
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Over the last axis, of logits divided by ``temperature``."""
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float64)


def retempered(probabilities: Floats, from_temperature: float, to_temperature: float = 1.0) -> Floats:
    """The probabilities that another temperature would have given, from those that one gave. Exact where no two
    outputs were added up and nothing was rounded to 0.
    """
    return softmax(np.log(np.maximum(probabilities, SMALLEST)) * from_temperature, to_temperature)


def ece(probabilities: Floats, truth: Ints, bins: int = BINS, weights: Ints | None = None) -> float | None:
    """Expected calibration error of the likeliest class: mean distance of confidence from accuracy over equal bins."""
    rows = reliability(probabilities, truth, bins, weights)
    total = sum(row["faces"] for row in rows)
    if not total:
        return None
    return float(sum(row["faces"] * abs(row["confidence"] - row["accuracy"]) for row in rows) / total)


def reliability(
    probabilities: Floats, truth: Ints, bins: int = BINS, weights: Ints | None = None
) -> list[dict[str, Any]]:
    """Per bin of confidence that holds a face: its bounds, faces, mean confidence, accuracy."""
    if not len(truth):
        return []
    weight = np.ones(len(truth)) if weights is None else weights.astype(np.float64)
    confidence, hit = probabilities.max(1), probabilities.argmax(1) == truth
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = []
    for b in range(bins):
        share = weight * (which == b)
        if (faces := share.sum()) > 0:
            rows.append(
                {
                    "from": b / bins,
                    "to": (b + 1) / bins,
                    "faces": round(float(faces)),
                    "confidence": float(share @ confidence / faces),
                    "accuracy": float(share @ hit / faces),
                }
            )
    return rows


def brier(probabilities: Floats, truth: Ints, weights: Ints | None = None) -> float | None:
    """Mean over faces of the sum over classes of squared error: 0 best, 2 worst."""
    if not len(truth):
        return None
    each = ((probabilities - np.eye(probabilities.shape[1])[truth]) ** 2).sum(1)
    return _mean(each, weights)


def nll(probabilities: Floats, truth: Ints, weights: Ints | None = None) -> float | None:
    """Mean negative log likelihood of the true class in nats, probabilities at least SMALLEST."""
    if not len(truth):
        return None
    return _mean(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], SMALLEST)), weights)


def _mean(each: Floats, weights: Ints | None) -> float | None:
    if weights is None:
        return float(each.mean())
    return float(weights @ each / weights.sum()) if weights.sum() else None


def figures(probabilities: Floats, truth: Ints, weights: Ints | None = None) -> dict[str, float | None]:
    measures: dict[str, Callable[[], float | None]] = {
        "ece": lambda: ece(probabilities, truth, BINS, weights),
        "brier": lambda: brier(probabilities, truth, weights),
        "nll": lambda: nll(probabilities, truth, weights),
    }
    return {name: None if (v := measure()) is None else round(v, 4) for name, measure in measures.items()}


def figures_of_logits(logits: Floats, truth: Ints, temperature: float) -> dict[str, dict[str, float | None]]:
    """``before``: temperature 1; ``after``: the one given."""
    return {"before": figures(softmax(logits), truth), "after": figures(softmax(logits, temperature), truth)}


def fit_temperature(logits: Floats, truth: Ints, rounds: int = 60) -> float:
    """The temperature with the least NLL, by golden section over its logarithm (NLL has one minimum there).

    Never to be judged on the faces that it was fitted on.
    """
    low, high = np.log(TEMPERATURES[0]), np.log(TEMPERATURES[1])
    golden = (5**0.5 - 1) / 2

    def cost(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        top = scaled.max(1)
        log_sum = top + np.log(np.exp(scaled - top[:, None]).sum(1))
        return float((log_sum - scaled[np.arange(len(truth)), truth]).mean())

    for _ in range(rounds):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if cost(left) < cost(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def temperature_of_others(logits: Floats, truth: Ints, groups: Sequence[str]) -> Floats | None:
    """Probabilities of every face at the temperature fitted on all other groups: what a temperature for this very show
    would bring, not flattered. None with fewer than two groups.
    """
    names = np.asarray(groups)
    if len(set(groups)) < 2:
        return None
    result = np.zeros(logits.shape)
    for name in sorted(set(groups)):
        own = names == name
        result[own] = softmax(logits[own], fit_temperature(logits[~own], truth[~own]))
    return result
