"""What adapting gained, in numbers for the card. Faces that were not seen only; intervals by shot."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.adapt.heads import Faces
from ml.evaluate import metrics
from ml.evaluate.bootstrap import figure, frame_weights
from ml.evaluate.calibration import ece
from ml.evaluate.counts import overlap
from ml.runtime import Models
from ml.train.store import Picture

ROUNDS = 400
RECALL_IOU = 0.3
BATCH = 4


def emotion_figures(logits: NDArray[np.float64], faces: Faces, labels: Sequence[str]) -> dict[str, Any]:
    """Accuracy and macro-F1 over the emotions that occur, with intervals by shot, and the calibration error."""
    said = logits.argmax(1)
    truth, count = faces.emotions, len(labels)
    weights = frame_weights(faces.groups, ROUNDS)

    def table(w: NDArray[np.int64]) -> NDArray[np.int64]:
        return metrics.confusion(truth, said, count, 0, w)

    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return {
        "accuracy": figure(lambda w: metrics.accuracy(table(w)), weights),
        "macro_f1": figure(lambda w: metrics.macro_f1(table(w)), weights),
        "classes": len(set(truth.tolist())),
        "ece": ece(p, truth),
    }


def shuffled(faces: Faces, seed: int) -> Faces:
    """The same faces with the emotions of others: what is right by chance."""
    order = np.random.default_rng([seed, 4]).permutation(len(faces.emotions))
    return Faces(faces.features, faces.emotions[order], faces.groups)


def found_figures(models: Models, pictures: Sequence[Picture], seconds: float = float("inf")) -> dict[str, Any]:
    """At the bundle's own threshold: share of faces found (IoU 0.3) and unmatched found faces per picture.

    ``pictures`` of the result: how many were looked at until ``seconds`` had passed; a few in any case.
    """
    begun = time.monotonic()
    faces = hits = wrong = seen = 0
    while seen < len(pictures) and (not seen or time.monotonic() - begun < seconds):
        some = pictures[seen : seen + BATCH]
        seen += len(some)
        for picture, found in zip(some, models.detector.detect([p.frame for p in some]), strict=True):
            free = [face.box for face in picture.faces]
            for face in (f for f in found if f.score >= models.bundle.thresholds.detection):
                best = max(free, key=lambda box, found=face.box: overlap(box, found), default=None)  # type: ignore[misc]
                if best is not None and overlap(best, face.box) >= RECALL_IOU:
                    free.remove(best)
                    hits += 1
                else:
                    wrong += 1
            faces += len(picture.faces)
    return {
        "pictures": seen,
        "faces": faces,
        "recall": round(hits / faces, 4) if faces else None,
        "unmatched_per_picture": round(wrong / seen, 4) if seen else None,
    }
