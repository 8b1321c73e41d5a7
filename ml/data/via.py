"""Reads what VGG Image Annotator writes (www.robots.ox.ac.uk/~vgg/software/via): JSON of VIA 1 and 2, projects, CSV.

One file or a folder of them, one per episode, as Jain et al. 2021 keep theirs: ``region_attributes.Character`` names
the character. A picture called ``part2.mkv#t=44000`` is the frame of a video at 44,000 ms; its ``file_attributes`` may
say ``video``, ``pts_ms`` and ``shot``. What we do not use is kept in attributes ``via:...`` and written back.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ml.data.attributes import dump, extras_of, take_words
from ml.data.images import place
from ml.data.positions import Item, JsonBroken, LocatedJson
from ml.data.reading import MAX_JSON_BYTES, Bad, Reading
from ml.data.records import Dataset, LabelledFace, Polygon
from ml.data.rle import mask_from
from ml.data.shapes import checked_box, checked_polygons, ellipse, number, polygon
from ml.types import Box

PROJECT = "_via_img_metadata"
CSV_COLUMNS = ("filename", "file_attributes", "region_shape_attributes", "region_attributes")
_ENTRY_KEYS = ("filename", "size", "regions", "file_attributes")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A picture as VIA lists it; ``regions``: line and value of each, ``values``: everything else that it says."""

    line: int
    key: str
    values: dict[str, Any]
    regions: list[tuple[int, Any]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A shape that was checked: outlines (none for a rectangle), box, notes."""

    polygons: tuple[Polygon, ...]
    box: Box
    notes: tuple[str, ...] = ()


def read_via(reading: Reading, files: Iterable[Path]) -> Dataset:
    attributes: dict[str, str] = {}
    for file in files:
        text = reading.text(file, MAX_JSON_BYTES)
        if text is None:
            continue
        try:
            entries = list(
                _csv(reading, file, text) if file.suffix.lower() == ".csv" else _json(reading, file, text, attributes)
            )
        except JsonBroken as broken:
            reading.problem(file, broken.line, str(broken))
            continue
        reading.files_read += 1
        for entry in entries:
            try:
                _picture(reading, file, entry)
            except Bad as bad:
                reading.problem(file, entry.line, str(bad))
    return reading.done("via", attributes)


def shape(values: Any, width: int, height: int) -> Drawn:
    """From VIA's ``shape_attributes``. Raises Bad."""
    if not isinstance(values, dict):
        raise Bad("the region has no shape_attributes")
    name = values.get("name")
    if name in ("rect", "rectangle"):
        x, y, w, h = (number(values.get(k), k) for k in ("x", "y", "width", "height"))
        if w <= 0 or h <= 0:
            raise Bad("the rectangle has no area")
        box = checked_box((x, y, x + w, y + h), width, height)
        return Drawn((), box.box, box.notes)
    if name in ("polygon", "polyline"):
        points = polygon(values.get("all_points_x"), values.get("all_points_y"))
    elif name == "circle":
        radius = number(values.get("r"), "r")
        points = ellipse(number(values.get("cx"), "cx"), number(values.get("cy"), "cy"), radius, radius)
    elif name == "ellipse":
        theta = number(values.get("theta", 0.0), "theta")
        cx, cy, rx, ry = (number(values.get(k), k) for k in ("cx", "cy", "rx", "ry"))
        points = ellipse(cx, cy, rx, ry, theta)
    elif name == "point":
        raise Bad("a point has no area, so it is no face")
    else:
        raise Bad(f"the shape {str(name)[:40]!r} is not known")
    outline = checked_polygons([points], width, height)
    return Drawn((points,), outline.box, outline.notes)


def plain_shape(polygons: tuple[Polygon, ...], box: Box) -> dict[str, Any]:
    """``shape_attributes`` of one outline, or of a box."""
    if polygons:
        xs, ys = zip(*polygons[0], strict=True)
        return {"name": "polygon", "all_points_x": [_plain(x) for x in xs], "all_points_y": [_plain(y) for y in ys]}
    x1, y1, x2, y2 = box
    return {"name": "rect", "x": _plain(x1), "y": _plain(y1), "width": _plain(x2 - x1), "height": _plain(y2 - y1)}


def _json(reading: Reading, file: Path, text: str, attributes: dict[str, str]) -> Iterator[_Entry]:
    document = LocatedJson(text)
    pictures = document.top
    whole = document.get(document.top, PROJECT)
    if whole is not None:
        rest = {i.key: document.value(i) for i in document.items(document.top) if i.key and i.key != PROJECT}
        try:
            attributes.setdefault("via:project", dump(rest))
        except Bad as bad:
            reading.problem(file, document.top.line, f"the settings of the project are not kept: {bad}", kept=True)
        pictures = whole
    if document.kind(pictures) != "object":
        raise JsonBroken(pictures.line, "is no VIA file: the outermost value is no object")
    for item in document.items(pictures):
        entry = _read_entry(reading, file, document, item)
        if entry is not None:
            yield entry


def _read_entry(reading: Reading, file: Path, document: LocatedJson, item: Item) -> _Entry | None:
    fields = {i.key: i for i in document.items(item)} if document.kind(item) == "object" else {}
    if "filename" not in fields:
        if not str(item.key).startswith("_via"):
            reading.problem(file, item.line, f"{str(item.key)[:60]!r} names no picture (filename)")
        return None
    values = {str(k): document.value(i) for k, i in fields.items() if k != "regions"}
    regions: list[tuple[int, Any]] = []
    if "regions" in fields:
        if document.kind(fields["regions"]) not in ("list", "object"):
            reading.problem(file, fields["regions"].line, "regions is neither a list nor an object")
        regions = [(i.line, document.value(i)) for i in document.items(fields["regions"])]
    return _Entry(item.line, str(item.key), values, regions)


def _csv(reading: Reading, file: Path, text: str) -> Iterator[_Entry]:
    """VIA's CSV has a row per region, and one without a region for a picture that has none.

    VIA 1 begins it with ``#``; spreadsheets of some countries write semicolons between the columns.
    """
    entries: dict[str, _Entry] = {}
    text = text.removeprefix("#")
    semicolons = ";" in text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if semicolons else ",")
    try:
        for row in rows:
            try:
                name, size = row["filename"] or "", row.get("file_size") or "-1"
                found = [json.loads(row[k].strip() or "{}") for k in CSV_COLUMNS[1:]]
            except (AttributeError, KeyError, ValueError, RecursionError):
                reading.problem(file, rows.line_num, "the row does not hold what VIA writes")
                continue
            values = {"filename": name, "size": int(size) if re.fullmatch(r"[0-9]{1,18}", size) else -1}
            key = f"{name}{size}"
            entry = entries.setdefault(key, _Entry(rows.line_num, key, {**values, "file_attributes": found[0]}, []))
            if found[1]:
                region = {"shape_attributes": found[1], "region_attributes": found[2]}
                entry.regions.append((rows.line_num, region))
    except csv.Error as error:
        raise JsonBroken(rows.line_num, f"is not CSV: {error}") from error
    return iter(entries.values())


