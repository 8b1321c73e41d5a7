"""Sending for real: to servers of this machine that answer well, badly, slowly, or not at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User

from analysis.models import Delivery, DeliveryAttempt, Webhook
from analysis.services.deliveries import Parcel, deliveries_resend, webhooks_tell
from analysis.services.webhooks import webhook_create
from analysis.webhooks.signing import signature
from workers import webhooks
from workers.webhooks import attempt, delivery_send

ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Receiver:
    port: int = 0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: Answer = lambda handler: plain(handler, 204)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?x=1"


def plain(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def serve(found: Receiver, context: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append((dict(self.headers.items()), body))
            found.answer(self)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    found.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.TOONEMO_WEBHOOK_PRIVATE = True
    found = Receiver()
    server = serve(found)
    yield found
    server.shutdown()
    server.server_close()


def parcel(url: str) -> Parcel:
    return Parcel(1, None, url, (SECRET,), "msg_1", {"type": "run.failed", "data": {"ü": 1}})  # type: ignore[arg-type]


def test_what_arrives_is_signed(receiver: Receiver) -> None:
    outcome = attempt(parcel(receiver.url))
    assert (outcome.status, outcome.taken) == (204, True)
    ((headers, body),) = receiver.got
    assert json.loads(body) == {"type": "run.failed", "data": {"ü": 1}}
    stamp = int(headers["webhook-timestamp"])
    assert abs(stamp - time.time()) < 60
    assert headers["webhook-signature"] == signature(SECRET, "msg_1", stamp, body)
    assert headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert headers["Content-Type"] == "application/json"


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer = lambda h: plain(h, 302, Location=receiver.url)
    assert attempt(parcel(receiver.url)).status == 302
    assert len(receiver.got) == 1


def test_patience_that_is_asked_for_is_heard(receiver: Receiver) -> None:
    receiver.answer = lambda h: plain(h, 503, b"busy", Retry_After="120")
    found = attempt(parcel(receiver.url))
    assert (found.status, found.answer, found.asked_s, found.taken) == (503, "busy", 120, False)
    receiver.answer = lambda h: plain(h, 503, b"", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT")
    assert attempt(parcel(receiver.url)).asked_s == 0


def test_an_endless_answer_is_not_read_to_its_end(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "BODY_S", 0.5)

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100_000):
            handler.wfile.write(b"\xffx" * 4_096)

    receiver.answer = endless
    begun = time.monotonic()
    found = attempt(parcel(receiver.url))
    assert (found.status, len(found.answer) <= 16 << 10) == (200, True)
    assert time.monotonic() - begun < 5


def test_a_compressed_answer_is_not_blown_up(receiver: Receiver) -> None:
    import gzip

    bomb = gzip.compress(b"0" * 5_000_000)
    receiver.answer = lambda h: plain(h, 200, bomb, Content_Encoding="gzip")
    assert len(attempt(parcel(receiver.url)).answer) <= 16 << 10


def test_whoever_answers_drop_by_drop_is_left(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "ALL_S", 1.0)

    def slow(handler: BaseHTTPRequestHandler) -> None:
        for _ in range(100):
            handler.wfile.write(b"H")
            handler.wfile.flush()
            time.sleep(0.2)

    receiver.answer = slow
    begun = time.monotonic()
    found = attempt(parcel(receiver.url))
    assert (found.status, found.error) == (None, "No whole answer came within 1 s.")
    assert time.monotonic() - begun < 4


def test_nobody_there_and_nonsense_are_outcomes(receiver: Receiver, settings: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    assert "ConnectError" in attempt(parcel(f"http://127.0.0.1:{closed}/")).error
    assert "not known" in attempt(parcel("http://no-such-name.invalid/")).error
    receiver.answer = lambda h: h.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")  # type: ignore[assignment]
    assert "RemoteProtocolError" in attempt(parcel(receiver.url)).error


def test_a_name_that_leads_inside_is_asked_nothing(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that led outside when it was set up (DNS rebinding), or that has an address of each kind."""
    settings.TOONEMO_WEBHOOK_PRIVATE = False
    for addresses in (["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"]):
        monkeypatch.setattr(webhooks, "_looked_up", lambda target, found=addresses: found)
        assert "private network" in attempt(parcel(f"https://hooks.example.org:{receiver.port}/")).error
    assert attempt(parcel(receiver.url)).error == "An address begins with https://."
    assert receiver.got == []


