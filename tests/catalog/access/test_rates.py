"""How often somebody may ask: exact where it matters, and in nobody's way where Redis is away."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.test import Client

from catalog.access import rates
from catalog.access.rates import Rate, count, rate_read
from tests.tokens import bearer, somebody


@pytest.fixture(autouse=True)
def afresh(services: None, settings: Any) -> Iterator[None]:
    rates.forget()
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    yield
    rates.forget()


def test_rates_are_read_strictly() -> None:
    assert rate_read("120/minute") == Rate(120, 60)
    assert rate_read(" 5/day ") == Rate(5, 86_400)
    assert rate_read("") is rate_read("off") is None
    for text in ("120", "0/minute", "-1/minute", "1.5/hour", "10/week", "x", "9999999999/day", "1/minute;"):
        with pytest.raises(ValueError, match=r".*"):
            rate_read(text)


def test_so_many_and_no_more_and_the_wait_is_true() -> None:
    """At random times: who waits as long as is said gets through, and no window holds more than the limit allows."""
    rng = random.Random(5)
    for most, seconds in ((1, 60), (3, 60), (20, 60), (7, 3600)):
        rate, at = Rate(most, seconds), 1e9 + rng.random() * 1000
        key = f"k{most}-{seconds}"
        allowed = []
        for _ in range(60):
            at += rng.random() * seconds / most
            found = count(key, rate, reading=True, clock=lambda: at)  # noqa: B023
            assert found is not None
            if found.allowed:
                allowed.append(at)
                assert 0 <= found.left < most
                continue
            assert 0 < found.wait_s <= 2 * seconds
            at += found.wait_s
            again = count(key, rate, reading=True, clock=lambda: at)  # noqa: B023
            assert again is not None
            assert again.allowed, (most, seconds, found)
            allowed.append(at)
        fixed = [sum(1 for a in allowed if a // seconds == w) for w in {a // seconds for a in allowed}]
        assert max(fixed) <= most
        assert len(allowed) > 20


def test_a_redis_that_was_emptied_counts_from_the_start(settings: Any) -> None:
    rate = Rate(1, 60)
    clock = lambda: 1e9  # noqa: E731
    assert count("k", rate, reading=True, clock=clock).allowed  # type: ignore[union-attr]
    assert not count("k", rate, reading=True, clock=clock).allowed  # type: ignore[union-attr]
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    assert count("k", rate, reading=True, clock=clock).allowed  # type: ignore[union-attr]


def test_without_redis_reading_goes_on_and_writing_is_counted_here(settings: Any, caplog: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    rates.forget()
    rate = Rate(2, 3600)
    assert all(count("k", rate, reading=True) is None for _ in range(5))
    written = [count("k", rate, reading=False).allowed for _ in range(4)]  # type: ignore[union-attr]
    assert written == [True, True, False, False]
    assert caplog.text.count("rates_not_counted") == 1, "nobody waits for it at every request"


@pytest.mark.django_db
def test_the_api_says_how_many_are_left_and_when_to_come_back(client: Client, settings: Any) -> None:
    settings.TOONEMO_RATES = {"anonymous": Rate(2, 60)}
    first = client.get("/api/v1/series/")
    assert (first["RateLimit-Limit"], first["RateLimit-Remaining"], first["RateLimit-Policy"]) == ("2", "1", "2;w=60")
    client.get("/api/v1/series/")
    refused = client.get("/api/v1/series/")
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    assert refused["Content-Type"] == "application/problem+json"
    assert 0 < int(refused["Retry-After"]) <= 120
    assert (refused["RateLimit-Remaining"], refused["RateLimit-Reset"]) == ("0", refused["Retry-After"])
    assert Client(REMOTE_ADDR="192.0.2.7").get("/api/v1/series/").status_code == 200
    assert client.get("/").status_code == 200, "pages are not the API"
    assert "RateLimit-Limit" not in client.get("/")


@pytest.mark.django_db
def test_what_a_visitor_writes_into_a_header_gives_nobody_more(client: Client, settings: Any) -> None:
    settings.TOONEMO_RATES = {"anonymous": Rate(1, 60)}
    client.get("/api/v1/series/")
    for n in range(3):
        answer = client.get("/api/v1/series/", headers={"X-Forwarded-For": f"198.51.100.{n}"})
        assert answer.status_code == 429


@pytest.mark.django_db
def test_people_and_tokens_are_counted_by_themselves(client: Client, settings: Any) -> None:
    person = somebody()
    settings.TOONEMO_RATES = {"anonymous": Rate(1, 60), "signed_in": Rate(2, 60), "token": Rate(3, 60)}
    first, second = Client(headers=bearer(person)), Client(headers=bearer(person))
    client.force_login(person)
    for one, most in ((Client(), 1), (client, 2), (first, 3), (second, 3)):
        statuses = [one.get("/api/v1/series/").status_code for _ in range(most + 1)]
        assert statuses == [200] * most + [429]


@pytest.mark.django_db
def test_what_is_expensive_is_counted_twice(client: Client, settings: Any) -> None:
    settings.TOONEMO_RATES = {"anonymous": Rate(10, 60), "search": Rate(1, 60)}
    assert client.get("/api/v1/search/?q=happy").status_code == 200
    refused = client.get("/api/v1/search/?q=happy")
    assert (refused.status_code, refused["RateLimit-Limit"]) == (429, "1")
    assert client.get("/api/v1/series/")["RateLimit-Remaining"] == "7"


@pytest.mark.django_db
def test_the_api_answers_while_redis_is_away(client: Client, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    rates.forget()
    settings.TOONEMO_RATES = {"anonymous": Rate(1, 60)}
    assert [client.get("/api/v1/series/").status_code for _ in range(3)] == [200] * 3
    posts = [client.post("/api/v1/query/", {}, content_type="application/json").status_code for _ in range(3)]
    assert posts == [400, 429, 429]
