"""From a found face and its reading to what is stored: who it is, what it shows, how sure. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

from ml.bundle import Thresholds
from ml.classify.base import UNKNOWN, FaceReading
from ml.detect.base import Face
from ml.gallery import Gallery
from ml.types import Emotion

ANYBODY = ""  # what a detector says that was trained on faces only


@dataclass(frozen=True, slots=True)
class Verdict:
    """``character`` None: unknown. ``emotion`` None: unclear. ``confidence``: probability of the likeliest emotion.

    Where no emotion is modelled, ``emotion`` is None and ``confidence`` 0.
    """

    character: str | None
    emotion: Emotion | None
    confidence: float


def judge(
    face: Face,
    reading: FaceReading,
    thresholds: Thresholds,
    gallery: Gallery | None = None,
    *,
    detector_names: bool = True,
) -> Verdict:
    """Every witness that the bundle has must mean the same character; one that says nobody's outweighs all others.

    The witnesses: the detector, where it was trained on characters (``detector_names``); the gallery, for the
    characters in it; the classifier's character head, for those it was trained on. Equal probabilities of emotions
    resolve to the one that comes first in the bundle.
    """
    name = _name(face.character if detector_names else ANYBODY, reading, thresholds, gallery)
    if not reading.probabilities:
        return Verdict(name, None, 0.0)
    emotion, confidence = max(reading.probabilities.items(), key=lambda item: item[1])
    return Verdict(name, emotion if confidence >= thresholds.unclear else None, confidence)


def _name(said: str | None, reading: FaceReading, thresholds: Thresholds, gallery: Gallery | None) -> str | None:
    scores = reading.character_scores
    name = said
    if gallery is not None and reading.embedding:
        like, _ = gallery.name(reading.embedding)
        name = like if said in (ANYBODY, like) else None
    elif said == ANYBODY:
        name = max(scores, key=lambda n: scores[n], default=None)
    if name is None or name == UNKNOWN:
        return None
    best = max(scores, key=lambda n: scores[n], default=UNKNOWN)
    if name not in scores:  # a character that the head was not trained on is nobody it knows
        return name if best == UNKNOWN else None
    return name if best == name and scores[name] >= thresholds.name_classifier else None
