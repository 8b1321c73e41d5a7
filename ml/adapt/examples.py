"""The user's labels as what can be learnt from: pictures for the detector, crops of faces for the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.data.records import Dataset, LabelledFace, LabelledImage
from ml.data.vocabulary import canonical
from ml.detect.base import Face, Frame
from ml.errors import UserError
from ml.evaluate.labels import is_ignored, truth_mask
from ml.evaluate.sources import pictures_of
from ml.evaluate.splits import group_of
from ml.face import CropSettings, segmented_face
from ml.masks import decode_mask
from ml.render.crop import as_detected
from ml.render.sample import SampleFace
from ml.train.store import Labelled, Picture
from ml.types import Emotion

VIEWS = 6  # crops of each face: as labelled, and with box and mask a little wrong; every other one mirrored
SHORT_SIDE = 480  # pixels; pictures are kept no larger than this for the detector


class TooFewLabels(UserError):
    """There is too little to adapt to."""

    code = "too_few_labels"


@dataclass(frozen=True, slots=True)
class ShowFace:
    """``views``: (VIEWS, size, size, 3) RGB. ``emotion`` None: the label says none, or none that is modelled."""

    views: NDArray[np.uint8]
    character: str | None
    emotion: Emotion | None
    group: str


@dataclass(frozen=True, slots=True)
class Show:
    """Everything labelled. ``groups``: of each picture, what a split must not tear apart."""

    images: tuple[LabelledImage, ...]
    pictures: tuple[Picture, ...]
    groups: tuple[str, ...]
    faces: tuple[ShowFace, ...]


def read_show(
    dataset: Dataset,
    images: Sequence[LabelledImage],
    crop: CropSettings,
    seed: int,
    say: Callable[[str], None] = lambda _: None,
) -> Show:
    """Decodes every picture once. Raises the UserErrors of pictures and videos."""
    rng = np.random.default_rng(seed)
    taken: list[LabelledImage] = []
    pictures: list[Picture] = []
    faces: list[ShowFace] = []
    for image, frame in pictures_of(dataset, images):
        labelled = []
        for face in image.faces:
            if is_ignored(face):
                continue
            mask = mask_of(face, *frame.shape[:2])
            if not mask.any():
                continue
            labelled.append(Labelled(box_of(mask), mask, slug(face.character)))
            emotion = canonical(face.emotion) if face.emotion else None
            views = views_of(frame, labelled[-1], crop, rng)
            faces.append(ShowFace(views, slug(face.character), emotion, group_of(image)))
        taken.append(image)
        pictures.append(smaller(Picture(frame, tuple(labelled))))
        if len(taken) % 25 == 0:
            say(f"{len(taken)} of {len(images)} pictures read")
    return Show(tuple(taken), tuple(pictures), tuple(group_of(i) for i in taken), tuple(faces))


def slug(character: str | None) -> str | None:
    """The name as a bundle keeps it; None for nobody in particular."""
    plain = "-".join((character or "").casefold().split())
    return None if plain in ("", "other", "unknown", "none") else plain


def mask_of(face: LabelledFace, height: int, width: int) -> NDArray[np.bool_]:
    """Of the whole picture; the filled box where the label has no outline."""
    mask = truth_mask(face, height, width)
    if mask is not None:
        return decode_mask(mask)
    full = np.zeros((height, width), bool)
    x1, y1, x2, y2 = (max(0, round(v)) for v in face.box)
    full[y1:y2, x1:x2] = True
    return full


def box_of(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    xs, ys = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1)


def views_of(frame: Frame, face: Labelled, crop: CropSettings, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(VIEWS, size, size, 3): what a detector might hand over, and its mirror image."""
    views = [segmented_face(frame, Face(face.box, face.mask, (0, 0), None, 1.0), crop)]
    sample = SampleFace("unknown", face.box, face.mask, Emotion.NEUTRAL, 1.0, True)
    views += [segmented_face(frame, as_detected(rng, sample), crop) for _ in range(VIEWS - 1)]
    return np.stack([view[:, ::-1] if n % 2 else view for n, view in enumerate(views)])


def smaller(picture: Picture) -> Picture:
    height, width = picture.frame.shape[:2]
    scale = SHORT_SIDE / min(height, width)
    if scale >= 1:
        return picture
    size = (round(width * scale), round(height * scale))
    frame = np.asarray(cv2.resize(picture.frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    faces = []
    for face in picture.faces:
        mask = cv2.resize(face.mask.astype(np.uint8), size, interpolation=cv2.INTER_AREA).astype(bool)
        if mask.any():
            faces.append(Labelled(box_of(mask), mask, face.character, face.emotion))
    return Picture(frame, tuple(faces))
