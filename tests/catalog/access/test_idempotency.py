"""The same POST twice is done once, whatever happens in between."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections, transaction
from django.db.models import F
from django.test import Client

from analysis.models import AnalysisRun, Correction, Find
from catalog.access.models import Audit, KeptAnswer
from catalog.access.services import idempotency
from catalog.access.services.idempotency import answers_forget
from catalog.models import Episode
from tests.analysis import world
from tests.tokens import bearer, somebody

ROOT = Path(__file__).resolve().parents[3]
JSON = "application/json"


@pytest.fixture
def episode(db: None) -> Episode:
    return world.analysed_episode(1, "The Missing Cheese", 60_000)


@pytest.fixture
def editor(db: None) -> Client:
    return Client(headers=bearer(somebody("editor")))


def said(episode: Episode, **more: Any) -> dict[str, Any]:
    return {"episode": episode.pk, "start_ms": 0, "end_ms": 5_000, "subject": "tom", "says": "nobody", **more}


def send(client: Client, body: Any, key: str, address: str = "/api/v1/corrections/", **more: Any) -> Any:
    more.setdefault("content_type", JSON)
    return client.post(address, body, headers={"Idempotency-Key": key}, **more)


def test_the_second_answer_is_the_first_one(editor: Client, episode: Episode) -> None:
    first = send(editor, said(episode), "one")
    assert first.status_code == 201, first.content
    assert "Idempotency-Replayed" not in first
    again = send(editor, said(episode), "one")
    assert (again.status_code, again.content) == (201, first.content)
    assert again["Content-Type"] == first["Content-Type"]
    assert again["Idempotency-Replayed"] == "true"
    assert Correction.objects.count() == 1
    assert Audit.objects.filter(action="correction.add").count() == 1
    without = editor.post("/api/v1/corrections/", said(episode), content_type=JSON)
    assert without.json()["code"] == "correction_overlaps", "without a key it is a second request"


def test_the_key_is_for_one_request(editor: Client, episode: Episode) -> None:
    send(editor, said(episode), "one")
    for answer in (
        send(editor, said(episode, end_ms=6_000), "one"),
        send(editor, said(episode), "one", "/api/v1/corrections/?limits=angry<=100%25"),
        send(editor, {}, "one", f"/api/v1/episodes/{episode.pk}/analyse/"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
        assert answer["Content-Type"] == "application/problem+json"
    assert Correction.objects.count() == 1


def test_keys_of_different_people_never_meet(editor: Client, episode: Episode) -> None:
    send(editor, said(episode), "one")
    other = send(Client(headers=bearer(somebody("editor"))), said(episode), "one")
    assert other.json()["code"] == "correction_overlaps"
    nobody = send(Client(), said(episode), "one")
    assert nobody.status_code == 401
    viewer = send(Client(headers=bearer(somebody("viewer"))), said(episode), "one")
    assert viewer.status_code == 403


def test_a_refusal_is_not_kept_and_leaves_nothing(editor: Client, episode: Episode) -> None:
    bad = send(editor, said(episode, end_ms=-1), "one")
    assert bad.status_code == 400
    assert not KeptAnswer.objects.exists()
    assert send(editor, said(episode), "one").status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "ü", "x" * 256, "\x7f"])
def test_a_key_that_cannot_be_one(editor: Client, episode: Episode, key: str) -> None:
    answer = send(editor, said(episode), key)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert not Correction.objects.exists()


def test_while_the_first_is_answered_the_second_is_told_to_wait(editor: Client, episode: Episode) -> None:
    """The lock, taken by another connection as another process would."""
    send(editor, said(episode), "probe")
    owner = KeptAnswer.objects.get().owner
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            assert idempotency.answer_find(owner=owner, key="one", fingerprint="0" * 64) is None
            taken.set()
            done.wait(30)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(30)
    try:
        answer = send(editor, said(episode, start_ms=10_000, end_ms=15_000), "one")
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_in_flight")
    finally:
        done.set()
        thread.join()
    assert send(editor, said(episode, start_ms=10_000, end_ms=15_000), "one").status_code == 201


def test_after_a_day_the_key_is_new_and_the_sweep_takes_it_away(editor: Client, episode: Episode) -> None:
    send(editor, {}, "one", f"/api/v1/episodes/{episode.pk}/analyse/")
    assert answers_forget() == 0
    KeptAnswer.objects.update(at=F("at") - timedelta(hours=25))
    fresh = send(editor, {"force": True}, "one", f"/api/v1/episodes/{episode.pk}/analyse/")
    assert fresh.status_code == 202
    KeptAnswer.objects.update(at=F("at") - timedelta(hours=25))
    assert answers_forget() == 1


def test_a_form_is_known_again_although_its_boundary_is_another(client: Client, episode: Episode) -> None:
    def picture(content: bytes) -> dict[str, Any]:
        return {"picture": SimpleUploadedFile("a.png", b"\x89PNG\r\n\x1a\n" + content), "box": "1,2,30,40"}

    def sent(content: bytes) -> Any:
        return client.post("/api/v1/find/", picture(content), headers={"Idempotency-Key": "f"})

    first = sent(b"x")
    assert first.status_code == 202, first.content
    assert sent(b"x").json() == first.json()
    assert sent(b"y").status_code == 422
    assert Find.objects.count() == 1
    assert bytes(Find.objects.get().picture or b"") == b"\x89PNG\r\n\x1a\nx", "the file was read whole nevertheless"
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post("/api/v1/find/", picture(b"y"), headers={"Idempotency-Key": "f"}).status_code == 202


def test_a_body_that_is_too_large_is_a_problem(editor: Client, episode: Episode) -> None:
    answer = send(editor, {"episode": episode.pk, "x": "y" * 3_000_000}, "one")
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_fault_of_ours_leaves_nothing(editor: Client, episode: Episode, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("catalog.access.idempotency.answer_keep", broken)
    editor.raise_request_exception = False
    assert send(editor, said(episode), "one").status_code == 500
    assert not Correction.objects.exists()
    monkeypatch.undo()
    assert send(editor, said(episode), "one").status_code == 201


KILLED = """
import os, signal, sys
import django
django.setup()
from django.db import transaction
from django.test import Client
from catalog.access import idempotency

when, header, address = sys.argv[1:]
real = idempotency.answer_keep
def keep(**given):
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    real(**given)
    if when == "written":
        os.kill(os.getpid(), signal.SIGKILL)
    transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
idempotency.answer_keep = keep
Client(headers={"Authorization": header, "Idempotency-Key": "one"}).post(
    address, {"force": True}, content_type="application/json")
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("when", "done"), [("before", 0), ("written", 0), ("committed", 1)])
def test_a_process_that_is_killed_does_nothing_twice(service_env: dict[str, str], when: str, done: int) -> None:
    episode = world.analysed_episode(1, "The Missing Cheese", 60_000)
    headers = bearer(somebody("editor"))
    address = f"/api/v1/episodes/{episode.pk}/analyse/"
    before = AnalysisRun.objects.count()
    command = [sys.executable, "-c", KILLED, when, headers["Authorization"], address]
    killed = subprocess.run(command, cwd=ROOT, env=service_env, capture_output=True, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert AnalysisRun.objects.count() == before + done
    again = Client(headers=headers).post(
        address, {"force": True}, content_type=JSON, headers={"Idempotency-Key": "one"}
    )
    assert again.status_code == 202
    assert ("Idempotency-Replayed" in again) is bool(done)
    assert AnalysisRun.objects.count() == before + 1
