"""Writes VIA 2 JSON so that ``read_via`` gives equal records: nothing that a reader found is lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ml.data.attributes import EXTRAS, dump, give_words, values_of
from ml.data.images import told
from ml.data.reading import Bad, LabelInvalid
from ml.data.records import Dataset, LabelledFace, LabelledImage
from ml.data.via import PROJECT, plain_shape, shape, together_box
from ml.outputs import whole_file

_SKIP = ("via:",)


def write_via(dataset: Dataset, out: Path) -> Path:
    """Gives the folder that the names in ``out`` count from: that of ``out`` where all pictures lie below it.

    Raises OutputUnwritable.
    """
    root = names_root(dataset, out)
    try:
        pictures = dict(_entry(image, root) for image in dataset.images)
    except Bad as bad:
        raise LabelInvalid(f"{out} is not written: {bad}.") from bad
    document: dict[str, Any] = pictures
    project = json.loads(dataset.attributes.get("via:project", "null"))
    if isinstance(project, dict):
        if "_via_image_id_list" in project:
            project["_via_image_id_list"] = list(pictures)
        document = {**project, PROJECT: pictures}
    write_text(document, out)
    return root


def names_root(dataset: Dataset, out: Path) -> Path:
    beside = Path(os.path.abspath(out)).parent  # noqa: PTH100 - keeps links as they are
    folders = {Path(os.path.abspath(image.path)).parent for image in dataset.images}  # noqa: PTH100
    if all(folder.is_relative_to(beside) for folder in folders):
        return beside
    return Path(os.path.commonpath(folders))


def name_from(path: Path, root: Path) -> str:
    return Path(os.path.abspath(path)).relative_to(root).as_posix()  # noqa: PTH100


def write_text(document: Any, out: Path) -> None:
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    try:
        raw = text.encode()
    except UnicodeEncodeError:  # half a surrogate pair: only escapes can say it
        raw = (json.dumps(document, allow_nan=False, indent=1) + "\n").encode()
    with whole_file(out) as temporary:
        temporary.write_bytes(raw)


def _entry(image: LabelledImage, root: Path) -> tuple[str, dict[str, Any]]:
    path = name_from(image.path, root)
    name = path if image.pts_ms is None else f"{path}#t={image.pts_ms}"
    size = image.path.stat().st_size if image.pts_ms is None and image.path.is_file() else -1
    if "via:size" in image.attributes:
        size = json.loads(image.attributes["via:size"])
    regions: list[dict[str, Any]] = []
    for face in image.faces:
        regions += _regions(face, len(regions), image.width, image.height)
    entry = {
        "filename": name,
        "size": size,
        "regions": regions,
        "file_attributes": {**values_of(image.attributes, _SKIP), **told(image, path)},
        **json.loads(image.attributes.get("via:entry", "{}")),
    }
    return image.attributes.get("via:key", f"{name}{size}"), entry


def _regions(face: LabelledFace, number: int, width: int, height: int) -> list[dict[str, Any]]:
    """One region, or one for each of several outlines, marked as parts of one face by ``number``."""
    shapes = _shapes(face, width, height)
    drawn = [shape(s, width, height) for s in shapes]
    box = together_box([d.box for d in drawn])
    extras: dict[str, Any] = {}
    if len(shapes) > 1:
        extras["face"] = number
    if box != face.box:
        extras |= {"of": list(box), "box": list(face.box)}
    if face.mask is not None:
        extras |= {"of": list(box), "mask": {"size": list(face.mask.size), "counts": face.mask.counts}}
    words = give_words(face.character, face.emotion, _without(face))
    if extras:
        words[EXTRAS] = dump(extras)
    unknown = json.loads(face.attributes.get("via:region", "{}"))
    return [{"shape_attributes": s, "region_attributes": words, **unknown} for s in shapes]


def _shapes(face: LabelledFace, width: int, height: int) -> list[dict[str, Any]]:
    """As it was drawn (an ellipse), where that still says what the record says."""
    kept = face.attributes.get("via:shape")
    if kept is not None:
        values = json.loads(kept)
        try:
            drawn = shape(values, width, height)
        except Bad:
            drawn = None
        if drawn is not None and drawn.polygons == face.polygons:
            return [values]
    if face.polygons:
        return [plain_shape((points,), face.box) for points in face.polygons]
    return [plain_shape((), face.box)]


def _without(face: LabelledFace) -> dict[str, str]:
    return {k: v for k, v in face.attributes.items() if not k.startswith(_SKIP)}
