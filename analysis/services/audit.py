"""Who did what to a run, kept for ever."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model

from analysis.models import Audit


def audit_record(
    *,
    action: str,
    subject: Model,
    actor: AbstractBaseUser | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Audit:
    """``actor`` None: the house itself did it, for instance a run that was published by rule."""
    return Audit.objects.create(
        actor_id=None if actor is None else actor.pk,
        action=action,
        object_type=subject._meta.label_lower,
        object_id=subject.pk,
        before=before,
        after=after,
    )
