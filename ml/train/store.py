"""Rendered pictures kept on disk in shards, so that drawing and training run side by side.

A shard is one ``.npz`` without pickles: JPEG bytes end to end, masks as COCO run lengths, an index as JSON. It appears
under its name only when it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.detect.base import Frame
from ml.masks import decode_mask, encode_mask
from ml.types import Box, Mask

JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True)
class Labelled:
    """A face with its truth. ``character``: a known one's slug, else None. ``emotion`` empty: not readable.

    ``mask``: bool, the whole picture.
    """

    box: Box
    mask: NDArray[np.bool_]
    character: str | None
    emotion: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    frame: Frame
    faces: tuple[Labelled, ...]


def write_shard(path: Path, pictures: Iterable[Picture]) -> int:
    """Writes ``path`` (``.npz``); gives the number of pictures."""
    blobs: list[NDArray[np.uint8]] = []
    index: list[dict[str, Any]] = []
    for picture in pictures:
        done, blob = cv2.imencode(
            ".jpg", cv2.cvtColor(picture.frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        )
        if not done:
            raise ValueError("a picture cannot be encoded")
        blobs.append(np.asarray(blob, np.uint8).reshape(-1))
        index.append({"bytes": len(blobs[-1]), "faces": [_face_json(face) for face in picture.faces]})
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as stream:
        np.savez(stream, pictures=np.concatenate(blobs), index=np.frombuffer(json.dumps(index).encode(), np.uint8))
    temporary.replace(path)
    return len(index)


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard in memory, its pictures still compressed."""

    path: Path
    data: NDArray[np.uint8]
    index: tuple[Mapping[str, Any], ...]
    starts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.index)

    def picture(self, number: int) -> Picture:
        start, entry = self.starts[number], self.index[number]
        decoded = cv2.imdecode(self.data[start : start + entry["bytes"]], cv2.IMREAD_COLOR)
        if decoded is None:
            raise ValueError(f"{self.path} holds a picture that cannot be decoded")
        frame = np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
        return Picture(frame, tuple(_face(face, *frame.shape[:2]) for face in entry["faces"]))


def open_shard(path: Path) -> Shard:
    with np.load(path, allow_pickle=False) as archive:
        data, index = archive["pictures"], json.loads(archive["index"].tobytes())
    starts = accumulate((entry["bytes"] for entry in index[:-1]), initial=0)
    return Shard(path, data, tuple(index), tuple(starts))


def read_shard(path: Path) -> Iterator[Picture]:
    shard = open_shard(path)
    return (shard.picture(number) for number in range(len(shard)))


def shards(folders: Sequence[Path]) -> list[Path]:
    return sorted(path for folder in folders for path in folder.glob("*.npz"))


def _face_json(face: Labelled) -> dict[str, Any]:
    return {
        "box": [round(float(v), 2) for v in face.box],
        "mask": encode_mask(face.mask).counts,
        "character": face.character,
        "emotion": face.emotion,
    }


def _face(entry: dict[str, Any], height: int, width: int) -> Labelled:
    x1, y1, x2, y2 = entry["box"]
    mask = decode_mask(Mask((height, width), entry["mask"]))
    return Labelled((x1, y1, x2, y2), mask, entry["character"], entry["emotion"])


@dataclass(frozen=True, slots=True)
class LabelledCrop:
    """One face, cut. ``emotion`` empty: unknown. ``identity``: equal for one design within a shard, -1: not known.

    ``parts``: as ml.render.parts gives them, NaN where the design cannot show one; empty: not known.
    """

    picture: NDArray[np.uint8]
    character: str
    emotion: str
    identity: int = -1
    parts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Crops:
    """``pictures``: (N, size, size, 3) RGB; one entry each in the others. ``parts``: (N, P), NaN: not known."""

    pictures: NDArray[np.uint8]
    characters: tuple[str, ...]
    emotions: tuple[str, ...]
    identities: NDArray[np.int64]
    parts: NDArray[np.float32]


def write_crops(path: Path, crops: Iterable[LabelledCrop]) -> int:
    items = list(crops)
    if not items:
        return 0
    width = max(len(c.parts) for c in items)
    parts = np.full((len(items), width), np.nan, np.float32)
    for row, crop in zip(parts, items, strict=True):
        row[: len(crop.parts)] = crop.parts
    index = [[c.character, c.emotion, c.identity] for c in items]
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as stream:
        np.savez(
            stream,
            crops=np.stack([c.picture for c in items]),
            parts=parts,
            index=np.frombuffer(json.dumps(index).encode(), np.uint8),
        )
    temporary.replace(path)
    return len(items)


def read_crops(path: Path) -> Crops:
    with np.load(path, allow_pickle=False) as archive:
        pictures, parts, index = archive["crops"], archive["parts"], json.loads(archive["index"].tobytes())
    return Crops(
        np.asarray(pictures, np.uint8),
        tuple(c for c, _, _ in index),
        tuple(e for _, e, _ in index),
        np.array([i for _, _, i in index], np.int64),
        np.asarray(parts, np.float32),
    )
