"""Reads emotions anew from the features of the network, which stay as they are: one linear layer, fitted to a show.

Half of the weight lies on the show's faces and half on rendered ones, so that what the bundle knew is not forgotten;
the layer is drawn towards the bundle's own, the more the fewer faces speak against it. An emotion that no label names
is held to be as rare as that says. What such choices bring is measured in docs/adapting.md and
docs/research/few-shot.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from ml.evaluate.calibration import fit_temperature

PULL = 300.0  # how strongly the layer is drawn to the bundle's own; measured on rendered shows (docs/adapting.md)
FOLDS = 5
ROUNDS = 40
Floats = NDArray[np.float32]
Logits = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Faces:
    """``features``: (N, V, D), V views of each face. ``emotions``: (N,) index of a label. ``groups``: (N,) shots."""

    features: Floats
    emotions: Ints
    groups: tuple[str, ...]

    def part(self, chosen: NDArray[np.bool_]) -> Faces:
        groups = tuple(g for g, c in zip(self.groups, chosen, strict=True) if c)
        return Faces(self.features[chosen], self.emotions[chosen], groups)


@dataclass(frozen=True, slots=True)
class Layer:
    """``weight``: (labels, D). ``bias``: (labels,). Logits are to be divided by ``temperature``."""

    weight: Tensor
    bias: Tensor
    temperature: float = 1.0

    def logits(self, features: Floats) -> Logits:
        """(N, D) -> (N, labels), divided by the temperature."""
        raw = torch.from_numpy(features) @ self.weight.T + self.bias
        return np.asarray(raw.double().numpy() / self.temperature)


@dataclass(frozen=True, slots=True)
class FittedEmotions:
    """``held_out``: (N, labels) logits of each face by a layer that saw no face of its shot, divided by the temperature
    that suits the faces of the other shots; None where all faces are of one shot.
    """

    layer: Layer
    held_out: Logits | None


def fit_emotions(faces: Faces, replay: Faces, own: Layer) -> FittedEmotions:
    """The temperature is the one of least cross-entropy on shots left out; of one shot alone it stays as it was."""
    unnamed = unnamed_of(faces, len(own.bias))
    layer = fit_layer(faces, replay, own, unnamed=unnamed)
    folds = folds_of(faces.groups)
    numbers = sorted(set(folds.tolist()))
    if len(numbers) < 2:
        return FittedEmotions(layer, None)
    raw = np.zeros((len(faces.emotions), len(own.bias)))
    for fold in numbers:
        without = fit_layer(faces.part(folds != fold), replay, own, unnamed=unnamed)
        raw[folds == fold] = without.logits(faces.features[folds == fold, 0]) * without.temperature
    held_out = np.zeros_like(raw)
    for fold in numbers:
        held_out[folds == fold] = raw[folds == fold] / fit_temperature(
            raw[folds != fold], faces.emotions[folds != fold]
        )
    return FittedEmotions(Layer(layer.weight, layer.bias, fit_temperature(raw, faces.emotions)), held_out)


def fit_layer(
    faces: Faces, replay: Faces, own: Layer, pull: float = PULL, unnamed: NDArray[np.float64] | None = None
) -> Layer:
    """Least cross-entropy, half of it over each side, plus ``pull`` / 2 N times the squared distance from ``own``; then
    ``unnamed`` (labels,) is added to the biases: that of all labels, where ``faces`` are a part of them.

    Every feature counts in its spread over ``replay``; a face of the show the less, the more have its emotion, by the
    root of their number.
    """
    spread = _spread(replay)
    sides = [(x / spread, y) for x, y in (_flat(faces), _flat(replay))]
    counts = np.bincount(faces.emotions, minlength=len(own.bias))
    rare = torch.from_numpy(1 / np.sqrt(np.maximum(counts, 1)).astype(np.float32))
    start = own.weight * spread
    weight, bias = start.clone().requires_grad_(), own.bias.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=ROUNDS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        fits = [F.cross_entropy(x @ weight.T + bias, y, w) for (x, y), w in zip(sides, (rare, None), strict=True)]
        away = (weight - start).square().sum() + (bias - own.bias).square().sum()
        loss = torch.stack(fits).mean() + 0.5 * pull / len(faces.emotions) * away
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    rarer = unnamed_of(faces, len(counts)) if unnamed is None else unnamed
    return Layer(weight.detach() / spread, bias.detach() + torch.from_numpy(rarer.astype(np.float32)), own.temperature)


def unnamed_of(faces: Faces, labels: int) -> NDArray[np.float64]:
    """(labels,) what is added to the logit of each emotion: 0 for those that a face shows, less for the others.

    By Laplace's rule of succession the share of an emotion that no face shows is 1 / (faces + labels), where it was
    1 / labels; faces do not say that it never comes. Before the temperature, which is fitted with it.
    """
    shown = np.bincount(faces.emotions, minlength=labels) > 0
    return np.where(shown, 0.0, np.log(labels / (len(faces.emotions) + labels)))


def _spread(replay: Faces) -> Tensor:
    """Of each feature, never 0."""
    spread = replay.features[:, 0].std(0)
    return torch.from_numpy(np.maximum(spread, 1e-3 * float(replay.features.std()) + 1e-9).astype(np.float32))


def _flat(faces: Faces) -> tuple[Tensor, Tensor]:
    views = faces.features.shape[1]
    x = torch.from_numpy(faces.features.reshape(-1, faces.features.shape[2]))
    return x, torch.from_numpy(np.repeat(faces.emotions, views))


def folds_of(groups: Sequence[str], folds: int = FOLDS) -> Ints:
    """(N,) number of the fold, whole groups, the largest dealt first to the smallest fold."""
    names, counts = np.unique(np.asarray(groups), return_counts=True)
    fold_of: dict[str, int] = {}
    sizes = [0] * min(folds, len(names))
    for i in np.argsort(-counts, kind="stable"):
        place = int(np.argmin(sizes))
        fold_of[str(names[i])] = place
        sizes[place] += int(counts[i])
    return np.array([fold_of[g] for g in groups], np.int64)
