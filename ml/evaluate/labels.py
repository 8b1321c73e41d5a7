"""Runs a bundle over labelled pictures and keeps everything that figures need: every found face from a low score on,
every true face, and what is said of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from ml.classify.base import FaceReading
from ml.data.records import LabelledFace, LabelledImage
from ml.data.vocabulary import canonical
from ml.detect.base import Face, Frame
from ml.evaluate.calibration import retempered
from ml.evaluate.masking import WAYS, likeliest, read_in_all_ways
from ml.evaluate.matching import IOUS, FoundShape, TruthShape, greedy, overlaps_of
from ml.evaluate.splits import group_of, picture_key
from ml.masks import decode_mask, encode_mask
from ml.runtime import Models
from ml.types import EMOTIONS, Emotion, Mask

LOWEST_SCORE = 0.05  # of a found face that is kept for the curves
FOUND_IOU = 0.3  # a true face counts as found, for what is said of it, from this overlap on
UNCLEAR_SAID, MISSED = -1, -2
UNREADABLE = frozenset({"", "unclear", "unreadable", "unknown", "none"})
_TRUE = frozenset({"1", "true", "yes"})
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EmotionRow:
    """One true face whose emotion is known. ``said``: number of an emotion, UNCLEAR_SAID, or MISSED (then the
    probabilities are zeros). ``plain``: probabilities at temperature 1.
    """

    frame: int
    truth: int
    said: int
    probabilities: tuple[float, ...]
    plain: tuple[float, ...]
    character: str = ""


@dataclass(frozen=True, slots=True)
class SeenImage:
    """One picture, its labels, and what was found in it."""

    key: str
    group: str
    size: tuple[int, int]  # height, width
    truths: tuple[TruthShape, ...]
    found: tuple[FoundShape, ...]


@dataclass(slots=True)
class Seen:
    """Everything that was seen. ``ways``: per way of cutting, the likeliest emotion of each of ``true_boxes``,
    where that was asked for.
    ``foreign``: emotion words that are no canonical emotion, and how often.
    """

    images: list[SeenImage] = field(default_factory=list)
    true_boxes: list[EmotionRow] = field(default_factory=list)
    found_boxes: list[EmotionRow] = field(default_factory=list)
    ways: dict[str, list[int]] = field(default_factory=dict)
    foreign: dict[str, int] = field(default_factory=dict)
    unclear_faces: int = 0


def canonical_emotion(word: str | None) -> Emotion | None:
    """None where the word says none, or is none of ours."""
    return canonical(word) if word else None


def is_ignored(face: LabelledFace) -> bool:
    """A region marked ``ignore`` (VIA) or ``iscrowd`` (COCO): what is found there counts nothing."""
    marks = (face.attributes.get(name, "").strip().casefold() for name in ("ignore", "iscrowd"))
    return any(mark in _TRUE for mark in marks) or (face.character or "").casefold() == "ignore"


def truth_mask(face: LabelledFace, height: int, width: int) -> Mask | None:
    """Of the whole picture, from the label's mask or its polygons; None where it has neither."""
    if face.mask is not None and face.mask.size == (height, width):
        return face.mask
    outlines = [[v for point in polygon for v in point] for polygon in face.polygons if len(polygon) >= 3]
    if not outlines:
        return None
    merged = coco.merge(coco.frPyObjects(outlines, height, width))
    return Mask((height, width), merged["counts"].decode("ascii"))


def true_face(face: LabelledFace, shape: TruthShape) -> Face:
    """As a detector would give it that is never wrong."""
    if shape.mask is None:
        return Face(shape.box, None, (0, 0), face.character, 1.0)
    return Face(shape.box, decode_mask(shape.mask), (0, 0), face.character, 1.0)


def with_low_threshold(models: Models, lowest: float = LOWEST_SCORE) -> Models:
    """The same bundle, loaded again with a detector that keeps everything from ``lowest`` on."""
    from ml.runtime import models_of

    bundle = models.bundle
    if bundle.thresholds.detection <= lowest:
        return models
    low = replace(bundle, thresholds=replace(bundle.thresholds, detection=lowest))
    return replace(models_of(low, models.device), bundle=bundle)


def observe(
    models: Models,
    pictures: Iterable[tuple[LabelledImage, Frame]],
    say: Callable[[str], None] = lambda _: None,
    batch: int = 4,
    masking: bool = False,
) -> Seen:
    """``models``: with a detector that keeps low scores (``with_low_threshold``); what is said of a face, and which
    found faces are spoken of at all, follows the thresholds in ``models.bundle``.

    ``masking``: every true face is read in all ways of ml.evaluate.masking as well.
    """
    seen = Seen(ways={way: [] for way in WAYS} if masking else {})
    stream = iter(pictures)
    while part := list(islice(stream, batch)):
        found = models.detector.detect([frame for _, frame in part])
        for (image, frame), faces in zip(part, found, strict=True):
            _take(seen, models, image, frame, faces)
        if len(seen.images) % (25 * batch) < batch:
            say(f"{len(seen.images)} pictures")
    return seen


