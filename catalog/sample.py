"""The cast of the sample series, as the catalogue shows it."""

from __future__ import annotations

from django.db import transaction

from catalog.models import Character
from catalog.services.characters import character_get_or_create
from catalog.services.series import series_get_or_create

SERIES = "The Sample House"
CAST = (  # the Korean names are for questions in Korean
    ("tom", "Tom", ("the grey cat", "Tom Cat", "톰"), "#8a93a6"),
    ("jerry", "Jerry", ("the brown mouse", "Jerry Mouse", "제리"), "#a8693b"),
    ("pip", "Pip", ("the yellow duckling", "Pip the Duckling", "핍"), "#f2c230"),
    ("rosa", "Rosa", ("the pink pig", "Rosa the Pig", "로사"), "#e88fb0"),
)


@transaction.atomic
def sample_cast_create(series_title: str = SERIES) -> list[Character]:
    """Makes the four known, with their colours; again changes nothing."""
    series = series_get_or_create(title=series_title)
    return [
        character_get_or_create(slug=slug, name=name, aliases=aliases, series=series, colour=colour)
        for slug, name, aliases, colour in CAST
    ]
