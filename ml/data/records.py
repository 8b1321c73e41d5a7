"""What every reader of labels gives and every writer takes: pictures with labelled faces. Needs numpy only.

Pixels are those of the picture; a box is (x1, y1, x2, y2) with exclusive right and lower edges.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ml.types import Box, Mask

Polygon = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """One face as somebody labelled it.

    ``character`` and ``emotion``: the label's own words, None where it says nothing. ``polygons``: outlines, several
    where something cuts the face in two; empty where only a box or a mask was given. ``mask``: where the label is a
    mask. ``attributes``: everything else it says, kept for writing it back. ``where``: "FILE:LINE" of the label.
    """

    box: Box
    character: str | None = None
    emotion: str | None = None
    polygons: tuple[Polygon, ...] = ()
    mask: Mask | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """A picture: a file, or one frame of a video (``path`` is the video and ``pts_ms`` the time of the frame).

    ``width`` and ``height`` are 0 where the label does not say. ``group``: what a split must not tear apart: the shot
    where it is known, else the episode (a video, a folder). ``split``: train, valid or test where the data set says.
    """

    path: Path
    width: int = 0
    height: int = 0
    faces: tuple[LabelledFace, ...] = ()
    pts_ms: int | None = None
    group: str = ""
    split: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """A label that cannot be used. ``line``: counted from 1, 0 where the format has none.

    ``kept``: it is used all the same, but somebody should look at it (an outline that crosses itself).
    """

    file: Path
    line: int
    reason: str
    kept: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Dataset:
    """Everything that could be read, and what could not. ``format``: which reader did it.

    ``attributes``: what the labels say about the whole set, kept for writing it back. ``faces_refused``: how many
    labels of single faces could not be used.
    """

    format: str
    images: tuple[LabelledImage, ...]
    problems: tuple[Problem, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    faces_refused: int = 0

    @property
    def characters(self) -> tuple[str, ...]:
        return tuple(sorted({f.character for i in self.images for f in i.faces if f.character is not None}))

    @property
    def emotions(self) -> tuple[str, ...]:
        return tuple(sorted({f.emotion for i in self.images for f in i.faces if f.emotion is not None}))
