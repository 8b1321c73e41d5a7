"""Signatures as Standard Webhooks has them, so that any of its libraries can check ours."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterable
from hashlib import sha256

PREFIX = "whsec_"
BYTES = 32


def secret_new() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def signature(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """``v1,`` and the HMAC-SHA256 over ``message.timestamp.body``, in base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()


def headers(live: Iterable[str], message: str, timestamp: int, body: bytes) -> dict[str, str]:
    """``live``: the secret, and the one before it while it still counts; any of the signatures will do."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "ToonEmo-Webhooks/1",
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, message, timestamp, body) for secret in live),
    }
