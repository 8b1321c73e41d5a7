"""How often somebody may ask, counted where all processes see it.

A sliding window of two counters: the one of the window that is under way, and that of the one before, weighted by how
much of it still counts. Redis keeps them and may be emptied or away at any time: then reading is not limited at all,
and writing is counted in this process alone.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE_S = 0.25
AWAY_S = 5.0  # for so long nobody waits for a Redis that did not answer
MOST_LOCAL = 10_000
PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"(\d{1,9})/(second|minute|hour|day)")

logger = structlog.get_logger(__name__)

# Adds one where the limit allows it; what is refused does not count. Answers whether it did, and the estimate.
_COUNT = """
local now = tonumber(redis.call('GET', KEYS[1]) or '0')
local before = tonumber(redis.call('GET', KEYS[2]) or '0')
local used = before * tonumber(ARGV[1]) + now
if used + 1 > tonumber(ARGV[2]) then return {0, now, before} end
redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {1, now + 1, before}
"""


@dataclass(frozen=True, slots=True)
class Rate:
    most: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.most};w={self.seconds}"


def rate_read(text: str) -> Rate | None:
    """``120/minute``; None where it is empty or ``off``. Raises ValueError."""
    if text.strip() in ("", "off"):
        return None
    match = _RATE.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise ValueError(text)
    return Rate(int(match[1]), PERIODS[match[2]])


@dataclass(frozen=True, slots=True)
class Counted:
    """``allowed``; how many are left, and in how many seconds one more is for sure."""

    rate: Rate
    allowed: bool
    left: int
    wait_s: int


@dataclass(slots=True)
class Local:
    """The same in this process, for as long as Redis is away."""

    counts: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, keys: tuple[str, str], weight: float, most: int) -> tuple[bool, int, int]:
        with self.lock:
            now, before = self.counts.get(keys[0], 0), self.counts.get(keys[1], 0)
            if before * weight + now + 1 > most:
                return False, now, before
            if len(self.counts) >= MOST_LOCAL:
                self.counts.clear()
            self.counts[keys[0]] = now + 1
            return True, now + 1, before


_local = Local()
_away_until = 0.0
_client: redis.Redis | None = None


def count(key: str, rate: Rate, *, reading: bool, clock: Callable[[], float] = time.time) -> Counted | None:
    """One more of ``key``. None: it cannot be counted at this moment, and is let through."""
    at = clock()
    window, passed = divmod(at, rate.seconds)
    keys = (f"rate:{key}:{window:.0f}", f"rate:{key}:{window - 1:.0f}")
    weight = 1 - passed / rate.seconds
    found = _shared(keys, weight, rate)
    if found is None:
        if reading:
            return None
        found = _local.count(keys, weight, rate.most)
    allowed, now, before = found
    left = max(0, math.floor(rate.most - before * weight - now))
    return Counted(rate, allowed, left, 0 if allowed else _wait(rate, now, before, rate.seconds - passed))


def _wait(rate: Rate, now: int, before: int, rest_s: float) -> int:
    """Seconds until one more fits: what counts of the window before shrinks evenly, then that of this one does."""
    if now + 1 <= rate.most and before > 0:
        share = (rate.most - 1 - now) / before  # so much of the one before may still count
        return max(1, math.ceil(rest_s - share * rate.seconds))
    share = (rate.most - 1) / now
    return max(1, math.ceil(rest_s + (1 - share) * rate.seconds))


def _shared(keys: tuple[str, str], weight: float, rate: Rate) -> tuple[bool, int, int] | None:
    global _away_until
    if time.monotonic() < _away_until:
        return None
    try:
        allowed, now, before = _redis().eval(_COUNT, 2, *keys, repr(weight), rate.most, 2 * rate.seconds)
    except (redis.RedisError, OSError) as error:
        _away_until = time.monotonic() + AWAY_S
        logger.warning("rates_not_counted", reason=str(error), for_s=AWAY_S)
        return None
    return bool(allowed), int(now), int(before)


def _redis() -> redis.Redis:
    global _client
    if _client is None:
        options = {"socket_timeout": PATIENCE_S, "socket_connect_timeout": PATIENCE_S, "retry": Retry(NoBackoff(), 0)}
        _client = redis.Redis.from_url(settings.REDIS_URL, **options)
    return _client


def forget() -> None:
    """As after a start of the process: for tests, which change the address or what is away."""
    global _away_until, _client
    _away_until, _client = 0.0, None
    _local.counts.clear()
