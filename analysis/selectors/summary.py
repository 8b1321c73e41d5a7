"""An episode on one sheet of paper: what fits there, and what does not is counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F

from analysis.limits.form import FRIGHTENING
from analysis.models import AnalysisRun, EmotionSpan
from analysis.selectors.profiles import EmotionShare, Rating
from ml.types import EMOTIONS, Emotion

MOST_CHARACTERS = 8
MOST_MOMENTS = 4  # of each emotion


@dataclass(frozen=True, slots=True)
class Row:
    """``cells``: of each of EMOTIONS; None where the model cannot tell."""

    rating: Rating
    cells: tuple[EmotionShare | None, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """``moments``: of the emotions that frighten, the longest of each, in the order of time. ``more``: how many
    characters found no place.
    """

    rows: tuple[Row, ...]
    more: int
    moments: tuple[tuple[Emotion, tuple[EmotionSpan, ...]], ...]


def sheet_of(run: AnalysisRun, ratings: Sequence[Rating]) -> Sheet:
    """One query."""
    shown = [r for r in ratings if r.emotions][:MOST_CHARACTERS]
    rows = []
    for rating in shown:
        by_emotion = {e.emotion: e for e in rating.emotions}
        rows.append(Row(rating, tuple(by_emotion.get(e) for e in EMOTIONS)))
    return Sheet(tuple(rows), len(ratings) - len(shown), _moments(run))


def _moments(run: AnalysisRun) -> tuple[tuple[Emotion, tuple[EmotionSpan, ...]], ...]:
    spans = EmotionSpan.objects.filter(run=run, emotion__in=[str(e) for e in FRIGHTENING]).select_related("character")
    found: dict[str, list[EmotionSpan]] = defaultdict(list)
    for span in spans.annotate(length=F("end_ms") - F("start_ms")).order_by("-length", "-strength", "start_ms", "pk"):
        if len(found[span.emotion]) < MOST_MOMENTS:
            found[span.emotion].append(span)
    return tuple((e, tuple(sorted(found[str(e)], key=lambda s: s.start_ms))) for e in FRIGHTENING if found.get(str(e)))
