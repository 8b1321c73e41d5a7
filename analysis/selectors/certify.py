"""Samples that people check: how far they are, what comes next, how far people agree, and what to correct first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from django.db.models import Prefetch

from analysis.errors import CertificationUnknown
from analysis.layer import Statement
from analysis.models import AnalysisRun, Certification, CertificationAnswer, EmotionSpan, FaceDetection, Track
from analysis.ratings import Agreement, agreement
from analysis.samples import LEAST_PIECE_MS, main_label
from analysis.selectors.layer import finished_by, layer_of
from catalog.models import Character, Episode
from ml.types import ShotKind


@dataclass(frozen=True, slots=True)
class Question:
    """One shot to look at. ``number``: from 1, of ``of``. ``pieces``: where the expression may change; never which."""

    place: int
    number: int
    of: int
    start_ms: int
    end_ms: int
    pieces: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class CertificationState:
    """``answered``: shots that the person asking has answered. ``people``: how many have answered all.

    ``agreements``: of each pair of them, in the order of finishing.
    """

    row: Certification
    shots: int
    of: int
    answered: int
    people: int
    agreements: tuple[Agreement, ...]


def certifications_of(episode: Episode, person_id: int | None) -> list[CertificationState]:
    """The samples of the episode that count, by character."""
    rows = Certification.objects.filter(episode=episode, withdrawn_at__isnull=True)
    found = rows.select_related("character").order_by("character__name", "id")
    return [_state(row, person_id) for row in found]


def certification_find(episode: Episode, character: str) -> Certification:
    """Raises CertificationUnknown."""
    rows = Certification.objects.filter(episode=episode, character__slug=character, withdrawn_at__isnull=True)
    row = rows.select_related("character", "episode").first()
    if row is None:
        raise CertificationUnknown(f"There is no sample of {character or 'nobody'} in {episode}.")
    return row


def question_next(
    row: Certification, run: AnalysisRun | None, person_id: int, *, place: int | None = None, cuts: Sequence[int] = ()
) -> Question | None:
    """The first shot that the person has not answered, or that of ``place``; None where all are. ``cuts``: further
    times at which the expression changes.
    """
    done = set(_mine(row, person_id))
    left = [p for p in row.picked if p not in done]
    if place is None and not left:
        return None
    wanted = left[0] if place is None else place
    start, end = row.frame[wanted]
    pieces = pieces_of(start, end, [*_changes(run, row.character, start, end), *cuts])
    return Question(wanted, row.picked.index(wanted) + 1, len(row.picked), start, end, pieces)


def pieces_of(start_ms: int, end_ms: int, changes: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The shot cut at the changes, none of the pieces shorter than LEAST_PIECE_MS unless the shot is."""
    edges = [start_ms]
    for change in sorted(changes):
        if change - edges[-1] >= LEAST_PIECE_MS and end_ms - change >= LEAST_PIECE_MS:
            edges.append(change)
    return tuple(pairwise([*edges, end_ms]))


def _changes(run: AnalysisRun | None, character: Character, start_ms: int, end_ms: int) -> list[int]:
    spans = EmotionSpan.objects.filter(run=run, character=character, start_ms__lt=end_ms, end_ms__gt=start_ms)
    return [edge for span in spans.values_list("start_ms", "end_ms") for edge in span]


def _mine(row: Certification, person_id: int | None) -> list[int]:
    answers = CertificationAnswer.objects.filter(certification=row, made_by_id=person_id, withdrawn_at__isnull=True)
    return list(answers.values_list("place", flat=True))


def _state(row: Certification, person_id: int | None) -> CertificationState:
    finished = [answers for _, answers in finished_by(row)]
    labels = [[main_label(answers[place]) for place in row.picked] for answers in finished]
    pairs = tuple(agreement(a, b) for a, b in combinations(labels, 2))
    answered = len(_mine(row, person_id)) if person_id is not None else 0
    return CertificationState(row, len(row.picked), len(row.frame), answered, len(finished), pairs)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A shot whose correction would narrow a character's interval. ``gain``: see ``doubts``."""

    character: Character
    start_ms: int
    end_ms: int
    gain: float


def doubts(run: AnalysisRun, most: int = 10) -> list[Doubt]:
    """Where a correction helps most: time x doubt, as a part of all readable time of the character.

    The doubt of a face in a shot is ``sum p (1 - p)`` over its mean probabilities: 0 where the model is sure of one
    emotion. What people spoke of already is left out. For corrections only; a sample is drawn by lot, never by this.
    """
    said = layer_of(run).statements
    tracks = Track.objects.filter(run=run, shot__kind=str(ShotKind.STORY), character__isnull=False)
    faces = FaceDetection.objects.defer("mask", "embedding").exclude(emotion="")
    rows = tracks.select_related("character").prefetch_related(Prefetch("detections", queryset=faces)).order_by("index")
    found = [_doubt(track, run.bundle.emotions) for track in rows]
    totals: dict[int, int] = {}
    for character, readable, _, _ in found:
        totals[character.pk] = totals.get(character.pk, 0) + readable
    ranked = [
        Doubt(character, track.start_ms, track.end_ms, readable * unsure / max(1, totals[character.pk]))
        for character, readable, unsure, track in found
    ]
    new = [d for d in ranked if d.gain > 0 and not any(_speaks_of(s, d) for s in said)]
    return sorted(new, key=lambda d: (-d.gain, d.start_ms))[:most]


def _speaks_of(statement: Statement, doubt: Doubt) -> bool:
    who = {statement.subject, statement.character}
    return doubt.character.slug in who and statement.start_ms < doubt.end_ms and doubt.start_ms < statement.end_ms


def _doubt(track: Track, emotions: Sequence[str]) -> tuple[Character, int, float, Track]:
    assert track.character is not None
    faces = list(track.detections.all())
    shown = np.array([f.shown_ms for f in faces], dtype=np.float64)
    if not faces or not emotions:
        return track.character, 0, 0.0, track
    table = np.array([[getattr(f, e) or 0.0 for e in emotions] for f in faces])
    mean = shown @ table / shown.sum()
    return track.character, int(shown.sum()), float((mean * (1 - mean)).sum()), track
