"""Reads labelme: one JSON file per picture with ``shapes`` (github.com/wkentaro/labelme).

A shape's label is a character, an emotion or both; its flags and ``emotion=happy`` in its description say more. Shapes
of one ``group_id`` and one label are parts of one face.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ml.data.attributes import dump, take_words
from ml.data.images import place
from ml.data.positions import JsonBroken, LocatedJson
from ml.data.reading import MAX_JSON_BYTES, Bad, Reading
from ml.data.records import Dataset, LabelledFace, LabelledImage, Polygon
from ml.data.shapes import bounds, checked_box, checked_polygons, ellipse, number, polygon
from ml.data.vocabulary import character_and_emotion, is_emotion
from ml.types import Box

_SHAPE_KEYS = ("label", "points", "group_id", "shape_type", "flags", "description")


def read_labelme(reading: Reading, files: Iterable[Path]) -> Dataset:
    for file in files:
        text = reading.text(file, MAX_JSON_BYTES)
        if text is None:
            continue
        try:
            document = LocatedJson(text)
            fields = {i.key: i for i in document.items(document.top)} if document.kind(document.top) == "object" else {}
            if "shapes" not in fields or "imagePath" not in fields:
                raise JsonBroken(1, "is no labelme file: it has no shapes or no imagePath")
            if document.kind(fields["shapes"]) != "list":
                raise JsonBroken(fields["shapes"].line, "shapes is no list")
            said = {k: document.value(i) for k, i in fields.items() if k not in ("shapes", "imageData")}
            shapes = [(i.line, document.value(i)) for i in document.items(fields["shapes"])]
        except JsonBroken as broken:
            reading.problem(file, broken.line, str(broken))
            continue
        reading.files_read += 1
        try:
            image = _image(reading, file, said)
        except Bad as bad:
            reading.problem(file, fields["imagePath"].line, str(bad))
            continue
        faces = tuple(_faces(reading, file, shapes, image))
        reading.add(replace(image, faces=faces), file, 1)
    return reading.done("labelme")


def _image(reading: Reading, file: Path, said: dict[str | None, Any]) -> LabelledImage:
    name = said["imagePath"]
    if not isinstance(name, str):
        raise Bad("imagePath is no text")
    image = place(reading, file, name, {"width": said.get("imageWidth"), "height": said.get("imageHeight")})
    flags = said.get("flags") or {}
    ticked = {k: "true" for k, on in flags.items() if on is True} if isinstance(flags, dict) else {}
    return replace(image, attributes=ticked)


def _faces(reading: Reading, file: Path, shapes: list[tuple[int, Any]], image: LabelledImage) -> Iterable[LabelledFace]:
    together: dict[str, list[tuple[int, Any]]] = {}
    for index, (line, value) in enumerate(shapes):
        group = value.get("group_id") if isinstance(value, dict) else None
        key = f"alone {index}" if group is None else f"{value.get('label')} {group}"
        together.setdefault(key, []).append((line, value))
    for parts in together.values():
        line = parts[0][0]
        try:
            face, notes = _face(reading, [value for _, value in parts], image)
        except Bad as bad:
            reading.problem(file, line, str(bad), face=True)
            continue
        for note in notes:
            reading.problem(file, line, note, kept=True)
        yield replace(face, where=f"{file}:{line}")


def _face(reading: Reading, shapes: list[Any], image: LabelledImage) -> tuple[LabelledFace, list[str]]:
    if not all(isinstance(s, dict) for s in shapes):
        raise Bad("a shape is no object")
    first = shapes[0]
    if not isinstance(first.get("label"), str):
        raise Bad("a shape has no label")
    character, emotion = character_and_emotion(first["label"], reading.classes)
    said_character, said_emotion, attributes, notes = take_words(_said(first))
    polygons: list[Polygon] = []
    boxes: list[Box] = []
    for one in shapes:
        outline, box = _shape(one)
        polygons += outline
        boxes += box
    around = bounds([*polygons, *(((x1, y1), (x2, y2)) for x1, y1, x2, y2 in boxes)])
    checked = checked_box(around, image.width, image.height)
    notes += checked.notes
    if polygons:
        more = checked_polygons(polygons, image.width, image.height).notes
        notes += [n for n in more if n not in notes]
    unknown = {k: v for k, v in first.items() if k not in _SHAPE_KEYS and v is not None}
    if unknown:
        attributes["labelme:shape"] = dump(unknown)
    words = said_character or character, said_emotion or emotion
    return LabelledFace(checked.box, *words, tuple(polygons), None, attributes), notes


def _said(shape: dict[str, Any]) -> dict[str, Any]:
    """Ticked flags, an emotion among them as such, and ``name=value`` from the description."""
    said: dict[str, Any] = {}
    flags = shape.get("flags") or {}
    for name, on in flags.items() if isinstance(flags, dict) else ():
        if on is True:
            key, _, value = name.rpartition("=") if "=" in name else ("emotion" if is_emotion(name) else name, "", "")
            said[key] = value or (name if key == "emotion" else "true")
    text = shape.get("description") or ""
    if isinstance(text, str) and text.strip():
        pairs = [p.partition("=") for p in text.replace(";", ",").split(",")]
        if all(equals for _, equals, _ in pairs):
            said |= {k.strip(): v.strip() for k, _, v in pairs}
        else:
            said["description"] = text
    return said


def _shape(shape: dict[str, Any]) -> tuple[list[Polygon], list[Box]]:
    kind, points = shape.get("shape_type") or "polygon", shape.get("points")
    if not isinstance(points, list) or not all(isinstance(p, list) and len(p) == 2 for p in points):
        raise Bad("the points are no list of pairs")
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    if kind in ("polygon", "linestrip", "oriented_rectangle") or (kind == "rectangle" and len(points) == 4):
        return [polygon(xs, ys)], []
    if kind not in ("rectangle", "circle"):
        raise Bad(f"the shape {str(kind)[:40]!r} is not read; draw a polygon, a rectangle or a circle")
    if len(points) != 2:
        raise Bad(f"a {kind} has two points, this one {len(points)}")
    corners = [*_pair(points[0]), *_pair(points[1])]
    if kind == "circle":
        radius = math.hypot(corners[2] - corners[0], corners[3] - corners[1])
        return [ellipse(corners[0], corners[1], radius, radius)], []
    x1, x2 = sorted((corners[0], corners[2]))
    y1, y2 = sorted((corners[1], corners[3]))
    return [], [(x1, y1, x2, y2)]


def _pair(point: list[Any]) -> tuple[float, float]:
    return number(point[0]), number(point[1])
