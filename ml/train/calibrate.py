"""Temperatures and thresholds, fitted on pictures that nothing was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ml.classify.base import UNKNOWN
from ml.classify.small_cnn import SmallCnnClassifier
from ml.detect.mask_rcnn import MaskRcnnDetector
from ml.evaluate.counts import overlap
from ml.face import CropSettings, segmented_face
from ml.train.store import Picture

MATCH = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """One found face. ``truth``: whose it is, "unknown" for a stranger's, empty where no face is.

    ``shares``: the detector's over characters and unknown; ``names``, ``emotions``: the classifier's logits.
    """

    score: float
    shares: NDArray[np.float64]
    names: NDArray[np.float64]
    emotions: NDArray[np.float64]
    truth: str
    emotion: str


def collect(
    detector: MaskRcnnDetector, classifier: SmallCnnClassifier, crop: CropSettings, pictures: Sequence[Picture]
) -> list[Evidence]:
    """What both networks say of every face found, however faintly."""
    evidence = []
    for start in range(0, len(pictures), detector.batch):
        some = pictures[start : start + detector.batch]
        batch, sizes = detector.prepare([p.frame for p in some])
        for picture, size, found in zip(some, sizes, detector.find(batch, sizes), strict=True):
            height, width = picture.frame.shape[:2]
            faces = detector.faces(found, height, width, size)
            if not faces:
                continue
            outputs = classifier.outputs([segmented_face(picture.frame, f, crop) for f in faces])
            shares = found["logits"][:, 1:].double().softmax(1).numpy()
            taken: set[int] = set()
            for i, face in enumerate(faces):
                overlaps = [0.0 if k in taken else overlap(face.box, t.box) for k, t in enumerate(picture.faces)]
                best = int(np.argmax(overlaps)) if overlaps else -1
                hit = best >= 0 and overlaps[best] >= MATCH
                if hit:
                    taken.add(best)
                truth = picture.faces[best] if hit else None
                evidence.append(
                    Evidence(
                        face.score,
                        shares[i],
                        outputs.character[i].double().numpy(),
                        outputs.emotion[i].double().numpy(),
                        (truth.character or UNKNOWN) if truth else "",
                        truth.emotion if truth else "",
                    )
                )
    return evidence


def fit_temperature(logits: NDArray[np.float64], classes: NDArray[np.int64]) -> float:
    """The temperature of least cross-entropy, between 0.2 and 5."""
    x, y = torch.from_numpy(logits), torch.from_numpy(classes)
    grid = np.exp(np.linspace(np.log(0.2), np.log(5.0), 200))
    losses = [float(torch.nn.functional.cross_entropy(x / t, y)) for t in grid]
    return round(float(grid[int(np.argmin(losses))]), 3)


def detection_threshold(evidence: Sequence[Evidence], precision: float) -> float:
    """The lowest score between 0.3 and 0.95 from which ``precision`` of the found faces are faces, names left aside.

    The best F1 on rendered pictures would be stricter, but scores sink on drawings unlike them, and tracks and people
    can drop a face that was found, not find one that was dropped.
    """
    scores = np.array([e.score for e in evidence])
    real = np.array([bool(e.truth) for e in evidence])
    for threshold in np.round(np.arange(0.3, 0.951, 0.01), 2):
        kept = scores >= threshold
        if kept.any() and real[kept].mean() >= precision:
            return float(threshold)
    return 0.95


def naming_rates(
    evidence: Sequence[Evidence],
    characters: Sequence[str],
    temperature: float,
    least: tuple[float, float, float],
) -> tuple[float, float]:
    """(share of the cast's faces named rightly, share of strangers' faces given a name).

    What is no labelled face is left out: much of it is the cast itself, from behind or mostly hidden.

    ``least``: thresholds of detection, of the detector's share, of the classifier's probability.
    """
    own = right = others = named = 0
    for e in evidence:
        if e.score < least[0]:
            continue
        p = np.exp(e.names / temperature - (e.names / temperature).max())
        p /= p.sum()
        i, j = int(e.shares.argmax()), int(p.argmax())
        known = i < len(characters) and i == j and e.shares[i] >= least[1] and p[j] >= least[2]
        if e.truth in characters:
            own += 1
            right += known and characters[i] == e.truth
        elif e.truth == UNKNOWN:
            others += 1
            named += known
    return right / max(1, own), named / max(1, others)
