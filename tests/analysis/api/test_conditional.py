"""An answer that a client has already is not sent again, and nobody gets another reader's."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from analysis.models import AnalysisRun, Publication
from catalog.models import Episode
from tests.analysis import world
from tests.analysis.limits.browser import limited

pytestmark = pytest.mark.django_db


@pytest.fixture
def episode() -> Episode:
    return world.analysed_episode(1, "The Missing Cheese", 20_000)


def test_a_change_changes_the_tag(client: Client, episode: Episode) -> None:
    for address in ("episodes/", f"episodes/{episode.pk}/", "export/episodes.csv", "export/episodes.ndjson"):
        tag = client.get(f"/api/v1/{address}")["ETag"]
        Episode.objects.update(title=f"Another for {address}")
        response = client.get(f"/api/v1/{address}", headers={"If-None-Match": tag})
        assert response.status_code == 200, address


def test_limits_and_readers_have_tags_of_their_own(client: Client, episode: Episode) -> None:
    AnalysisRun.objects.filter(episode=episode)
    Publication.objects.all().delete()
    staff = Client()
    staff.force_login(User.objects.create_user("admin", is_staff=True))
    tag = staff.get("/api/v1/runs/")["ETag"]
    assert client.get("/api/v1/runs/", headers={"If-None-Match": tag}).json()["results"] == []
    tag = client.get("/api/v1/episodes/")["ETag"]
    answer = limited(client, "happy<=0%").get("/api/v1/episodes/", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.json()["results"]) == (200, [])
    hidden = client.get(f"/api/v1/episodes/{episode.pk}/overlays/", headers={"If-None-Match": tag})
    assert hidden.status_code == 404


def test_errors_have_no_tag(client: Client) -> None:
    assert "ETag" not in client.get("/api/v1/episodes/77/")
