"""What is read of tokens and of the trail."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import QuerySet

from catalog.access.models import READ, SCOPES, Audit, Token
from catalog.roles import rights_of


def tokens_of(owner: AbstractBaseUser) -> QuerySet[Token]:
    return Token.objects.filter(owner_id=owner.pk).select_related("owner").order_by("-id")


def tokens_all() -> QuerySet[Token]:
    return Token.objects.select_related("owner").order_by("-id")


def scopes_open_to(user: AbstractBaseUser | AnonymousUser) -> list[str]:
    """What a token of ``user`` may have."""
    held = {READ, *map(str, rights_of(user))}
    return [scope for scope in SCOPES if scope in held]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """``actor``: a user's name; ``what``: ``analysis.analysisrun``; ``number``: of the object. Empty or None: any."""

    actor: str = ""
    action: str = ""
    what: str = ""
    number: int | None = None

    def __bool__(self) -> bool:
        return bool(self.actor or self.action or self.what or self.number is not None)


def audit_list(wanted: AuditFilter) -> QuerySet[Audit]:
    """The newest first; each of the filters alone has an index."""
    rows = Audit.objects.select_related("actor", "token").order_by("-id")
    if wanted.actor:
        rows = rows.filter(actor_id__in=User.objects.filter(username=wanted.actor).values("pk"))
    if wanted.action:
        rows = rows.filter(action=wanted.action)
    if wanted.what:
        rows = rows.filter(object_type=wanted.what)
    if wanted.number is not None:
        rows = rows.filter(object_id=wanted.number)
    return rows
