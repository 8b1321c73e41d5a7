"""The user's labels as what can be learnt from: pictures for the detector, crops of faces for the rest."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.adapt.budget import Budget
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
READING = 0.35  # share of the time that reading pictures may take
_SOMEBODY_ELSE = frozenset({"other", "others", "stranger", "nobody", "unknown", "somebody", "background", "extra"})


class TooFewLabels(UserError):
    """There is too little to adapt to."""

    code = "too_few_labels"


@dataclass(frozen=True, slots=True)
class ShowFace:
    """``views``: (VIEWS, size, size, 3) RGB. ``character``: a slug, None where the label names nobody or somebody else
    (then ``stranger``). ``emotion`` None: the label says none, or none that is modelled.
    """

    views: NDArray[np.uint8]
    character: str | None
    emotion: Emotion | None
    group: str
    stranger: bool = False


@dataclass(frozen=True, slots=True)
class Show:
    """Everything labelled that was read. ``groups``: of each picture, what a split must not tear apart.
    ``names``: slug to the name as the labels first spell it. ``unread``: pictures that the time did not suffice for.
    """

    images: tuple[LabelledImage, ...]
    pictures: tuple[Picture, ...]
    groups: tuple[str, ...]
    faces: tuple[ShowFace, ...]
    names: dict[str, str]
    unread: int = 0


def read_show(
    dataset: Dataset,
    images: Sequence[LabelledImage],
    crop: CropSettings,
    seed: int,
    budget: Budget,
    say: Callable[[str], None] = lambda _: None,
) -> Show:
    """Decodes every picture once. Raises the UserErrors of pictures and videos."""
    rng = np.random.default_rng(seed)
    taken: list[LabelledImage] = []
    pictures: list[Picture] = []
    faces: list[ShowFace] = []
    names: dict[str, str] = {}
    for image, frame in budget.within(pictures_of(dataset, images), READING):
        labelled = []
        for face in image.faces:
            mask = mask_of(face, *frame.shape[:2])
            if is_ignored(face) or not mask.any():
                continue
            slug = slug_of(face.character)
            if slug is not None:
                names.setdefault(slug, " ".join((face.character or "").split()))
            labelled.append(Labelled(box_of(mask), mask, slug))
            emotion = canonical(face.emotion) if face.emotion else None
            views = views_of(frame, labelled[-1], crop, rng)
            faces.append(ShowFace(views, slug, emotion, group_of(image), is_stranger(face.character)))
        taken.append(image)
        pictures.append(smaller(Picture(frame, tuple(labelled))))
        if len(taken) % 25 == 0:
            say(f"{len(taken)} of {len(images)} pictures read")
    groups = tuple(group_of(i) for i in taken)
    return Show(tuple(taken), tuple(pictures), groups, tuple(faces), names, len(images) - len(taken))


def slug_of(character: str | None) -> str | None:
    """The name as a bundle keeps it: letters and digits, joined by dashes. None for nobody in particular."""
    plain = unicodedata.normalize("NFKC", character or "").casefold()
    slug = "-".join(re.findall(r"\w+", plain.replace("_", " ")))
    return None if slug in _SOMEBODY_ELSE or slug in ("", "none") else slug


def is_stranger(character: str | None) -> bool:
    """Whether the label says that it is somebody, but none of the characters."""
    return (character or "").strip().casefold() in _SOMEBODY_ELSE


def mask_of(face: LabelledFace, height: int, width: int) -> NDArray[np.bool_]:
    """Of the whole picture; an ellipse in the box where the label has no outline."""
    mask = truth_mask(face, height, width)
    if mask is not None:
        return decode_mask(mask)
    x1, y1, x2, y2 = face.box
    middle, half = ((x1 + x2) / 2, (y1 + y2) / 2), ((x2 - x1) / 2, (y2 - y1) / 2)
    ys, xs = np.mgrid[:height, :width] + 0.5
    away = ((xs - middle[0]) / max(half[0], 1e-6)) ** 2 + ((ys - middle[1]) / max(half[1], 1e-6)) ** 2
    return np.asarray(away <= 1.0)


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
    """No larger than the detector sees it, so that many fit into memory; faces that vanish are left out."""
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
