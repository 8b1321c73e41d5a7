"""Reads Pascal VOC: one XML file per picture (host.robots.ox.ac.uk/pascal/VOC). Corners are taken as they are written.

``object/name`` is a character, an emotion or both; ``object/attributes/attribute`` (CVAT writes them), ``pose`` and the
like become attributes. Splits come from ``ImageSets/Main/train.txt`` and so on, or from folders.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ml.data.attributes import take_words
from ml.data.images import place
from ml.data.reading import SPLITS, Bad, Reading
from ml.data.records import Dataset, LabelledFace, Polygon
from ml.data.shapes import checked_box, checked_polygons, number, polygon
from ml.data.vocabulary import character_and_emotion
from ml.data.xmltree import Node, XmlBroken, parse_xml


def read_voc(reading: Reading, files: Iterable[Path]) -> Dataset:
    splits: dict[Path, dict[str, str]] = {}
    for file in files:
        text = reading.text(file)
        if text is None:
            continue
        try:
            top = parse_xml(text)
        except XmlBroken as broken:
            reading.problem(file, broken.line, str(broken))
            continue
        if top.tag != "annotation":
            reading.problem(file, top.line, f"begins with <{top.tag[:40]}>, not with <annotation>")
            continue
        reading.files_read += 1
        sets = file.parent.parent / "ImageSets" / "Main"
        if sets not in splits:
            splits[sets] = _splits(reading, sets)
        try:
            _picture(reading, file, top, splits[sets].get(file.stem, ""))
        except Bad as bad:
            reading.problem(file, top.line, str(bad))
    return reading.done("voc")


def _picture(reading: Reading, file: Path, top: Node, split: str) -> None:
    size = top.first("size") or Node("size", top.line)
    said = {k: size.word(k) for k in ("width", "height") if size.word(k)} | ({"split": split} if split else {})
    name = top.word("filename")
    image = place(reading, file, name, said)
    faces = []
    for node in top.all("object"):
        try:
            face, notes = _face(reading, node, image.width, image.height)
        except Bad as bad:
            reading.problem(file, node.line, str(bad), face=True)
            continue
        for note in notes:
            reading.problem(file, node.line, note, kept=True)
        faces.append(replace(face, where=f"{file}:{node.line}"))
    more = {k: top.word(k) for k in ("folder", "segmented") if top.word(k)}
    reading.add(replace(image, faces=tuple(faces), attributes={**image.attributes, **more}), file, top.line)


def _face(reading: Reading, node: Node, width: int, height: int) -> tuple[LabelledFace, list[str]]:
    character, emotion = character_and_emotion(node.word("name"), reading.classes)
    given = {c.tag: c.text.strip() for c in node.children if not c.children and c.tag != "name" and c.text.strip()}
    for attribute in (a for group in node.all("attributes") for a in group.all("attribute")):
        given[attribute.word("name")] = attribute.word("value")
    said_character, said_emotion, attributes, notes = take_words(given)
    drawn = node.first("polygon")
    polygons: tuple[Polygon, ...] = ()
    if drawn is not None and drawn.children:
        values = {c.tag: _number(c.text, c.tag) for c in drawn.children}
        count = len(values) // 2
        try:
            xs, ys = ([values[f"{axis}{k}"] for k in range(1, count + 1)] for axis in "xy")
        except KeyError as error:
            raise Bad(f"the outline has no {error.args[0]}") from error
        polygons = (polygon(xs, ys),)
        notes += checked_polygons(polygons, width, height).notes
    box = node.first("bndbox")
    if box is None:
        if not polygons:
            raise Bad("the object has no bndbox")
        outline = checked_polygons(polygons, width, height)
    else:
        x1, y1, x2, y2 = (_number(box.word(k), k) for k in ("xmin", "ymin", "xmax", "ymax"))
        outline = checked_box((x1, y1, x2, y2), width, height)
        notes += [n for n in outline.notes if n not in notes]
    return LabelledFace(
        outline.box, said_character or character, said_emotion or emotion, polygons, None, attributes
    ), notes


def _splits(reading: Reading, folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, split in SPLITS.items():
        file = folder / f"{name}.txt"
        text = reading.text(file) if file.is_file() else None
        for line in (text or "").splitlines():
            if line.strip():
                found[line.split()[0]] = split
    return found


def _number(text: str, what: str) -> float:
    try:
        return number(float(text), what)
    except ValueError as error:
        raise Bad(f"{what} is {text.strip()[:40]!r}, not a number") from error
