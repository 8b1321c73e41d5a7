"""Samples that people check: how far they are, what comes next, and how far people agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from analysis.errors import CertificationUnknown
from analysis.models import AnalysisRun, Certification, CertificationAnswer, EmotionSpan
from analysis.ratings import Agreement, agreement
from analysis.samples import LEAST_PIECE_MS, main_label
from analysis.selectors.layer import finished_by
from catalog.models import Character, Episode


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
