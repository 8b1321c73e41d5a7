"""Pages come compressed to whoever can read that; films, files and the API's answers as they are."""

from __future__ import annotations

import gzip

import pytest
from django.test import Client

from tests.analysis import world

pytestmark = pytest.mark.django_db
ASKS = {"Accept-Encoding": "gzip, br"}


def test_a_page_is_sent_in_a_third_of_its_bytes() -> None:
    page = f"/episodes/{world.analysed_episode(1, 'The Missing Cheese').pk}/"
    plain, packed = Client().get(page), Client().get(page, headers=ASKS)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert gzip.decompress(packed.content)[:200] == plain.content[:200]
    assert "Content-Encoding" not in plain.headers
    assert len(packed.content) < len(plain.content) / 3


def test_the_api_is_left_alone() -> None:
    world.analysed_episode(1, "The Missing Cheese")
    for address in ("/api/v1/episodes/", "/api/v1/export/scenes.csv", "/api/v1/characters/"):
        assert "Content-Encoding" not in Client().get(address, headers=ASKS).headers, address
