"""The page of a trained classifier: test figures, confusion, curves, calibration, learning curves. One file, no script.

Built from the pieces of ml.evaluate; a detector's page, and a bundle's, are ml.evaluate.report's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.evaluate import calibration
from ml.evaluate.curves import class_curves, read_history
from ml.evaluate.metrics import FLATTERS
from ml.evaluate.report_html import cards, confusion, heading, number, page, pair, paragraph, table
from ml.evaluate.report_svg import Axis, Line, plot
from ml.train.history import HISTORY_FILE

Curves = Mapping[str, Mapping[str, Sequence[Sequence[float]]]]
_CALIBRATION = ("ece", "brier", "nll")


def learning_curves(folder: Path) -> dict[str, dict[str, list[list[float]]]]:
    """Name to split to [step, value], as a document holds it; steps rise."""
    found = read_history(folder / HISTORY_FILE)
    return {name: {split: [list(p) for p in line] for split, line in splits.items()} for name, splits in found.items()}


def report(document: Mapping[str, Any], probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> str:
    """``document``: as ``evaluation.json`` holds it. ``probabilities``: (N, classes) of the test faces, calibrated."""
    return page(f"{document['recipe']}: what the test faces show", _parts(document, probabilities, truth))


def _parts(document: Mapping[str, Any], probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> Iterator[str]:
    test, labels = document["test"], document["labels"]
    if document["flattering"]:
        yield paragraph(document["flattering"], "warn")
    faces = document["faces"]
    yield paragraph(
        f"{faces['test']} test faces; learnt from {faces['train']}, the best weights and the temperature chosen on "
        f"{faces['valid']}."
    )
    if not test["faces"]:
        yield paragraph("No face was kept for testing.", "warn")
    else:
        yield from _figures(test)
        yield confusion(test["confusion"], "Confusion of the likeliest class")
        yield from _curves(test, probabilities, truth, labels)
        yield from _calibration(test, probabilities, truth)
    yield from _learning(document["history"])


def _figures(test: Mapping[str, Any]) -> Iterator[str]:
    majority = test["baselines"]["majority"]
    yield cards(
        [
            ("accuracy", number(test["accuracy"]), f"always the commonest class: {number(majority['accuracy'])}"),
            ("macro-F1", number(test["macro_f1"]), f"always the commonest class: {number(majority['macro_f1'])}"),
            ("weighted F1", number(test["weighted"]["f1"]), "each class by how often it occurs"),
        ]
    )
    yield table(
        ("class", "faces", "precision", "recall", "F1", "one against rest"),
        [
            (label, c["faces"], *(number(c[k]) for k in ("precision", "recall", "f1", "one_against_rest_accuracy")))
            for label, c in test["classes"].items()
        ]
        + [
            (
                "weighted; last column: mean",
                test["faces"],
                *(number(test["weighted"][k]) for k in ("precision", "recall", "f1")),
                number(test["mean_one_against_rest_accuracy"]),
            )
        ],
    )
    yield paragraph(FLATTERS, "warn")
    if test["by_emotion"]:
        each = [(emotion, number(value)) for emotion, value in test["by_emotion"].items()]
        yield table(("emotion", "one against rest, mean over characters"), each)
    rows = [(name, number(b["accuracy"]), number(b["macro_f1"])) for name, b in test["baselines"].items()]
    yield table(("knows nothing of the picture", "accuracy", "macro-F1"), rows)


def _curves(
    test: Mapping[str, Any], probabilities: NDArray[np.float64], truth: NDArray[np.int64], labels: Sequence[str]
) -> Iterator[str]:
    found = class_curves(probabilities, truth, labels)["curves"]
    names = [*labels, "micro", "macro"]
    charts = []
    for kind, title, x, y in (
        ("pr", "Precision against recall, one class against the rest", "recall", "precision"),
        ("roc", "ROC, one class against the rest", "false positive rate", "true positive rate"),
    ):
        lines = [
            Line(f"{name} {number(test[kind].get(name), 2)}", a.tolist(), b.tolist(), names.index(name))
            for name, (a, b) in found[kind].items()
            if len(a)
        ]
        charts.append(heading(title, 3) + plot(title, Axis(x), Axis(y), lines, diagonal=kind == "roc"))
    yield heading("Curves")
    yield pair(*charts)
    rows = [(n, number(test["pr"].get(n)), number(test["roc"].get(n))) for n in names if n in test["pr"]]
    yield table(("class", "average precision", "area under ROC"), rows, "micro: all answers in one pot")


def _calibration(
    test: Mapping[str, Any], probabilities: NDArray[np.float64], truth: NDArray[np.int64]
) -> Iterator[str]:
    bins = calibration.reliability(probabilities, truth)
    dots = Line("test faces", [b["confidence"] for b in bins], [b["accuracy"] for b in bins], 0)
    rows = [
        (f"{when} temperature", *(number(test["calibration"][when][name]) for name in _CALIBRATION))
        for when in ("before", "after")
    ]
    yield heading("Does a confidence mean what it says?")
    yield plot("Reliability", Axis("confidence"), Axis("accuracy"), [dots], diagonal=True)
    yield table(("", "ECE", "Brier", "NLL"), rows, f"Temperature {test['temperature']}, fitted on validation faces")


def _learning(history: Curves) -> Iterator[str]:
    yield heading("Learning curves")
    for name, splits in history.items():
        points = [point for line in splits.values() for point in line]
        steps, values = [p[0] for p in points], [p[1] for p in points]
        low, high = min(0.0, *values), max(values)
        across = Axis("step", min(steps), max(max(steps), min(steps) + 1))
        up = Axis(name, low, high if high > low else low + 1)
        lines = [Line(s, [p[0] for p in line], [p[1] for p in line], k) for k, (s, line) in enumerate(splits.items())]
        yield heading(name, 3) + plot(f"{name} over training", across, up, lines)
