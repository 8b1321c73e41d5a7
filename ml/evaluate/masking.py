"""The same classifier on the same faces, with segmentation and without: Jain et al. 2021 found that it helps much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.classify.base import FaceReading
from ml.detect.base import Face, Frame
from ml.evaluate import metrics
from ml.evaluate.bootstrap import figure
from ml.runtime import Models
from ml.types import EMOTIONS

Ints = NDArray[np.int64]
WAYS: dict[str, str] = {
    "bundle": "as the bundle cuts it",
    "segmented": "face segmented, black outside (the paper)",
    "box": "box around the face, mask not used",
    "whole": "the whole picture",
}


def read_in_all_ways(models: Models, frame: Frame, faces: Sequence[Face]) -> dict[str, list[FaceReading]]:
    """One reading per face and way, of faces in one picture."""
    height, width = frame.shape[:2]
    whole = [Face((0.0, 0.0, float(width), float(height)), None, (0, 0), f.character, f.score) for f in faces]
    cut = models.crop
    ways = {
        "bundle": (models, faces),
        "segmented": (replace(models, crop=replace(cut, outside=0.0)), faces),
        "box": (replace(models, crop=replace(cut, outside=1.0)), faces),
        "whole": (replace(models, crop=replace(cut, outside=1.0, margin=0.0)), whole),
    }
    return {name: model.read_faces([frame], [list(these)])[0] for name, (model, these) in ways.items()}


def likeliest(reading: FaceReading) -> int:
    """Number of the likeliest emotion; of equals the first."""
    return max(range(len(EMOTIONS)), key=lambda k: (reading.probabilities.get(EMOTIONS[k], 0.0), -k))


def masking_figures(truth: Ints, frame: Ints, said: Mapping[str, Ints], weights: Ints) -> list[dict[str, Any]]:
    """Accuracy and macro-F1 per way, and how far each is from ``segmented``, all with intervals over whole groups.

    ``said``: per way the number of the emotion that was likeliest, (N,). ``frame``: (N,) the face's picture.
    """

    def table(name: str, w: Ints) -> Ints:
        return metrics.confusion(truth, said[name], len(EMOTIONS), 0, w[frame])

    def less(name: str, w: Ints) -> float | None:
        ours, theirs = metrics.accuracy(table(name, w)), metrics.accuracy(table("segmented", w))
        return None if ours is None or theirs is None else ours - theirs

    return [
        {
            "way": way,
            "name": WAYS[way],
            "accuracy": figure(lambda w, n=way: metrics.accuracy(table(n, w)), weights),  # type: ignore[misc]
            "macro_f1": figure(lambda w, n=way: metrics.macro_f1(table(n, w)), weights),  # type: ignore[misc]
            "accuracy_less_segmented": figure(lambda w, n=way: less(n, w), weights),  # type: ignore[misc]
        }
        for way in said
    ]
