"""Making, finding and revoking tokens. A token is shown once, when it is made, and kept as a digest."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from catalog.access.errors import TokenInvalid, TooManyTokens
from catalog.access.models import READ, SCOPES, Token
from catalog.access.services.audit import audit_record
from catalog.naming import plain_text
from catalog.roles import rights_of

PREFIX = "toonemo_"
HINT = len(PREFIX) + 4
MOST_LIVE = 50
NAME_LENGTH = 80
USED_EVERY = timedelta(seconds=60)  # "last used" is right to a minute, and costs no write per request
_SECRET = re.compile(r"[A-Za-z0-9_-]{20,100}", re.ASCII)


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def token_create(
    *,
    owner: User,
    name: str,
    scopes: Iterable[str] = (READ,),
    days: int | None = None,
    actor: AbstractBaseUser | None = None,
) -> tuple[Token, str]:
    """The token and its secret, which is told nowhere else and never again.

    ``days``: until it expires; TOONEMO_TOKEN_DAYS where None, at most TOONEMO_TOKEN_MOST_DAYS.
    Raises TokenInvalid, TooManyTokens.
    """
    User.objects.select_for_update().get(pk=owner.pk)
    name = plain_text(name)
    if not 0 < len(name) <= NAME_LENGTH:
        raise TokenInvalid(f"A token has a name of 1 to {NAME_LENGTH} characters, to know it again by.")
    wanted = _scopes(owner, scopes)
    most = settings.TOONEMO_TOKEN_MOST_DAYS
    lasts = min(settings.TOONEMO_TOKEN_DAYS, most) if days is None else days
    if not 1 <= lasts <= most:
        raise TokenInvalid(f"A token lasts 1 to {most} days, not {lasts}.")
    now = timezone.now()
    if Token.objects.filter(owner=owner, revoked_at=None, expires_at__gt=now).count() >= MOST_LIVE:
        raise TooManyTokens(f"{owner.get_username()} has {MOST_LIVE} tokens already; revoke one that is not used.")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        name=name,
        owner=owner,
        digest=digest_of(secret),
        hint=secret[:HINT],
        scopes=wanted,
        expires_at=now + timedelta(days=lasts),
    )
    after = {"name": name, "owner": owner.pk, "scopes": wanted, "expires_at": token.expires_at.isoformat()}
    audit_record(action="token.create", subject=token, actor=actor, after=after)
    return token, secret


def _scopes(owner: User, scopes: Iterable[str]) -> list[str]:
    """In their usual order. Raises TokenInvalid where one is unknown, or is a right that the owner has not."""
    asked = {str(scope) for scope in scopes} | {READ}
    if unknown := sorted(asked - set(SCOPES)):
        raise TokenInvalid(f"There is no scope {unknown[0][:60]!r}; there are {', '.join(SCOPES)}.")
    held = {READ, *map(str, rights_of(owner))}
    if missing := [scope for scope in SCOPES if scope in asked - held]:
        raise TokenInvalid(f"{owner.get_username()} has no right to {missing[0]}, so a token cannot have it.")
    return [scope for scope in SCOPES if scope in asked]


@transaction.atomic
def token_revoke(*, token: Token, actor: AbstractBaseUser | None = None) -> Token:
    """It is refused from now on. Twice is as good as once."""
    locked = Token.objects.select_for_update().get(pk=token.pk)
    if locked.revoked_at is None:
        locked.revoked_at = timezone.now()
        locked.save(update_fields=["revoked_at"])
        audit_record(action="token.revoke", subject=locked, actor=actor, before={"name": locked.name})
    return locked


def token_find(secret: str) -> Token | None:
    """The live token of that secret, whose owner may still sign in. None for anything else, without saying why."""
    if not _SECRET.fullmatch(secret):
        return None
    digest = digest_of(secret)
    token = Token.objects.select_related("owner").filter(digest=digest).first()
    if token is None or not constant_time_compare(token.digest, digest):
        return None
    return token if token.state == "live" and token.owner.is_active else None


def token_used(token: Token) -> None:
    """Notes that it was used, once a minute at most."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at >= USED_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
