"""A classifier's pictures: the crops of labelled faces, cut once and kept on disk, and what each of them shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.data.frames import load_image
from ml.data.records import LabelledFace, LabelledImage
from ml.detect.base import Face, Frame
from ml.evaluate.labels import UNREADABLE, canonical_emotion, is_ignored, truth_mask
from ml.evaluate.splits import group_of, picture_key
from ml.face import CropSettings, segmented_face
from ml.masks import decode_mask
from ml.train.recipes import ClassifierPart
from ml.train.settings import SettingsInvalid

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CropSet:
    """``crops``: (N, size, size, 3) RGB, on disk. ``classes``: numbers into ``labels``. ``characters``: whose.
    ``groups``, ``keys``: which shot or episode, and which picture, each is from.
    """

    crops: NDArray[np.uint8]
    classes: NDArray[np.int64]
    labels: tuple[str, ...]
    characters: tuple[str, ...]
    groups: tuple[str, ...]
    keys: tuple[str, ...]


def emotion_word(face: LabelledFace, part: ClassifierPart) -> str | None:
    """The label's own word, or where ``part.canonical`` says so the emotion that it is a synonym of."""
    canonical = canonical_emotion(face.emotion)
    if canonical is not None and part.canonical:
        return str(canonical)
    word = (face.emotion or "").strip().casefold()
    return None if word in UNREADABLE else word


def character_word(face: LabelledFace) -> str:
    return (face.character or "").strip().casefold() or UNKNOWN


def label_of(face: LabelledFace, part: ClassifierPart) -> str | None:
    """The class that a face is an example of; None where it is of no use."""
    emotion, character = emotion_word(face, part), character_word(face)
    if emotion is None or is_ignored(face) or (part.emotions and emotion not in part.emotions):
        return None
    if part.characters and character not in part.characters:
        return None
    return emotion if part.target == "emotion" else f"{emotion}_{character}"


def labels_of(images: Sequence[LabelledImage], part: ClassifierPart) -> tuple[str, ...]:
    """The classes in the order of the outputs: as the recipe lists them, else sorted as the data has them.

    Raises SettingsInvalid where there are less than two.
    """
    found = Counter(label for i in images for f in i.faces if (label := label_of(f, part)) is not None)
    if part.emotions and (part.target == "emotion" or part.characters):
        characters = [""] if part.target == "emotion" else [f"_{name}" for name in part.characters]
        labels = tuple(f"{emotion}{name}" for name in characters for emotion in part.emotions)
    else:
        labels = tuple(sorted(found))
    if len([label for label in labels if found[label]]) < 2:
        said = ", ".join(f"{n} x {label}" for label, n in found.items()) or "none"
        raise SettingsInvalid(f"A classifier needs faces of two classes at least; of use in these pictures: {said}.")
    return labels


def cut_crops(
    images: Sequence[LabelledImage],
    part: ClassifierPart,
    labels: Sequence[str],
    file: Path,
    say: Callable[[str], None],
) -> CropSet:
    """Cuts the crop of every face of use into ``file`` (.npy), unless it is there. Raises ImageUnreadable."""
    chosen = [(i, f, label) for i in images for f in i.faces if (label := label_of(f, part)) in labels]
    if not chosen:
        crops = np.zeros((0, part.crop_size, part.crop_size, 3), np.uint8)
    else:
        if not file.exists():
            _write_crops(file, [(image, face) for image, face, _ in chosen], part)
        crops = np.load(file, mmap_mode="r")
    counts = Counter(str(label) for _, _, label in chosen)
    say(f"{file.stem}: {len(chosen)} faces  " + "  ".join(f"{label} {counts[label]}" for label in labels))
    return CropSet(
        crops,
        np.array([list(labels).index(str(label)) for _, _, label in chosen], np.int64),
        tuple(labels),
        tuple(character_word(face) for _, face, _ in chosen),
        tuple(group_of(image) for image, _, _ in chosen),
        tuple(picture_key(image) for image, _, _ in chosen),
    )


def _write_crops(file: Path, faces: Sequence[tuple[LabelledImage, LabelledFace]], part: ClassifierPart) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".part")
    crops = np.lib.format.open_memmap(temporary, "w+", np.uint8, (len(faces), part.crop_size, part.crop_size, 3))
    last: tuple[LabelledImage, Frame] | None = None
    for number, (image, face) in enumerate(faces):
        if last is None or last[0] is not image:
            last = (image, load_image(image))
        crops[number] = crop_of(last[1], face, part)
    crops.flush()
    temporary.replace(file)


def crop_of(frame: Frame, face: LabelledFace, part: ClassifierPart) -> NDArray[np.uint8]:
    """With segmentation the face with everything outside its mask darkened; without, the whole frame or the box."""
    height, width = frame.shape[:2]
    if not part.segmentation and part.without == "frame":
        whole = Face((0.0, 0.0, float(width), float(height)), None, (0, 0), None, 1.0)
        return segmented_face(frame, whole, CropSettings(part.crop_size))
    coded = truth_mask(face, height, width)
    mask = None if coded is None else decode_mask(coded)
    box = face.box
    if part.fit == "contour" and mask is not None:
        box = contour_box(mask) or box
    settings = CropSettings(part.crop_size, part.margin, part.outside if part.segmentation else 1.0)
    return segmented_face(frame, Face(box, mask, (0, 0), None, 1.0), settings)


def contour_box(mask: NDArray[np.bool_]) -> tuple[float, float, float, float] | None:
    """Around the largest outline in the mask, as OpenCV's findContours gives them; None in an empty mask."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return None
    x, y, width, height = cv2.boundingRect(max(outlines, key=cv2.contourArea))
    return float(x), float(y), float(x + width), float(y + height)