def _take(seen: Seen, models: Models, image: LabelledImage, frame: Frame, faces: Sequence[Face]) -> None:
    height, width = frame.shape[:2]
    number = len(seen.images)
    truths = [TruthShape(f.box, truth_mask(f, height, width), is_ignored(f)) for f in image.faces]
    found = [
        FoundShape(f.box, f.score, None if f.mask is None else encode_mask(f.full_mask(height, width))) for f in faces
    ]
    seen.images.append(SeenImage(picture_key(image), group_of(image), (height, width), tuple(truths), tuple(found)))
    spoken = [f for f in faces if f.score >= models.bundle.thresholds.detection]
    partner, _ = greedy(
        overlaps_of(truths, [FoundShape(f.box, f.score) for f in spoken]), np.array([t.ignore for t in truths], bool)
    )
    finder = {int(g): d for d, g in enumerate(partner[IOUS.index(FOUND_IOU)]) if g >= 0}
    known = _readable(seen, image.faces, truths)
    if not known or not models.bundle.emotions:
        return
    right = [true_face(image.faces[g], truths[g]) for g, _ in known]
    hit = [(g, emotion) for g, emotion in known if g in finder]
    of_true = readings(models, frame, right)
    of_found = readings(models, frame, [spoken[finder[g]] for g, _ in hit])
    if seen.ways:
        for way, read in read_in_all_ways(models, frame, right).items():
            seen.ways[way] += [likeliest(r) for r in read]
    for (g, emotion), face, pair in zip(known, right, of_true, strict=True):
        seen.true_boxes.append(_row(models, number, emotion, image.faces[g], face, pair))
    for (g, emotion), pair in zip(hit, of_found, strict=True):
        seen.found_boxes.append(_row(models, number, emotion, image.faces[g], spoken[finder[g]], pair))
    nothing = (0.0,) * len(EMOTIONS)
    for g, emotion in known:
        if g not in finder:
            name = image.faces[g].character or ""
            seen.found_boxes.append(EmotionRow(number, EMOTIONS.index(emotion), MISSED, nothing, nothing, name))


def _readable(seen: Seen, faces: Sequence[LabelledFace], truths: Sequence[TruthShape]) -> list[tuple[int, Emotion]]:
    """Number and emotion of the faces that say one; the others are counted."""
    known = []
    for g, (face, truth) in enumerate(zip(faces, truths, strict=True)):
        if truth.ignore:
            continue
        emotion = canonical_emotion(face.emotion)
        if emotion is not None:
            known.append((g, emotion))
        elif (word := (face.emotion or "").strip()).casefold() in UNREADABLE:
            seen.unclear_faces += 1
        else:
            seen.foreign[word] = seen.foreign.get(word, 0) + 1
    return known


def readings(models: Models, frame: Frame, faces: Sequence[Face]) -> list[tuple[FaceReading, Floats]]:
    """Of faces in one picture: the reading, and its probabilities at temperature 1 in the order of EMOTIONS.

    The latter from the former, as far as probabilities of five digits tell.
    """
    if not faces:
        return []
    temperature = models.bundle.calibration.emotion_temperature
    result = []
    for reading in models.read_faces([frame], [faces])[0]:
        modelled = [e for e in EMOTIONS if e in reading.probabilities]
        plain = np.zeros(len(EMOTIONS))
        values = np.array([reading.probabilities[e] for e in modelled])
        plain[[EMOTIONS.index(e) for e in modelled]] = retempered(values, temperature)
        result.append((reading, plain))
    return result


def _row(
    models: Models, frame: int, truth: Emotion, label: LabelledFace, face: Face, pair: tuple[FaceReading, Floats]
) -> EmotionRow:
    reading, plain = pair
    said = models.judge(face, reading).emotion
    return EmotionRow(
        frame,
        EMOTIONS.index(truth),
        UNCLEAR_SAID if said is None else EMOTIONS.index(said),
        tuple(reading.probabilities.get(e, 0.0) for e in EMOTIONS),
        tuple(round(float(p), 5) for p in plain),
        label.character or "",
    )


def columns(rows: Iterable[EmotionRow]) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    """Arrays ``frame``, ``truth``, ``said`` (N,), ``probabilities`` and ``plain`` (N, 7)."""
    listed = list(rows)
    whole = {n: np.array([getattr(r, n) for r in listed], np.int64) for n in ("frame", "truth", "said")}
    shape = (-1, len(EMOTIONS))
    parts = {
        n: np.array([getattr(r, n) for r in listed], np.float64).reshape(shape) for n in ("probabilities", "plain")
    }
    return {**whole, **parts}


def chosen_images(images: Sequence[LabelledImage], split: str = "all", every: int = 1) -> list[LabelledImage]:
    """``split``: all, or those that the labels themselves put there (train, valid, test)."""
    kept = [i for i in images if split == "all" or i.split == split]
    return kept[:: max(1, every)]


def counted(images: Iterable[LabelledImage]) -> Mapping[str, int]:
    listed = list(images)
    return {
        "pictures": len(listed),
        "faces": sum(len(i.faces) for i in listed),
        "groups": len({group_of(i) for i in listed}),
    }


def in_order(images: Iterable[LabelledImage]) -> Iterator[LabelledImage]:
    """Frames of one video one after the other, as a decoder likes them."""
    return iter(sorted(images, key=lambda i: (str(i.path), i.pts_ms or 0)))
