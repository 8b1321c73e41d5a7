from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Episode, Series, SourceFile
from tests.factories import CharacterFactory, EpisodeFactory, SeriesFactory, SourceFileFactory

pytestmark = pytest.mark.django_db
LISTS = ["series", "episode", "character", "sourcefile"]
Page = Callable[[str], str]


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.fixture
def page(admin: Client) -> Page:
    def get(address: str) -> str:
        response = admin.get(f"/admin/catalog/{address}")
        assert response.status_code == 200
        return response.content.decode()

    return get


@pytest.mark.parametrize("name", LISTS)
def test_lists_ask_as_often_for_many_rows_as_for_two(page: Page, name: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page(f"{name}/?q=e")
        return len(captured)

    EpisodeFactory.create_batch(2)
    CharacterFactory.create_batch(2, series=SeriesFactory.create())
    few = queries()
    EpisodeFactory.create_batch(10)
    CharacterFactory.create_batch(10, series=SeriesFactory.create())
    assert queries() == few


def test_names_cannot_play_tricks(page: Page) -> None:
    source = SourceFileFactory.create(original_name="<script>alert(1)</script>\u202egpj.mp4")
    episode = EpisodeFactory.create(title="<b>🐭</b>", source=source)
    for address in ("sourcefile/", f"sourcefile/{source.pk}/change/", "episode/", f"episode/{episode.pk}/change/"):
        text = page(address)
        assert "<script>alert(1)" not in text
        assert "<b>🐭" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202egpj.mp4" in page("sourcefile/")


def test_sources_are_looked_at_and_never_typed(admin: Client) -> None:
    source = SourceFileFactory.create()
    EpisodeFactory.create(source=source)
    assert admin.get("/admin/catalog/sourcefile/add/").status_code == 403
    assert admin.post(f"/admin/catalog/sourcefile/{source.pk}/change/", {"codec": "x"}).status_code == 403
    source.refresh_from_db()
    assert source.codec == "h264"


@pytest.mark.parametrize("name", LISTS)
def test_what_is_in_use_cannot_be_deleted(admin: Client, name: str) -> None:
    source = SourceFileFactory.create()
    episode = EpisodeFactory.create(source=source)
    if name == "sourcefile":
        response = admin.post(f"/admin/catalog/sourcefile/{source.pk}/delete/", {"post": "yes"})
        assert response.status_code == 403
    elif name == "series":
        response = admin.post(f"/admin/catalog/series/{episode.series.pk}/delete/", {"post": "yes"})
        assert response.status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [episode.pk], "post": "yes"}
    admin.post(f"/admin/catalog/{name}/", chosen)
    assert (Episode.objects.count(), SourceFile.objects.count(), Series.objects.count()) == (1, 1, 1)


def test_what_nothing_refers_to_can_be_deleted(admin: Client, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    unused = SourceFileFactory.create()
    assert admin.post(f"/admin/catalog/sourcefile/{unused.pk}/delete/", {"post": "yes"}).status_code == 302
    empty = SeriesFactory.create()
    assert admin.post(f"/admin/catalog/series/{empty.pk}/delete/", {"post": "yes"}).status_code == 302
    assert SourceFile.objects.count() == Series.objects.count() == 0


def test_an_episode_is_typed_by_its_numbers(admin: Client) -> None:
    series = SeriesFactory.create()
    fields = {"series": series.pk, "season": 1, "number": 5, "title": "The\u202eCat"}
    assert admin.post("/admin/catalog/episode/add/", fields).status_code == 302
    episode = Episode.objects.get()
    assert (episode.identity, episode.ordering, episode.title) == ("S01E05", "aired", "TheCat")
    again = admin.post("/admin/catalog/episode/add/", {**fields, "title": "Another"})
    assert again.status_code == 200
    assert "has S01E05 already" in again.content.decode()
    admin.post(f"/admin/catalog/episode/{episode.pk}/change/", {**fields, "number": 6})
    episode.refresh_from_db()
    assert episode.identity == "S01E06"


def test_an_episode_needs_a_series(admin: Client) -> None:
    response = admin.post("/admin/catalog/episode/add/", {"season": 1, "number": 5, "title": "The Cat"})
    assert response.status_code == 200
    assert Episode.objects.count() == 0
