"""``evaluate --agreement``: how far two or more annotators agree, from their files of labels in any format."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from ml.data.labels import read_labels
from ml.data.records import LabelledFace, LabelledImage
from ml.data.vocabulary import canonical
from ml.evaluate.agreement import (
    cohen_kappa,
    hooper_consistency,
    krippendorff_alpha,
    percentage_agreement,
    rolling_consistency,
)
from ml.evaluate.counts import overlap
from ml.evaluate.sources import NothingToMeasure
from ml.types import UNCLEAR

SAME_IOU = 0.5  # of two boxes, to be of one face
Word = str | None


@dataclass(frozen=True, slots=True)
class Unit:
    """One face, and what each annotator says of it: emotion or ``unclear``; None where that one outlined no face."""

    faces: tuple[LabelledFace | None, ...]

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(None if f is None else emotion_word(f) for f in self.faces)


def emotion_word(face: LabelledFace) -> str:
    found = canonical(face.emotion) if face.emotion else None
    return UNCLEAR if found is None else str(found)


def read_all(files: Sequence[Path]) -> list[dict[str, LabelledImage]]:
    """Per annotator, pictures by their name, with as many folders as tell them apart (``ep1/1.jpg``, ``ep2/1.jpg``).

    Those that an annotator has not done are left out. Raises LabelInvalid.
    """
    done = [
        [i for i in read_labels(file, need_pictures=False).images if i.attributes.get("done") != "false"]
        for file in files
    ]
    most = max((len(i.path.parts) for images in done for i in images), default=1)
    for folders in range(most):
        found = [{_name(i, folders): i for i in images} for images in done]
        if all(len(named) == len(images) for named, images in zip(found, done, strict=True)):
            break
    return found


def _name(image: LabelledImage, folders: int) -> str:
    name = "/".join(image.path.parts[-1 - folders :])
    return name if image.pts_ms is None else f"{name}@{image.pts_ms}"


def units_of(annotators: Sequence[Mapping[str, LabelledImage]]) -> tuple[list[Unit], int]:
    """Faces of the pictures that all have labelled, and how many pictures those are. Raises NothingToMeasure.

    A face joins the face of an earlier annotator that it overlaps most, from SAME_IOU on, best pairs first.
    """
    common = [key for key in annotators[0] if all(key in a for a in annotators)]
    if not common:
        raise NothingToMeasure("These annotators have no picture in common that all of them have labelled.")
    units: list[Unit] = []
    for key in common:
        units += _joined([a[key].faces for a in annotators])
    return units, len(common)


def _joined(labelled: Sequence[Sequence[LabelledFace]]) -> list[Unit]:
    count = len(labelled)
    rows: list[list[LabelledFace | None]] = []
    for who, faces in enumerate(labelled):
        pairs = sorted(
            ((overlap(_first(row).box, face.box), r, f) for r, row in enumerate(rows) for f, face in enumerate(faces)),
            key=lambda p: (-p[0], p[1], p[2]),
        )
        taken_rows: set[int] = set()
        taken: set[int] = set()
        for iou, r, f in pairs:
            if iou >= SAME_IOU and r not in taken_rows and f not in taken:
                rows[r][who] = faces[f]
                taken_rows.add(r)
                taken.add(f)
        rows += [[face if k == who else None for k in range(count)] for f, face in enumerate(faces) if f not in taken]
    return [Unit(tuple(row)) for row in rows]


def _first(row: Sequence[LabelledFace | None]) -> LabelledFace:
    return next(face for face in row if face is not None)


def agreement(files: Sequence[Path]) -> dict[str, Any]:
    """``pairs``: two at a time; ``krippendorff_alpha``: all at once. Raises NothingToMeasure, LabelInvalid."""
    if len(files) < 2:
        raise NothingToMeasure("Agreement needs the labels of two annotators or more.")
    units, pictures = units_of(read_all(files))
    return {
        "format": 1,
        "kind": "agreement",
        "annotators": [file.name for file in files],
        "pictures": pictures,
        "faces": len(units),
        "faces_that_all_outlined": sum(None not in u.words for u in units),
        "same_iou": SAME_IOU,
        "krippendorff_alpha": _known(krippendorff_alpha([u.words for u in units])),
        "krippendorff_alpha_without_unclear": _known(
            krippendorff_alpha([[None if w == UNCLEAR else w for w in u.words] for u in units])
        ),
        "pairs": [_pair(units, a, b, files) for a, b in combinations(range(len(files)), 2)],
    }


def _pair(units: Sequence[Unit], a: int, b: int, files: Sequence[Path]) -> dict[str, Any]:
    both = [(u.words[a], u.words[b]) for u in units if u.words[a] is not None and u.words[b] is not None]
    first, second = [x for x, _ in both], [y for _, y in both]
    sure = [(x, y) for x, y in both if UNCLEAR not in (x, y)]
    alike = sum(x == y for x, y in both)
    counts = [sum(u.words[k] is not None for u in units) for k in (a, b)]
    return {
        "annotators": [files[a].name, files[b].name],
        "faces": counts,
        "faces_of_both": len(both),
        "finding_f1": _known(rolling_consistency(len(both), *counts)),
        "same_emotion": _known(percentage_agreement(first, second)),
        "cohen_kappa": _known(cohen_kappa(first, second)),
        "cohen_kappa_without_unclear": _known(cohen_kappa([x for x, _ in sure], [y for _, y in sure])),
        "rolling_consistency": _known(rolling_consistency(alike, *counts)),
        "hooper_consistency": _known(hooper_consistency(alike, *counts)),
    }


def agreement_lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{found['pictures']} pictures that all labelled, {found['faces']} faces, "
        f"{found['faces_that_all_outlined']} of them outlined by all (IoU of boxes {found['same_iou']:g} or more)"
    )
    sure = found["krippendorff_alpha_without_unclear"]
    yield f"Krippendorff's alpha {_text(found['krippendorff_alpha'])}, without unclear {_text(sure)}"
    for pair in found["pairs"]:
        yield (
            f"{pair['annotators'][0]} and {pair['annotators'][1]}: same emotion {_text(pair['same_emotion'])} of "
            f"{pair['faces_of_both']} faces, Cohen's kappa {_text(pair['cohen_kappa'])} "
            f"(without unclear {_text(pair['cohen_kappa_without_unclear'])}), finding faces F1 "
            f"{_text(pair['finding_f1'])}, inter-indexer consistency {_text(pair['rolling_consistency'])} (Rolling), "
            f"{_text(pair['hooper_consistency'])} (Hooper)"
        )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _text(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"
