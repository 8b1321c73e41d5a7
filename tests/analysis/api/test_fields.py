"""Clients choose fields; what there is not is named, what is not asked for is not made."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from analysis.api import serializers as shape
from analysis.api.fields import fields_check, fields_parse, fields_prune
from catalog.models import Episode
from tests.analysis import world


@pytest.fixture
def episode() -> Episode:
    return world.analysed_episode(1, "The Missing Cheese", 20_000)


def get(client: Client, address: str) -> Any:
    response = client.get(f"/api/v1/{address}")
    assert response.status_code == 200, response.content
    return response.json()


def test_a_whole_field_includes_its_parts() -> None:
    assert fields_parse("a.b, a ,c.d,c.e.f") == {"a": {}, "c": {"d": {}, "e": {"f": {}}}}
    assert fields_parse("a.b.c,a.b") == {"a": {"b": {}}}
    assert fields_prune([{"a": [{"b": 1, "c": 2}], "d": 3}], fields_parse("a.b")) == [{"a": [{"b": 1}]}]


@pytest.mark.django_db
def test_lists_and_single_things_have_the_chosen_fields_alone(client: Client, episode: Episode) -> None:
    assert get(client, f"episodes/{episode.pk}/?fields=id,title") == {"id": episode.pk, "title": "The Missing Cheese"}
    found = get(client, "episodes/?fields=title")
    assert set(found) == {"count", "next", "previous", "results"}
    assert found["results"] == [{"title": "The Missing Cheese"}]
    profile = get(client, "profiles/?fields=character,shares.happy.low,shares.sad,ending.emotion&limit=1")["results"][0]
    assert set(profile) == {"character", "shares", "ending"}
    assert set(profile["shares"]) == {"happy", "sad"}
    assert set(profile["shares"]["happy"]) == {"low"}
    assert len(profile["shares"]["sad"]) > 5
    scene = get(client, "scenes/?fields=id,emotions.emotion&limit=1")["results"][0]
    assert all(set(e) == {"emotion"} for e in scene["emotions"])
    assert set(get(client, "runs/?fields=id,progress")["results"][0]) == {"id", "progress"}
    timeline = get(client, f"episodes/{episode.pk}/timeline/?fields=lanes.spans.emotion,run")
    assert set(timeline) == {"lanes", "run"}
    assert set(timeline["lanes"][0]) == {"spans"}
    overlays = get(client, f"episodes/{episode.pk}/overlays/?fields=drawings.faces.box,run")
    assert set(overlays) == {"drawings", "run"}
    assert get(client, "bundles/?fields=name,card.name")["results"] == [
        {"name": "toonemo", "card": {"name": "toonemo"}}
    ]
    across = get(client, "characters/tom/?fields=name,across.emotions.angry.share")
    assert set(across) == {"name", "across"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("episodes/?fields=id,colour", "“colour”"),
        ("profiles/?fields=shares.happy.most", "“shares.happy.most”"),
        ("scenes/?fields=emotions.nothing", "“emotions.nothing”"),
        ("episodes/?fields=title.x", "“title” has no fields inside"),
        ("episodes/?fields=", "Name 1 to"),
        ("episodes/?fields=,,", "Name 1 to"),
        ("episodes/?fields=a..b", "“a..b”"),
        ("episodes/?fields=" + ",".join(["id"] * 101), "Name 1 to 100"),
        ("episodes/?fields=" + ".".join(["id"] * 9), "names no field"),
        ("episodes/?fields=__class__", "“__class__”"),
        ("characters/tom/?fields=across.rated.x", "has no fields inside"),
    ],
)
def test_a_field_that_there_is_not_is_named(client: Client, episode: Episode, address: str, named: str) -> None:
    response = client.get(f"/api/v1/{address}")
    assert response.status_code == 400, response.content
    assert response.json()["code"] == "invalid_request"
    assert named in response.json()["errors"]["fields"][0]["message"] if isinstance(
        response.json()["errors"]["fields"], list) else response.json()["errors"]["fields"]["message"]  # fmt: skip


def test_what_is_free_may_hold_anything() -> None:
    fields_check(fields_parse("card.metrics.whatever"), shape.BundleSerializer())
    fields_check(fields_parse("config.sampling"), shape.RunSerializer())


@pytest.mark.django_db
def test_what_nobody_asked_for_is_not_made(
    client: Client, episode: Episode, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with django_assert_num_queries(2):
        get(client, "scenes/?fields=id,start_ms")
    with django_assert_num_queries(2):
        get(client, "runs/?fields=id,status")

    def never(*args: Any) -> Any:
        raise AssertionError("it was worked out")

    monkeypatch.setattr(shape, "rating_of", never)
    get(client, "profiles/?fields=id,character")
    with pytest.raises(AssertionError):
        get(client, "profiles/?fields=id,shares")


@pytest.mark.django_db
def test_each_choice_has_a_tag_of_its_own(client: Client, episode: Episode) -> None:
    address = f"/api/v1/episodes/{episode.pk}/overlays/"
    tags = {client.get(address + query)["ETag"] for query in ("", "?fields=run", "?fields=run,episode")}
    assert len(tags) == 3
