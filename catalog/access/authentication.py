"""``Authorization: Bearer toonemo_...`` for the API."""

from __future__ import annotations

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from catalog.access.models import Token
from catalog.access.services.audit import carry
from catalog.access.services.tokens import token_find, token_used

KEYWORD = b"bearer"
CHALLENGE = 'Bearer realm="toonemo"'
REFUSED = "The token is not valid: it is unknown, has expired or was revoked."
OLD = "Tokens are sent as Authorization: Bearer, no longer as Authorization: Token."


class TokenAuthentication(BaseAuthentication):
    """A token that is not valid is told from none at all, but never why: whoever guesses learns nothing."""

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        parts = get_authorization_header(request).split()
        if parts and parts[0].lower() == b"token":
            raise AuthenticationFailed(OLD)
        if not parts or parts[0].lower() != KEYWORD:
            return None
        try:
            secret = parts[1].decode("ascii") if len(parts) == 2 else ""
        except UnicodeDecodeError:
            secret = ""
        token = token_find(secret)
        if token is None:
            raise AuthenticationFailed(REFUSED)
        owner: User = token.owner
        carry(owner, token)
        token_used(token)
        return owner, token

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE
