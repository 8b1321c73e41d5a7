"""From a network's raw outputs to what every classifier says: calibrated, rounded, and only numbers that are finite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ml.errors import ModelOutputInvalid

DIGITS = 5  # probabilities are rounded: the last bits may differ with the size of a batch
EMBEDDING_DIGITS = 4
_Key = TypeVar("_Key")


def check_finite(outputs: Iterable[Tensor]) -> None:
    """Raises ModelOutputInvalid."""
    if not all(bool(o.isfinite().all()) for o in outputs):
        raise ModelOutputInvalid("The classifier gave a number that is not finite.")


def probabilities(logits: Tensor, temperature: float) -> NDArray[np.float64]:
    """(N, classes), each row adding up to 1 but for the rounding."""
    p = (logits.double() / temperature).softmax(1).cpu().numpy()
    return np.asarray(np.round(p, DIGITS), np.float64)


def added_up(keys: Sequence[_Key], values: NDArray[np.float64]) -> dict[_Key, float]:
    """One number per different key, in the order in which they come first: outputs that mean the same are added."""
    found: dict[_Key, float] = {}
    for key, value in zip(keys, values, strict=True):
        found[key] = found.get(key, 0.0) + float(value)
    return found


def vectors(embedding: Tensor) -> list[tuple[float, ...]]:
    """Embeddings as they are stored."""
    rounded = np.round(embedding.cpu().numpy().astype(np.float64), EMBEDDING_DIGITS)
    return [tuple(float(x) for x in v) for v in rounded]
