"""Pictures that strangers send, decoded in the limited process of ml/video.py; and the face in one of them.

``ml.data.frames.read_image`` reads the pictures of people who train; this reads those that come over the network.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.classify.base import FaceReading
from ml.detect.base import Face
from ml.errors import PictureUnreadable
from ml.runtime import Models
from ml.types import Box
from ml.video import Decoder, Limits, VideoFile, opened

Picture = NDArray[np.uint8]

MAX_BYTES = 8 << 20
PICTURE_LIMITS = Limits(max_pixels=4096 * 4096, min_side=16, memory_mb=2048, cpu_s=20, silence_s=60.0, wall_s=120.0)
MOST_FACES = 8
BLANK_STEP = 24  # a pixel that differs by less from the paper is paper


def decode_picture(path: str | os.PathLike[str] | VideoFile, limits: Limits = PICTURE_LIMITS) -> Picture:
    """RGB, upright, on white where it is transparent. Raises PictureUnreadable, DecodeLimit or what VideoFile does."""
    with opened(path) as file, Decoder(file, "picture", {"max_bytes": MAX_BYTES}, limits, None) as decoder:
        for kind, head, payload in decoder.messages():
            if kind == "D":
                return np.frombuffer(payload, np.uint8).reshape(head["height"], head["width"], 3)
        raise decoder.lost()


@dataclass(frozen=True, slots=True)
class ReadFace:
    """``how``: ``found`` by the detector, ``given`` by the person, or ``whole``: the drawing as it is."""

    face: Face
    how: str
    reading: FaceReading


def read_drawing(models: Models, picture: Picture, box: Box | None = None) -> list[ReadFace]:
    """What a picture shows, the surest face first: in ``box``, or what is found, or else the whole drawing.

    Raises PictureUnreadable where ``box`` lies outside the picture, or there is nothing but paper.
    """
    if box is not None:
        faces, how = [_given(models, picture, box)], "given"
    else:
        least = models.bundle.thresholds.detection
        faces, how = [f for f in models.detector.detect([picture])[0] if f.score >= least][:MOST_FACES], "found"
        if not faces:
            faces, how = [_plain(drawn_box(picture))], "whole"
    readings = models.read_faces([picture], [faces])[0]
    return [ReadFace(face, how, reading) for face, reading in zip(faces, readings, strict=True)]


def _given(models: Models, picture: Picture, box: Box) -> Face:
    """The detector's own face where it agrees with the person: its mask is what the other faces were cut with."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = max(0.0, box[0]), max(0.0, box[1]), min(float(width), box[2]), min(float(height), box[3])
    if x2 - x1 < 8 or y2 - y1 < 8:
        raise PictureUnreadable(f"The box of the face lies outside the picture of {width} x {height} pixels.")
    inside: Box = (x1, y1, x2, y2)
    like = [f for f in models.detector.detect([picture])[0] if overlap(f.box, inside) >= 0.5]
    return max(like, key=lambda f: f.score) if like else _plain(inside)


def _plain(box: Box) -> Face:
    return Face(box, None, (0, 0), None, 1.0)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return width * height / (both - width * height)


def drawn_box(picture: Picture) -> Box:
    """Where something is drawn: what differs from the colour of the rim. Raises PictureUnreadable for mere paper."""
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    paper = np.median(rim, axis=0)
    drawn = np.abs(picture.astype(np.int16) - paper.astype(np.int16)).max(axis=2) >= BLANK_STEP
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    if len(rows) < 8 or len(columns) < 8:
        raise PictureUnreadable("There is nothing drawn in the picture.")
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
