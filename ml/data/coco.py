"""Reads COCO's detection JSON (cocodataset.org/#format-data): polygons, run-length masks packed or not, boxes.

A category is a character, an emotion or both ("happy_jerry"); ``attributes`` of an annotation, as CVAT and we write
them, win over it. ``iscrowd`` becomes the attribute "iscrowd" = "1". What we do not use is kept in ``coco:...``.
VIA's own COCO export (via-2.x.y, ``via_region_shape_to_coco_annotation``) writes the number of an image as text, an
outline without the outer list, and one annotation for each attribute of a region: all three are read as meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ml.data.attributes import dump, extras_of, take_words
from ml.data.images import place
from ml.data.positions import Item, JsonBroken, LocatedJson
from ml.data.reading import MAX_JSON_BYTES, Bad, Reading
from ml.data.records import Dataset, LabelledFace, LabelledImage, Polygon
from ml.data.rle import mask_box, mask_from
from ml.data.shapes import bounds, checked_box, checked_polygons, number, polygon
from ml.data.vocabulary import character_and_emotion
from ml.types import Mask

_IMAGE_KEYS = ("id", "file_name", "width", "height", "attributes")
_FACE_KEYS = ("id", "image_id", "category_id", "bbox", "segmentation", "area", "iscrowd", "attributes")


@dataclass(slots=True)
class _Picture:
    image: LabelledImage
    line: int
    faces: list[LabelledFace] = field(default_factory=list)


def read_coco(reading: Reading, files: Iterable[Path]) -> Dataset:
    attributes: dict[str, str] = {}
    for file in files:
        text = reading.text(file, MAX_JSON_BYTES)
        if text is None:
            continue
        try:
            _File(reading, file, LocatedJson(text), attributes).read()
        except JsonBroken as broken:
            reading.problem(file, broken.line, str(broken))
            continue
        reading.files_read += 1
    return reading.done("coco", attributes)


class _File:
    def __init__(self, reading: Reading, file: Path, document: LocatedJson, attributes: dict[str, str]) -> None:
        self.reading, self.file, self.document = reading, file, document
        self.fields = (
            {i.key: i for i in document.items(document.top)} if document.kind(document.top) == "object" else {}
        )
        if "images" not in self.fields or "annotations" not in self.fields:
            raise JsonBroken(1, "is no COCO file of labels: it has no images or no annotations")
        rest = {str(k): document.value(i) for k, i in self.fields.items() if k not in ("images", "annotations")}
        try:
            attributes.setdefault("coco:file", dump(rest))
        except Bad as bad:
            reading.problem(file, 1, f"what the file says of itself is not kept: {bad}", kept=True)
        self.classes: dict[int, tuple[str | None, str | None]] = {}
        self.pictures: dict[int, _Picture | None] = {}
        self.seen: set[int | str] = set()

    def read(self) -> None:
        for item, entry in self._objects("categories"):
            self._guarded(item, entry, self._category)
        for item, entry in self._objects("images"):
            if not self._guarded(item, entry, self._image):
                with suppress(Bad):
                    self.pictures.setdefault(_id(entry, "id"), None)
        for item, entry in self._objects("annotations"):
            self._guarded(item, entry, self._annotation, face=True)
        for picture in self.pictures.values():
            if picture is not None:
                image = replace(picture.image, faces=tuple(picture.faces))
                self.reading.add(image, self.file, picture.line)

    def _objects(self, name: str) -> Iterable[tuple[Item, dict[str, Any]]]:
        if name not in self.fields:
            return
        if self.document.kind(self.fields[name]) != "list":
            self.reading.problem(self.file, self.fields[name].line, f"{name} is no list")
            return
        for item in self.document.items(self.fields[name]):
            value = self.document.value(item)
            if isinstance(value, dict):
                yield item, value
            else:
                self.reading.problem(self.file, item.line, f"an entry of {name} is no object")

    def _guarded(self, item: Item, entry: dict[str, Any], step: Any, *, face: bool = False) -> bool:
        try:
            step(item, entry)
        except Bad as bad:
            self.reading.problem(self.file, item.line, str(bad), face=face)
            return False
        return True

    def _category(self, item: Item, entry: dict[str, Any]) -> None:
        name = entry.get("name")
        if not isinstance(name, str):
            raise Bad("a category has no name")
        key = _id(entry, "id")
        if key in self.classes:
            raise Bad(f"the category {key} is listed a second time")
        self.classes[key] = character_and_emotion(name, self.reading.classes)

    def _image(self, item: Item, entry: dict[str, Any]) -> None:
        key = _id(entry, "id")
        name = entry.get("file_name")
        if not isinstance(name, str):
            raise Bad("an image has no file_name")
        if self.pictures.get(key) is not None:
            raise Bad(f"the image {key} is listed a second time")
        given = entry.get("attributes") or {}
        if not isinstance(given, dict):
            raise Bad("the attributes of an image are no object")
        said = {**given, **{k: entry[k] for k in ("width", "height") if k in entry}}
        image = place(self.reading, self.file, name, said)
        unknown = {k: v for k, v in entry.items() if k not in _IMAGE_KEYS}
        more = {"coco:image": dump(unknown)} if unknown else {}
        self.pictures[key] = _Picture(replace(image, attributes={**image.attributes, **more}), item.line)

    def _annotation(self, item: Item, entry: dict[str, Any]) -> None:
        key = _id(entry, "image_id")
        if key not in self.pictures:
            raise Bad(f"the annotation belongs to the image {key}, which is not listed")
        picture = self.pictures[key]
        if picture is None:
            raise Bad(f"the annotation belongs to the image {key}, which cannot be used")
        kind = _id(entry, "category_id")
        if kind not in self.classes:
            raise Bad(f"the annotation is of the category {kind}, which is not listed")
        face, notes = self._face(entry, self.classes[kind], picture.image)
        if self._known(entry.get("id")) and any(replace(known, where="") == face for known in picture.faces):
            raise Bad(f"the annotation {str(entry['id'])[:40]} is listed a second time")
        picture.faces.append(replace(face, where=f"{self.file}:{item.line}"))
        for note in notes:
            self.reading.problem(self.file, item.line, note, kept=True)

    def _known(self, key: Any) -> bool:
        """Whether an annotation of that number was read; sets of several tools number theirs anew, so never enough."""
        if not isinstance(key, int | str):
            return False
        known = key in self.seen
        self.seen.add(key)
        return known

    def _face(
        self, entry: dict[str, Any], kind: tuple[str | None, str | None], image: LabelledImage
    ) -> tuple[LabelledFace, list[str]]:
        given = entry.get("attributes") or {}
        if not isinstance(given, dict):
            raise Bad("attributes is no object")
        character, emotion, attributes, notes = take_words(given)
        polygons, mask = _segmentation(entry.get("segmentation"), image)
        width, height = image.width, image.height
        if polygons:
            drawn = checked_polygons(polygons, width, height)
            notes += drawn.notes
        box = bounds(polygons) if polygons else mask_box(mask) if mask else None
        if entry.get("bbox") is not None:
            checked = checked_box(_box(entry["bbox"]), width, height)
            notes += [n for n in checked.notes if n not in notes]
            box = checked.box
        elif box is not None:
            box = checked_box(box, width, height).box
        else:
            raise Bad("the annotation has neither bbox nor segmentation")
        if entry.get("iscrowd") not in (None, 0, "", "0", "false", "False"):
            attributes["iscrowd"] = "1"
        exact = extras_of(given).get("box")
        if isinstance(exact, list) and len(exact) == 4:
            x1, y1, x2, y2 = (number(v) for v in exact)
            if all(abs(a - b) < 1e-6 for a, b in zip((x1, y1, x2, y2), box, strict=True)):
                box = (x1, y1, x2, y2)
        if extras_of(given).get("mask") and polygons:
            mask = _fitting(mask_from(extras_of(given)["mask"]), image)
        unknown = {k: v for k, v in entry.items() if k not in _FACE_KEYS}
        if unknown:
            attributes["coco:annotation"] = dump(unknown)
        said_character = character if "Character" in given else character or kind[0]
        said_emotion = emotion if "Emotion" in given else emotion or kind[1]
        return LabelledFace(box, said_character, said_emotion, polygons, mask, attributes), notes


def _segmentation(value: Any, image: LabelledImage) -> tuple[tuple[Polygon, ...], Mask | None]:
    if value is None or value == []:
        return (), None
    if isinstance(value, dict):
        return (), _fitting(mask_from(value), image)
    if not isinstance(value, list):
        raise Bad("segmentation is neither a list of outlines nor a mask")
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in value):
        value = [value]
    polygons = []
    for flat in value:
        if not isinstance(flat, list) or len(flat) % 2:
            raise Bad("an outline is no list of x and y in turn")
        polygons.append(polygon(flat[0::2], flat[1::2]))
    return tuple(polygons), None


def _fitting(mask: Mask, image: LabelledImage) -> Mask:
    if image.width and image.height and mask.size != (image.height, image.width):
        raise Bad(f"the mask is {mask.size[1]} x {mask.size[0]}, the picture {image.width} x {image.height}")
    return mask


def _box(value: Any) -> tuple[float, float, float, float]:
    if not isinstance(value, list) or len(value) != 4:
        raise Bad("bbox is no list of four numbers")
    x, y, w, h = (number(v) for v in value)
    if w <= 0 or h <= 0:
        raise Bad("the box has no area")
    return x, y, x + w, y + h


def _id(entry: dict[str, Any], key: str) -> int:
    value = entry.get(key)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if type(value) is not int:
        raise Bad(f"{key} is {str(value)[:40]!r}, not a whole number")
    return value
