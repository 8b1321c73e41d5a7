"""What a bundle knows, and whether it was made for a show."""

from __future__ import annotations

from collections.abc import Iterable

from analysis.models import ModelBundle
from catalog.models import Character, Episode


def characters_known(bundle: ModelBundle) -> list[Character]:
    """The characters that the bundle can name, by name."""
    return list(Character.objects.filter(slug__in=bundle.characters).order_by("name", "pk"))


def is_provisional(episode: Episode, known: Iterable[Character]) -> bool:
    """Whether the bundle was adapted to another show: it knows nobody of this one."""
    return not any(c.series_id == episode.series_id for c in known)
