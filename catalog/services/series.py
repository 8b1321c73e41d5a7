"""Series, found by their title however it is spelt."""

from __future__ import annotations

from catalog.errors import NameUnusable
from catalog.models import Series
from catalog.naming import plain_text, slug_of

TITLE_LENGTH = 300


def series_get_or_create(*, title: str, year: int | None = None) -> Series:
    """The series of that title; case, width and punctuation make no difference. Raises NameUnusable.

    ``year`` is set where a new series is made. Two series of one title are told apart by writing the year into it.
    """
    text = plain_text(title)
    if not text:
        raise NameUnusable("The title of the series is empty.")
    if len(text) > TITLE_LENGTH:
        raise NameUnusable(f"The title of the series has {len(text)} characters; at most {TITLE_LENGTH} can be kept.")
    series, _ = Series.objects.get_or_create(slug=slug_of(text), defaults={"title": text, "year": year})
    return series
