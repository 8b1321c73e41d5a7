"""Who may do what. A role is a group of Django's; what it may do is written here and nowhere else.

Reading what is published needs no role at all. Whoever may enter the Django admin (``is_staff``) has every right.
A request that came with an API token has at most the rights of its scopes: ``request.auth.rights``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.contrib.auth.models import AnonymousUser, Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from rest_framework.request import Request
    from rest_framework.views import APIView


class Right(StrEnum):
    SEE_RUNS = "see_runs"  # runs that no episode shows, their logs and pictures
    INGEST = "ingest"  # upload and import episodes, change what the catalogue says of them and of characters
    ANALYSE = "analyse"  # ask for runs, cancel, retry, put them in order
    CORRECT = "correct"  # say what a face shows, check shots
    PUBLISH = "publish"  # choose which run an episode shows, or which bundle all of them
    MANAGE = "manage"  # pause queues, webhooks, other people's tokens


# In words, for people who choose what a token may.
RIGHT_WORDS = {
    "read": _("Read what everybody may read"),
    Right.SEE_RUNS: _("See every run, also those that no episode shows"),
    Right.INGEST: _("Add episodes, and change what is said of them"),
    Right.ANALYSE: _("Ask for runs, stop them and do them again"),
    Right.CORRECT: _("Correct faces and check shots"),
    Right.PUBLISH: _("Choose which run an episode shows"),
    Right.MANAGE: _("Look after queues, webhooks, the audit and other people's tokens"),
}

VIEWER, EDITOR, ADMIN = "viewer", "editor", "admin"
ROLES: dict[str, frozenset[Right]] = {
    VIEWER: frozenset({Right.SEE_RUNS}),
    EDITOR: frozenset({Right.SEE_RUNS, Right.INGEST, Right.ANALYSE, Right.CORRECT}),
    ADMIN: frozenset(Right),
}


KEPT = "_rights"  # on the user object, for one request


def rights_of(user: AbstractBaseUser | AnonymousUser) -> frozenset[Right]:
    """What ``user`` may do: the rights of all of its roles; one query, once per user object."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return ROLES[ADMIN]
    known: frozenset[Right] | None = getattr(user, KEPT, None)
    if known is None:
        names = Group.objects.filter(user=user.pk).values_list("name", flat=True)
        known = frozenset().union(*(ROLES.get(name, frozenset()) for name in names))
        setattr(user, KEPT, known)
    return known


def roles_of(user: AbstractBaseUser | AnonymousUser) -> list[str]:
    """The names of its roles, for people to read."""
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return [ADMIN]
    names = Group.objects.filter(user=user.pk, name__in=ROLES).values_list("name", flat=True)
    return sorted(names, key=list(ROLES).index)


def may(request: HttpRequest | Request, right: Right) -> bool:
    """Whether this request may use ``right``: its user has it, and so has its token where it came with one."""
    scoped = getattr(getattr(request, "auth", None), "rights", None)
    return right in rights_of(request.user) and (scoped is None or right in scoped)


P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def needs(right: Right) -> Callable[[View[P]], View[P]]:
    """A page for those who have ``right``: others sign in, or are told that they may not (403)."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def checked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not may(request, right):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return checked

    return decorate


def api_needs(right: Right, *, to_read: bool = True) -> type[BasePermission]:
    """A permission of the API for those who have ``right``; ``to_read`` False: anybody may read."""

    class Needs(BasePermission):
        def has_permission(self, request: Request, view: APIView) -> bool:
            return may(request, right) or (not to_read and request.method in ("GET", "HEAD", "OPTIONS"))

    return Needs


def rights_context(request: HttpRequest) -> dict[str, Any]:
    """For templates: ``rights.correct`` and so on, and ``is_signed_in``."""
    user = getattr(request, "user", AnonymousUser())
    held = rights_of(user)
    return {"rights": {str(right): right in held for right in Right}}
