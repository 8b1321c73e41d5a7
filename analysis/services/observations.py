"""Writes the faces of a segment with COPY, and checks them first."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection

from analysis.errors import ResultInvalid
from analysis.models import Segment
from catalog.models import Character
from ml.types import EMBEDDING_SIZE, EMOTIONS, Detection, SegmentResult

_COLUMNS = [
    *("run_id", "segment_id", "character_id", "index", "pts_ms", "shown_ms", "box_x1", "box_y1", "box_x2", "box_y2"),
    *("mask", "score", "emotion", "confidence"),
    *(str(e) for e in EMOTIONS),
    "embedding",
]
_COPY = "COPY analysis_facedetection (" + ", ".join(f'"{name}"' for name in _COLUMNS) + ") FROM STDIN"


def result_check(result: SegmentResult, segment: Segment) -> None:
    """Raises ResultInvalid for another stretch of content, a number that is not finite, or one that is out of range."""
    start, end = segment.start_ms, segment.end_ms
    if (result.start_ms, result.end_ms) != (start, end):
        raise ResultInvalid(f"The result covers {result.start_ms} to {result.end_ms} ms, not {start} to {end} ms.")
    if not all(start <= cut < end for cut in result.cuts_ms):
        raise ResultInvalid(f"A cut lies outside {start} to {end} ms.")
    if not all(math.isfinite(seconds) for seconds in result.timings.values()):
        raise ResultInvalid("A timing is not finite.")
    for face in result.detections:
        _face_check(face, start, end)


def _face_check(face: Detection, start: int, end: int) -> None:
    where = f"The face at {face.pts_ms} ms"
    if not (start <= face.pts_ms < end and face.shown_ms > 0):
        raise ResultInvalid(f"{where}, shown for {face.shown_ms} ms, lies outside {start} to {end} ms.")
    x1, y1, x2, y2 = face.box
    if not all(math.isfinite(v) for v in face.box) or x2 <= x1 or y2 <= y1:
        raise ResultInvalid(f"{where} has the box {face.box}.")
    if not all(0.0 <= p <= 1.0 for p in (face.score, face.confidence, *face.emotions.values())):
        raise ResultInvalid(f"{where} has a score or probability that is no number in [0, 1].")
    if face.embedding and (len(face.embedding) != EMBEDDING_SIZE or not all(math.isfinite(v) for v in face.embedding)):
        raise ResultInvalid(f"{where} has an embedding that is not {EMBEDDING_SIZE} finite numbers.")


def observations_write(segment: Segment, faces: Sequence[Detection]) -> None:
    """One COPY inside the caller's transaction; (segment, index) is unique, so a second one cannot succeed."""
    characters = _character_ids({face.character for face in faces if face.character is not None})
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in _rows(segment, faces, characters):
            copy.write_row(row)


def _rows(segment: Segment, faces: Iterable[Detection], characters: dict[str, int]) -> Iterator[list[Any]]:
    for index, face in enumerate(faces):
        mask = None if face.mask is None else {"size": list(face.mask.size), "counts": face.mask.counts}
        yield [
            segment.run_id,
            segment.pk,
            None if face.character is None else characters[face.character],
            index,
            face.pts_ms,
            face.shown_ms,
            *(float(v) for v in face.box),
            None if mask is None else json.dumps(mask),
            float(face.score),
            "" if face.emotion is None else str(face.emotion),
            float(face.confidence),
            *(None if e not in face.emotions else float(face.emotions[e]) for e in EMOTIONS),
            "[" + ",".join(f"{v:.6g}" for v in face.embedding) + "]" if face.embedding else None,
        ]


def _character_ids(slugs: set[str]) -> dict[str, int]:
    """Ids by slug. A character that a person deleted since its bundle was made known comes back under its slug."""
    ids = dict(Character.objects.filter(slug__in=slugs).values_list("slug", "pk"))
    for slug in sorted(slugs - set(ids)):
        character, _ = Character.objects.get_or_create(slug=slug, defaults={"name": slug.replace("-", " ").title()})
        ids[slug] = character.pk
    return ids
