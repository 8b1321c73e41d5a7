"""The example of the guide checks what is sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from analysis.models import WebhookEvent
from analysis.models.webhooks import TEST_EVENT
from analysis.webhooks.backoff import HOUR, MINUTE, WAITS_S
from analysis.webhooks.signing import headers, secret_new

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "webhooks.md").read_text(encoding="utf-8")


def example() -> Any:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    found: dict[str, Any] = {}
    exec(compile(code, "docs/webhooks.md", "exec"), found)
    return found["is_from_toonemo"]


def test_the_example_takes_what_is_from_here_and_nothing_else() -> None:
    check, secret, old, now = example(), secret_new(), secret_new(), 1_767_225_600
    body = b'{"type":"run.published","data":{"run":7}}'
    sent = headers((secret,), "msg_1", now, body)
    assert check(secret, sent, body, now)
    assert check(secret, sent, body, now + 299)
    assert check(old, headers((secret, old), "msg_1", now, body), body, now)
    assert not check(old, sent, body, now)
    assert not check(secret, sent, body + b" ", now)
    assert not check(secret, sent, body, now + 301)
    assert not check(secret, {**sent, "webhook-id": "msg_2"}, body, now)
    assert not check(secret, {**sent, "webhook-timestamp": str(now - 1)}, body, now)


def test_the_request_that_is_shown_is_signed_as_it_says() -> None:
    (shown,) = re.findall(r"```\nPOST (.*?)```", GUIDE, re.S)
    head, _, body = shown.strip().partition("\n\n")
    sent = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    (secret,) = re.findall(r"`(whsec_[^`]+)`", GUIDE)
    assert example()(secret, sent, body.encode(), float(sent["webhook-timestamp"]))


def test_every_event_and_every_wait_is_in_the_guide() -> None:
    for event in (*WebhookEvent.values, TEST_EVENT):
        assert f"`{event}`" in GUIDE
    words = [f"{s} s" if s < MINUTE else f"{s // MINUTE} min" if s < HOUR else f"{s // HOUR} h" for s in WAITS_S]
    said = re.search(r"sent again after (.*?), each up to", GUIDE, re.S)
    assert said is not None
    assert re.split(r",\s|\sand\s", said[1].replace("\n", " ")) == words
