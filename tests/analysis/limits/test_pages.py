"""Limits are set on a page, kept in a cookie, shown on every page; what they hide says why, to nobody else."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from analysis.limits_request import COOKIE, MOST_PRESETS, PRESETS_COOKIE
from analysis.models import AnalysisRun, EmotionProfile, RunBound, Scene
from catalog.models import Character, Episode
from ml.types import Emotion
from tests.analysis import world
from tests.analysis.limits import leaks
from tests.analysis.limits.browser import limited
from tests.analysis.test_pages import read

pytestmark = pytest.mark.django_db
HIDING = "happy<=10%"


@pytest.fixture
def calm() -> Episode:
    """90 s in which Tom looks neutral."""
    episode = world.make_episode(world.make_series(), 1, "Calm days", 90_000)
    world.analyse(episode, {"tom": [(0, 90_000, Emotion.NEUTRAL)]})
    return episode


@pytest.fixture
def merry(calm: Episode) -> Episode:
    """90 s in which Tom looks happy."""
    episode = world.make_episode(world.make_series(), 2, "Merry days", 90_000)
    assert episode.source is not None
    episode.source.stored_name = default_storage.save("sources/merry.bin", ContentFile(b"merry film"))
    episode.source.save()
    world.analyse(episode, {"tom": [(0, 90_000, Emotion.HAPPY)]})
    scene = Scene.objects.filter(run__episode=episode).order_by("index")[0]
    scene.thumbnail = default_storage.save("thumbnails/merry.jpg", ContentFile(b"merry picture"))
    scene.save()
    return episode


def cleared(client: Client) -> None:
    """Takes the limits away. A browser forgets what is told to have run out; this client has to be told."""
    answer = client.post("/limits/", {"do": "clear"})
    assert answer.cookies[COOKIE]["max-age"] == 0
    del client.cookies[COOKIE]


def fields(**values: str) -> dict[str, str]:
    return {"draft": "1", "most-happy": "10", "most-angry": "10", "run-angry": "", "length": "", **values}


def test_limits_are_set_shown_everywhere_and_taken_away(client: Client, merry: Episode) -> None:
    assert "2 of 2 episodes shown" in read(client, "/limits/")
    assert "Limits on" not in read(client, "/")
    answer = client.post("/limits/", {**fields(), "on-happy": "1", "do": "set"})
    assert (answer.status_code, answer["Location"]) == (302, "/limits/")
    cookie = answer.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    for address in ("/", "/search/", "/runs/", "/characters/tom/", "/nothing"):
        text = client.get(address).content.decode()
        assert "happy: at most 10\u00a0%" in text, address
        assert "1 of 2 episodes shown" in text, address
        assert "Merry days" not in text, address
    page = read(client, "/limits/")
    assert "Merry days" in page
    assert "Tom may be happy for up to" in page
    cleared(client)
    assert "Merry days" in read(client, "/")


def test_the_page_counts_without_setting(client: Client, merry: Episode, django_assert_max_num_queries: Any) -> None:
    ask = {**fields(), "on-happy": "1"}
    with django_assert_max_num_queries(12):
        text = client.get("/limits/", ask, headers={"HX-Request": "true"}).content.decode()
    assert "1 of 2 episodes shown, once these limits are set" in text
    counted = client.post("/limits/", {**ask, "do": "count"})
    assert (counted.status_code, "1 of 2 episodes shown, once" in counted.content.decode()) == (200, True)
    assert COOKIE not in client.cookies
    assert 'name="on-happy" value="1" checked' in text
    assert "Merry days" in read(client, "/")


def test_a_link_proposes_limits_and_sets_none(client: Client, merry: Episode) -> None:
    text = read(client, "/limits/?limits=tom:happy<=12.5%25, length<=2min")
    assert "1 of 2 episodes shown, once these limits are set" in text
    assert 'name="most-tom:happy" min="0" max="100" step="0.01" value="12.5"' in text
    assert "limits%3Dtom" not in text
    assert "/limits/?limits=tom%3Ahappy%3C%3D12.5%25%2C%20length%3C%3D2min" in text
    assert COOKIE not in client.cookies


@pytest.mark.parametrize("bad", ["happy<=10", "tim:happy<=10%", "length<=0min", "<script>alert(1)</script>"])
def test_what_cannot_be_read_is_named_and_changes_nothing(client: Client, merry: Episode, bad: str) -> None:
    limited(client, HIDING)
    text = read(client, f"/limits/?limits={bad}", 400)
    assert "<script>alert" not in text
    assert "1 of 2 episodes shown" in text
    assert client.post("/limits/", {**fields(**{"run-happy": "x"}), "do": "set"}).status_code == 400
    assert "Merry days" not in read(client, "/")


def test_a_limit_for_one_character_is_added(client: Client, merry: Episode) -> None:
    add = {"add-character": "tom", "add-emotion": "happy", "add-most": "10", "add-run": "2.5", "length": "1.6"}
    client.post("/limits/", {**fields(), **add, "do": "set"})
    text = read(client, "/limits/")
    assert "Tom, happy: at most 10\u00a0%, no longer run than 2.5\u00a0s" in text
    assert "length: at most 96\u00a0s" in text
    assert "1 of 2 episodes shown" in text


def test_presets_are_saved_used_edited_and_deleted(client: Client, merry: Episode) -> None:
    first = read(client, "/limits/")
    assert "Little anger and fear" in first
    assert "angry: at most 10" in first
    assert "angry&lt;=10%" not in first
    save = {**fields(), "on-happy": "1", "do": "save", "preset": "  Quiet <b>night "}
    client.post("/limits/", save)
    text = read(client, "/limits/")
    assert "Quiet &lt;b&gt;night" in text
    assert COOKIE not in client.cookies
    client.post("/limits/", {"do": "use", "preset": "Quiet <b>night"})
    assert "Merry days" not in read(client, "/")
    client.post("/limits/", {**save, "most-happy": "100"})
    assert read(client, "/limits/").count("Quiet &lt;b&gt;night</strong>") == 1
    client.post("/limits/", {"do": "delete", "preset": "Quiet <b>night"})
    assert "night" not in read(client, "/limits/")
    assert client.post("/limits/", {"do": "use", "preset": "Quiet"}).status_code == 400
    for place in range(MOST_PRESETS - 2):
        assert client.post("/limits/", {**save, "preset": f"P{place}"}).status_code == 302
    assert client.post("/limits/", {**save, "preset": "One more"}).status_code == 400
    client.cookies[PRESETS_COOKIE] = "broken"
    assert "Little anger and fear" in read(client, "/limits/")


def test_a_hidden_episode_says_why_and_what_would_show_it(client: Client, merry: Episode) -> None:
    limited(client, HIDING)
    text = read(client, f"/episodes/{merry.pk}/", 404)
    assert "Merry days" not in text
    assert "Tom may be happy for up to" in text
    high = RunBound.objects.get(run__episode=merry, emotion="happy").high
    assert high is not None
    percent = int(-(-100 * high // 1))
    assert f"These limits would show it: <strong>happy: at most {percent}\u00a0%" in text
    limited(client, f"happy<={percent}%")
    assert "Merry days" in read(client, f"/episodes/{merry.pk}/")
    limited(client, "sad<=50%, length<=1min")
    assert "It lasts 1:30 min; the limit is 1\u00a0min." in read(client, f"/episodes/{merry.pk}/", 404)
    assert "Merry days" in read(Client(), f"/episodes/{merry.pk}/")


def test_a_preset_is_edited_renamed_and_shared(client: Client, merry: Episode) -> None:
    page = read(client, "/limits/")
    assert "/limits/?limits=scared%20run%3C%3D5s" in page, "a link to share the second suggestion"
    edit = "/limits/?limits=angry<=10%25, scared<=10%25&preset=Little anger and fear"
    text = read(client, edit)
    assert 'name="preset" maxlength="40" autocomplete="off" value="Little anger and fear"' in text
    assert '<input type="hidden" name="was" value="Little anger and fear">' in text
    changed = {**fields(), "on-happy": "1", "do": "save", "preset": "No fun", "was": "Little anger and fear"}
    client.post("/limits/", changed)
    text = read(client, "/limits/")
    assert "Little anger and fear" not in text
    assert text.index("No fun") < text.index("No long fright"), "it keeps its place"
    assert 'name="was"' not in read(client, "/limits/?limits=angry<=10%25&preset=Nobody%27s")
    client.post("/limits/", {**changed, "was": "<b>", "preset": "No long fright"})
    text = read(client, "/limits/")
    assert text.count("<strong>No long fright</strong>") == 1
    assert text.count('aria-label="Delete') == 2


@pytest.mark.parametrize("value", ["", "x", "happy<=10%", "a:b:c"])
def test_a_cookie_that_was_altered_closes_everything(client: Client, merry: Episode, value: str) -> None:
    client.cookies[COOKIE] = value
    text = read(client, "/")
    assert "Nothing is shown" in text
    assert "days" not in text
    assert "cannot be read" in read(client, f"/episodes/{merry.pk}/", 404)
    assert client.get(f"/episodes/{merry.pk}/video").status_code == 404
    assert "days" not in client.get("/search/?q=happiest+scenes").content.decode()
    assert "days" not in client.get("/runs/").content.decode()
    answer = client.get("/api/v1/episodes/")
    assert (answer.status_code, answer.json()["code"]) == (403, "limits_unreadable")
    page = read(client, "/limits/")
    assert "Set them anew" in page
    assert "0 of 2 episodes shown" in page
    cleared(client)
    assert "Merry days" in read(client, "/")


def test_a_cookie_cannot_be_made_of_a_preset(client: Client, merry: Episode) -> None:
    client.post("/limits/", {**fields(), "on-angry": "1", "do": "save", "preset": "P"})
    client.cookies[COOKIE] = client.cookies[PRESETS_COOKIE].value
    assert "Nothing is shown" in read(client, "/")


def test_the_api_hides_by_parameter_and_by_cookie(client: Client, merry: Episode, calm: Episode) -> None:
    def ids(address: str) -> list[int]:
        return [row["id"] for row in client.get(address).json()["results"]]

    assert set(ids("/api/v1/episodes/")) == {merry.pk, calm.pk}
    assert ids("/api/v1/episodes/?limits=happy<=10%25") == [calm.pk]
    answer = client.get(f"/api/v1/episodes/{merry.pk}/?limits=happy<=10%25")
    problem = answer.json()
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("application/problem+json")
    assert (problem["code"], problem["limits"]) == ("hidden_by_limits", "happy<=10%")
    (because,) = problem["because"]
    assert (because["character"], because["emotion"], because["most"]) == ("tom", "happy", 0.1)
    assert because["high"] > 0.1
    assert client.get(f"/api/v1/episodes/{merry.pk}/", {"limits": problem["would_show"]}).status_code == 200
    profile = EmotionProfile.objects.get(run__episode=merry)
    scene = Scene.objects.filter(run=profile.run)[0]
    for address in (f"profiles/{profile.pk}/", f"runs/{profile.run_id}/", f"episodes/{merry.pk}/timeline/",
                    f"episodes/{merry.pk}/subtitles.vtt", f"scenes/{scene.pk}/"):  # fmt: skip
        assert client.get(f"/api/v1/{address}").status_code == 200, address
        found = client.get(f"/api/v1/{address}", {"limits": "happy<=10%"})
        assert (found.status_code, found.json()["code"]) == (404, "hidden_by_limits"), address
    limited(client, HIDING)
    assert ids("/api/v1/episodes/?limits=happy<=100%25") == [calm.pk]
    assert client.get("/api/v1/episodes/999999/").json()["code"] == "not_found"
    for bad in ("happy", "tim:happy<=10%"):
        refused = client.get("/api/v1/episodes/", {"limits": bad})
        assert (refused.status_code, refused.json()["code"]) == (400, "limits_invalid")


def test_staff_see_every_run_and_nothing_else_that_is_hidden(client: Client, merry: Episode) -> None:
    run = AnalysisRun.objects.get(episode=merry)
    limited(client, HIDING)
    assert client.get(f"/runs/{run.pk}/").status_code == 404
    client.force_login(User.objects.create_user("admin", is_staff=True))
    assert "Merry days" in read(client, "/runs/")
    assert client.get(f"/runs/{run.pk}/").status_code == 200
    assert client.get(f"/api/v1/runs/{run.pk}/").status_code == 200
    assert client.get(f"/episodes/{merry.pk}/").status_code == 404
    assert client.get("/api/v1/scenes/", {"episode": merry.pk}).json()["results"] == []


def test_no_cache_carries_an_answer_past_the_limits(client: Client, merry: Episode) -> None:
    scene = Scene.objects.exclude(thumbnail="").get()
    addresses = ("/", f"/episodes/{merry.pk}/", f"/episodes/{merry.pk}/video", f"/scenes/{scene.pk}/thumbnail",
                 f"/api/v1/episodes/{merry.pk}/", f"/api/v1/episodes/{merry.pk}/subtitles.vtt")  # fmt: skip
    tags = {}
    for address in addresses:
        answer = client.get(address)
        assert "Cookie" in answer["Vary"], address
        assert answer["Cache-Control"] == "private, no-cache", address
        tags[address] = answer.headers.get("ETag")
        leaks.body(answer)
    for address, tag in tags.items():
        if tag is None:
            continue
        unchanged = client.get(address, headers={"If-None-Match": tag})
        assert unchanged.status_code == 304, address
        assert unchanged["Cache-Control"] == "private, no-cache"
        limited(client, HIDING)
        hidden = client.get(address, headers={"If-None-Match": tag, "Range": "bytes=0-3"})
        assert hidden.status_code == 404, address
        assert "merry" not in leaks.body(hidden)
        limited(client, "")


def test_the_command_searches_within_limits(merry: Episode) -> None:
    def said(*limits: str) -> str:
        out = StringIO()
        call_command("search", "episodes with Tom", max=list(limits), stdout=out)
        return out.getvalue()

    assert "Merry days" in said()
    assert "Merry days" not in said("happy=10%")
    assert "Calm days" in said("happy=10%", "length=2min")
    for bad in ("happy", "tim:happy=10%"):
        with pytest.raises(CommandError, match="limits_invalid"):
            said(bad)


def test_words_of_hidden_titles_are_not_known(client: Client, merry: Episode) -> None:
    Episode.objects.filter(pk=merry.pk).update(title="Zeppelin days")
    assert "Not used: “zeppelin”" not in read(client, "/search/?q=neutral+scenes+zeppelin")
    limited(client, HIDING)
    assert "Not used: “zeppelin”" in read(client, "/search/?q=neutral+scenes+zeppelin")


def test_characters_of_hidden_episodes_are_not_offered(client: Client, merry: Episode) -> None:
    Character.objects.filter(slug="tom").update(name="Tomcat")
    assert "Tomcat" in read(client, "/")
    limited(client, "neutral<=5%, happy<=5%")
    assert "Your limits hide every episode" in read(client, "/")
    assert '<option value="tom">' not in read(client, "/")
    assert "was not seen yet" in read(client, "/characters/tom/")
