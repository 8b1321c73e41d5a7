"""One labelled face: as the page sends it, as VIA stores it, and what makes it wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ml.errors import UserError
from ml.types import EMOTIONS, UNCLEAR

EMOTION_NAMES = (*(str(e) for e in EMOTIONS), UNCLEAR)
MOST_REGIONS, MOST_POINTS, MOST_TEXT, MOST_ATTRIBUTES = 500, 2000, 200, 50
LEAST_AREA = 1.0  # square pixels
_OWN = ("character", "emotion")
ELLIPSE_POINTS = 32


class LabelRefused(UserError):
    """A label that was sent cannot be stored; the sentence says which and why."""

    code = "label_refused"


@dataclass(frozen=True, slots=True)
class Region:
    """``polygon``: points in pixels of the picture. ``character``, ``emotion``: None where not said (yet)."""

    polygon: tuple[tuple[float, float], ...]
    character: str | None = None
    emotion: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def to_api(self) -> dict[str, Any]:
        return {
            "polygon": [list(p) for p in self.polygon],
            "character": self.character,
            "emotion": self.emotion,
            "attributes": dict(self.attributes),
        }

    def to_via(self) -> dict[str, Any]:
        return {
            "shape_attributes": {
                "name": "polygon",
                "all_points_x": [_short(x) for x, _ in self.polygon],
                "all_points_y": [_short(y) for _, y in self.polygon],
            },
            "region_attributes": {
                "Character": self.character or "",
                "Emotion": self.emotion or "",
                **self.attributes,
            },
        }


def _short(value: float) -> float | int:
    return int(value) if value == int(value) else value


def read_sent(sent: Any, width: int, height: int) -> tuple[list[Region], bool]:
    """What a PUT holds: regions and whether the frame is done. Raises LabelRefused, which names the fault."""
    if not isinstance(sent, dict):
        raise LabelRefused("The labels of a frame are an object with “regions” and “done”.")
    unknown = sorted(set(sent) - {"regions", "done"})
    if unknown:
        raise LabelRefused(f"The labels of a frame have no “{_cut(unknown[0])}”; they have “regions” and “done”.")
    raw, done = sent.get("regions"), sent.get("done", False)
    if not isinstance(raw, list):
        raise LabelRefused("“regions” is missing or no list; an empty list means that no face is to be seen.")
    if not isinstance(done, bool):
        raise LabelRefused("“done” is true or false.")
    if len(raw) > MOST_REGIONS:
        raise LabelRefused(f"There are {len(raw)} regions; {MOST_REGIONS} are the most.")
    regions = [_region(r, f"Region {i}", width, height) for i, r in enumerate(raw)]
    if done:
        for i, region in enumerate(regions):
            if region.emotion is None:
                raise LabelRefused(f"Region {i} has no emotion, so the frame is not done; “{UNCLEAR}” is one, too.")
    return regions, done


def _region(raw: Any, where: str, width: int, height: int) -> Region:
    if not isinstance(raw, dict):
        raise LabelRefused(f"{where} is no object with “polygon”, “character” and “emotion”.")
    unknown = sorted(set(raw) - {"polygon", "character", "emotion", "attributes"})
    if unknown:
        raise LabelRefused(f"{where} has “{_cut(unknown[0])}”, which is not known; put it into “attributes”.")
    emotion = _text(raw.get("emotion"), f"{where}: the emotion")
    if emotion is not None and emotion not in EMOTION_NAMES:
        raise LabelRefused(f"{where}: “{_cut(emotion)}” is no emotion known here; {', '.join(EMOTION_NAMES)} are.")
    character = _text(raw.get("character"), f"{where}: the character")
    return Region(_polygon(raw.get("polygon"), where, width, height), character, emotion, _attributes(raw, where))


def _polygon(raw: Any, where: str, width: int, height: int) -> tuple[tuple[float, float], ...]:
    if not isinstance(raw, list) or len(raw) < 3:
        raise LabelRefused(f"{where}: a polygon needs at least 3 points [x, y].")
    if len(raw) > MOST_POINTS:
        raise LabelRefused(f"{where}: the polygon has {len(raw)} points; {MOST_POINTS} are the most.")
    points = []
    for i, point in enumerate(raw):
        if not (isinstance(point, list) and len(point) == 2 and all(_is_number(v) for v in point)):
            raise LabelRefused(f"{where}: point {i} is not two numbers [x, y].")
        x, y = (round(float(v), 1) for v in point)
        if not (0 <= x <= width and 0 <= y <= height):
            raise LabelRefused(f"{where}: point {i}, ({x:g}, {y:g}), lies outside the picture of {width} x {height}.")
        points.append((x, y))
    if area(points) < LEAST_AREA:
        raise LabelRefused(f"{where}: the polygon has no area.")
    return tuple(points)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _text(raw: Any, what: str) -> str | None:
    """None for null and for nothing but spaces."""
    if raw is None:
        return None
    if not isinstance(raw, str):
        raise LabelRefused(f"{what} is no text.")
    text = " ".join(raw.split())
    if len(text) > MOST_TEXT or not text.isprintable():
        raise LabelRefused(f"{what} is longer than {MOST_TEXT} characters or cannot be printed.")
    return text or None


def _attributes(raw: dict[str, Any], where: str) -> dict[str, str]:
    given = raw.get("attributes", {})
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise LabelRefused(f"{where}: “attributes” is no object of texts.")
    if len(given) > MOST_ATTRIBUTES or any(len(k) > MOST_TEXT or len(v) > MOST_TEXT for k, v in given.items()):
        raise LabelRefused(
            f"{where}: more than {MOST_ATTRIBUTES} attributes, or one longer than {MOST_TEXT} characters."
        )
    own = [k for k in given if k.lower() in _OWN]
    if own:
        raise LabelRefused(f"{where}: “{own[0]}” stands beside the polygon, not in “attributes”.")
    return dict(given)


def _cut(text: Any) -> str:
    shown = str(text)
    return shown if len(shown) <= 40 else shown[:39] + "…"


def area(points: list[tuple[float, float]]) -> float:
    """Of a polygon, without sign."""
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1], strict=True))) / 2


def from_via(raw: Any) -> Region | None:
    """A region of a VIA file as a polygon; None where its shape has no inside (a point, a line) or cannot be read."""
    try:
        polygon = _outline(raw["shape_attributes"])
        words = {str(k): str(v) for k, v in dict(raw.get("region_attributes") or {}).items()}
    except (KeyError, TypeError, ValueError):
        return None
    if len(polygon) < 3:
        return None
    own = {k.lower(): v for k, v in words.items() if k.lower() in _OWN}
    rest = {k: v for k, v in words.items() if k.lower() not in _OWN}
    return Region(tuple(polygon), own.get("character") or None, own.get("emotion") or None, rest)


def _outline(shape: Mapping[str, Any]) -> list[tuple[float, float]]:
    kind = shape["name"]
    if kind == "polygon":
        return [(float(x), float(y)) for x, y in zip(shape["all_points_x"], shape["all_points_y"], strict=True)]
    if kind == "rect":
        x, y, w, h = (float(shape[k]) for k in ("x", "y", "width", "height"))
        return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    if kind in ("circle", "ellipse"):
        rx = float(shape["r"] if kind == "circle" else shape["rx"])
        ry = float(shape["r"] if kind == "circle" else shape["ry"])
        turn = float(shape.get("theta", 0.0))
        steps = [2 * math.pi * i / ELLIPSE_POINTS for i in range(ELLIPSE_POINTS)]
        around = [(rx * math.cos(a), ry * math.sin(a)) for a in steps]
        cx, cy = float(shape["cx"]), float(shape["cy"])
        return [
            (
                round(cx + u * math.cos(turn) - v * math.sin(turn), 1),
                round(cy + u * math.sin(turn) + v * math.cos(turn), 1),
            )
            for u, v in around
        ]
    return []
