"""A run's faces with what people said laid over them: what derivation starts from. Reads, writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis import ratings
from analysis.finding.naming import numbers_of, who_of
from analysis.layer import Says, Seen, Told
from analysis.models import AnalysisRun, FaceDetection, Segment, SegmentStatus
from analysis.samples import Faces, Sample, checks_of
from analysis.selectors.layer import Layer, layer_of
from catalog.models import Character
from ml import timeline
from ml.types import EMOTIONS, Detection, Emotion, ShotKind
from ml.types import Shot as ShotSpan


@dataclass(frozen=True, slots=True)
class Material:
    """A run's faces in content order with the ids of their rows, cut into shots and joined into tracks.

    ``table``: (n, k) smoothed probabilities over ``emotions``, wholly one where a person said which (``known``, (n,)).
    ``settled``: (n,) whether a person said that, or that it is unclear. What people say is no face is left out.
    ``layer``: what was said. ``read_as``: whom each face is read as, before anybody said anything.
    """

    ids: list[int]
    faces: list[Detection]
    shots: tuple[ShotSpan, ...]
    tracks: list[timeline.FaceTrack]
    emotions: tuple[Emotion, ...]
    table: timeline.Probabilities
    known: NDArray[np.bool_]
    settled: NDArray[np.bool_]
    layer: Layer
    read_as: list[str | None]


def material_of(run: AnalysisRun, segments: Sequence[Segment]) -> tuple[Material, dict[str, ratings.Checks]]:
    """With everything that people said; and per character, what a finished sample says of what the model read."""
    slugs = dict(Character.objects.values_list("pk", "slug"))
    rows = list(FaceDetection.objects.filter(run=run).defer("mask", "embedding").order_by("segment__index", "index"))
    ids, read = [row.pk for row in rows], [_detection(row, slugs) for row in rows]
    shots = run_shots(segments)
    emotions = tuple(e for e in EMOTIONS if str(e) in run.bundle.emotions)
    layer = layer_of(run)
    read = _named(ids, read, shots, layer)
    seen = [Seen(d.pts_ms, d.shown_ms, d.character, d.box) for d in read]
    now = _laid_over(ids, read, layer.tell(seen), shots, emotions, layer)
    checks = {}
    for sample in layer.samples:
        base = _laid_over(ids, read, layer.tell(seen, sample.base), shots, emotions, layer)
        if found := _checks(sample, base, now):
            checks[sample.character] = found
    return now, checks


def _named(ids: Sequence[int], read: list[Detection], shots: tuple[ShotSpan, ...], layer: Layer) -> list[Detection]:
    """Tracks of nobody known get the names of those whose examples they look like, by the track's surest face."""
    if not layer.namings:
        return read
    unknown = [t for t in timeline.link_tracks(read, shots) if t.character is None]
    best = {ids[t.best]: t for t in unknown}
    surest = FaceDetection.objects.filter(pk__in=list(best), embedding__isnull=False)
    rows = {pk: numbers_of(e) for pk, e in surest.values_list("pk", "embedding") if e is not None}
    found = list(read)
    for pk, embedding in rows.items():
        who = who_of(embedding, layer.namings)
        for i in best[pk].members if who is not None else ():
            found[i] = replace(found[i], character=who)
    return found


def _laid_over(
    ids: Sequence[int],
    read: Sequence[Detection],
    told: Mapping[int, Told],
    shots: tuple[ShotSpan, ...],
    emotions: tuple[Emotion, ...],
    layer: Layer,
) -> Material:
    kept = [i for i in range(len(read)) if i not in told or told[i].says is not Says.NO_FACE]
    faces = [corrected_face(read[i], told.get(i), emotions) for i in kept]
    tracks = timeline.link_tracks(faces, shots)
    table = timeline.smoothed(faces, tracks, emotions)
    known, settled = np.zeros(len(faces), dtype=np.bool_), np.zeros(len(faces), dtype=np.bool_)
    for place, i in enumerate(kept):
        if i in told and told[i].emotion:
            settled[place] = True
            known[place] = told[i].known in emotions
            if known[place]:
                table[place] = [e is told[i].known for e in emotions]
    names = [read[i].character for i in kept]
    return Material([ids[i] for i in kept], faces, shots, tracks, emotions, table, known, settled, layer, names)


