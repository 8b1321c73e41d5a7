"""Haar cascades behind the interface: one cascade per character, boxes without masks (Hill 2017).

Each cascade looks at the grey picture at sizes ``scale`` apart. Windows that pass all its stages are *candidates*;
those that lie alike are grouped (OpenCV's ``groupRectangles``), and a group of more than ``neighbours`` is a face.

``score`` is 1 / (1 + exp(-m)), m being the margin by which the group's best candidate passed the last stage: it grows
with the margin, starts at 0.5, and is **no probability**: nothing calibrated it.

One face can satisfy the cascades of two characters. Margins of two cascades cannot be compared; candidates can, as
each cascade says how many a face of its own needs. So of two boxes that overlap by more than ``nms`` (IoU) and name
different characters that one stays which has more candidates for each that it needs (then the higher score, then the
cascade that is named first). Same pictures, same faces to the bit, however many threads OpenCV uses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.bundle import Bundle
from ml.detect.base import Face, Frame
from ml.detect.cascade import Cascade, read_cascade
from ml.errors import BundleInvalid
from ml.types import Box

GROUP_EPS = 0.2  # how unlike grouped rectangles may be: detectMultiScale's own
SCORE_DIGITS = 4
MAX_CANDIDATES = 20_000  # grouping takes their square; a cascade with more in one picture knows nothing
SAME = 0.5  # IoU from which a candidate is counted as one of a group's


@dataclass(frozen=True, slots=True)
class CascadeSettings:
    """How one cascade looks. The defaults are Hill's, but for ``neighbours``: he took 40 for Tom and 20 for Jerry.

    ``character``: the slug, None for a face of nobody in particular. ``scale``: ratio of one size to the next.
    ``least``: side of the smallest face in pixels.
    """

    file: str
    character: str | None
    neighbours: int = 20
    scale: float = 1.1
    least: int = 24

    def __post_init__(self) -> None:
        if not (0 <= self.neighbours <= 10_000 and 1.01 <= self.scale <= 10 and 1 <= self.least <= 10_000):
            raise ValueError(
                "neighbours must lie in 0 to 10000, scale in 1.01 to 10 and least in 1 to 10000 "
                f"(got {self.neighbours}, {self.scale}, {self.least})"
            )

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> CascadeSettings:
        """Raises ValueError or TypeError for a table that is not one."""
        values = asdict(cls("", None))
        unknown = set(table) - set(values)
        if unknown:
            raise ValueError(f"{min(unknown)} is not known")
        character = table.get("character")
        return cls(
            file=str(table.get("file") or ""),
            character=None if character is None else str(character),
            neighbours=int(table.get("neighbours", values["neighbours"])),
            scale=float(table.get("scale", values["scale"])),
            least=int(table.get("least", values["least"])),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A face as one cascade sees it. ``support``: candidates divided by those that this cascade asks for."""

    box: Box
    order: int
    support: float
    score: float


class HaarDetector:
    """``cascades``: what each looks for, best known first. ``nms``: IoU from which two characters are one face."""

    architecture = "haar"

    def __init__(
        self, cascades: Sequence[tuple[CascadeSettings, Cascade]], nms: float = 0.4, threshold: float = 0.5
    ) -> None:
        self._cascades = [(settings, cascade, cascade.classifier()) for settings, cascade in cascades]
        self._nms, self._threshold = nms, threshold

    @classmethod
    def of_bundle(cls, bundle: Bundle, device: str) -> HaarDetector:
        """Runs on the processor whatever the device. Raises BundleInvalid, or CascadeInvalid for a file of it."""
        listed = bundle.detector.settings.get("cascades")
        if not isinstance(listed, list) or not listed or not all(isinstance(entry, dict) for entry in listed):
            raise BundleInvalid("The bundle's detector.settings.cascades must be a list of cascades.")
        cascades = []
        for entry in listed:
            try:
                settings = CascadeSettings.of(entry)
            except (TypeError, ValueError, OverflowError) as error:
                raise BundleInvalid(f"The bundle's detector.settings.cascades cannot be used: {error}.") from error
            if settings.character is not None and settings.character not in bundle.characters:
                raise BundleInvalid(f"The bundle's cascades name {settings.character!r}, none of its characters.")
            if settings.file not in bundle.detector.files:
                raise BundleInvalid(f"The bundle's cascades name the file {settings.file!r}, none of its files.")
            cascades.append((settings, read_cascade(bundle.weights(bundle.detector, settings.file))))
        return cls(cascades, bundle.thresholds.nms, bundle.thresholds.detection)

    def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
        return [self._faces(frame) for frame in frames]

    def _faces(self, frame: Frame) -> list[Face]:
        grey = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
        found = [
            one
            for order, (settings, cascade, classifier) in enumerate(self._cascades)
            for one in look(grey, settings, cascade, classifier, order)
            if one.score >= self._threshold
        ]
        kept = resolve(found, self._nms, [settings.character for settings, _, _ in self._cascades])
        kept.sort(key=lambda one: (-one.score, one.box, one.order))
        return [Face(one.box, None, (0, 0), self._cascades[one.order][0].character, one.score) for one in kept]


