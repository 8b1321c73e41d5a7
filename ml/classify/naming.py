"""From a found face and its reading to what is stored: who it is, what it shows, how sure. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

from ml.bundle import Thresholds
from ml.classify.base import FaceReading
from ml.detect.base import Face
from ml.types import Emotion


@dataclass(frozen=True, slots=True)
class Verdict:
    """``character`` None: unknown. ``emotion`` None: unclear. ``confidence``: probability of the likeliest emotion.

    Where no emotion is modelled, ``emotion`` is None and ``confidence`` 0.
    """

    character: str | None
    emotion: Emotion | None
    confidence: float


def judge(face: Face, reading: FaceReading, thresholds: Thresholds) -> Verdict:
    """A name needs two witnesses: the detector proposes it, the classifier's character head confirms it.

    Where the bundle has no classifier, or one that reads no characters, the detector's word is enough.

    Equal probabilities resolve to the emotion that comes first in the bundle.
    """
    name = face.character
    if name is not None and reading.character_scores:
        sure = reading.character_scores.get(name, 0.0)
        if sure < thresholds.name_classifier or sure < max(reading.character_scores.values()):
            name = None
    if not reading.probabilities:
        return Verdict(name, None, 0.0)
    emotion, confidence = max(reading.probabilities.items(), key=lambda item: item[1])
    return Verdict(name, emotion if confidence >= thresholds.unclear else None, confidence)