def _checks(sample: Sample, base: Material, now: Material) -> ratings.Checks | None:
    """None where the model sees the character nowhere in the shots that were checked."""
    then, members = (members_of(m).get(sample.character, []) for m in (base, now))
    if not then:
        return None
    found = checks_of(
        sample, readings_of(base, then), faces_of(base, then), readings_of(now, members), faces_of(now, members)
    )
    return found if found.truth.sum() > 0 else None


def faces_of(material: Material, members: Sequence[int]) -> Faces:
    faces = [material.faces[i] for i in members]
    return Faces(
        middle_ms=np.array([f.pts_ms + f.shown_ms // 2 for f in faces], dtype=np.int64),
        shown_ms=np.array([f.shown_ms for f in faces], dtype=np.int64),
        settled=material.settled[list(members)],
    )


def corrected_face(face: Detection, told: Told | None, emotions: Sequence[Emotion]) -> Detection:
    """A face as a person says it is. What the bundle cannot express stays *not modelled*: nothing is read there."""
    if told is None:
        return face
    named = replace(face, character=told.character)
    return replace(named, emotion=told.known if told.known in emotions else None) if told.emotion else named


def run_shots(segments: Sequence[Segment]) -> tuple[ShotSpan, ...]:
    """The shots of the whole content. A part that is missing begins and ends with a cut: nothing joins across it."""
    cuts = [cut for s in segments for cut in s.cuts_ms]
    for segment in segments:
        if segment.status != SegmentStatus.DONE:
            cuts += [segment.start_ms, segment.end_ms]
    kinds = [ShotSpan(start, end, ShotKind(kind)) for s in segments for start, end, kind in s.kinds]
    duration_ms = max(s.end_ms for s in segments)
    return timeline.shots_from_cuts(duration_ms, cuts, timeline.settle_cards(kinds, duration_ms))


def _detection(row: FaceDetection, slugs: Mapping[int, str]) -> Detection:
    values = {e: getattr(row, str(e)) for e in EMOTIONS}
    return Detection(
        pts_ms=row.pts_ms,
        shown_ms=row.shown_ms,
        character=None if row.character_id is None else slugs[row.character_id],
        box=(row.box_x1, row.box_y1, row.box_x2, row.box_y2),
        mask=None,
        score=row.score,
        emotions={e: p for e, p in values.items() if p is not None},
        emotion=Emotion(row.emotion) if row.emotion else None,
        confidence=row.confidence,
    )


def members_of(material: Material) -> dict[str, list[int]]:
    """Per known character, the faces that count: one per drawing, in time order."""
    found: dict[str, list[int]] = {}
    for track in material.tracks:
        if track.character is not None:
            found.setdefault(track.character, []).extend(track.members)
    return {slug: timeline.once_per_drawing(found[slug], material.faces) for slug in sorted(found)}


def readings_of(material: Material, members: Sequence[int]) -> ratings.Readings:
    faces = material.faces
    shot_of = {i: timeline.shot_at(material.shots, faces[i].pts_ms) for i in members}
    readable = [i for i in members if timeline.is_readable(faces[i], material.shots[shot_of[i]])]
    return ratings.Readings(
        emotions=material.emotions,
        probabilities=material.table[readable],
        pts_ms=np.array([faces[i].pts_ms for i in readable], dtype=np.int64),
        shown_ms=np.array([faces[i].shown_ms for i in readable], dtype=np.int64),
        shot=np.array([shot_of[i] for i in readable], dtype=np.int64),
        known=material.known[readable] if material.known.any() else None,
    )
