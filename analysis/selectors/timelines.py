"""What an episode shows over time: a lane of spans per character, and the shots beneath them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import QuerySet

from analysis.layer import Says, Seen
from analysis.models import AnalysisRun, FaceDetection, Shot
from analysis.selectors.layer import layer_of, read_as
from catalog.models import Character
from ml.timeline import smooth
from ml.types import EMOTIONS, UNCLEAR

JOIN_MS = 400  # two spans of one emotion this close are one
CRUMB_MS = 200  # an emotion shorter than this is too short to be drawn


@dataclass(frozen=True, slots=True)
class LaneSpan:
    """``emotion``: a canonical one, or ``unclear``. ``confidence``: mean probability, weighted by time."""

    start_ms: int
    end_ms: int
    emotion: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Lane:
    """``character`` None: faces of nobody the model knows. ``visible_ms``: length of the union of its faces.

    ``drawings``: when each face is shown, (start_ms, end_ms) in time order; ``readings``: all of them, in no order.
    """

    character: Character | None
    spans: tuple[LaneSpan, ...]
    visible_ms: int
    faces: int
    drawings: tuple[tuple[int, int], ...] = ()
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    duration_ms: int
    shots: tuple[Shot, ...]
    lanes: tuple[Lane, ...]

    @property
    def known(self) -> tuple[Lane, ...]:
        return tuple(lane for lane in self.lanes if lane.character is not None)

    @property
    def unknown(self) -> Lane | None:
        return next((lane for lane in self.lanes if lane.character is None), None)


@dataclass(frozen=True, slots=True)
class Reading:
    """One face of one drawing as a lane sees it. ``shares``: the smoothed probability of each of EMOTIONS; empty where
    it is unclear.
    """

    start_ms: int
    end_ms: int
    emotion: str
    confidence: float
    shares: tuple[float, ...] = ()


_FIELDS = ("id", "track_id", "pts_ms", "shown_ms", "emotion", "confidence", "character_id", "track__character_id")
_PLACE = ("character__slug", "track__character__slug", "box_x1", "box_y1", "box_x2", "box_y2")


def timeline_of(run: AnalysisRun, duration_ms: int) -> Timeline:
    """Three queries, four more where people corrected something, which shows as they said. The lanes of known
    characters come first, the one seen longest on top.
    """
    shots = tuple(Shot.objects.filter(run=run).order_by("index"))
    rows = faces_told(run, FaceDetection.objects.filter(run=run))
    by_character: dict[int | None, list[Reading]] = defaultdict(list)
    for members in by_track(rows):
        by_character[who_of(members[0])].extend(readings_of(members))
    characters = Character.objects.in_bulk([pk for pk in by_character if pk is not None])
    lanes = [
        Lane(
            None if pk is None else characters[pk],
            lane_spans(found),
            _union_ms(found),
            len(found),
            tuple(sorted((r.start_ms, r.end_ms) for r in found)),
            tuple(found),
        )
        for pk, found in by_character.items()
    ]
    lanes.sort(
        key=lambda lane: (lane.character is None, -lane.visible_ms, lane.character.slug if lane.character else "")
    )
    return Timeline(duration_ms, shots, tuple(lanes))


def faces_told(run: AnalysisRun, faces: QuerySet[FaceDetection], *more: str) -> list[dict[str, Any]]:
    """Some faces of the run in time order, each with what people said of it as ``told``; without what is no face.

    ``more``: further columns. One query, three more where people corrected something.
    """
    asked = faces.order_by("pts_ms", "id").values(*_FIELDS, *_PLACE, *EMOTIONS, *more)
    rows: list[dict[str, Any]] = list(asked)
    if not run.layer:
        return [{**row, "told": None} for row in rows]
    boxes = ((r["box_x1"], r["box_y1"], r["box_x2"], r["box_y2"]) for r in rows)
    layer = layer_of(run)
    named = frozenset(n.character for n in layer.namings)
    told = layer.tell(
        Seen(r["pts_ms"], r["shown_ms"], read_as(r["character__slug"], r["track__character__slug"], named), box)
        for r, box in zip(rows, boxes, strict=True)
    )
    for i, row in enumerate(rows):
        row["told"] = told.get(i)
    return [row for row in rows if row["told"] is None or row["told"].says is not Says.NO_FACE]


def by_track(rows: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows of ``faces_told``, together where they are of one track; a face without a track is alone."""
    tracks: dict[tuple[int | None, int], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        tracked = row["track_id"] is not None
        tracks[row["track_id"] if tracked else None, 0 if tracked else row["id"]].append(row)
    return list(tracks.values())


def who_of(row: dict[str, Any]) -> int | None:
    """Id of the character whose face it is."""
    who: int | None = row["track__character_id"] if row["track_id"] is not None else row["character_id"]
    return who


def readings_of(members: Sequence[dict[str, Any]]) -> Iterator[Reading]:
    """One for each drawing of a track, in order, with smoothed emotions, as the ratings see them."""
    emotions = [e for e in EMOTIONS if members[0][e] is not None]
    table = np.array([[float(m[e] or 0.0) for e in emotions] for m in members])
    if emotions:
        sums = table.sum(axis=1, keepdims=True)
        table = np.where(sums > 0, table / np.where(sums > 0, sums, 1.0), 1.0 / len(emotions))
        table = smooth(table, [int(m["pts_ms"]) for m in members])
    best = table.argmax(axis=1).tolist() if emotions else [0] * len(members)
    whole = np.zeros((len(members), len(EMOTIONS)))
    whole[:, [EMOTIONS.index(e) for e in emotions]] = table
    for which, shares, member in zip(best, whole.tolist(), members, strict=True):
        start = int(member["pts_ms"])
        end = start + int(member["shown_ms"])
        told = member["told"]
        if told is not None and told.emotion:
            known = told.emotion if told.known in emotions else UNCLEAR
            yield Reading(
                start, end, known, 1.0, tuple(float(e == known) for e in EMOTIONS) if known != UNCLEAR else ()
            )
        elif emotions and member["emotion"]:
            yield Reading(start, end, str(emotions[which]), max(shares), tuple(shares))
        else:
            yield Reading(start, end, UNCLEAR, float(member["confidence"]))


def lane_spans(readings: Iterable[Reading]) -> tuple[LaneSpan, ...]:
    """Neighbouring drawings with one emotion become one span. Spans never overlap and are in time order."""
    spans: list[list[float | str]] = []
    for r in sorted(readings, key=lambda r: (r.start_ms, -r.confidence)):
        start = max(r.start_ms, int(spans[-1][1])) if spans else r.start_ms
        if start >= r.end_ms:
            continue
        weight = r.confidence * (r.end_ms - start)
        if spans and spans[-1][2] == r.emotion and start - int(spans[-1][1]) <= JOIN_MS:
            spans[-1][1] = r.end_ms
            spans[-1][3] = float(spans[-1][3]) + weight
            spans[-1][4] = float(spans[-1][4]) + (r.end_ms - start)
        else:
            spans.append([start, r.end_ms, r.emotion, weight, float(r.end_ms - start)])
    return tuple(
        LaneSpan(int(a), int(b), str(emotion), min(1.0, float(total) / float(seen)))
        for a, b, emotion, total, seen in spans
        if int(b) - int(a) >= CRUMB_MS or len(spans) == 1
    )


def _union_ms(readings: Iterable[Reading]) -> int:
    total, reached = 0, 0
    for r in sorted(readings, key=lambda r: r.start_ms):
        total += max(0, r.end_ms - max(r.start_ms, reached))
        reached = max(reached, r.end_ms)
    return total
