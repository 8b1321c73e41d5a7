"""Labelled faces as crops: what every measurement here starts from, rendered or labelled by people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.data.records import LabelledFace, LabelledImage
from ml.evaluate.labels import canonical_emotion, is_ignored, true_face, truth_mask
from ml.evaluate.matching import TruthShape
from ml.evaluate.sources import NothingToMeasure, pictures_of, read
from ml.evaluate.splits import group_of, picture_key
from ml.face import CropSettings, segmented_face
from ml.types import EMOTIONS, Box

CROP = CropSettings(96, 0.15, 0.5)  # as the bundles cut; other sizes are resized from it
AGREED_IOU = 0.5
Ints = NDArray[np.int64]
Texts = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Faces:
    """N faces. ``crops``: (N, 96, 96, 3) RGB. ``emotion``: number in EMOTIONS. ``show``, ``shot``, ``character``:
    names, a shot's unlike that of any other show. ``time``: order within a shot (milliseconds where there are any).
    ``parts``: (N, P) as ml.render.parts, NaN where not known.
    """

    crops: NDArray[np.uint8]
    emotion: Ints
    show: Texts
    shot: Texts
    character: Texts
    time: Ints
    parts: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.emotion)

    def chosen(self, which: NDArray[np.bool_] | Ints) -> Faces:
        """Those that a mask or numbers select, in that order."""
        return Faces(*(getattr(self, f.name)[which] for f in fields(self)))


def write_faces(path: Path, faces: Faces) -> None:
    """One ``.npz`` without pickles, whole or not at all."""
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as stream:
        np.savez(stream, **{f.name: getattr(faces, f.name) for f in fields(faces)})
    temporary.replace(path)


def read_faces(path: Path) -> Faces:
    """Raises NothingToMeasure where there is no such file."""
    if not path.is_file():
        raise NothingToMeasure(f"The file {path} does not exist; python -m ml.research.shows draws it.")
    with np.load(path, allow_pickle=False) as archive:
        return Faces(*(archive[f.name] for f in fields(Faces)))


def joined(several: Sequence[Faces]) -> Faces:
    return Faces(*(np.concatenate([getattr(s, f.name) for s in several]) for f in fields(Faces)))


def labelled_faces(labels: Path, pictures: Path | None = None, second: Path | None = None) -> Faces:
    """Faces that people labelled, cut from the pictures in ``pictures``; without those that say no canonical emotion.

    ``second``: the labels of another annotator; then only faces that both outlined (IoU at least AGREED_IOU) with the
    same emotion are given, as the first outlined them. Raises NothingToMeasure and the UserErrors of labels and
    pictures.
    """
    dataset = read(labels, pictures)
    images = dataset.images if second is None else agreed(dataset.images, read(second, pictures).images)
    wanted = [i for i in images if any(_said(f) is not None for f in i.faces)]
    rows = []
    for image, frame in pictures_of(dataset, sorted(wanted, key=lambda i: (str(i.path), i.pts_ms or 0))):
        for face in image.faces:
            emotion = _said(face)
            if emotion is None:
                continue
            shape = TruthShape(face.box, truth_mask(face, *frame.shape[:2]))
            crop = segmented_face(frame, true_face(face, shape), CROP)
            rows.append((crop, emotion, labels.stem, group_of(image), face.character or "", image.pts_ms or 0))
    if not rows:
        raise NothingToMeasure(f"{labels} holds no face with an emotion that can be used.")
    crops, emotions, show, shot, character, time = zip(*rows, strict=True)
    return Faces(
        np.stack(crops),
        np.array(emotions, np.int64),
        np.array(show),
        np.array(shot),
        np.array(character),
        np.array(time, np.int64),
        np.full((len(rows), 0), np.nan, np.float32),
    )


def _said(face: LabelledFace) -> int | None:
    emotion = None if is_ignored(face) else canonical_emotion(face.emotion)
    return None if emotion is None else EMOTIONS.index(emotion)


def agreed(first: Sequence[LabelledImage], second: Sequence[LabelledImage]) -> list[LabelledImage]:
    """The first annotator's pictures with only those faces that the second outlined too and that he says shows the
    same emotion. A face is matched with the second's of largest IoU.
    """
    others = {picture_key(image): image.faces for image in second}
    kept = []
    for image in first:
        same = []
        for face in image.faces:
            rivals = others.get(picture_key(image), ())
            best = max(rivals, key=lambda f: box_iou(face.box, f.box), default=None)
            if best is not None and box_iou(face.box, best.box) >= AGREED_IOU and _said(face) == _said(best):
                same.append(face)
        kept.append(replace(image, faces=tuple(same)))
    return kept


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union; 0 where they do not touch."""
    width, height = (min(a[k + 2], b[k + 2]) - max(a[k], b[k]) for k in (0, 1))
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return width * height / (sum(areas) - width * height)
