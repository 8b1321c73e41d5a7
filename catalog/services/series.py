"""Series, found by their title however it is spelt."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from catalog.access.services.audit import audit_record
from catalog.errors import NameUnusable
from catalog.models import Series
from catalog.naming import plain_text, slug_of

TITLE_LENGTH = 300


@transaction.atomic
def series_get_or_create(*, title: str, year: int | None = None, actor: AbstractBaseUser | None = None) -> Series:
    """The series of that title; case, width and punctuation make no difference. Raises NameUnusable.

    ``year`` is set where a new series is made. Two series of one title are told apart by writing the year into it.
    """
    text = plain_text(title)
    if not text:
        raise NameUnusable("The title of the series is empty.")
    if len(text) > TITLE_LENGTH:
        raise NameUnusable(f"The title of the series has {len(text)} characters; at most {TITLE_LENGTH} can be kept.")
    series, created = Series.objects.get_or_create(slug=slug_of(text), defaults={"title": text, "year": year})
    if created:
        audit_record(action="series.create", subject=series, actor=actor, after={"title": series.title, "year": year})
    return series
