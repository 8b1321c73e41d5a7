"""Pages over an analysed catalogue: they render, in few queries, whatever people called their episodes."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client, override_settings
from django.urls import reverse

from analysis.models import AnalysisRun, ModelBundle, Publication, RunStatus, Scene, SceneEmotion, Segment
from analysis.views.media import byte_range, media_type
from catalog.models import Character, Episode, Series
from ml.types import Emotion
from tests.analysis import world

pytestmark = pytest.mark.django_db
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e'


class Reader(HTMLParser):
    """Collects tags, and stops at whatever a page must not contain."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        assert "style" not in given, f"inline style on {tag}"
        assert not [name for name in given if name.startswith("on")], f"inline handler on {tag}"
        if tag == "script":
            assert given.get("src", "").startswith("/static/"), "inline script"  # type: ignore[union-attr]
        if tag == "img":
            assert "alt" in given
        self.addresses += [v for k, v in attrs if k in ("href", "src", "action", "hx-get") and v is not None]
        if given.get("id"):
            self.ids.append(str(given["id"]))


def read(client: Client, address: str, status: int = 200, *, ids_once: bool = True) -> str:
    """The page's text; asserts that it asks nothing of others and holds no inline script or style."""
    response = client.get(address)
    assert response.status_code == status
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]
    text = response.content.decode()
    reader = Reader()
    reader.feed(text)
    assert "style" not in reader.tags
    others = ("http:", "https:", "//", "javascript:", "data:")
    assert not [a for a in reader.addresses if a.startswith(others) and not a.startswith("http://testserver/oembed?")]
    assert not ids_once or len(reader.ids) == len(set(reader.ids))
    assert "<h1" in text
    assert 'lang="en"' in text
    return text


