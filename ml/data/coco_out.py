"""Writes COCO's detection JSON so that ``read_coco`` gives equal records: nothing that a reader found is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml.data.attributes import EXTRAS, dump, give_words, take_words, values_of
from ml.data.images import told
from ml.data.reading import Bad, LabelInvalid
from ml.data.records import Dataset, LabelledFace, LabelledImage
from ml.data.rle import mask_from, unpack
from ml.data.shapes import area
from ml.data.via_out import name_from, names_root, write_text
from ml.data.vocabulary import character_and_emotion

ANYBODY = "face"
_SKIP = ("coco:",)


def write_coco(dataset: Dataset, out: Path) -> Path:
    """Gives the folder that the names in ``out`` count from: that of ``out`` where all pictures lie below it.

    Categories are the characters; a face of nobody has the category "face", an emotion is an attribute. Raises
    OutputUnwritable.
    """
    root = names_root(dataset, out)
    before = json.loads(dataset.attributes.get("coco:file", "{}"))
    categories = _categories(dataset, before)
    numbers = {c["name"]: c["id"] for c in reversed(categories)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image in dataset.images:
        images.append(_image(image, len(images) + 1, root))
        for face in image.faces:
            try:
                entry = _annotation(face, numbers)
            except Bad as bad:
                raise LabelInvalid(f"{out} is not written: {face.where}: {bad}.") from bad
            annotations.append({"id": len(annotations) + 1, "image_id": len(images), **entry})
    document = {**before, "images": images, "annotations": annotations, "categories": categories}
    write_text(document, out)
    return root


def _categories(dataset: Dataset, before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those of the file that was read, with their numbers, and whatever is new."""
    listed = before.get("categories")
    kept = [
        c
        for c in (listed if isinstance(listed, list) else [])
        if isinstance(c, dict) and isinstance(c.get("name"), str) and type(c.get("id")) is int
    ]
    kept = list({c["id"]: c for c in reversed(kept)}.values())[::-1]
    names = {c["name"] for c in kept}
    number = max((c["id"] for c in kept), default=0)
    wanted = sorted({f.character or ANYBODY for i in dataset.images for f in i.faces})
    for name in wanted:
        if name not in names:
            number += 1
            kept.append({"id": number, "name": name, "supercategory": "face"})
    return kept


def _image(image: LabelledImage, number: int, root: Path) -> dict[str, Any]:
    path = name_from(image.path, root)
    said = told(image, path)
    name = path if image.pts_ms is None else f"{path}#t={image.pts_ms}"
    entry: dict[str, Any] = {"id": number, "file_name": name}
    entry |= {k: said.pop(k) for k in ("width", "height") if k in said}
    attributes = {**values_of(image.attributes, _SKIP), **said}
    if attributes:
        entry["attributes"] = attributes
    return {**entry, **json.loads(image.attributes.get("coco:image", "{}"))}


def _annotation(face: LabelledFace, numbers: Mapping[str, int]) -> dict[str, Any]:
    x1, y1, x2, y2 = face.box
    bbox = [x1, y1, x2 - x1, y2 - y1]
    extras: dict[str, Any] = {}
    if (x1 + bbox[2], y1 + bbox[3]) != (x2, y2):
        extras["box"] = list(face.box)
    attributes = {k: v for k, v in face.attributes.items() if not k.startswith(_SKIP) and k != "iscrowd"}
    crowd = face.attributes.get("iscrowd") == "1"
    if "iscrowd" in face.attributes and not crowd:
        attributes["iscrowd"] = face.attributes["iscrowd"]
    segmentation: Any = [[v for point in points for v in point] for points in face.polygons]
    surface = sum(abs(area(points)) for points in face.polygons)
    if face.mask is not None:
        mask = {"size": list(face.mask.size), "counts": face.mask.counts}
        surface = float(sum(unpack(mask_from(mask).counts)[1::2]))
        if face.polygons:
            extras["mask"] = mask
        else:
            segmentation = mask
    category = face.character or ANYBODY
    words = give_words(*_beyond(face, category, attributes), attributes)
    if extras:
        words[EXTRAS] = dump(extras)
    entry = {
        "category_id": numbers[category],
        "bbox": bbox,
        "area": surface or bbox[2] * bbox[3],
        "segmentation": segmentation,
        "iscrowd": int(crowd),
        **({"attributes": words} if words else {}),
    }
    return {**entry, **json.loads(face.attributes.get("coco:annotation", "{}"))}


def _beyond(face: LabelledFace, category: str, attributes: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The words that the category's name does not say by itself."""
    try:
        said, _, _, _ = take_words(values_of(attributes))
    except Bad:  # a second field of that meaning holds a tick or a list; the first was the one that counted
        said = ""
    plain = character_and_emotion(category) == (face.character, None) and said is None
    return (None, face.emotion) if plain else (face.character or "", face.emotion or "")
