"""Whoever asks with a token."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User

from catalog.access.models import SCOPES
from catalog.access.selectors import scopes_open_to
from catalog.access.services.tokens import token_create


def bearer(user: User, *scopes: str) -> dict[str, str]:
    """Headers with a new token of ``user``: of these scopes, or of all that it may have."""
    _, secret = token_create(owner=user, name="a test", scopes=scopes or scopes_open_to(user))
    return {"Authorization": f"Bearer {secret}"}


def somebody(*roles: str, **fields: Any) -> User:
    """Somebody new, of these roles."""
    user = User.objects.create_user(f"somebody-{User.objects.count()}", **fields)
    user.groups.add(*(Group.objects.get_or_create(name=role)[0] for role in roles))
    return user


__all__ = ["SCOPES", "bearer", "somebody"]
