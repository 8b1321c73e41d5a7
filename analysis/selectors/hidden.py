"""Which episodes limits hide, by which number, and what limits would show each. For whoever set the limits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from analysis.errors import EpisodeHidden
from analysis.limits import Limits
from analysis.limits.reasons import Bound, Evidence, Reason, loosened, reasons_of
from analysis.models import AnalysisRun, EmotionBound, RunBound
from analysis.selectors.episodes import episodes_annotated
from analysis.selectors.visible import episodes_visible, is_visible
from catalog.models import Character, Episode


@dataclass(frozen=True, slots=True)
class Hidden:
    """``names``: of the characters that the reasons name, by slug. ``would_show`` None: the limits cannot be read."""

    episode_id: int
    limits: Limits
    reasons: tuple[Reason, ...]
    would_show: Limits | None
    strangers: float
    names: Mapping[str, str]


def episodes_hidden(limits: Limits) -> QuerySet[Episode]:
    """In the order of the catalogue."""
    hidden = episodes_annotated().exclude(pk__in=episodes_visible(limits).values("pk"))
    return hidden.order_by("series__title", "season", "number", "part", "title", "pk")


def hidden_check(episode_id: int, limits: Limits) -> None:
    """Raises EpisodeHidden where limits hide the episode. One that does not exist is not hidden."""
    if not limits or is_visible(episode_id, limits):
        return
    found = explain(list(episodes_annotated().filter(pk=episode_id)), limits)
    if found:
        raise EpisodeHidden(found[0])


def explain(episodes: Sequence[Episode], limits: Limits) -> list[Hidden]:
    """Of rows of ``episodes_annotated`` that are hidden, in their order; four queries however many they are."""
    evidence = evidence_of(episodes)
    slugs = {slug for found in evidence.values() for slug, _ in found.bounds} | set(limits.characters)
    names = dict(Character.objects.filter(slug__in=slugs).values_list("slug", "name"))
    rows = []
    for episode in episodes:
        known = evidence[episode.pk]
        reasons = reasons_of(known, limits)
        would = None if limits.closed else loosened(limits, reasons)
        rows.append(Hidden(episode.pk, limits, reasons, would, known.strangers, names))
    return rows


def evidence_of(episodes: Sequence[Episode]) -> dict[int, Evidence]:
    """By episode; three queries."""
    shown = {e.pk: run for e in episodes if (run := e.__dict__["shown_run"]) is not None}
    runs = list(shown.values())
    bounds: dict[int, dict[tuple[str, str], Bound]] = defaultdict(dict)
    rows = EmotionBound.objects.filter(run_id__in=runs).values_list(
        "run_id", "character__slug", "emotion", "high", "longest_ms", "enough"
    )
    for run, slug, emotion, high, longest, enough in rows:
        bounds[run][slug, emotion] = Bound(high, longest, enough)
    lacking: dict[int, dict[str, str]] = defaultdict(dict)
    for run, emotion, why in RunBound.objects.filter(run_id__in=runs).values_list("run_id", "emotion", "lacking"):
        lacking[run][emotion] = why
    strangers = dict(AnalysisRun.objects.filter(pk__in=runs).values_list("pk", "strangers"))
    return {
        e.pk: Evidence(
            e.duration_ms,
            bounds[shown[e.pk]] if e.pk in shown else {},
            lacking[shown[e.pk]] if e.pk in shown else {},
            strangers.get(shown.get(e.pk, 0), 0.0),
        )
        for e in episodes
    }