def test_the_connection_goes_to_the_address_that_was_looked_at(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name is looked up once; a second answer of the name server changes nothing."""
    asked: list[str] = []

    def look(target: Any) -> list[str]:
        asked.append(target.host)
        return ["127.0.0.1"]

    monkeypatch.setattr(webhooks, "_looked_up", look)
    monkeypatch.setattr(
        socket, "getaddrinfo", _only_numbers(socket.getaddrinfo)
    )  # the client itself asks for no name any more
    assert attempt(parcel(f"http://hooks.example.org:{receiver.port}/")).status == 204
    assert asked == ["hooks.example.org"]
    assert receiver.got[0][0]["Host"] == f"hooks.example.org:{receiver.port}"


def _only_numbers(real: Callable[..., Any]) -> Callable[..., Any]:
    def look(host: Any, *rest: Any, **more: Any) -> Any:
        assert host in ("127.0.0.1", b"127.0.0.1"), host
        return real(host, *rest, **more)

    return look


def test_the_certificate_has_to_be_of_the_name(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TOONEMO_WEBHOOK_PRIVATE = True
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
               "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=hooks.example.org",
               "-addext", "subjectAltName=DNS:hooks.example.org"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    found = Receiver()
    server = serve(found, context)
    trust = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(webhooks, "_client", lambda: httpx.Client(trust_env=False, timeout=5, verify=trust))
    monkeypatch.setattr(webhooks, "_looked_up", lambda target: ["127.0.0.1"])
    assert attempt(parcel(f"https://hooks.example.org:{found.port}/")).status == 204
    assert "certificate" in attempt(parcel(f"https://other.example.org:{found.port}/")).error.lower()
    assert len(found.got) == 1
    server.shutdown()
    server.server_close()


def one_delivery(url: str) -> Delivery:
    actor = User.objects.create_user("admin", is_staff=True)
    webhook_create(name="Mine", url=url, events=["run.failed"], actor=actor)
    webhooks_tell("run.failed", {"run": 1})
    return Delivery.objects.get()


@pytest.mark.django_db(transaction=True)
def test_a_delivery_is_kept_with_its_answer(receiver: Receiver) -> None:
    row = one_delivery(receiver.url)
    receiver.answer = lambda h: plain(h, 500, b"no\x00")
    assert delivery_send(row.pk) is False
    receiver.answer = lambda h: plain(h, 200, b"yes")
    assert delivery_send(row.pk) is None, "not due yet"
    Delivery.objects.update(due_at=row.created_at)
    assert delivery_send(row.pk) is True
    tries = list(DeliveryAttempt.objects.order_by("pk").values_list("status", "answer"))
    assert tries == [(500, "no�"), (200, "yes")]
    assert {h["webhook-id"] for h, _ in receiver.got} == {row.message}
    assert Webhook.objects.get().active


SENDS = """
import sys
import django
django.setup()
from django.conf import settings
settings.TOONEMO_WEBHOOK_PRIVATE = True
from workers.webhooks import delivery_send
delivery_send(int(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_sender_that_is_killed_is_followed_by_another(receiver: Receiver, service_env: dict[str, str]) -> None:
    """kill -9 while the receiver thinks: the sweep finds what waits, and it arrives again under the same id."""
    row = one_delivery(receiver.url)
    arrived = threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        arrived.set()
        time.sleep(3)

    receiver.answer = hang
    sender = subprocess.Popen([sys.executable, "-c", SENDS, str(row.pk)], cwd=ROOT, env=service_env)
    assert arrived.wait(60)
    os.kill(sender.pid, signal.SIGKILL)
    sender.wait(30)
    receiver.answer = lambda h: plain(h, 204)
    row.refresh_from_db()
    assert (row.status, row.attempts, row.lease is None) == ("waiting", 1, False)
    assert deliveries_resend() == []
    Delivery.objects.update(leased_until=row.created_at)
    assert deliveries_resend() == [row.pk]
    assert delivery_send(row.pk) is True
    assert [h["webhook-id"] for h, _ in receiver.got] == [row.message] * 2
