"""Figures of a classifier from its confusion table: rows are the truth, columns what was said. Pure; numpy only.

A table has one row per class and at least as many columns; further columns are answers that are never right
(*unclear*, *missed*): they lower recall and accuracy and cost no class precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLATTERS = (
    "Mean one-against-rest accuracy, which Jain et al. 2021 call accuracy, asks of each class only whether a face is "
    "of it or not, and counts the many faces of other classes as right each time: with seven classes and every second "
    "face wrong it still says 0.86."
)
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def confusion(truth: Ints, said: Ints, classes: int, extra: int = 1, weights: Ints | None = None) -> Ints:
    """(classes, classes + extra). ``said``: a class, or -1, -2, ... for the first, second, ... further column."""
    columns = np.where(said >= 0, said, classes - 1 - said)
    flat = truth * (classes + extra) + columns
    counted = np.bincount(flat, weights, minlength=classes * (classes + extra))
    return np.asarray(np.rint(counted), np.int64).reshape(classes, classes + extra)


def accuracy(table: Ints) -> float | None:
    total = int(table.sum())
    return int(np.trace(table)) / total if total else None


def one_against_rest(table: Ints) -> Floats:
    """Per class (true positives + true negatives) / faces; NaN where there are no faces."""
    rows, total = table.shape[0], int(table.sum())
    right = np.diagonal(table)
    wrong = (table.sum(1) - right) + (table[:, :rows].sum(0) - right)
    return (total - wrong) / total if total else np.full(rows, np.nan)


def mean_one_against_rest_accuracy(table: Ints) -> float | None:
    """Over the classes that occur or were said. See FLATTERS."""
    occurs = (table.sum(1) + table[:, : table.shape[0]].sum(0)) > 0
    return float(one_against_rest(table)[occurs].mean()) if occurs.any() else None


def precision_recall_f1(table: Ints) -> tuple[Floats, Floats, Floats]:
    """Per class. Precision is NaN where the class was never said, recall where it never occurs, F1 where neither."""
    rows = table.shape[0]
    right = np.diagonal(table).astype(np.float64)
    occurs, said = table.sum(1).astype(np.float64), table[:, :rows].sum(0).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return right / said, right / occurs, 2 * right / (occurs + said)


def macro_f1(table: Ints) -> float | None:
    """Mean F1 over the classes that occur in the truth (a class that is only said lowers the others' recall)."""
    _, _, f1 = precision_recall_f1(table)
    occurs = table.sum(1) > 0
    return float(f1[occurs].mean()) if occurs.any() else None


def weighted(table: Ints) -> dict[str, float | None]:
    """Precision, recall and F1, each class weighted by how often it occurs; never said: precision 0."""
    occurs = table.sum(1)
    total = int(occurs.sum())
    if not total:
        return {"precision": None, "recall": None, "f1": None}
    named = zip(("precision", "recall", "f1"), precision_recall_f1(table), strict=True)
    return {name: float(np.nan_to_num(values) @ occurs / total) for name, values in named}


def figures(table: Ints, labels: Sequence[str], columns: Sequence[str]) -> dict[str, Any]:
    """Everything at once, rounded, as it stands in the JSON. ``columns``: names of all columns."""
    precision, recall, f1 = precision_recall_f1(table)
    rest = one_against_rest(table)
    occurs = table.sum(1)
    return {
        "faces": int(table.sum()),
        "accuracy": _r(accuracy(table)),
        "mean_one_against_rest_accuracy": _r(mean_one_against_rest_accuracy(table)),
        "macro_f1": _r(macro_f1(table)),
        "macro_f1_classes": int((occurs > 0).sum()),
        "weighted": {name: _r(v) for name, v in weighted(table).items()},
        "classes": {
            label: {
                "faces": int(occurs[i]),
                "precision": _r(precision[i]),
                "recall": _r(recall[i]),
                "f1": _r(f1[i]),
                "one_against_rest_accuracy": _r(rest[i]),
            }
            for i, label in enumerate(labels)
        },
        "top_confusions": top_confusions(table, labels, columns),
        "confusion": {"labels": list(labels), "columns": list(columns), "counts": table.tolist()},
    }


def top_confusions(table: Ints, labels: Sequence[str], columns: Sequence[str], most: int = 5) -> list[dict[str, Any]]:
    """The largest wrong cells: truth, what was said, how often, and the share of that truth's faces."""
    cells = [
        (int(table[i, j]), i, j) for i in range(table.shape[0]) for j in range(table.shape[1]) if i != j and table[i, j]
    ]
    cells.sort(key=lambda c: (-c[0], c[1], c[2]))
    return [
        {"truth": labels[i], "said": columns[j], "faces": n, "share": _r(n / int(table[i].sum()))}
        for n, i, j in cells[:most]
    ]


def baselines(table: Ints, can_say: Sequence[int]) -> dict[str, dict[str, float | None]]:
    """What knows nothing of the pictures reaches on the same faces.

    ``majority``: always the commonest true class. ``uniform``: any of ``can_say`` by lot. ``shuffled``: the answers of
    the table itself, dealt out to other faces at random. The last two are expectations, F1 that of the expected table.
    """
    occurs, total = table.sum(1), int(table.sum())
    if not total:
        return {name: {"accuracy": None, "macro_f1": None} for name in ("majority", "uniform", "shuffled")}
    rows, columns = table.shape
    answers = {
        "majority": np.eye(columns)[int(occurs.argmax())],
        "uniform": np.bincount(np.asarray(can_say, np.int64), minlength=columns) / max(len(can_say), 1),
        "shuffled": table.sum(0) / total,
    }
    result = {}
    for name, says in answers.items():
        expected = np.outer(occurs, says)
        right = np.diagonal(expected)
        f1 = 2 * right / np.maximum(occurs + expected[:, :rows].sum(0), np.spacing(1))
        result[name] = {"accuracy": _r(right.sum() / total), "macro_f1": _r(f1[occurs > 0].mean())}
    return result


def _r(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), 4)
