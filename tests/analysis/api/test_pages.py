"""Long lists keep their word while runs are published, derived anew and taken away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.test import Client

from analysis.api import pages
from analysis.models import AnalysisRun, Correction, EmotionProfile, Publication, Scene
from analysis.services.derived import derived_rewrite
from analysis.services.publishing import run_publish
from catalog.models import Episode
from ml.types import Emotion
from tests.analysis import world

pytestmark = pytest.mark.django_db
MOODS: dict[str | None, Sequence[world.Mood]] = {
    "tom": [(0, 2_000, Emotion.ANGRY)],
    "jerry": [(0, 1_000, Emotion.HAPPY), (12_000, 13_500, Emotion.SCARED)],
}
Page = tuple[list[dict[str, Any]], str | None]


@pytest.fixture
def episodes() -> list[Episode]:
    """Three with a run shown, and the second with another one that waits."""
    found = [world.make_episode(world.make_series(), number, f"E{number}", 20_000) for number in (1, 2, 3)]
    for episode in found:
        world.analyse(episode, MOODS)
    world.make_bundle("2")
    world.analyse(found[1], MOODS, bundle="toonemo-2")
    return found


def page(client: Client, address: str) -> Page:
    response = client.get(address)
    assert response.status_code == 200, response.content
    return response.json()["results"], response.json()["next"]


def whole(client: Client, address: str, then: Callable[[int], None] = lambda n: None) -> list[dict[str, Any]]:
    """All pages; ``then`` is called after each with its number."""
    rows: list[dict[str, Any]] = []
    number, following = 0, address
    while following:
        more, after = page(client, following)
        rows += more
        following = after or ""
        number += 1
        then(number)
    return rows


def publish(episode: Episode) -> None:
    shown = Publication.objects.get(episode=episode, withdrawn_at__isnull=True)
    run_publish(run=AnalysisRun.objects.filter(episode=episode).exclude(pk=shown.run_id).get())


def publishing(episode: Episode, after: int) -> Callable[[int], None]:
    """After so many pages."""

    def then(number: int) -> None:
        if number == after:
            publish(episode)

    return then


def test_pages_put_together_are_the_whole_list(client: Client, episodes: list[Episode]) -> None:
    runs = Publication.objects.filter(withdrawn_at__isnull=True).values("run_id")
    for name, model in (("scenes", Scene), ("profiles", EmotionProfile)):
        shown = sorted(model.objects.filter(run_id__in=runs).values_list("pk", flat=True))
        for size in (1, 2, 3, len(shown), 50):
            rows = whole(client, f"/api/v1/{name}/?limit={size}")
            assert sorted(r["id"] for r in rows) == shown
            assert [r["episode"] for r in rows] == sorted(r["episode"] for r in rows)


def test_another_run_published_in_the_middle_repeats_nothing_and_loses_nothing(
    client: Client, episodes: list[Episode]
) -> None:
    for name, key in (("scenes", "index"), ("profiles", "character")):
        before = [(r["episode"], r[key]) for r in whole(client, f"/api/v1/{name}/?limit=1")]
        for after in range(1, len(before)):
            with transaction.atomic():
                rows = whole(client, f"/api/v1/{name}/?limit=1", publishing(episodes[1], after))
                transaction.set_rollback(True)
            assert [(r["episode"], r[key]) for r in rows] == before
            runs = {r["run"] for r in rows if r["episode"] == episodes[1].pk}
            assert len(runs) == 1, "an episode comes with one run"


def test_whoever_sees_all_runs_gets_all_of_them_once(episodes: list[Episode]) -> None:
    client = Client()
    client.force_login(User.objects.create_user("admin", is_staff=True))
    rows = whole(client, "/api/v1/profiles/?limit=1")
    assert sorted(r["id"] for r in rows) == sorted(EmotionProfile.objects.values_list("pk", flat=True))
    assert len({r["run"] for r in rows}) == 4


def test_filters_hold_on_every_page(client: Client, episodes: list[Episode]) -> None:
    rows = whole(client, "/api/v1/profiles/?limit=1&character=jerry")
    assert [r["character"] for r in rows] == ["jerry"] * 3
    rows = whole(client, f"/api/v1/scenes/?limit=1&emotion=scared&episode={episodes[0].pk}")
    assert {r["episode"] for r in rows} == {episodes[0].pk}


def refused(client: Client, address: str, status: int, code: str) -> str:
    response = client.get(address)
    assert (response.status_code, response.json()["code"]) == (status, code), response.content
    detail: str = response.json()["detail"]
    return detail


def cursor_of(address: str | None) -> str:
    assert address is not None
    return parse_qs(urlsplit(address).query)["cursor"][0]


def test_a_run_derived_anew_in_the_middle_is_said(client: Client, episodes: list[Episode]) -> None:
    _, following = page(client, "/api/v1/profiles/?limit=1")
    run = AnalysisRun.objects.order_by("pk")[0]
    derived_rewrite(run, list(run.segments.all()))
    assert "derived anew" in refused(client, following or "", 410, "cursor_stale")


def test_an_episode_that_is_gone_is_said(client: Client, episodes: list[Episode]) -> None:
    _, following = page(client, "/api/v1/profiles/?limit=1")
    AnalysisRun.objects.filter(episode=episodes[0]).delete()
    refused(client, following or "", 410, "cursor_stale")


def test_other_limits_than_at_the_beginning_are_said(client: Client, episodes: list[Episode]) -> None:
    _, following = page(client, "/api/v1/scenes/?limit=1")
    assert "limits" in refused(client, f"{following}&limits=length<=1h", 410, "cursor_stale")
    _, following = page(client, "/api/v1/scenes/?limit=1&limits=length<=1h")
    assert page(client, following or "")[0]


def test_what_limits_hide_meanwhile_is_not_gone_on_with(client: Client, episodes: list[Episode]) -> None:
    _, following = page(client, "/api/v1/scenes/?limit=1&limits=length<=20s")
    assert episodes[0].source is not None
    episodes[0].source.duration_ms = 30_000
    episodes[0].source.save()
    assert "hide" in refused(client, following or "", 410, "cursor_stale")


def test_an_old_cursor_is_said(client: Client, episodes: list[Episode], monkeypatch: pytest.MonkeyPatch) -> None:
    _, following = page(client, "/api/v1/scenes/?limit=1")
    later = pages._hour() + 25
    monkeypatch.setattr(pages, "_hour", lambda: later)
    assert "older than a day" in refused(client, following or "", 410, "cursor_stale")


def test_hostile_cursors_are_refused(client: Client, episodes: list[Episode]) -> None:
    _, following = page(client, "/api/v1/scenes/?limit=1")
    good = cursor_of(following)
    altered = good[:5] + ("A" if good[5] != "A" else "B") + good[6:]
    ours = signing.Signer(salt="toonemo.cursor").sign_object(["what", "else"])
    stranger = signing.Signer(salt="another").sign_object([1, 0, "", "", 1, 1, 1, []])
    for cursor in ("", "x", "a:b:c", altered, ours, stranger, "9" * 5_000, "%F0%9F%90%AD", good + "x"):
        refused(client, f"/api/v1/scenes/?limit=1&cursor={cursor}", 400, "cursor_invalid")
    refused(client, f"/api/v1/profiles/?limit=1&cursor={good}", 400, "cursor_invalid")
    refused(client, f"/api/v1/scenes/?limit=1&emotion=sad&cursor={good}", 400, "cursor_invalid")


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "limit=1e3", "offset=3", "limit=%00"])
def test_numbers_that_are_none_are_refused(client: Client, query: str) -> None:
    assert client.get(f"/api/v1/scenes/?{query}").status_code == 400
    if not query.startswith("offset"):
        assert client.get(f"/api/v1/episodes/?{query}").status_code == 400


def test_corrections_come_in_the_order_of_time(client: Client, episodes: list[Episode]) -> None:
    person = User.objects.create_user("admin", is_staff=True)
    for start in (5_000, 1_000, 9_000, 3_000):
        Correction.objects.create(
            episode=episodes[0], source_sha256="0" * 64, start_ms=start, end_ms=start + 500, says="no_face",
            box_x1=0.1, box_y1=0.1, box_x2=0.2, box_y2=0.2, made_by=person,
        )  # fmt: skip

    def add(number: int) -> None:
        if number == 1:
            Correction.objects.create(
                episode=episodes[1], source_sha256="0" * 64, start_ms=0, end_ms=500, says="no_face", box_x1=0.1,
                box_y1=0.1, box_x2=0.2, box_y2=0.2, made_by=person,
            )  # fmt: skip

    rows = whole(client, "/api/v1/corrections/?limit=2", add)
    assert [r["start_ms"] for r in rows] == [1_000, 3_000, 5_000, 9_000, 0]


def test_a_page_takes_as_many_queries_for_many(
    client: Client, episodes: list[Episode], django_assert_max_num_queries: Any
) -> None:
    _, following = page(client, "/api/v1/scenes/?limit=1")
    with django_assert_max_num_queries(6):
        page(client, following or "")
