"""What the models share."""

from __future__ import annotations

from django.db.models import Q

from ml.types import EMOTIONS

EMOTION_CHOICES = [(str(e), str(e)) for e in EMOTIONS]


def unit(*fields: str) -> Q:
    """Every field lies in [0, 1] or is NULL."""
    condition = Q()
    for name in fields:
        condition &= Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 0.0, f"{name}__lte": 1.0})
    return condition
