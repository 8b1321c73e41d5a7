"""The arithmetic of an evaluation: found faces against true ones. Pure; needs numpy only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.types import Box, Emotion

MATCH_IOU = 0.5
CALIBRATION_BINS = 10


@dataclass(frozen=True, slots=True)
class TrueFace:
    """``readable`` False: a face that is there, but finding it or not, and what is said of it, counts nothing."""

    box: Box
    character: str
    emotion: Emotion
    readable: bool


@dataclass(frozen=True, slots=True)
class FoundFace:
    """``character``: a known one or "unknown". ``emotion`` None: unclear. ``likeliest``: said or not."""

    box: Box
    character: str
    score: float
    emotion: Emotion | None
    likeliest: Emotion
    confidence: float


@dataclass(frozen=True, slots=True)
class Pairs:
    """Of one drawing: (truth, found) that overlap, truths that nobody found, found faces that are none.

    ``set_aside``: found faces on a face that is not readable.
    """

    matched: tuple[tuple[TrueFace, FoundFace], ...]
    missed: tuple[TrueFace, ...]
    wrong: tuple[FoundFace, ...]
    set_aside: tuple[FoundFace, ...] = ()


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def pair(truths: Sequence[TrueFace], found: Sequence[FoundFace], least: float = MATCH_IOU) -> Pairs:
    """Best score first, each found face takes the free true face it overlaps most, whoever they are."""
    free = list(truths)
    matched, wrong, aside = [], [], []
    for face in sorted(found, key=lambda f: -f.score):
        best = max(free, key=lambda t: overlap(t.box, face.box), default=None)
        if best is None or overlap(best.box, face.box) < least:
            wrong.append(face)
            continue
        free.remove(best)
        if best.readable:
            matched.append((best, face))
        else:
            aside.append(face)
    return Pairs(tuple(matched), tuple(t for t in free if t.readable), tuple(wrong), tuple(aside))


def detection_figures(drawings: Iterable[Pairs], characters: Sequence[str]) -> dict[str, object]:
    """Recall and precision, where the character must match, per character and over all; and with names left aside."""
    truth = dict.fromkeys(characters, 0)
    said = dict.fromkeys(characters, 0)
    right = dict.fromkeys(characters, 0)
    matched = 0
    names = np.zeros((len(characters), len(characters)), np.int64)
    index = {name: i for i, name in enumerate(characters)}
    for pairs in drawings:
        for true, face in pairs.matched:
            truth[true.character] += 1
            said[face.character] += 1
            right[true.character] += true.character == face.character
            names[index[true.character], index[face.character]] += 1
            matched += 1
        for true in pairs.missed:
            truth[true.character] += 1
        for face in pairs.wrong:
            said[face.character] += 1
    total, sayings, rights = sum(truth.values()), sum(said.values()), sum(right.values())
    return {
        "faces": total,
        "found": sayings,
        "recall": share(rights, total),
        "precision": share(rights, sayings),
        "recall_any_name": share(matched, total),
        "precision_any_name": share(matched, sayings),
        "recall_by_character": {name: share(right[name], truth[name]) for name in characters},
        "precision_by_character": {name: share(right[name], said[name]) for name in characters},
        "names": {"labels": list(characters), "counts": names.tolist()},
    }


def emotion_figures(drawings: Iterable[Pairs], emotions: Sequence[Emotion]) -> dict[str, object]:
    """Over readable faces that were found, whatever name they got. An *unclear* counts as not right in ``accuracy``.

    ``confusion``: rows are the truth, columns what was said, the last column *unclear*.
    """
    index = {emotion: i for i, emotion in enumerate(emotions)}
    table = np.zeros((len(emotions), len(emotions) + 1), np.int64)
    confidence: list[float] = []
    hit: list[bool] = []
    for pairs in drawings:
        for true, face in pairs.matched:
            if true.emotion not in index:
                continue
            table[index[true.emotion], len(emotions) if face.emotion is None else index[face.emotion]] += 1
            confidence.append(face.confidence)
            hit.append(face.likeliest == true.emotion)
    total, right, unclear = int(table.sum()), int(np.trace(table)), int(table[:, -1].sum())
    return {
        "faces": total,
        "accuracy": share(right, total),
        "accuracy_where_said": share(right, total - unclear),
        "accuracy_of_likeliest": share(sum(hit), total),
        "unclear": share(unclear, total),
        "macro_f1": macro_f1(table),
        "ece": calibration_error(confidence, hit),
        "confusion": {"labels": [*map(str, emotions), "unclear"], "counts": table.tolist()},
    }


def macro_f1(table: NDArray[np.int64]) -> float | None:
    """Mean over the classes that occur or were said; rows truth, columns said, more columns than rows allowed."""
    rows = table.shape[0]
    scores = []
    for i in range(rows):
        occurs, said, right = int(table[i].sum()), int(table[:, i].sum()), int(table[i, i])
        if occurs + said:
            scores.append(2 * right / (occurs + said))
    return round(float(np.mean(scores)), 4) if scores else None


def calibration_error(confidence: Sequence[float], hit: Sequence[bool], bins: int = CALIBRATION_BINS) -> float | None:
    """Expected calibration error: the mean distance of confidence from accuracy over equal bins, weighted by count."""
    if not confidence:
        return None
    c, h = np.asarray(confidence, np.float64), np.asarray(hit, np.float64)
    which = np.minimum((c * bins).astype(int), bins - 1)
    error = 0.0
    for b in range(bins):
        chosen = which == b
        if chosen.any():
            error += float(chosen.mean()) * abs(float(c[chosen].mean()) - float(h[chosen].mean()))
    return round(error, 4)


def share_error(
    truth: Mapping[str, Mapping[Emotion, float]],
    found: Mapping[str, Mapping[Emotion, float]],
    emotions: Sequence[Emotion],
) -> float | None:
    """Mean absolute difference of shares over the true characters and emotions; a character not found has shares 0."""
    differences = [
        abs(shares.get(emotion, 0.0) - found.get(name, {}).get(emotion, 0.0))
        for name, shares in truth.items()
        for emotion in emotions
    ]
    return round(float(np.mean(differences)), 4) if differences else None


def share(part: int, whole: int) -> float | None:
    """None where there is nothing to divide by."""
    return round(part / whole, 4) if whole else None
