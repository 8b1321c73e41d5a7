"""What is read of tokens."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

from catalog.access.models import READ, SCOPES, Token
from catalog.roles import rights_of


def tokens_of(owner: AbstractBaseUser) -> QuerySet[Token]:
    return Token.objects.filter(owner_id=owner.pk).select_related("owner").order_by("-id")


def tokens_all() -> QuerySet[Token]:
    return Token.objects.select_related("owner").order_by("-id")


def scopes_open_to(user: AbstractBaseUser | AnonymousUser) -> list[str]:
    """What a token of ``user`` may have."""
    held = {READ, *map(str, rights_of(user))}
    return [scope for scope in SCOPES if scope in held]
