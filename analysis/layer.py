"""What people say, laid over what was detected. Pure: no database, no clock.

A statement is about the faces that are read as somebody, or that lie in a box, during a stretch of content. It is
matched to the faces of whichever run results are derived from, so it outlives every run; detections stay as they are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ml.timeline import overlap
from ml.types import UNCLEAR, Box, Emotion

LEAST_OVERLAP = 0.25  # of a face with the box of a statement; what two faces of a track have at least
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


class Says(StrEnum):
    """What a person says a face is."""

    CHARACTER = "character"
    NOBODY = "nobody"
    NO_FACE = "no_face"


@dataclass(frozen=True, slots=True)
class Statement:
    """``subject``: slug of whom the face is read as; ``box``: in parts of the picture; one of them at least is given.

    ``character``: a slug with Says.CHARACTER, else None. ``emotion``: one of the seven, ``unclear``, or empty: as read.
    """

    start_ms: int
    end_ms: int
    subject: str | None
    box: Box | None
    says: Says
    character: str | None
    emotion: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One detected face, as far as statements ask. ``box`` in pixels."""

    pts_ms: int
    shown_ms: int
    character: str | None
    box: Box


@dataclass(frozen=True, slots=True)
class Told:
    """What a person says of one face. ``known``: the emotion; None: as read, or ``unclear``."""

    says: Says
    character: str | None
    emotion: str

    @property
    def known(self) -> Emotion | None:
        return Emotion(self.emotion) if self.emotion not in ("", UNCLEAR) else None


def tell(faces: Sequence[Seen], statements: Sequence[Statement], picture: tuple[int, int]) -> dict[int, Told]:
    """By place in ``faces``. A drawing belongs to the stretch that holds its middle. Of several statements about one
    face the last counts. ``picture``: width and height in pixels.
    """
    by_middle: dict[int, list[int]] = defaultdict(list)
    for i, face in enumerate(faces):
        by_middle[face.pts_ms + face.shown_ms // 2].append(i)
    middles = sorted(by_middle)
    found: dict[int, Told] = {}
    for statement in statements:
        inside = middles[bisect_left(middles, statement.start_ms) : bisect_left(middles, statement.end_ms)]
        for middle in inside:
            for i in _meant(statement, by_middle[middle], faces, picture):
                found[i] = Told(statement.says, statement.character, statement.emotion)
    return found


def _meant(statement: Statement, members: list[int], faces: Sequence[Seen], picture: tuple[int, int]) -> list[int]:
    """Which faces of one drawing. A run that already reads the face as the person says is meant too."""
    names = {statement.subject, statement.character}
    if statement.box is not None:
        width, height = picture
        x1, y1, x2, y2 = statement.box
        box = (x1 * width, y1 * height, x2 * width, y2 * height)
        near = [(overlap(faces[i].box, box), -i) for i in members if _may_be(statement, faces[i].character, names)]
        best, place = max(near, default=(0.0, 0))
        return [-place] if best >= LEAST_OVERLAP else []
    as_read = [i for i in members if faces[i].character == statement.subject]
    return as_read or [i for i in members if statement.character and faces[i].character == statement.character]


def _may_be(statement: Statement, read_as: str | None, names: set[str | None]) -> bool:
    return statement.subject is None or read_as is None or read_as in names


def clash(a: Statement, b: Statement) -> bool:
    """Whether two statements are about the same face at the same time, as the database sees it (a box is a place)."""
    first, second = a.box or WHOLE, b.box or WHOLE
    apart = first[0] > second[2] or second[0] > first[2] or first[1] > second[3] or second[1] > first[3]
    return a.subject == b.subject and a.start_ms < b.end_ms and b.start_ms < a.end_ms and not apart


def renamed(read_as: Sequence[str | None], told: Mapping[int, Told]) -> list[str | None]:
    """Whose each face is, with what people say."""
    return [told[i].character if i in told else name for i, name in enumerate(read_as)]
