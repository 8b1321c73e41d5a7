"""Who did what, kept for ever. Every service that writes calls this in the transaction of its write."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model

from catalog.access.models import Audit, Token

CARRIED = "_access_token"  # on the user object: the token that a request came with


def carry(user: AbstractBaseUser, token: Token) -> None:
    """From now on, what ``user`` does is done by this token."""
    setattr(user, CARRIED, token)


def audit_record(
    *,
    action: str,
    subject: Model,
    actor: AbstractBaseUser | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Audit:
    """``actor`` None: the house itself did it, for instance a run that was published by rule."""
    token: Token | None = getattr(actor, CARRIED, None)
    return Audit.objects.create(
        actor_id=None if actor is None else actor.pk,
        token_id=None if token is None else token.pk,
        action=action,
        object_type=subject._meta.label_lower,
        object_id=subject.pk,
        before=before,
        after=after,
    )
