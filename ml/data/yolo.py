"""Reads YOLO's text labels, boxes or outlines, with a data.yaml (docs.ultralytics.com/datasets) or a classes.txt.

A line is ``class cx cy w h`` or ``class x1 y1 x2 y2 x3 y3 ...``, all in parts of the picture. The label of
``.../images/a.jpg`` is ``.../labels/a.txt``; a picture without one shows no face.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from ml.data.images import place
from ml.data.reading import PICTURES, SPLITS, Bad, Reading, walk
from ml.data.records import Dataset, LabelledFace
from ml.data.shapes import checked_box, checked_polygons, number, polygon
from ml.data.vocabulary import character_and_emotion

_CLASS_FILES = ("classes.txt", "obj.names", "labels.txt", "predefined_classes.txt")
MAX_YAML_BYTES = 1 << 20
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
_SLACK = 0.002  # of the picture: what rounding to a few digits may reach over the edge


class _AsWritten(yaml.SafeLoader):
    """Every word is text, so that the classes ``no`` and ``007`` keep their names; a key twice is an error."""

    yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in forms if tag.endswith((":null", ":merge"))]
        for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for index, (key, _) in enumerate(node.value):
            if isinstance(key, yaml.ScalarNode) and key.value != "<<" and key.value in keys[:index]:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} is given twice", key.start_mark)
        return super().construct_mapping(node, deep)


@dataclass(frozen=True, slots=True)
class _Set:
    names: dict[int, str]
    parts: list[tuple[str, Path]]  # split, folder or list of pictures


def begins_as_yolo(text: str) -> bool:
    """Whether the first line is one of YOLO's; it may be cut off after four coordinates."""
    words = text.strip().partition("\n")[0].split()
    return len(words) >= 5 and all(_NUMBER.fullmatch(w) for w in words[:5]) and float(words[0]).is_integer()


def read_yolo(reading: Reading, file: Path | None) -> Dataset:
    """``file``: the YAML file, or None for folders of pictures and labels with at most a list of classes."""
    described = _described(reading, file) if file is not None else _bare(reading)
    seen: set[Path] = set()
    if described is not None:
        for split, place_ in described.parts:
            for picture in _pictures(reading, place_):
                _picture(reading, picture, split, described.names, seen)
        _without_picture(reading, described, seen)
    return reading.done("yolo")


def _described(reading: Reading, file: Path) -> _Set | None:
    text = reading.text(file, MAX_YAML_BYTES)
    if text is None:
        return None
    try:
        values = yaml.load(text, _AsWritten)  # noqa: S506 - a safe loader that knows fewer types
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        reading.problem(file, mark.line + 1 if mark else 0, f"is not YAML: {getattr(error, 'problem', None) or error}")
        return None
    if not isinstance(values, dict) or not isinstance(values.get("names"), list | dict):
        reading.problem(file, 0, "names no classes (names)")
        return None
    names = values["names"] if isinstance(values["names"], dict) else dict(enumerate(values["names"]))
    found: dict[int, str] = {}
    for key, name in names.items():
        if (type(key) is int or (isinstance(key, str) and re.fullmatch("[0-9]{1,9}", key))) and isinstance(name, str):
            found[int(key)] = name
        else:
            reading.problem(file, 0, "names gives a class no number or no word")
    if not found:
        return None
    reading.files_read += 1
    for name, times in Counter(found.values()).items():
        if times > 1:
            reading.problem(file, 0, f"names the class {name!r} {times} times; they count as one", kept=True)
    if str(values.get("nc", len(found))) != str(len(found)):
        reading.problem(file, 0, f"nc is not {len(found)}, the number of names", kept=True)
    if not values.keys() & SPLITS.keys():  # whoever wrote it left the pictures beside it
        return _Set(found, [("", reading.base or reading.root)])
    return _Set(found, list(_parts(reading, file, values)))


