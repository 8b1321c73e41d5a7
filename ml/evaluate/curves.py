"""Curves: precision-recall and ROC with their areas, risk against coverage, learning curves. Pure but for one reader.

``probabilities``: (N, K). ``truth``: (N,) class numbers. A point of a curve is for one threshold that occurs, falling.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.errors import UserError

GRID = np.linspace(0.0, 1.0, 101)
COVERAGES = (1.0, 0.8, 0.5)
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Curve = tuple[Floats, Floats]


class HistoryInvalid(UserError):
    """A training log cannot be read."""

    code = "history_invalid"


def counts_by_threshold(scores: Floats, positive: Bools) -> tuple[Floats, Floats]:
    """True and false positives at each score that occurs, falling."""
    order = np.argsort(-scores, kind="mergesort")
    right = np.cumsum(positive[order]).astype(np.float64)
    wrong = np.cumsum(~positive[order]).astype(np.float64)
    last = np.append(scores[order][1:] != scores[order][:-1], True) if len(scores) else np.zeros(0, bool)
    return right[last], wrong[last]


def pr_curve(scores: Floats, positive: Bools) -> Curve:
    """Recall, precision. Empty where nothing is positive."""
    right, wrong = counts_by_threshold(scores, positive)
    if not positive.any():
        return np.zeros(0), np.zeros(0)
    return right / positive.sum(), right / (right + wrong)


def average_precision(scores: Floats, positive: Bools) -> float | None:
    """Sum over thresholds of precision times the growth of recall; not interpolated. None where nothing is positive."""
    recall, precision = pr_curve(scores, positive)
    return float(np.diff(recall, prepend=0.0) @ precision) if len(recall) else None


def roc_curve(scores: Floats, positive: Bools) -> Curve:
    """False positive rate, true positive rate, from (0, 0). Empty where all are positive or none is."""
    if positive.all() or not positive.any():
        return np.zeros(0), np.zeros(0)
    right, wrong = counts_by_threshold(scores, positive)
    return np.append(0.0, wrong / (~positive).sum()), np.append(0.0, right / positive.sum())


def area(curve: Curve) -> float | None:
    """By trapezia; for ROC the probability that a positive scores above a negative, ties counting half."""
    x, y = curve
    return float(np.diff(x) @ (y[1:] + y[:-1]) / 2) if len(x) else None


def class_curves(probabilities: Floats, truth: Ints, labels: Sequence[str]) -> dict[str, Any]:
    """``pr`` and ``roc``: area per class that occurs, ``micro`` (all answers in one pot) and ``macro`` (the mean of the
    classes that occur). ``curves``: the points, macro ROC as the mean over a grid of false positive rates.
    """
    classes = [k for k in range(len(labels)) if (truth == k).any()]
    pr: dict[str, float | None] = {}
    roc: dict[str, float | None] = {}
    curves: dict[str, dict[str, Curve]] = {"pr": {}, "roc": {}}
    for k in classes:
        curves["pr"][labels[k]] = pr_curve(probabilities[:, k], truth == k)
        curves["roc"][labels[k]] = roc_curve(probabilities[:, k], truth == k)
        pr[labels[k]] = average_precision(probabilities[:, k], truth == k)
        roc[labels[k]] = area(curves["roc"][labels[k]])
    if classes:
        pot = probabilities[:, classes].ravel()
        right = (truth[:, None] == np.array(classes)[None]).ravel()
        curves["pr"]["micro"], curves["roc"]["micro"] = pr_curve(pot, right), roc_curve(pot, right)
        known = [c for name, c in curves["roc"].items() if name != "micro" and len(c[0])]
        if known:
            curves["roc"]["macro"] = GRID, np.mean([np.interp(GRID, *c) for c in known], axis=0)
        pr = {**pr, "micro": average_precision(pot, right), "macro": _mean(pr.values())}
        roc = {**roc, "micro": area(curves["roc"]["micro"]), "macro": _mean(roc.values())}
    return {"pr": _rounded(pr), "roc": _rounded(roc), "curves": curves}


def risk_coverage(probabilities: Floats, truth: Ints) -> dict[str, Any]:
    """What saying *unclear* brings: the surest faces first, the share of wrong ones among those that are spoken of.

    ``coverage``, ``risk``: one point per confidence that occurs. ``figures``: area (mean risk), what a random order
    would give (the risk at full coverage), and the risk at some coverages.
    """
    if not len(truth):
        return {"coverage": np.zeros(0), "risk": np.zeros(0), "figures": {}}
    confidence, wrong = probabilities.max(1), probabilities.argmax(1) != truth
    bad, good = counts_by_threshold(confidence, wrong)
    coverage, risk = (bad + good) / len(truth), bad / (bad + good)
    mean = float(np.diff(coverage, prepend=0.0) @ risk)
    at = {f"risk_at_{c:g}": float(risk[np.searchsorted(coverage, c - 1e-12)]) for c in COVERAGES}
    return {"coverage": coverage, "risk": risk, "figures": _rounded({"area": mean, **at})}


def read_history(path: Path) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Name to split to (step, value): a training log, one row per measurement with ``step, split, name, value``.

    JSON lines, or CSV with a heading. Raises HistoryInvalid, naming file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HistoryInvalid(f"The training log {path} cannot be read: {error}.") from error
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for line, row in _rows(path, text):
        try:
            step, value = float(row["step"]), float(row["value"])
            name, split = str(row["name"]), str(row["split"])
        except (KeyError, TypeError, ValueError) as error:
            raise HistoryInvalid(f"{path}:{line}: no row of a training log: {error!r}.") from error
        if np.isfinite(value):
            found.setdefault(name, {}).setdefault(split, []).append((step, value))
    return found


def _rows(path: Path, text: str) -> list[tuple[int, Mapping[str, Any]]]:
    if path.suffix == ".csv":
        return [(n, row) for n, row in enumerate(csv.DictReader(text.splitlines()), 2)]
    rows: list[tuple[int, Mapping[str, Any]]] = []
    for n, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise HistoryInvalid(f"{path}:{n}: not JSON: {error}.") from error
        rows.append((n, row if isinstance(row, dict) else {}))
    return rows


def _mean(values: Any) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


def _rounded(table: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if v is None else round(v, 4) for name, v in table.items()}
