"""Signing in with a password, slowed down where somebody guesses.

An attempt is written down before the password is looked at, so that many at once cannot slip past the count, and taken
away again where it was right. What is refused is not counted, so nobody is kept out longer by whoever keeps trying.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from catalog.access.errors import SignInRefused
from catalog.access.models import SignInAttempt

WINDOW = timedelta(minutes=15)
KEPT = timedelta(hours=1)
MOST_OF_BOTH = 5  # wrong passwords for one name from one address
MOST_OF_ADDRESS = 30  # from one address, for whatever names
MOST_OF_NAME = 100  # for one name, from wherever
_SALT = "toonemo.sign-in"

Found = TypeVar("Found")


def sign_in_try(*, name: str, address: str, check: Callable[[], Found | None]) -> Found | None:
    """What ``check`` finds; None where the password is wrong. Raises SignInRefused without asking ``check``."""
    who, where = _digest(name.strip().casefold()), _digest(address)
    attempt = SignInAttempt.objects.create(name=who, address=where)
    wait_s = _wait(who, where)
    if wait_s > 0:
        attempt.delete()
        raise SignInRefused(wait_s)
    found = check()
    if found is not None:
        SignInAttempt.objects.filter(name=who, address=where).delete()
    return found


def _wait(who: str, where: str) -> int:
    """Seconds until the next attempt may be made; 0: now."""
    now = timezone.now()
    recent = SignInAttempt.objects.filter(at__gt=now - WINDOW)
    bounds = (
        (Q(name=who, address=where), MOST_OF_BOTH),
        (Q(address=where), MOST_OF_ADDRESS),
        (Q(name=who), MOST_OF_NAME),
    )
    longest = 0.0
    for among, most in bounds:
        newest = recent.filter(among).order_by("-at", "-id")[: most + 1]
        times = list(newest.values_list("at", flat=True))
        if len(times) > most:
            longest = max(longest, (times[most] + WINDOW - now).total_seconds())
    return max(0, round(longest))


@transaction.atomic
def attempts_forget() -> int:
    """Away with attempts that count no more."""
    gone, _ = SignInAttempt.objects.filter(at__lt=timezone.now() - KEPT).delete()
    return gone


def _digest(text: str) -> str:
    return salted_hmac(_SALT, text, algorithm="sha256").hexdigest()
