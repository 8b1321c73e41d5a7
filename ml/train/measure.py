"""The figures of a trained classifier on the pictures kept for testing, as they stand in ``evaluation.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.evaluate import calibration, metrics
from ml.evaluate.curves import class_curves
from ml.train.recipes import ClassifierPart

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def classifier_figures(
    logits: Floats, truth: Ints, labels: Sequence[str], temperature: float, part: ClassifierPart
) -> dict[str, Any]:
    """``logits``: (N, classes). ``temperature``: fitted on the validation pictures."""
    table = metrics.confusion(truth, logits.argmax(1), len(labels), extra=0)
    areas = class_curves(calibration.softmax(logits, temperature), truth, labels) if len(truth) else {}
    figures = metrics.figures(table, labels, labels)
    return {
        **figures,
        "by_emotion": by_emotion(figures["classes"]) if part.target == "emotion_character" else None,
        "baselines": metrics.baselines(table, range(len(labels))),
        "temperature": round(temperature, 4),
        "calibration": calibration.figures_of_logits(logits, truth, temperature) if len(truth) else None,
        "pr": areas.get("pr"),
        "roc": areas.get("roc"),
    }


def by_emotion(classes: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """One-against-rest accuracy of an emotion: the mean over characters, as Jain et al. 2021 give it."""
    found: dict[str, list[float]] = {}
    for label, row in classes.items():
        if row["one_against_rest_accuracy"] is not None and row["faces"]:
            found.setdefault(label.partition("_")[0], []).append(row["one_against_rest_accuracy"])
    return {emotion: round(float(np.mean(values)), 4) for emotion, values in found.items()}


def valid_temperature(logits: Floats, truth: Ints) -> float:
    """1 where there is nothing to fit on."""
    return calibration.fit_temperature(logits, truth) if len(truth) else 1.0
