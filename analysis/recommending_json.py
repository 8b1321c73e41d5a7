"""Recommendations as JSON, the same from the API and the command."""

from __future__ import annotations

from typing import Any

from analysis.limits import limits_format
from analysis.selectors.recommending import Asked, EveningPlan, Recommendations, Recommended
from catalog.models import Episode


def recommendations_json(found: Recommendations) -> dict[str, Any]:
    return {
        "asked": _asked(found.asked),
        "liked": [_episode(e) for e in found.liked],
        "compared": found.compared,
        "results": [_recommended(r) for r in found.results],
    }


def evening_json(found: EveningPlan) -> dict[str, Any]:
    refusal = found.refusal
    return {
        "asked": {**_asked(found.asked), "minutes": found.minutes},
        "liked": [_episode(e) for e in found.liked],
        "total_ms": found.total_ms,
        "of_best": found.of_best,
        "calmer_than": found.calmer_than,
        "why": found.why,
        "results": [_recommended(r) for r in found.results],
        "refusal": None if refusal is None else {"code": refusal.code, "shortest_ms": refusal.shortest_ms},
    }


def _asked(asked: Asked) -> dict[str, Any]:
    return {
        "like": list(asked.like),
        "sliders": {name: steps for name, steps in asked.sliders.steps().items() if steps},
        "limits": limits_format(asked.limits),
        "count": asked.count,
    }


def _episode(episode: Episode) -> dict[str, Any]:
    return {"id": episode.pk, "title": episode.title, "series": episode.series.slug, "duration_ms": episode.duration_ms}


def _recommended(found: Recommended) -> dict[str, Any]:
    return {
        "episode": _episode(found.card.episode),
        "score": found.score,
        "terms": dict(found.terms),
        "alike": found.alike,
        "why": found.why,
        "reasons": [{"term": r.term, "value": r.value, "places": r.places, "words": r.words} for r in found.reasons],
    }
