"""What a rendered episode holds, exactly: the truth file beside each video (format 1, docs/formats.md)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from ml.types import EMOTIONS, Emotion, Mask, Shot, VideoInfo

TRUTH_FORMAT = 1
UNKNOWN = "unknown"  # in truth files: a face of nobody of the sample cast

_LISTED = 0.25  # share of a face that must be visible for it to be listed
_READABLE = 0.45
_SMALLEST = 0.09  # of the picture's height


@dataclass(frozen=True, slots=True)
class TruthFace:
    """``readable`` False: too small, mostly hidden, or turned so far that no eye shows."""

    character: str
    box: tuple[int, int, int, int]
    mask: Mask
    emotion: Emotion
    intensity: float
    readable: bool


@dataclass(frozen=True, slots=True)
class TruthDrawing:
    pts_ms: int
    shown_ms: int
    faces: tuple[TruthFace, ...]


@dataclass(frozen=True, slots=True)
class TruthProfile:
    """Over readable faces: time visible, and the share of it that each emotion takes."""

    visible_ms: int
    shares: dict[Emotion, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Truth:
    video: VideoInfo
    seed: int
    style: str
    title: str
    shots: tuple[Shot, ...]
    drawings: tuple[TruthDrawing, ...]
    profiles: dict[str, TruthProfile]

    def to_json(self) -> dict[str, Any]:
        return {
            "format": TRUTH_FORMAT,
            "video": asdict(self.video),
            "seed": self.seed,
            "style": self.style,
            "title": self.title,
            "shots": [{"start_ms": s.start_ms, "end_ms": s.end_ms, "kind": str(s.kind)} for s in self.shots],
            "drawings": [
                {"pts_ms": d.pts_ms, "shown_ms": d.shown_ms, "faces": [_face_json(f) for f in d.faces]}
                for d in self.drawings
            ],
            "profiles": {
                name: {"visible_ms": p.visible_ms, "shares": {str(e): round(x, 6) for e, x in p.shares.items()}}
                for name, p in self.profiles.items()
            },
        }


def _face_json(f: TruthFace) -> dict[str, Any]:
    return {
        "character": f.character,
        "box": list(f.box),
        "mask": {"size": list(f.mask.size), "counts": f.mask.counts},
        "emotion": str(f.emotion),
        "intensity": f.intensity,
        "readable": f.readable,
    }


def truth_face(
    visible: NDArray[np.bool_], whole_area: int, eyes: int, character: str | None, emotion: Emotion, intensity: float
) -> TruthFace | None:
    """One face from the pixels in which it is seen; None where less than a quarter of it is."""
    seen = int(np.count_nonzero(visible))
    if seen == 0 or whole_area <= 0 or seen < _LISTED * whole_area:
        return None
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    tall = (box[3] - box[1]) / visible.shape[0]
    encoded = coco.encode(np.asfortranarray(visible.astype(np.uint8)))
    mask = Mask((visible.shape[0], visible.shape[1]), encoded["counts"].decode("ascii"))
    readable = eyes > 0 and tall >= _SMALLEST and seen >= _READABLE * whole_area
    return TruthFace(character or UNKNOWN, box, mask, emotion, intensity, readable)


def profiles_of(drawings: Sequence[TruthDrawing]) -> dict[str, TruthProfile]:
    """Per character, over its readable faces; a character drawn twice in one drawing counts once, by its first face."""
    times: dict[str, dict[Emotion, int]] = defaultdict(lambda: dict.fromkeys(EMOTIONS, 0))
    for drawing in drawings:
        met: set[str] = set()
        for face in drawing.faces:
            if face.readable and face.character not in met:
                met.add(face.character)
                times[face.character][face.emotion] += drawing.shown_ms
    profiles = {}
    for name in sorted(times):
        total = sum(times[name].values())
        profiles[name] = TruthProfile(total, {e: ms / total for e, ms in times[name].items()})
    return profiles


def write_truth(path: Path, truth: Truth) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(truth.to_json(), separators=(",", ":")) + "\n", encoding="utf-8")
    part.replace(path)