def _parts(reading: Reading, file: Path, values: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    for key, split in SPLITS.items():
        given = values.get(key)
        for name in given if isinstance(given, list) else [given]:
            if name is None or name == "":
                continue
            try:
                if not isinstance(name, str) or not isinstance(values.get("path", ""), str):
                    raise Bad("is no path")
                yield split, _folder(reading, file, name, values.get("path", ""))
            except Bad as bad:
                reading.problem(file, 0, f"{key}: {bad}")


def _folder(reading: Reading, file: Path, name: str, path: str) -> Path:
    """Roboflow writes ``../train/images`` for what lies beside the file; leading ``..`` are dropped where need be."""
    top = reading.base or reading.root
    relative = PurePosixPath(name.replace("\\", "/"))
    short = PurePosixPath(*[p for p in relative.parts if p not in ("..", "/")])
    for base in (file.parent / path, file.parent, top):
        for way in (relative, short):
            folder = Path(_normal(base / way))
            if folder.is_relative_to(_normal(top)) and folder.exists():
                return folder
    raise Bad(f"{name!r} is neither a folder nor a list inside the data set")


def _bare(reading: Reading) -> _Set:
    names: dict[int, str] = {}
    for name in _CLASS_FILES:
        file = next(iter(sorted(reading.root.rglob(name))), None)
        if file is not None and (text := reading.text(file)) is not None:
            names = {k: v.strip() for k, v in enumerate(text.splitlines()) if v.strip()}
            break
    return _Set(names, [("", reading.base or reading.root)])


def _pictures(reading: Reading, source: Path) -> Iterator[Path]:
    if source.is_dir():
        yield from walk(source, PICTURES)
        return
    for number_, line in enumerate((reading.text(source) or "").splitlines(), 1):
        if line.strip():
            try:
                yield reading.find(line.strip().removeprefix("./"), source.parent)
            except Bad as bad:
                reading.problem(source, number_, str(bad))


def _label(picture: Path) -> Path:
    parts = list(picture.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            parts[index] = "labels"
            beside = Path(*parts).with_suffix(".txt")
            return (
                beside if beside.is_file() or not picture.with_suffix(".txt").is_file() else picture.with_suffix(".txt")
            )
    return picture.with_suffix(".txt")


def _picture(reading: Reading, picture: Path, split: str, names: dict[int, str], seen: set[Path]) -> None:
    label = _label(picture)
    seen.add(label)
    try:
        image = place(reading, label, picture.name, {"split": split} if split else {}, picture.parent)
    except Bad as bad:
        reading.problem(picture, 0, str(bad))
        return
    faces: list[LabelledFace] = []
    text = reading.text(label) if label.is_file() else ""
    reading.files_read += label.is_file() and text is not None
    for line, row in enumerate((text or "").splitlines(), 1):
        if not row.strip():
            continue
        try:
            face, notes = _face(reading, row.split(), names, image.width, image.height)
        except Bad as bad:
            reading.problem(label, line, str(bad), face=True)
            continue
        for note in notes:
            reading.problem(label, line, note, kept=True)
        faces.append(replace(face, where=f"{label}:{line}"))
    reading.add(replace(image, faces=tuple(faces)), label, 0)


def _face(
    reading: Reading, words: list[str], names: dict[int, str], width: int, height: int
) -> tuple[LabelledFace, tuple[str, ...]]:
    kind = _class(words[0])
    if names and kind not in names:
        raise Bad(f"the class {kind} has no name; there are {len(names)}")
    character, emotion = character_and_emotion(names.get(kind, ""), reading.classes)
    values = [_part(word) for word in words[1:]]
    if len(values) == 4 or len(values) == 5:  # the fifth: how sure a network was
        cx, cy, w, h = values[:4]
        if w <= 0 or h <= 0:
            raise Bad("the box has no area")
        box = ((cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height)
        checked = checked_box(box, width, height)
        sure = {"confidence": words[5]} if len(values) == 5 else {}
        return LabelledFace(checked.box, character, emotion, (), None, sure), checked.notes
    if len(values) < 6 or len(values) % 2:
        raise Bad(f"the line has {len(values)} numbers; a box has 4, an outline an even number from 6 on")
    points = polygon([x * width for x in values[0::2]], [y * height for y in values[1::2]])
    drawn = checked_polygons((points,), width, height)
    return LabelledFace(drawn.box, character, emotion, (points,)), drawn.notes


def _class(word: str) -> int:
    """Some programs write the number of a class as they write coordinates: ``1.0``."""
    if not _NUMBER.fullmatch(word) or not float(word).is_integer() or not 0 <= float(word) < 1e9:
        raise Bad(f"the class is {word[:40]!r}, not a whole number from 0 on")
    return int(float(word))


def _part(word: str) -> float:
    if not _NUMBER.fullmatch(word):
        raise Bad(f"{word[:40]!r} is not a number")
    value = number(float(word))
    if not -_SLACK <= value <= 1 + _SLACK:
        raise Bad(f"{word[:40]} is no part of the picture, from 0 to 1")
    return min(max(value, 0.0), 1.0)


def _without_picture(reading: Reading, described: _Set, seen: set[Path]) -> None:
    for _, source in described.parts:
        folder = Path(*["labels" if p == "images" else p for p in source.parts])
        if not folder.is_dir():
            continue
        for label in walk(folder, {".txt"}):
            if label not in seen and label.name not in _CLASS_FILES and "labels" in label.parts:
                reading.problem(label, 0, "the picture of this label is missing", face=True)
                seen.add(label)


def _normal(path: Path) -> str:
    return os.path.normpath(path)
