"""Where an evaluation gets its pictures: labels in any format that is read, or rendered episodes with truth files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from ml.data.frames import load_images
from ml.data.labels import read_labels
from ml.data.records import Dataset, LabelledFace, LabelledImage
from ml.detect.base import Frame
from ml.errors import UserError
from ml.evaluate.episodes import TruthInvalid, frames_at, read_truth
from ml.types import Mask

TRUTH_ENDING = ".truth.json"
TRUTH_FORMAT_NAME = "toonemo-truth"


class NothingToMeasure(UserError):
    """The labels hold no picture that can be used."""

    code = "nothing_to_measure"


def read(path: Path, pictures: Path | None = None) -> Dataset:
    """``pictures``: the folder where the pictures or videos are, where it is not the labels' own.

    Raises the UserErrors of the readers, or NothingToMeasure.
    """
    truths = truth_files(path)
    if truths:
        return truth_dataset(truths)
    dataset = read_labels(path, pictures=pictures)
    usable = tuple(i for i in dataset.images if i.attributes.get("done", "true") != "false")
    if not usable:
        raise NothingToMeasure(f"{path} holds no labelled picture that can be used.")
    return replace(dataset, images=usable)


def truth_files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob(f"*{TRUTH_ENDING}"))
    return [path] if path.name.endswith(TRUTH_ENDING) else []


def truth_dataset(files: Sequence[Path]) -> Dataset:
    """Rendered episodes as labels: one picture per drawing, group the shot. A face that is not readable is ignored.

    Raises TruthInvalid.
    """
    images: list[LabelledImage] = []
    for file in files:
        truth = read_truth(file)
        table = json.loads(file.read_text(encoding="utf-8"))
        width, height = (int(table["video"][side]) for side in ("width", "height"))
        starts = [shot.start_ms for shot in truth.shots]
        for drawing in table["drawings"]:
            time = int(drawing["pts_ms"])
            shot = sum(start <= time for start in starts)
            faces = tuple(_face(f, file) for f in drawing["faces"])
            name = f"{truth.video.name}#{shot}"
            images.append(LabelledImage(truth.video, width, height, faces, time, name))
    return Dataset(TRUTH_FORMAT_NAME, tuple(images))


def _face(entry: dict[str, Any], file: Path) -> LabelledFace:
    try:
        x1, y1, x2, y2 = (float(v) for v in entry["box"])
        height, width = entry["mask"]["size"]
        mask = Mask((int(height), int(width)), str(entry["mask"]["counts"]))
        attributes = {} if entry["readable"] else {"ignore": "true"}
        return LabelledFace((x1, y1, x2, y2), entry["character"], entry["emotion"], (), mask, attributes, str(file))
    except (KeyError, TypeError, ValueError) as error:
        raise TruthInvalid(f"The truth file {file} cannot be read: {error!r}.") from error


def pictures_of(dataset: Dataset, images: Sequence[LabelledImage]) -> Iterator[tuple[LabelledImage, Frame]]:
    """Each with its pixels, RGB, height x width x 3; frames of one video in a single pass over it, so in the order of
    ``in_order``. Raises the UserErrors of pictures and videos.
    """
    if dataset.format != TRUTH_FORMAT_NAME:
        yield from load_images(images)
        return
    for path, run in groupby(images, key=lambda image: image.path):
        part = list(run)
        yield from zip(part, frames_at(path, [i.pts_ms or 0 for i in part]), strict=True)
