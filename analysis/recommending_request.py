"""What an address or a JSON body asks of recommendations. What cannot be read is refused, nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from analysis.errors import RecommendationInvalid
from analysis.limits import Limits
from analysis.recommend import SLIDERS, Sliders
from analysis.selectors.recommending import COUNT, Asked

MOST_DIGITS = 18


def asked_of_address(get: QueryDict, limits: Limits) -> Asked:
    """``like=3&like=5&calmer=1&count=10``. Raises RecommendationInvalid."""
    like = [_whole("like", value) for text in get.getlist("like") for value in text.split(",") if value.strip()]
    steps = {name: _whole(name, get[name]) for name in SLIDERS if get.get(name)}
    return _asked(like, steps, _whole("count", get["count"]) if get.get("count") else COUNT, limits)


def asked_of_json(data: Any, limits: Limits) -> Asked:
    """``{"like": [3, 5], "sliders": {"calmer": 1}, "count": 10}``. Raises RecommendationInvalid."""
    if not isinstance(data, Mapping):
        raise RecommendationInvalid(_("The body is an object."))
    unknown = sorted(set(data) - {"like", "sliders", "count", "minutes"})
    if unknown:
        raise RecommendationInvalid(
            _("There is no “%(unknown)s” here; known are like, sliders, count and minutes.") % {"unknown": unknown[0]}
        )
    like, steps, count = data.get("like", []), data.get("sliders", {}), data.get("count", COUNT)
    if not isinstance(like, list):
        raise RecommendationInvalid(_("“like” is a list of ids of episodes."))
    if not isinstance(steps, Mapping) or set(steps) - set(SLIDERS):
        raise RecommendationInvalid(_("“sliders” is an object of %(sliders)s.") % {"sliders": ", ".join(SLIDERS)})
    return _asked(
        [_whole("like", value) for value in like],
        {name: _whole(name, value) for name, value in steps.items()},
        _whole("count", count),
        limits,
    )


def minutes_of(value: object) -> int:
    """Raises RecommendationInvalid."""
    return _whole("minutes", value)


def _asked(like: Sequence[int], steps: Mapping[str, int], count: int, limits: Limits) -> Asked:
    if any(pk < 0 for pk in like):
        raise RecommendationInvalid(_("“like” is an id of an episode."))
    try:
        sliders = Sliders(**steps)
    except ValueError as error:
        raise RecommendationInvalid(_("A slider does not go that far: %(error)s.") % {"error": error}) from error
    return Asked(tuple(like), sliders, limits, count)


def _whole(name: str, value: object) -> int:
    text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    digits = text.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= MOST_DIGITS):
        raise RecommendationInvalid(_("“%(name)s” is a whole number.") % {"name": name})
    return int(text)
