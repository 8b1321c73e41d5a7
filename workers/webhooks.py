"""Sends what a webhook is told: to an address that was looked at, within seconds, reading little of the answer."""

from __future__ import annotations

import json
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import replace

import httpx
import structlog
from django.conf import settings

from analysis.services.deliveries import Outcome, Parcel, delivery_claim, delivery_end
from analysis.webhooks.address import AddressRefused, Target, chosen, target_read
from analysis.webhooks.signing import headers
from ml.errors import Cancelled
from workers.patience import patiently
from workers.stoppable import stoppable

ALL_S = 20.0  # for looking up, connecting, sending and reading together
STEP_S = 5.0
BODY_S = 3.0
MOST_ANSWER = 16 << 10

logger = structlog.get_logger(__name__)


def delivery_send(delivery_id: int) -> bool | None:
    """Whether it was taken; None: it is not due, or somebody else is at it."""
    parcel = patiently(lambda: delivery_claim(delivery_id))
    if parcel is None:
        return None
    outcome = attempt(parcel)
    logger.info("webhook_sent", delivery=delivery_id, status=outcome.status, error=outcome.error, ms=outcome.ms)
    patiently(lambda: delivery_end(parcel, outcome))
    return outcome.taken


def attempt(parcel: Parcel) -> Outcome:
    """One request. Whatever happens is an outcome; nothing is raised."""
    begun = time.monotonic()
    client = _client()
    try:
        found = stoppable(lambda: _post(client, parcel), lambda: time.monotonic() - begun > ALL_S)
    except Cancelled:
        found = Outcome(None, 0, f"No whole answer came within {ALL_S:.0f} s.")
    finally:
        client.close()  # a thread that still waits for a slow answer ends with its connection
    return replace(found, ms=round(1000 * (time.monotonic() - begun)))


def _client() -> httpx.Client:
    """Without proxies of the environment, which would look names up themselves, and without redirects."""
    return httpx.Client(
        trust_env=False,
        follow_redirects=False,
        timeout=STEP_S,
        verify=ssl.create_default_context(),
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=0),
    )


def _post(client: httpx.Client, parcel: Parcel) -> Outcome:
    private = bool(settings.TOONEMO_WEBHOOK_PRIVATE)
    body = json.dumps(parcel.body, separators=(",", ":"), ensure_ascii=False).encode()
    try:
        target = target_read(parcel.url, private=private)
        address = chosen(_looked_up(target), private=private)
        signed = headers(parcel.secrets, parcel.message, int(time.time()), body)
        with client.stream(
            "POST",
            _url(target, address),
            content=body,
            headers={**signed, "Host": target.authority, "Accept-Encoding": "identity"},
            extensions={"sni_hostname": target.host},  # the certificate has to be of the name, not of the address
        ) as response:
            return Outcome(response.status_code, 0, "", _begin(response), _asked_s(response))
    except AddressRefused as error:
        return Outcome(None, 0, str(error))
    except socket.gaierror:
        return Outcome(None, 0, "The name of the machine is not known.")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError) as error:
        return Outcome(None, 0, f"{type(error).__name__}: {error}")


def _looked_up(target: Target) -> list[str]:
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _url(target: Target, address: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"{target.scheme}://{host}:{target.port}{target.path}"


def _begin(response: httpx.Response) -> str:
    """How the answer begins; the rest is not read, and one that stops in the middle was an answer all the same."""
    read, begun = b"", time.monotonic()
    with suppress(httpx.HTTPError):
        for chunk in response.iter_raw(4096):
            read += chunk
            if len(read) >= MOST_ANSWER or time.monotonic() - begun > BODY_S:
                break
    return read[:MOST_ANSWER].decode(errors="replace")


def _asked_s(response: httpx.Response) -> int:
    """``Retry-After`` in seconds; 0 where it is none, or a date."""
    text = response.headers.get("Retry-After", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else 0
