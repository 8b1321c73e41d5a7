"""The page of recommendations: one form, which works without JavaScript. What is asked is in the address alone."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from analysis.errors import AnalysisError, EpisodeHidden
from analysis.limits_request import limits_of
from analysis.recommend import SLIDERS
from analysis.recommending_request import asked_of_address, minutes_of
from analysis.selectors.recommending import (
    Asked,
    EveningPlan,
    Recommendations,
    episodes_to_like,
    evening_for,
    recommendations_for,
)

WORDS = {
    "calmer": (_("Much livelier"), _("Livelier"), _("As it is"), _("Calmer"), _("Much calmer")),
    "happier": (_("Much less happy"), _("Less happy"), _("As it is"), _("Happier"), _("Much happier")),
    "less_angry": (_("Much more anger"), _("More anger"), _("As it is"), _("Less anger"), _("Much less anger")),
    "less_scary": (_("Much more fear"), _("More fear"), _("As it is"), _("Less fear"), _("Much less fear")),
    "less_sad": (_("Much more sadness"), _("More sadness"), _("As it is"), _("Less sadness"), _("Much less sadness")),
    "shorter": (_("Much longer"), _("Longer"), _("As long"), _("Shorter"), _("Much shorter")),
}
NAMES = {
    "calmer": _("Calm"),
    "happier": _("Happiness"),
    "less_angry": _("Anger"),
    "less_scary": _("Fear"),
    "less_sad": _("Sadness"),
    "shorter": _("Length"),
}


@dataclass(frozen=True, slots=True)
class Slider:
    """``options``: (steps, words, chosen)."""

    key: str
    name: str
    options: tuple[tuple[int, str, bool], ...]


def recommendations(request: HttpRequest) -> HttpResponse:
    limits = limits_of(request)
    find = request.GET.get("find", "").strip()[:200]
    context: dict[str, object] = {"find": find, "minutes": "", "limited": bool(limits)}
    asked, status = Asked(limits=limits), 200
    try:
        asked = asked_of_address(request.GET, limits)
        context |= _found(request, asked)
    except EpisodeHidden:
        raise
    except AnalysisError as error:
        context["problem"], status = str(error), 400
    liked, others = episodes_to_like(asked, find)
    context |= {"sliders": sliders_of(asked), "liked": liked, "others": others, "asked": asked}
    return render(request, "recommendations.html", context, status=status)


def _found(request: HttpRequest, asked: Asked) -> dict[str, object]:
    """Nothing asked yet: the form alone."""
    found: dict[str, Recommendations | EveningPlan | int] = {}
    if request.GET.get("minutes", "").strip():
        minutes = minutes_of(request.GET["minutes"])
        found |= {"minutes": minutes, "plan": evening_for(asked, minutes)}
    elif asked.like or asked.sliders.any:
        found["answer"] = recommendations_for(asked)
    return dict(found)


def sliders_of(asked: Asked) -> list[Slider]:
    steps = asked.sliders.steps()
    return [
        Slider(
            key, str(NAMES[key]), tuple((n - 2, str(words), n - 2 == steps[key]) for n, words in enumerate(WORDS[key]))
        )
        for key in SLIDERS
    ]
