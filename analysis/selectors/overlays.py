"""What is drawn over the picture of an episode: where each face is, whose it is, and what it shows."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import structlog
from django.db.models import F, Max, Q, QuerySet

from analysis.models import AnalysisRun, FaceDetection, Track
from analysis.outlines import MaskInvalid, Ring, outline_of
from analysis.selectors.timelines import by_track, faces_told, readings_of, who_of
from catalog.models import Character, Episode
from ml.types import Box

FORMAT = 1  # is raised by whatever changes the answer for the same faces
LONGEST_MS = 60_000  # of one answer
USUAL_MS = 10_000

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OverlayFace:
    """``box`` and ``outline`` in pixels of the decoded picture. ``emotion``: as the timeline shows it, or ``unclear``.

    ``outline`` empty: the bundle gives no masks. ``corrected``: a person said what it shows.
    """

    id: int
    track: int | None
    character: Character | None
    box: Box
    outline: tuple[Ring, ...]
    emotion: str
    confidence: float
    corrected: bool


@dataclass(frozen=True, slots=True)
class OverlayDrawing:
    """A picture of the film that shows faces, from ``pts_ms`` for ``shown_ms``."""

    pts_ms: int
    shown_ms: int
    faces: tuple[OverlayFace, ...]


@dataclass(frozen=True, slots=True)
class OverlayRequest:
    """A stretch of the episode. ``state`` changes whenever what was found does; no face is read for it."""

    episode: Episode
    run: AnalysisRun
    start_ms: int
    end_ms: int
    state: tuple[int | None, int | None]
    characters: tuple[tuple[str, str, str], ...]

    @property
    def tag(self) -> str:
        """A digest of everything that the answer follows from."""
        parts = [FORMAT, self.run.pk, self.run.layer, self.start_ms, self.end_ms, self.state, self.characters]
        return hashlib.sha256(json.dumps([*parts, self.size]).encode()).hexdigest()[:32]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        source = self.episode.source
        return (source.width, source.height) if source is not None else (0, 0)


def overlays_request(*, episode: Episode, run: AnalysisRun, start_ms: int, end_ms: int) -> OverlayRequest:
    newest = Track.objects.filter(run=run).aggregate(newest=Max("pk"))["newest"]
    faces = FaceDetection.objects.filter(run=run).count() if run.is_active else None
    known = Character.objects.filter(tracks__run=run).distinct().order_by("slug")
    characters = tuple(known.values_list("slug", "name", "colour"))
    return OverlayRequest(episode, run, start_ms, end_ms, (newest, faces), characters)


def overlays_of(asked: OverlayRequest) -> tuple[OverlayDrawing, ...]:
    """In time order: every drawing that shows faces during some of the stretch. Four queries, three more where people
    corrected something.

    Faces of the same tracks outside the stretch are read too, because emotions are smoothed along a track.
    """
    inside = _during(FaceDetection.objects.filter(run=asked.run), asked.start_ms, asked.end_ms)
    masks = dict(inside.values_list("pk", "mask"))
    tracks = inside.exclude(track=None).values("track_id")
    rows = faces_told(asked.run, FaceDetection.objects.filter(Q(track_id__in=tracks) | Q(pk__in=list(masks))))
    characters = Character.objects.in_bulk({pk for row in rows if (pk := who_of(row)) is not None})
    drawings: dict[tuple[int, int], list[OverlayFace]] = defaultdict(list)
    unreadable = 0
    for members in by_track(rows):
        for row, reading in zip(members, readings_of(members), strict=True):
            if row["id"] not in masks:
                continue
            try:
                outline = _outline(masks[row["id"]])
            except (MaskInvalid, KeyError, TypeError, ValueError):
                outline, unreadable = (), unreadable + 1  # the box is drawn instead
            who = who_of(row)
            face = OverlayFace(
                id=row["id"],
                track=row["track_id"],
                character=None if who is None else characters[who],
                box=(row["box_x1"], row["box_y1"], row["box_x2"], row["box_y2"]),
                outline=outline,
                emotion=reading.emotion,
                confidence=reading.confidence,
                corrected=row["told"] is not None,
            )
            drawings[row["pts_ms"], row["shown_ms"]].append(face)
    if unreadable:
        logger.warning("masks_unreadable", run=asked.run.pk, faces=unreadable)
    return tuple(
        OverlayDrawing(pts, shown, tuple(sorted(faces, key=lambda face: face.id)))
        for (pts, shown), faces in sorted(drawings.items())
    )


def _during(faces: QuerySet[FaceDetection], start_ms: int, end_ms: int) -> QuerySet[FaceDetection]:
    """Shown at some time in [start_ms, end_ms)."""
    return faces.annotate(until_ms=F("pts_ms") + F("shown_ms")).filter(pts_ms__lt=end_ms, until_ms__gt=start_ms)


def _outline(mask: Any) -> tuple[Ring, ...]:
    if mask is None:
        return ()
    height, width = mask["size"]
    return outline_of((int(height), int(width)), str(mask["counts"]))
