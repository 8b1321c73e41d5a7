"""Environment variables. What cannot be read is refused in one sentence that names the variable.

A value is repeated only where it cannot be a secret: addresses of services hold passwords.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured

from catalog.access.rates import Rate, rate_read

POSTGRESQL = "django.db.backends.postgresql"
POSTGRESQL_SCHEMES = ("postgres", "postgresql", "psql", "pgsql")
REDIS_SCHEMES = ("redis", "rediss", "unix")
KINDS = {int: "a whole number of 0 or more", float: "a number of 0 or more", bool: "one of true, false, 1, 0, yes, no"}
NO_STRINGS = ("false", "off", "n", "no", "0", "")


class Env(environ.Env):  # type: ignore[misc]
    """As django-environ's, but strict: a word that is neither yes nor no is not a no. Raises ImproperlyConfigured."""

    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, *args: Any, **more: Any) -> Any:
        said = str(self.ENVIRON.get(var, ""))
        wanted = KINDS.get(cast, "readable")
        try:
            value = super().get_value(var, cast, default, *args, **more)
        except (ValueError, TypeError) as error:
            raise ImproperlyConfigured(f"{var} is {said!r}, but must be {wanted}") from error
        unknown_bool = cast is bool and said.lower().strip() not in (*self.BOOLEAN_TRUE_STRINGS, *NO_STRINGS)
        if unknown_bool or (cast in (int, float) and not (math.isfinite(value) and value >= 0)):
            raise ImproperlyConfigured(f"{var} is {said!r}, but must be {wanted}")
        return value

    def choice(self, var: str, choices: Collection[str], default: str) -> str:
        value = str(self.str(var, default=default))
        if value not in choices:
            raise ImproperlyConfigured(f"{var} is {value!r}, but must be one of {', '.join(choices)}")
        return value

    def rate(self, var: str, default: str) -> Rate | None:
        value = str(self.str(var, default=default))
        try:
            return rate_read(value)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} is {value!r}, but must be like 120/minute, or off") from error

    def time_zone(self, var: str, default: str) -> str:
        value = str(self.str(var, default=default))
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError) as error:
            raise ImproperlyConfigured(f"{var} is {value!r}, but must be a time zone such as Europe/Berlin") from error
        return value


def database(url: str) -> dict[str, Any]:
    """Django's form of ``DATABASE_URL``."""
    try:
        known = urlsplit(url).scheme in POSTGRESQL_SCHEMES
        found: dict[str, Any] = environ.Env.db_url_config(url) if known else {}
    except (ValueError, KeyError):
        found = {}
    if found.get("ENGINE") != POSTGRESQL or not found.get("NAME"):
        raise ImproperlyConfigured("DATABASE_URL must be like postgres://user:password@host:5432/name")
    return found


def redis_address(url: str) -> str:
    """``REDIS_URL`` if it is one."""
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in REDIS_SCHEMES and (parts.port is None or parts.port > 0)
    except ValueError:
        is_one = False
    if not is_one:
        raise ImproperlyConfigured("REDIS_URL must be like redis://:password@host:6379/0 or unix:///path/redis.sock")
    return url
