"""Cascade files of OpenCV (``opencv_traincascade``), read as what they are: files from strangers.

OpenCV follows the numbers of a cascade without looking: a feature that does not exist, a rectangle outside the window
or a tree that leads back to itself make it read foreign memory or never end. So every number is checked here first,
and OpenCV is given the very text that was checked. The meaning of the fields: OpenCV's ``cascadedetect.cpp`` (reading)
and ``apps/traincascade`` (writing), both 4.x.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

import cv2
import numpy as np

from ml.errors import UserError

MAX_BYTES = 8_000_000  # OpenCV's own largest, an upper body, has under a megabyte
MAX_DEPTH = 12
WINDOW = (4, 512)  # pixels
RECTANGLES = (2, 3)  # of one Haar feature
_TYPES = ("opencv-cascade-classifier",)


class CascadeInvalid(UserError):
    """A file that is no cascade, or one that cannot be trusted."""

    code: ClassVar[str] = "cascade_invalid"


@dataclass(frozen=True, slots=True)
class Cascade:
    """``window``: (width, height) in pixels of the smallest face. ``last_threshold``: of the last stage: a window is
    a face where the sum of that stage reaches it (and all stages before let it pass).
    """

    text: str
    kind: str  # HAAR or LBP
    window: tuple[int, int]
    stages: int
    last_threshold: float

    def classifier(self) -> cv2.CascadeClassifier:
        """A new one: OpenCV's keeps the picture it works on, so one serves one thread."""
        made = cv2.CascadeClassifier()
        storage = cv2.FileStorage(self.text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        if not made.read(storage.getFirstTopLevelNode()) or made.empty():
            raise CascadeInvalid("OpenCV does not take the cascade.")
        return made


def read_cascade(path: Path) -> Cascade:
    """Raises CascadeInvalid, naming the file and the reason."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CascadeInvalid(f"The cascade {path} cannot be read: {error.strerror}.") from error
    try:
        cascade = parse_cascade(raw)
        cascade.classifier()
    except CascadeInvalid as error:
        raise CascadeInvalid(f"{path} is no cascade that can be used: {error}") from error
    except (cv2.error, SystemError) as error:
        raise CascadeInvalid(f"{path} is no cascade that can be used: OpenCV does not take it.") from error
    return cascade


def parse_cascade(raw: bytes) -> Cascade:
    """Raises CascadeInvalid with the reason as a sentence."""
    text = _text(raw)
    root = _tree(text)
    if root.tag == "opencv_storage" and len(root) == 1:
        root = root[0]
    else:
        raise CascadeInvalid("it is not the one element of an opencv_storage.")
    if root.get("type_id") == "opencv-haar-classifier":
        raise CascadeInvalid("it has the old form of opencv_haartraining; it must be trained with opencv_traincascade.")
    for element in root.iter():
        allowed = {"type_id": _TYPES} if element is root else {}
        for name, value in element.attrib.items():
            _need(value in allowed.get(name, ()), f"{element.tag} has the attribute {name}, which no cascade needs.")
    kind = _word(root, "featureType")
    _need(_word(root, "stageType") == "BOOST", "its stageType is not BOOST.")
    _need(kind in ("HAAR", "LBP"), f"its featureType is {kind[:20]!r}; HAAR and LBP are read.")
    window = (_integer(root, "width", *WINDOW), _integer(root, "height", *WINDOW))
    categories = _integer(root, "featureParams/maxCatCount", 0, 256)
    _need(categories == (256 if kind == "LBP" else 0), "its maxCatCount does not fit its features.")
    features = _features(root, kind, window)
    stages = _children(root, "stages")
    _need(len(stages) > 1, "it has one stage, and OpenCV then takes every flat place for a face.")
    for stage in stages:
        _check_stage(stage, features, 3 + ((categories + 31) // 32 or 1))
    return Cascade(text, kind, window, len(stages), _numbers(stages[-1], "stageThreshold")[0])


def _text(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise CascadeInvalid(f"it is larger than {MAX_BYTES} bytes.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CascadeInvalid("it is no text.") from error
    _need(text.lstrip().startswith("<"), "it is no XML.")
    if "\0" in text or "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise CascadeInvalid("it declares a document type or entities, which no cascade needs.")
    return text


def _tree(text: str) -> ET.Element:
    parser: Any = ET.XMLPullParser(("start", "end"))
    depth = 0
    root: ET.Element | None = None
    try:
        for start in range(0, len(text), 1 << 16):
            parser.feed(text[start : start + (1 << 16)])
            for event, element in parser.read_events():
                root = element if root is None else root
                depth += 1 if event == "start" else -1
                _need(depth <= MAX_DEPTH, "its elements are nested too deeply.")
        parser.close()
    except ET.ParseError as error:
        raise CascadeInvalid(f"it is cut off or damaged: {error}.") from error
    if root is None:
        raise CascadeInvalid("it holds no element.")
    return root


def _features(root: ET.Element, kind: str, window: tuple[int, int]) -> int:
    """How many there are; each lies inside the window."""
    width, height = window
    features = _children(root, "features")
    for n, feature in enumerate(features):
        if kind == "LBP":
            x, y, w, h = _whole(_numbers(feature, "rect", 4), n)
            inside = min(x, y) >= 0 and min(w, h) > 0 and x + 3 * w <= width and y + 3 * h <= height
            _need(inside, f"its feature {n} leaves the window.")
            continue
        tilted = _integer(feature, "tilted", 0, 1, 0)
        rectangles = _children(feature, "rects")
        _need(len(rectangles) in RECTANGLES, f"its feature {n} has {len(rectangles)} rectangles.")
        for rectangle in rectangles:
            values = _numbers(rectangle, ".", 5)
            x, y, w, h = _whole(values[:4], n)
            if tilted:
                inside = x - h >= 0 and y >= 0 and x + w <= width and y + w + h <= height
            else:
                inside = min(x, y) >= 0 and x + w <= width and y + h <= height
            _need(inside and min(w, h) > 0, f"its feature {n} leaves the window.")
    return len(features)


def _check_stage(stage: ET.Element, features: int, step: int) -> None:
    """Every tree: ``step`` numbers per node (left, right, feature, then a threshold or 256 bits), one leaf more."""
    _numbers(stage, "stageThreshold", 1)
    for tree in _children(stage, "weakClassifiers"):
        nodes, leaves = _numbers(tree, "internalNodes"), _numbers(tree, "leafValues")
        count = len(nodes) // step
        _need(count > 0 and len(nodes) == count * step, "one of its trees is incomplete.")
        _need(len(leaves) == count + 1, "one of its trees has not one leaf more than it has nodes.")
        for n in range(count):
            left, right, feature = _whole(nodes[n * step : n * step + 3], n)
            _need(0 <= feature < features, f"it uses the feature {feature} of {features}.")
            for child in (left, right):
                _need(n < child < count or -count <= child <= 0, "one of its trees leads nowhere, or back.")


def _need(true: bool, otherwise: str) -> None:
    if not true:
        raise CascadeInvalid(otherwise)


def _children(parent: ET.Element, path: str) -> list[ET.Element]:
    found = parent.find(path)
    _need(found is not None and len(found) > 0, f"{path} is missing or empty.")
    children = list(found if found is not None else ())
    _need(all(child.tag == "_" for child in children), f"{path} is no list.")
    return children


def _word(parent: ET.Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()


def _integer(parent: ET.Element, path: str, low: int, high: int, default: int | None = None) -> int:
    word = _word(parent, path)
    if not word and default is not None:
        return default
    good = word.isdecimal() and word.isascii() and len(word) <= 6 and low <= int(word) <= high
    _need(good, f"{path} is {word[:20]!r}, not a whole number from {low} to {high}.")
    return int(word)


def _numbers(parent: ET.Element, path: str, count: int = 0) -> list[float]:
    """Finite ones, ``count`` of them where it is given, else at least one."""
    word = (parent.text or "") if path == "." else _word(parent, path)
    try:
        values = [float(part) for part in word.split()]
    except ValueError as error:
        raise CascadeInvalid(f"{parent.tag}/{path} holds {word[:20]!r}, which are no numbers.") from error
    good = len(values) == count if count else bool(values)
    _need(good and all(math.isfinite(v) and abs(v) < 1e30 for v in values), f"{path} holds a wrong number.")
    return values


def _whole(values: Iterable[float], n: int) -> list[int]:
    as_floats = np.array(list(values))
    _need(bool((np.abs(as_floats) < 2**31).all() and (as_floats % 1 == 0).all()), f"number {n} of a list is not whole.")
    return [int(v) for v in as_floats]
