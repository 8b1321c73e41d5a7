"""Whose address counts: never one that a visitor wrote."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from catalog.access.address import client_address, counted_address


def asked(direct: str, forwarded: str | None = None) -> Any:
    headers: dict[str, Any] = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=direct, **headers)


@pytest.mark.parametrize(
    ("trusted", "direct", "forwarded", "expected"),
    [
        (0, "192.0.2.1", "198.51.100.9", "192.0.2.1"),
        (1, "10.0.0.1", "198.51.100.9", "198.51.100.9"),
        (1, "10.0.0.1", "1.1.1.1, 198.51.100.9", "198.51.100.9"),
        (2, "10.0.0.1", "1.1.1.1, 198.51.100.9, 10.0.0.2", "198.51.100.9"),
        (2, "10.0.0.1", "198.51.100.9", "10.0.0.1"),  # it came past a proxy of ours
        (1, "10.0.0.1", None, "10.0.0.1"),
        (1, "10.0.0.1", "<script>", "10.0.0.1"),
        (1, "", "198.51.100.9:4711", "198.51.100.9"),
        (1, "", "[2001:db8::1]:4711", "2001:db8::1"),
        (0, "", "198.51.100.9", "unknown"),
        (0, "::ffff:192.0.2.1", None, "192.0.2.1"),
    ],
)
def test_the_address(settings: Any, trusted: int, direct: str, forwarded: str | None, expected: str) -> None:
    settings.TOONEMO_TRUSTED_PROXIES = trusted
    assert client_address(asked(direct, forwarded)) == expected


def test_one_customer_with_many_addresses_is_counted_as_one() -> None:
    first, second, other = (counted_address(asked(f"2001:db8:0:{net}::{n}")) for net, n in ((1, 1), (1, 2), (2, 1)))
    assert first == second == "2001:db8:0:1::/64"
    assert other != first
    assert counted_address(asked("192.0.2.1")) == "192.0.2.1"