def _picture(reading: Reading, file: Path, entry: _Entry) -> None:
    name, said = entry.values["filename"], entry.values.get("file_attributes") or {}
    if not isinstance(name, str) or not isinstance(said, dict):
        raise Bad("filename is no text, or file_attributes no object")
    image = place(reading, file, name, said)
    faces = tuple(_faces(reading, file, entry, image.width, image.height))
    attributes = dict(image.attributes)
    size = entry.values.get("size", -1)
    whole = image.pts_ms is None and image.path.is_file()
    if size != -1 and not (whole and image.path.stat().st_size == size):
        attributes["via:size"] = dump(size)
    if entry.key != f"{name}{size}":
        attributes["via:key"] = entry.key
    unknown = {k: v for k, v in entry.values.items() if k not in _ENTRY_KEYS}
    if unknown:
        attributes["via:entry"] = dump(unknown)
    reading.add(replace(image, faces=faces, attributes=attributes), file, entry.line)


def _faces(reading: Reading, file: Path, entry: _Entry, width: int, height: int) -> Iterator[LabelledFace]:
    """Regions that a former writing of ours marked as parts of one face become one face again."""
    together: dict[str, list[tuple[int, int, Any]]] = {}
    for index, (line, value) in enumerate(entry.regions):
        given = value.get("region_attributes") if isinstance(value, dict) else None
        part = extras_of(given).get("face") if isinstance(given, dict) else None
        key = f"part {part}" if isinstance(part, int | str) else f"alone {index}"
        together.setdefault(key, []).append((index, line, value))
    for parts in together.values():
        index, line, _ = parts[0]
        try:
            face, notes = _face(parts, width, height)
        except Bad as bad:
            reading.problem(file, line, f"{entry.values['filename']}, region {index + 1}: {bad}", face=True)
            continue
        for note in notes:
            reading.problem(file, line, f"{entry.values['filename']}, region {index + 1}: {note}", kept=True)
        yield replace(face, where=f"{file}:{line}")


def _face(parts: list[tuple[int, int, Any]], width: int, height: int) -> tuple[LabelledFace, list[str]]:
    if not all(isinstance(value, dict) for _, _, value in parts):
        raise Bad("it is no object")
    drawn = [shape(value.get("shape_attributes"), width, height) for _, _, value in parts]
    first = parts[0][2]
    given = first.get("region_attributes") or {}
    if not isinstance(given, dict):
        raise Bad("region_attributes is no object")
    character, emotion, attributes, notes = take_words(given)
    polygons = tuple(p for d in drawn for p in d.polygons)
    box = together_box([d.box for d in drawn])
    if len(parts) == 1 and first["shape_attributes"] != plain_shape(polygons, box):
        attributes["via:shape"] = dump(first["shape_attributes"])
    unknown = {k: v for k, v in first.items() if k not in ("shape_attributes", "region_attributes")}
    if unknown:
        attributes["via:region"] = dump(unknown)
    face = LabelledFace(box, character, emotion, polygons, None, attributes)
    face = with_extras(face, extras_of(given), width, height)
    return face, [*notes, *dict.fromkeys(note for d in drawn for note in d.notes)]


def together_box(boxes: list[Box]) -> Box:
    return (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))


def with_extras(face: LabelledFace, extras: dict[str, Any], width: int, height: int) -> LabelledFace:
    """Box and mask that the shape cannot say, where the shape is still the one that they were written for."""
    of = extras.get("of")
    if not isinstance(of, list) or len(of) != 4:
        return face
    if any(abs(number(a) - b) > 1e-6 for a, b in zip(of, face.box, strict=True)):
        return face
    if isinstance(extras.get("box"), list) and len(extras["box"]) == 4:
        x1, y1, x2, y2 = (number(v) for v in extras["box"])
        face = replace(face, box=checked_box((x1, y1, x2, y2), width, height).box)
    if "mask" in extras:
        mask = mask_from(extras["mask"])
        if width and mask.size != (height, width):
            raise Bad(f"the mask is {mask.size[1]} x {mask.size[0]}, the picture {width} x {height}")
        face = replace(face, mask=mask)
    return face


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value