def look(
    grey: NDArray[Any], settings: CascadeSettings, cascade: Cascade, classifier: cv2.CascadeClassifier, order: int = 0
) -> list[Found]:
    """What one cascade finds in a grey picture: the boxes of ``detectMultiScale`` with the same settings."""
    least = (max(settings.least, cascade.window[0]), max(settings.least, cascade.window[1]))
    if grey.shape[0] < least[1] or grey.shape[1] < least[0]:
        return []
    rectangles, _, weights = classifier.detectMultiScale3(
        grey, settings.scale, 0, 0, (settings.least, settings.least), outputRejectLevels=True
    )
    if len(rectangles) == 0:
        return []
    # OpenCV's threads leave them in the order of chance
    candidates = sorted((tuple(int(v) for v in r), float(w)) for r, w in zip(rectangles, weights, strict=True))
    if len(candidates) > MAX_CANDIDATES:
        candidates = sorted(sorted(candidates, key=lambda c: (-c[1], c[0]))[:MAX_CANDIDATES])
    groups: Sequence[Sequence[int]] = [r for r, _ in candidates]
    counts: Sequence[int] = [1] * len(candidates)
    if settings.neighbours > 0:
        groups, counts = cv2.groupRectangles(list(groups), settings.neighbours, GROUP_EPS)
    boxes = np.array([_box(r) for r, _ in candidates])
    margins = np.array([w for _, w in candidates]) - cascade.last_threshold
    found = []
    for group, count in zip(groups, np.ravel(counts), strict=True):
        box = _box(group)
        overlap = overlaps(box, boxes)
        alike = overlap >= min(SAME, float(overlap.max()))
        score = score_of(float(margins[alike].max()))
        found.append(Found(box, order, float(count) / max(1, settings.neighbours), score))
    return found


def score_of(margin: float) -> float:
    """In [0.5, 1), growing with the margin; no probability."""
    return round(1.0 / (1.0 + math.exp(-min(max(margin, 0.0), 50.0))), SCORE_DIGITS)


def resolve(found: Sequence[Found], nms: float, characters: Sequence[str | None]) -> list[Found]:
    """Drops a box where a better supported one of another character overlaps it by more than ``nms``.

    ``characters``: of each cascade, by ``order``. Boxes of one character are left to its own cascade's grouping.
    """
    ranked = sorted(found, key=lambda one: (-one.support, -one.score, one.order, one.box))
    kept: list[Found] = []
    for one in ranked:
        others = [k.box for k in kept if characters[k.order] != characters[one.order]]
        if not others or float(overlaps(one.box, np.array(others)).max()) <= nms:
            kept.append(one)
    return kept


def overlaps(box: Box, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """IoU of one box with each of (N, 4)."""
    width = np.minimum(box[2], boxes[:, 2]) - np.maximum(box[0], boxes[:, 0])
    height = np.minimum(box[3], boxes[:, 3]) - np.maximum(box[1], boxes[:, 1])
    shared = np.clip(width, 0, None) * np.clip(height, 0, None)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.asarray(shared / (areas + (box[2] - box[0]) * (box[3] - box[1]) - shared), np.float64)


def _box(rectangle: Sequence[int]) -> Box:
    x, y, width, height = (float(v) for v in rectangle)
    return x, y, x + width, y + height


def load_cascades(files: Sequence[tuple[CascadeSettings, Path]]) -> list[tuple[CascadeSettings, Cascade]]:
    """Raises CascadeInvalid."""
    return [(settings, read_cascade(path)) for settings, path in files]
