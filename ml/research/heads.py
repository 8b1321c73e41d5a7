"""Readers of emotions that are fitted to a few labelled faces, on features that stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray

from ml.evaluate.calibration import softmax
from ml.research.features import Head
from ml.types import EMOTIONS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Said = Callable[[Floats], Floats]  # features to logits
CLASSES = len(EMOTIONS)
NEVER = -30.0  # the logit of an emotion that was never shown
MOVED_WEIGHT = 4.0
_STEPS = 30


@dataclass(frozen=True, slots=True)
class Base:
    """What is known before a show is: the shipped head, its temperature, and rendered faces to replay.

    ``features``: (M, D) of those faces. ``emotion``: (M,).
    """

    head: Head
    temperature: float
    features: Floats
    emotion: Ints

    @property
    def scale(self) -> Floats:
        """The spread of each feature over rendered faces, never 0."""
        least = 1e-3 * float(self.features.std()) + 1e-9
        return np.asarray(np.maximum(self.features.std(0), least), np.float64)

    @property
    def middle(self) -> Floats:
        return np.asarray(self.features.mean(0), np.float64)


Learner = Callable[[Base, Floats, Ints], Said]


def fit_head(
    base: Base,
    x: Floats,
    y: Ints,
    prior: Head | None,
    strength: float,
    replay: float = 0.0,
    balanced: bool = False,
) -> Head:
    """Softmax regression whose weights are pulled towards ``prior`` (None: towards 0).

    ``strength``: of the pull, per label, on features of spread 1. ``replay``: the share of the loss that rendered faces
    have. ``balanced``: each emotion counts by the root of how often it was labelled.
    """
    scale, middle = base.scale, base.middle
    start = np.zeros((CLASSES, x.shape[1] + 1))
    if prior is not None:  # the same head on standardised features
        start[:, :-1] = prior.weight * scale
        start[:, -1] = prior.bias + prior.weight @ middle
    inputs = [_standard(x, middle, scale)]
    targets, weights = [torch.from_numpy(y)], [_weights(y, balanced) * (1.0 - replay)]
    if replay > 0.0:
        inputs.append(_standard(base.features, middle, scale))
        targets.append(torch.from_numpy(base.emotion))
        weights.append(_weights(base.emotion, False) * replay)
    data, target, weight = torch.cat(inputs), torch.cat(targets), torch.from_numpy(np.concatenate(weights))
    anchor = torch.from_numpy(start)
    moved = anchor.clone().requires_grad_(True)
    optimiser = torch.optim.LBFGS([moved], max_iter=_STEPS, line_search_fn="strong_wolfe", tolerance_change=1e-7)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        logits = data @ moved[:, :-1].T + moved[:, -1]
        loss = (F.cross_entropy(logits, target, reduction="none") * weight).sum()
        pull = ((moved - anchor)[:, :-1] ** 2).sum() + 0.1 * ((moved - anchor)[:, -1] ** 2).sum()
        total: torch.Tensor = loss + 0.5 * strength / len(y) * pull
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    fitted = moved.detach().numpy()
    plain = fitted[:, :-1] / scale
    return Head(plain, fitted[:, -1] - plain @ middle)


def _standard(x: Floats, middle: Floats, scale: Floats) -> torch.Tensor:
    return torch.from_numpy((x - middle) / scale)


def _weights(y: Ints, balanced: bool) -> Floats:
    counts = np.bincount(y, minlength=CLASSES).astype(np.float64)
    weights = 1.0 / np.sqrt(counts[y]) if balanced else np.ones(len(y))
    return np.asarray(weights / weights.sum(), np.float64)


def fit_biases(base: Base, x: Floats, y: Ints, strength: float = 2.0) -> Said:
    """The shipped head's logits, scaled and shifted: eight numbers."""
    logits = torch.from_numpy(base.head(x))
    target = torch.from_numpy(y)
    numbers = torch.zeros(CLASSES + 1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([numbers], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        said = logits * numbers[-1].exp() + numbers[:-1]
        loss: torch.Tensor = F.cross_entropy(said, target) + 0.5 * strength / len(y) * (numbers**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    found = numbers.detach().numpy()
    return lambda features: base.head(features) * np.exp(found[-1]) + found[:-1]


def class_means(base: Base, x: Floats, y: Ints) -> Said:
    """The nearest mean, by the angle between standardised features, of the emotions that were shown."""
    unit = _unit(base, x)
    means = np.stack([unit[y == e].mean(0) if (y == e).any() else np.zeros(x.shape[1]) for e in range(CLASSES)])
    shown = np.array([(y == e).any() for e in range(CLASSES)])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    return lambda features: np.where(shown, 10.0 * (_unit(base, features) @ means.T), NEVER)


def means_and_head(base: Base, x: Floats, y: Ints, share: float = 0.5) -> Said:
    """Half the shipped head, half the class means: the weighted mean of their log-probabilities."""
    nearest = class_means(base, x, y)

    def said(features: Floats) -> Floats:
        own = np.log(softmax(base.head(features), base.temperature) + 1e-6)
        return (1 - share) * own + share * np.log(softmax(nearest(features)) + 1e-3)

    return said


def shrunken_means(base: Base, x: Floats, y: Ints, weight: float = 8.0) -> Said:
    """Linear discriminant: rendered faces' covariance and class means, the means moved to where the show has them.

    ``weight``: how many faces a rendered class mean is worth. The rendered means are first moved as a whole, so that
    their middle is that of the show's labelled faces.
    """
    known = np.stack([base.features[base.emotion == e].mean(0) for e in range(CLASSES)])
    within = base.features - known[base.emotion]
    covariance = within.T @ within / len(within)
    covariance += 0.3 * np.diag(np.diag(covariance)) + 1e-6 * np.trace(covariance) / len(covariance) * np.eye(
        len(covariance)
    )
    counts = np.bincount(y, minlength=CLASSES)
    moved = known + (x - known[y]).mean(0) * len(y) / (len(y) + weight)
    sums = np.stack([x[y == e].sum(0) for e in range(CLASSES)])
    means = (weight * moved + sums) / (weight + counts)[:, None]
    directions = np.linalg.solve(covariance, means.T).T
    offsets = -0.5 * (directions * means).sum(1)
    return lambda features: features @ directions.T + offsets


def _unit(base: Base, x: Floats) -> Floats:
    standard = (x - base.middle) / base.scale
    return np.asarray(standard / np.maximum(np.linalg.norm(standard, axis=1, keepdims=True), 1e-9), np.float64)


def unadapted(base: Base, x: Floats, y: Ints) -> Said:
    return base.head


def moved(inner: Learner) -> Learner:
    """``inner`` on features less what the show's labelled faces have beyond rendered faces of the same emotions.

    That is how the show differs as a whole, told apart from which emotions happened to be labelled; it is drawn towards
    nothing as if MOVED_WEIGHT further faces had shown no difference.
    """

    def learner(base: Base, x: Floats, y: Ints) -> Said:
        known = np.stack([base.features[base.emotion == e].mean(0) for e in range(CLASSES)])
        shift = (x - known[y]).sum(0) / (len(y) + MOVED_WEIGHT)
        reader = inner(base, x - shift, y)
        return lambda features: reader(features - shift)

    return learner


def with_prior(strength: float, replay: float = 0.0, balanced: bool = False) -> Learner:
    return lambda base, x, y: fit_head(base, x, y, base.head, strength, replay, balanced)


def from_scratch(strength: float) -> Learner:
    return lambda base, x, y: fit_head(base, x, y, None, strength)


STRENGTH = 30.0  # of the prior, with replay; this and the next were chosen on the shows that choose settings
ALONE = 100.0  # without replay, or once the features were moved
LEARNERS: Mapping[str, Learner] = {
    "as shipped": unadapted,
    "biases and temperature": fit_biases,
    "head, prior": with_prior(ALONE),
    "head, prior, replay": with_prior(STRENGTH, replay=0.5),
    "head, prior, replay, balanced": with_prior(STRENGTH, replay=0.5, balanced=True),
    "head from scratch": from_scratch(3.0),
    "class means": class_means,
    "class means and shipped head": means_and_head,
    "discriminant, rendered prior": shrunken_means,
    "moved": moved(unadapted),
    "moved; head, prior, replay": moved(with_prior(ALONE, replay=0.5)),
}
