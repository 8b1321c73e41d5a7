"""Signatures that others' libraries check, and patience that lasts a day."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from analysis.webhooks.backoff import HOUR, WAITS_S, wait_after
from analysis.webhooks.signing import headers, secret_new, signature


def test_the_example_of_the_standard() -> None:
    """The values that the specification of Standard Webhooks gives."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    found = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_changed_both_sign() -> None:
    old, new = secret_new(), secret_new()
    assert old != new
    body = '{"über": 1}'.encode()
    found = headers((new, old), "msg_1", 1_700_000_000, body)
    for secret, said in zip((new, old), found["webhook-signature"].split(), strict=True):
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, b"msg_1.1700000000." + body, hashlib.sha256).digest()).decode()
        assert said == f"v1,{expected}"
    assert (found["webhook-id"], found["webhook-timestamp"]) == ("msg_1", "1700000000")
    assert len(base64.b64decode(new.removeprefix("whsec_"))) == 32


def test_it_is_tried_for_about_a_day_and_then_no_more() -> None:
    waits = [wait_after(n, lot=0.0) for n in range(1, len(WAITS_S) + 1)]
    assert waits == list(WAITS_S)
    assert 20 * HOUR < sum(WAITS_S) < 30 * HOUR
    assert waits == sorted(w for w in waits if w is not None)
    assert wait_after(len(WAITS_S) + 1) is None


@pytest.mark.parametrize(("asked", "expected"), [(0, 5), (3, 5), (90, 90), (10**6, HOUR)])
def test_a_receiver_that_asks_for_patience_gets_an_hour_at_most(asked: int, expected: int) -> None:
    assert wait_after(1, asked_s=asked, lot=0.0) == expected


def test_what_failed_together_is_not_sent_again_together() -> None:
    assert {wait_after(6, lot=lot / 10) for lot in range(10)} == {3600 + 36 * n for n in range(10)}
