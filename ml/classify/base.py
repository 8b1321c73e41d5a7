"""What a classifier is: face crops in, readings out. Needs numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ml.types import Emotion

Crop = NDArray[np.uint8]  # RGB, size x size x 3, as ml.face.segmented_face cuts it
UNKNOWN = "unknown"  # the key of character_scores for a face of nobody the bundle knows


@dataclass(frozen=True, slots=True)
class FaceReading:
    """What one face shows.

    ``probabilities``: calibrated, sum 1, only emotions that the bundle can express. ``character_scores``: calibrated,
    sum 1, over the bundle's characters and UNKNOWN; empty where the classifier reads none. ``embedding``: length 1 in
    the sense of Euclid, EMBEDDING_SIZE numbers, or empty. All three are empty where a bundle has no classifier.
    """

    probabilities: Mapping[Emotion, float]
    character_scores: Mapping[str, float]
    embedding: tuple[float, ...] = ()


NOTHING_READ = FaceReading({}, {})


class Classifier(Protocol):
    """``crop_size``: the side of the square crops it wants, in pixels."""

    @property
    def crop_size(self) -> int: ...

    def classify(self, crops: Sequence[Crop]) -> list[FaceReading]:
        """One reading per crop, in order.

        Raises ml.errors.ModelOutputInvalid where the network gives a number that is not finite.
        """
        ...
