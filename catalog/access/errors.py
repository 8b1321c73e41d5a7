"""What can go wrong when somebody shows who they are. ``docs/errors.md`` has a row for every code."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext as _


class AccessError(Exception):
    """``str(error)`` is the sentence. ``status``: of the API's answer."""

    code: ClassVar[str] = "access_error"
    status: ClassVar[int] = 409


class TokenInvalid(AccessError):
    """No such token can be made: a name, scopes or days that it cannot have."""

    code = "token_invalid"
    status = 400


class TooManyTokens(AccessError):
    """Somebody has as many live tokens as one person may."""

    code = "too_many_tokens"


class SignInRefused(AccessError):
    """Too many wrong passwords came from there, or for that name. ``wait_s``: until it may be tried again."""

    code = "sign_in_refused"
    status = 429

    def __init__(self, wait_s: int) -> None:
        super().__init__(_("Too many attempts. Try again in %(max)s minutes.") % {"max": max(1, round(wait_s / 60))})
        self.wait_s = wait_s


class KeyInvalid(AccessError):
    """An Idempotency-Key is empty, too long, or holds what is no visible ASCII."""

    code = "idempotency_key_invalid"
    status = 400


class KeyInFlight(AccessError):
    """A request with the same Idempotency-Key is still being answered."""

    code = "idempotency_key_in_flight"


class KeyReused(AccessError):
    """The Idempotency-Key was sent before, with something else."""

    code = "idempotency_key_reused"
    status = 422


class BodyTooLarge(AccessError):
    """More was sent than a request of this kind may hold."""

    code = "body_too_large"
    status = 413
