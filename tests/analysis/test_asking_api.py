"""Faces, agreement and characters over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from analysis.models import Correction
from catalog.models import Episode
from tests.analysis import world
from tests.analysis.test_asking import MOODS as ASKED
from tests.analysis.test_naming import MOODS, PNG, analyse, direction
from tests.tokens import bearer

pytestmark = pytest.mark.django_db


def client_of(name: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    return Client(headers=bearer(user))


@pytest.fixture
def ann() -> Client:
    return client_of("ann")


@pytest.fixture
def episode() -> Episode:
    episode = world.make_episode(world.make_series(), 1, "The Missing Cheese")
    world.analyse(episode, ASKED)
    return episode


def ask(client: Client, **given: Any) -> Any:
    response = client.get("/api/v1/faces/next/", given)
    assert response.status_code == 200, response.content
    return response.json()


def say(client: Client, question: Any, **said: Any) -> Any:
    body = {**{name: question[name] for name in ("episode", "subject", "start_ms", "end_ms")}, **said}
    return client.post("/api/v1/faces/answers/", body, content_type="application/json")


def test_from_a_question_to_an_answer_and_back(episode: Episode, ann: Client, client: Client) -> None:
    first, second = ask(ann, limit=2)
    assert first["gain"] >= second["gain"] > 0
    assert len(first["box"]) == 4
    made = say(ann, first, emotion="sad")
    assert made.status_code == 201, made.content
    assert (made.json()["character"], made.json()["made_by"]) == (first["subject"], "ann")
    assert ask(ann, limit=1)[0]["start_ms"] == second["start_ms"]
    assert ask(ann, character="rosa") == []
    assert [w["emotion"] for w in ann.get("/api/v1/faces/answers/?mine=1").json()] == ["sad"]
    undone = ann.delete("/api/v1/faces/answers/last/")
    assert (undone.status_code, undone.json()["withdrawn_at"] is not None) == (200, True)
    nothing = ann.delete("/api/v1/faces/answers/last/")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_undo")
    assert not Correction.objects.filter(withdrawn_at__isnull=True).exists()
    for address in (
        "faces/next/",
        "faces/answers/",
        "agreement/",
        "characters/tom/drawings/",
        "characters/tom/naming/",
    ):
        assert client.get(f"/api/v1/{address}").status_code in (401, 403)


def test_wrong_answers_are_refused_by_name(episode: Episode, ann: Client) -> None:
    (first,) = ask(ann, limit=1)
    for said in ({"emotion": "bored"}, {"says": "ghost"}, {"emotion": "sad", "start_ms": -1}, {"end_ms": 10**12}):
        assert say(ann, {**first, **{k: v for k, v in said.items() if k in first}}, **said).status_code == 400
    refused = say(ann, first)
    assert (refused.status_code, refused.json()["code"]) == (400, "correction_invalid")
    assert say(ann, {**first, "episode": 10**9}, emotion="sad").status_code == 404
    assert ann.get("/api/v1/faces/next/?look=odd").status_code == 400
    hidden = ann.get(f"/api/v1/faces/next/?episode={episode.pk}&limits=angry<=0%25")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "hidden_by_limits")
    assert ann.get("/api/v1/faces/next/?limits=angry<=0%25").json() == []


def test_people_who_differ_and_how_far_they_agree(episode: Episode, ann: Client) -> None:
    ben = client_of("ben")
    for _ in range(2):
        say(ann, ask(ann, limit=1)[0], emotion="sad")
    for emotion in ("sad", "happy"):
        assert say(ben, ask(ben, look="second", limit=1)[0], emotion=emotion).status_code == 201
    (dispute,) = ask(ann, look="disputed")
    assert [w["made_by"] for w in dispute["words"]] == ["ann", "ben"]
    assert dispute["counts"] == dispute["words"][0]["id"]
    found = ann.get("/api/v1/agreement/").json()
    assert (found["faces"], found["open"], found["pairs"][0]["people"]) == (2, 1, ["ann", "ben"])
    assert found["pairs"][0]["agreement"] == {"same": 1, "of": 2, "kappa": 0.0}
    settled = ann.post(
        f"/api/v1/faces/{dispute['asked']}/settle/", {"emotion": "scared"}, content_type="application/json"
    )
    assert (settled.status_code, settled.json()["settles"]) == (201, True)
    assert ask(ann, look="disputed") == []
    assert ann.post("/api/v1/faces/999999/settle/", {}, content_type="application/json").status_code == 404


def test_characters_are_made_and_changed(ann: Client, client: Client) -> None:
    def send(method: str, address: str, body: Any) -> Any:
        return getattr(ann, method)(f"/api/v1/characters/{address}", body, content_type="application/json")

    made = send("post", "", {"name": "Mia", "aliases": ["the mole"], "colour": "#F2C230"})
    assert made.status_code == 201, made.content
    assert made.json()["slug"] == "mia"
    assert made.json()["colour"] == "#f2c230"
    assert made.json()["contrast"][0] < 3
    assert send("patch", "mia/", {"name": "Mia Mole"}).json()["aliases"] == ["the mole"]
    assert client.get("/api/v1/characters/mia/").json()["name"] == "Mia Mole"
    taken = send("post", "", {"name": "The Mole"})
    assert (taken.status_code, taken.json()["code"]) == (400, "character_invalid")
    assert send("patch", "mia/", {"series": "none"}).status_code == 400
    assert send("patch", "nobody/", {}).status_code == 404
    assert send("post", "", {}).status_code == 400
    assert client.post("/api/v1/characters/", {"name": "X"}, content_type="application/json").status_code in (401, 403)


def test_drawings_and_naming(ann: Client) -> None:
    episode = world.make_episode(world.make_series(), 1, "The Missing Cheese", 30_000)
    run = analyse(episode, MOODS)
    ann.post("/api/v1/characters/", {"name": "Mia"}, content_type="application/json")
    address = "/api/v1/characters/mia"
    faces = run.detections.filter(character=None, pts_ms__in=(4_000, 7_000, 10_000)).values_list("pk", flat=True)
    for pk in faces:
        added = ann.post(f"{address}/drawings/", {"face": pk}, content_type="application/json")
        assert (added.status_code, added.json()["state"]) == (201, "read"), added.content
    sent = ann.post(f"{address}/drawings/", {"picture": SimpleUploadedFile("a.png", PNG)})
    assert (sent.status_code, sent.json()["state"]) == (201, "waiting")
    both = ann.post(f"{address}/drawings/", {}, content_type="application/json")
    assert (both.status_code, both.json()["code"]) == (400, "example_invalid")
    assert ann.delete(f"{address}/drawings/{sent.json()['id']}/").status_code == 204
    state = ann.get(f"{address}/naming/").json()
    assert (state["current"], state["proposal"]["tracks"], state["proposal"]["unknown"]) == (None, 6, 8)
    assert state["proposal"]["named"][0]["likeness"] >= state["proposal"]["threshold"]
    named = ann.post(f"{address}/naming/")
    assert (named.status_code, named.json()["version"]) == (201, 1)
    assert ann.get(f"{address}/naming/").json()["current"]["version"] == 1
    assert ann.delete(f"{address}/naming/").status_code == 200
    gone = ann.delete(f"{address}/naming/")
    assert (gone.status_code, gone.json()["code"]) == (409, "naming_impossible")
    assert len(direction("mia", 1)) == 128
