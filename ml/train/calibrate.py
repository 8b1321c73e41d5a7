"""Temperatures and thresholds, fitted on drawings that nothing was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ml.classify.small_cnn import SmallCnnClassifier
from ml.detect.mask_rcnn import MaskRcnnDetector
from ml.evaluate.counts import overlap
from ml.train.store import Crops, Picture

MATCH = 0.5
BATCH = 32
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoundScore:
    """One found face, however faint. ``odds``: log odds of a face. ``right``: whether one is there."""

    odds: float
    right: bool


def found_scores(detector: MaskRcnnDetector, pictures: Sequence[Picture]) -> tuple[list[FoundScore], int]:
    """Every face found in the pictures, and the number of true ones. The detector keeps faint faces, scores raw."""
    scores: list[FoundScore] = []
    for start in range(0, len(pictures), detector.batch):
        some = pictures[start : start + detector.batch]
        for picture, faces in zip(some, detector.detect([p.frame for p in some]), strict=True):
            free = list(picture.faces)
            for face in faces:
                best = max(free, key=lambda t, box=face.box: overlap(t.box, box), default=None)  # type: ignore[misc]
                right = best is not None and overlap(best.box, face.box) >= MATCH
                if right and best is not None:
                    free.remove(best)
                p = min(max(face.score, 1e-4), 1 - 1e-4)
                scores.append(FoundScore(float(np.log(p / (1 - p))), right))
    return scores, sum(len(p.faces) for p in pictures)


def fit_scores(scores: Sequence[FoundScore]) -> tuple[float, float]:
    """(temperature, bias) that make sigmoid((odds - bias) / temperature) the share of right ones (Platt 1999)."""
    x = torch.tensor([s.odds for s in scores], dtype=torch.float64)
    y = torch.tensor([float(s.right) for s in scores], dtype=torch.float64)
    steep, shift = torch.ones((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    steep.requires_grad_(), shift.requires_grad_()
    optimiser = torch.optim.LBFGS([steep, shift], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(steep * x + shift, y)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    slope = max(float(steep.detach()), 1e-2)
    return round(1 / slope, 4), round(-float(shift.detach()) / slope, 4)


def fit_rest(logits: Floats, truth: NDArray[np.int64], rest: int) -> float:
    """What is to be added to the logit of the class ``rest`` so that it comes as often as in ``truth``.

    Training shows every emotion alike; films show faces at rest far more often. One number, with a temperature beside
    it, of greatest likelihood (bias-corrected temperature scaling, Alexandari et al. 2020, kept to one class: how often
    a film shows each of the others is its own affair). ``logits``: (N, classes). Raises ValueError without that class.
    """
    if not bool((truth == rest).any()) or bool((truth == rest).all()):
        raise ValueError("nothing to tell the class at rest from")
    x, y = torch.from_numpy(logits), torch.from_numpy(truth)
    one = torch.zeros(logits.shape[1], dtype=torch.float64)
    one[rest] = 1.0
    steep, shift = torch.ones((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    steep.requires_grad_(), shift.requires_grad_()
    optimiser = torch.optim.LBFGS([steep, shift], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(steep * (x + shift * one), y)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return round(float(shift.detach()), 4)


def outputs_of(classifier: SmallCnnClassifier, crops: Crops) -> tuple[Floats, Floats, NDArray[np.float32]]:
    """Logits of emotions and of characters, and embeddings, one row per crop."""
    parts = [classifier.outputs(list(crops.pictures[i : i + BATCH])) for i in range(0, len(crops.pictures), BATCH)]
    emotion = np.asarray(torch.cat([p.emotion for p in parts]).double().numpy())
    character = np.asarray(torch.cat([p.character for p in parts]).double().numpy())
    return emotion, character, np.asarray(torch.cat([p.embedding for p in parts]).float().numpy())