@pytest.fixture
def episode() -> Episode:
    return world.analysed_episode(1, "The Missing Cheese", 60_000)


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("admin", is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("name", ["browse", "search", "runs"])
def test_an_empty_house_says_what_to_do_next(client: Client, name: str) -> None:
    text = read(client, reverse(name))
    assert "import_episodes" in text or name == "search"


def test_browse_shows_cards_in_few_queries(
    client: Client, episode: Episode, django_assert_max_num_queries: Any
) -> None:
    for number in range(2, 6):
        world.analysed_episode(number, f"Episode {number}", 30_000)
    with django_assert_max_num_queries(11):
        text = read(client, "/")
    assert "The Missing Cheese" in text
    assert text.count('class="card"') == 5
    assert "Measured, not enough evidence" in text


def test_browse_filters_and_says_when_nothing_fits(client: Client, episode: Episode) -> None:
    assert "1 episode found" in read(client, "/?character=pip")
    assert "No episode is like that" in read(client, "/?words=nothing+like+it")
    assert "No episode is like that" in read(client, "/?series=none&emotion=calm&sort=evil&page=x&words=zzz")


def test_browse_pages_do_not_overlap(client: Client) -> None:
    series = world.make_series()
    for number in range(1, 31):
        world.make_episode(series, number, f"Number {number:02d}")
    first, second = read(client, "/"), read(client, "/?page=2")
    titles = [re.findall(r"Number \d\d", page) for page in (first, second)]
    assert len(set(titles[0])) == 24
    assert len(set(titles[1])) == 6
    assert not set(titles[0]) & set(titles[1])


def test_an_episode_shows_ratings_with_evidence_timeline_and_scenes(
    client: Client, episode: Episode, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(14):
        text = read(client, f"/episodes/{episode.pk}/")
    for said in (
        "Tom",
        "Jerry",
        "Pip",
        "readable",
        "drawings",
        "shots",
        "Not enough evidence",
        "toonemo-1",
        "portrays",
    ):
        assert said in text
    assert text.count('class="staff"') == 4
    assert "Faces of nobody the model knows" in text
    assert "The same as a table" in text
    assert "Provisional" in text


def test_an_episode_tells_how_it_ends_and_who_reacts_to_whom(client: Client) -> None:
    chase = world.analysed_chase(1, "The chase")
    text = " ".join(read(client, f"/episodes/{chase.pk}/").split())
    assert "In the last half minute of the story" in text
    assert "Jerry looks <strong>neutral</strong> most of the time" in text
    assert "When Tom begins to look happy, Jerry begins to as well within two seconds" in text
    assert "<strong>12 of 12 times</strong>" in text
    assert "When Jerry begins" not in text
    assert "The bundle brings no count of the mistakes it makes" in text


def test_an_episode_in_which_nothing_of_that_can_be_said_leaves_it_out(client: Client) -> None:
    episode = world.make_episode(world.make_series(), 1, "Short", 60_000)
    world.analyse(episode, {"tom": [(3_000, 9_000, Emotion.ANGRY)]})
    text = read(client, f"/episodes/{episode.pk}/")
    assert "How it ends" not in text
    assert "Who reacts to whom" not in text


def test_a_share_drawn_toward_the_series_says_what_was_measured_here(client: Client, episode: Episode) -> None:
    profile = AnalysisRun.objects.get().profiles.get(character__slug="tom")
    profile.shares["angry"] |= {"share": 0.31, "corrected": 0.44, "baseline": 0.2, "high": 0.6}
    profile.details |= {"basis": {"runs": [7, 8, 9, 11], "strength": 9.0}, "bias_corrected": True}
    profile.save()
    text = " ".join(read(client, f"/episodes/{episode.pk}/").split())
    assert "44 in this episode alone" in text
    assert "Drawn toward what Tom shows in 4 other episodes" in text
    assert "Shares are corrected for the mistakes" in text


def test_a_show_that_the_bundle_was_made_for_is_not_provisional(client: Client, episode: Episode) -> None:
    Character.objects.filter(slug="tom").update(series=episode.series)
    assert "Provisional" not in read(client, f"/episodes/{episode.pk}/")


def test_an_episode_of_strangers_says_so(client: Client) -> None:
    episode = world.make_episode(world.make_series("Popeye", "popeye"), 1, "Popeye", 12_000)
    world.analyse(episode, {None: [(1_000, 6_000, Emotion.ANGRY)]})
    text = read(client, f"/episodes/{episode.pk}/")
    assert "No character that the model knows was seen" in text
    assert "40 drawn faces, on screen for 5.0 s" in text
    assert "Angry" in text  # the line of the timeline, never a share


def test_an_episode_without_analysis_says_how_to_get_one(client: Client) -> None:
    episode = world.make_episode(world.make_series(), 1, "Mute")
    assert f"manage.py analyse {episode.pk} --wait" in read(client, f"/episodes/{episode.pk}/")


def test_a_partial_run_names_what_is_missing(client: Client, episode: Episode) -> None:
    run = AnalysisRun.objects.get(episode=episode)
    run.segments.update(status="failed", error_code="video_damaged", error_detail="cheese.mp4 ends in the middle.")
    AnalysisRun.objects.filter(pk=run.pk).update(partial=True, error_code="video_damaged")
    text = read(client, f"/episodes/{episode.pk}/")
    assert "Part of this episode is missing" in text
    assert "cheese.mp4 ends in the middle." in text
    assert "video_damaged" in text


@pytest.mark.parametrize("t", ["12.5", "nan", "-3", "inf", "1e99", "x", "99999"])
def test_a_moment_of_an_episode_has_an_address(client: Client, episode: Episode, t: str) -> None:
    text = read(client, f"/episodes/{episode.pk}/?t={t}")
    assert ("#t=12.5" in text) == (t == "12.5")
    assert ("#t=60" in text) == (t == "99999")


def test_hostile_names_are_only_text(client: Client) -> None:
    series = Series.objects.create(title=HOSTILE, slug="hostile", synopsis=HOSTILE)
    episode = world.analysed_episode(1, HOSTILE, 30_000, series=series, synopsis=HOSTILE)
    Character.objects.filter(slug="tom").update(name=HOSTILE, aliases=[HOSTILE])
    run = AnalysisRun.objects.get(episode=episode)
    AnalysisRun.objects.filter(pk=run.pk).update(error_detail=HOSTILE, error_code="x")
    addresses = [
        "/",
        f"/episodes/{episode.pk}/",
        "/characters/tom/",
        "/search/?q=angriest+scenes",
        "/search/?q=angriest+characters",
        f"/search/?q={HOSTILE}",
        "/runs/",
        f"/runs/{run.pk}/",
    ]
    for address in addresses:
        text = read(client, address)
        assert "alert(1)" in text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_a_character_page_leads_to_its_scenes(
    client: Client, episode: Episode, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(9):
        text = read(client, "/characters/jerry/")
    assert f"/episodes/{episode.pk}/?t=" in text
    assert "happy%20scenes%20with%20jerry" in text
    Character.objects.create(slug="猫", name="猫")
    assert "was not seen yet" in read(client, "/characters/猫/")


def test_the_search_page_shows_what_was_understood(client: Client, episode: Episode) -> None:
    text = read(client, "/search/?q=happiest+Jerry+scenes+in+colour")
    assert "happiest scenes of Jerry" in text
    assert "“colour”" in text
    assert "Jerry looks happy in" in text
    assert 'href="?q=happiest%20scenes" aria-label="Without: of Jerry"' in text
    judged = read(client, "/search/?q=episodes+where+Tom+is+never+angry")
    assert re.search(r"yes \d+</span>.*not enough evidence \d+</span>.*no \d+</span>", judged, re.S)
    assert re.search(r"Tom looks angry from \d+:\d+ to \d+:\d+", judged)
    refused = read(client, "/search/?q=angry+scenes+with+Jenny")
    assert "I know no character and no emotion called “Jenny”" in refused
    assert "?q=angry%20scenes%20with%20Jerry" in refused
    assert "Nothing like that was found" in read(client, "/search/?q=happiest+scenes+titled+nothing&page=99999999")
    offered = re.findall(r'href="(\?q=[^"]+scenes[^"]+)"', read(client, "/search/?q=&page=x"))
    assert offered
    for address in offered:
        assert 'class="result"' in read(client, f"/search/{address}")


def test_the_part_of_runs_that_changes_can_be_asked_for_alone(client: Client, episode: Episode) -> None:
    part = {"X-Part": "1"}
    done = client.get("/runs/", headers=part)
    assert b"<html" not in done.content
    assert 'data-live-active=""' in done.content.decode()
    other = world.make_episode(world.make_series(), 2, "Other", 120_000)
    from analysis.services.runs import run_request

    run = run_request(episode=other, bundle_name="toonemo-1")
    Segment.objects.filter(run=run, index=0).update(done_ms=30_000)
    AnalysisRun.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING)
    for address in ("/runs/", f"/runs/{run.pk}/"):
        going = client.get(address, headers=part)
        assert "X-Part" in going["Vary"]
        assert 'data-live-active="1"' in going.content.decode()
        assert "0:30 of 2:00, 25 %" in going.content.decode()
        assert "data-live-events" not in going.content.decode(), "whoever may not follow is not told where"
    assert "refresh this page" in read(client, "/runs/")
    assert "No run is failed" in read(client, "/runs/?status=failed")


def test_runs_are_listed_in_as_many_queries_for_many(client: Client, django_assert_num_queries: Any) -> None:
    for number in (1, 2):
        world.analysed_episode(number, f"E{number}", 20_000)
    with django_assert_num_queries(4):
        read(client, "/runs/")
    for number in (3, 4, 5):
        world.analysed_episode(number, f"E{number}", 20_000)
    with django_assert_num_queries(4):
        read(client, "/runs/")


def test_only_staff_steer_runs_and_only_by_post(client: Client, episode: Episode) -> None:
    run = AnalysisRun.objects.get(episode=episode)
    for address in (f"/runs/{run.pk}/retry", f"/runs/{run.pk}/cancel", f"/runs/{run.pk}/publish",
                    f"/episodes/{episode.pk}/analyse"):  # fmt: skip
        assert client.get(address).status_code == 405
        answer = client.post(address)
        assert answer.status_code == 302
        assert "/sign-in/" in answer["Location"]
    assert "Retry" not in read(client, "/runs/")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_user("admin", is_staff=True))
    assert strict.post(f"/runs/{run.pk}/cancel").status_code == 403
    assert AnalysisRun.objects.count() == 1


def test_staff_cancel_retry_publish_and_analyse(staff: Client) -> None:
    world.make_bundle()
    episode = world.make_episode(world.make_series(), 1, "E", 120_000)
    ModelBundle.objects.update(name="test")
    with override_settings(TOONEMO_BUNDLE="test"):
        answer = staff.post(f"/episodes/{episode.pk}/analyse", follow=True)
    run = AnalysisRun.objects.get()
    assert answer.redirect_chain == [(f"/runs/{run.pk}/", 302)]
    assert "Cancel" in read(staff, "/runs/")
    staff.post(f"/runs/{run.pk}/cancel")
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    assert "has cancelled already" in staff.post(f"/runs/{run.pk}/cancel", follow=True).content.decode()
    staff.post(f"/runs/{run.pk}/retry")
    run.refresh_from_db()
    assert run.status == RunStatus.QUEUED
    assert "can be shown" in staff.post(f"/runs/{run.pk}/publish", follow=True).content.decode()


def test_what_does_not_exist_is_a_friendly_404(client: Client) -> None:
    for address in ("/episodes/7/", "/characters/nobody/", "/runs/7/", "/nothing", f"/episodes/{10**25}/",
                    "/episodes/7/video", "/scenes/7/thumbnail", "/patterns/"):  # fmt: skip
        assert "There is nothing here" in read(client, address, 404)


@override_settings(DEBUG=True)
def test_the_patterns_page_shows_every_component(client: Client) -> None:
    text = read(client, "/patterns/", ids_once=False)  # parts stand there in each of their states
    for name in ("card", "rating", "staff", "result", "run", "empty", "note", "badge"):
        assert re.search(rf'class="(\w+ )*{name}\b', text), name
    assert "shows a bit of everything" in text
    assert "When Tom begins to look scared, Jerry begins to as well" in text
    assert "<b>with markup" not in text


@override_settings(DEBUG=True)
def test_every_part_is_among_the_patterns(client: Client) -> None:
    """In its states: loading, empty, broken, and with a name that is too long."""
    response = client.get("/patterns/")
    parts = {f"parts/{path.name}" for path in (settings.BASE_DIR / "templates" / "parts").glob("*.html")}
    assert parts - {template.name for template in response.templates} == set()
    text = response.content.decode()
    states = (
        *("A worker reads the picture", "A worker looks at the files", "Being added", "No moment to compare"),
        *("Nothing is left to ask here", "Nothing was analysed yet", "Nothing is shown.", "The picture is broken."),
        *("It could not be done.", "Not taken:", "No worker", "A name that goes on and on"),
    )
    for said in states:
        assert said in text, said
    assert " hx-get" not in text.split("<div hx-disable")[0]


def test_the_pages_of_errors_need_nothing(client: Client) -> None:
    from django.template.loader import render_to_string

    assert "Something broke" in render_to_string("500.html")


def stored_episode(content: bytes) -> Episode:
    name = default_storage.save("sources/test.bin", ContentFile(content))
    return world.make_episode(world.make_series(), 1, "E", stored_name=name)


def test_a_video_is_served_in_ranges_and_can_only_be_played(client: Client) -> None:
    content = b"<script>alert(1)</script>" + bytes(range(256)) * 4000
    address = f"/episodes/{stored_episode(content).pk}/video"
    whole = client.get(address)
    assert (whole.status_code, b"".join(whole)) == (200, content)
    assert whole["Content-Type"] == "video/mp4"
    assert whole["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in whole["Content-Security-Policy"]
    assert whole["Accept-Ranges"] == "bytes"
    part = client.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, b"".join(part)) == (206, content[10:20])
    assert part["Content-Range"] == f"bytes 10-19/{len(content)}"
    assert part["Content-Length"] == "10"
    tail = client.get(address, headers={"Range": "bytes=-5"})
    assert b"".join(tail) == content[-5:]
    beyond = client.get(address, headers={"Range": f"bytes={len(content)}-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(content)}")
    opened = [whole, part, tail]
    for other in ('"other"', f"W/{whole['ETag']}", "Wed, 01 Jan 2020 00:00:00 GMT", ""):
        opened.append(client.get(address, headers={"Range": "bytes=0-4", "If-Range": other}))
        assert opened[-1].status_code == 200, other
    opened.append(client.get(address, headers={"Range": "bytes=0-4", "If-Range": whole["ETag"]}))
    assert (opened[-1].status_code, opened[-1]["ETag"]) == (206, whole["ETag"])
    opened.append(client.get(address, headers={"Range": "bytes=0-1,5-6"}))
    assert (opened[-1].status_code, opened[-1]["Content-Length"]) == (200, str(len(content)))
    same = client.get(address, headers={"Range": "bytes=0-4", "If-None-Match": whole["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    for headers in ({}, {"Range": "bytes=0-4"}, {"Range": f"bytes={len(content)}-"}):
        head = client.head(address, headers=headers)
        assert (head.status_code, head["Content-Length"], head.content) == (200, str(len(content)), b"")
    assert client.post(address).status_code == 405
    for response in opened:
        response.close()


def test_a_video_that_is_gone_is_a_404(client: Client) -> None:
    episode = world.make_episode(world.make_series(), 1, "E", stored_name="sources/gone.mp4")
    assert client.get(f"/episodes/{episode.pk}/video").status_code == 404


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=0-", (0, 99)),
        ("bytes=90-200", (90, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-1000", (0, 99)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("", None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_ranges(header: str, expected: tuple[int, int] | None) -> None:
    assert byte_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=-0", "bytes=200-300"])
def test_ranges_that_hold_nothing(header: str) -> None:
    with pytest.raises(ValueError, match="bytes"):
        byte_range(header, 100)


@pytest.mark.parametrize(
    ("container", "kind"),
    [
        ("mov,mp4,m4a,3gp,3g2,mj2", "video/mp4"),
        ("matroska,webm", "video/webm"),
        ("mpegts", "video/mp2t"),
        ("mpeg", "video/mpeg"),
        ("text/html", "application/octet-stream"),
    ],
)
def test_the_type_of_a_video_comes_from_a_table(container: str, kind: str) -> None:
    assert media_type(container) == kind


def test_a_thumbnail_is_shown_of_published_runs_only(client: Client, episode: Episode) -> None:
    scene = Scene.objects.filter(run__episode=episode).order_by("index")[0]
    assert client.get(f"/scenes/{scene.pk}/thumbnail").status_code == 404
    scene.thumbnail = default_storage.save("thumbnails/test.jpg", ContentFile(b"\xff\xd8\xff picture"))
    scene.save()
    picture = client.get(f"/scenes/{scene.pk}/thumbnail")
    assert (picture["Content-Type"], b"".join(picture)) == ("image/jpeg", b"\xff\xd8\xff picture")
    assert f"/scenes/{scene.pk}/thumbnail" in read(client, "/")
    Publication.objects.all().delete()
    assert client.get(f"/scenes/{scene.pk}/thumbnail").status_code == 404


def test_the_administration_opens_and_counts_no_big_table(staff: Client, episode: Episode) -> None:
    for model in ("analysisrun", "modelbundle", "facedetection", "scene", "emotionprofile", "publication",
                  "correction"):  # fmt: skip
        assert staff.get(f"/admin/analysis/{model}/").status_code == 200, model
    run = AnalysisRun.objects.get()
    assert staff.get(f"/admin/analysis/analysisrun/{run.pk}/change/").status_code == 200
    assert staff.post(f"/admin/analysis/modelbundle/{run.bundle_id}/change/", {"name": "x"}).status_code == 403
    chosen = {"action": "retry", "_selected_action": [run.pk]}
    answer = staff.post("/admin/analysis/analysisrun/", chosen, follow=True)
    assert "nothing to do again" in answer.content.decode()


def test_the_detections_of_the_administration_are_never_counted_whole(
    staff: Client, episode: Episode, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(6) as captured:
        staff.get("/admin/analysis/facedetection/")
    counted = [q["sql"] for q in captured.captured_queries if "COUNT(" in q["sql"] and "facedetection" in q["sql"]]
    assert all("LIMIT 10001" in sql for sql in counted)
    assert SceneEmotion.objects.exists()
