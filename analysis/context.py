"""What every page can show of the limits that are on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import cached_property

from analysis.hidden_words import limits_words
from analysis.limits import Limits
from analysis.limits_request import limits_of
from analysis.selectors.visible import episodes_count
from catalog.models import Character


@dataclass(frozen=True)
class LimitsBar:
    """``shown`` of ``total`` episodes; counted only where a page shows it."""

    limits: Limits

    @property
    def words(self) -> list[str]:
        names = Character.objects.filter(slug__in=self.limits.characters).values_list("slug", "name")
        return limits_words(self.limits, dict(names) if self.limits.characters else {})

    @cached_property
    def shown(self) -> int:
        return episodes_count(self.limits)

    @cached_property
    def total(self) -> int:
        return episodes_count()


def limits_bar(request: HttpRequest) -> dict[str, Callable[[], LimitsBar | None]]:
    """``limits_bar``: None where there are no limits. Templates call it, so that fragments without it ask nothing."""

    def made() -> LimitsBar | None:
        limits = limits_of(request)
        return LimitsBar(limits) if limits else None

    return {"limits_bar": made}
