"""The REST API: its contract, who may do what, and what never leaks."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from analysis.models import AnalysisRun, ModelBundle, Publication, RunStatus
from analysis.services.runs import run_request
from catalog.models import Episode
from ml.types import EMOTIONS, Emotion
from tests.analysis import world
from tests.tokens import bearer

pytestmark = pytest.mark.django_db
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:toonemo:problem:[a-z_]+$"},
        "title": {"type": "string", "minLength": 1},
        "status": {"type": "integer"},
        "detail": {"type": "string", "minLength": 1},
        "code": {"type": "string", "pattern": "^[a-z_]+$"},
    },
}
SPAN = {"start_ms": {"type": "integer"}, "end_ms": {"type": "integer"}}
TIMELINE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["format", "episode", "run", "duration_ms", "shots", "lanes"],
    "properties": {
        "format": {"const": 1},
        "episode": {"type": "integer"},
        "run": {"type": "integer"},
        "duration_ms": {"type": "integer"},
        "shots": {
            "type": "array",
            "items": {
                "additionalProperties": False,
                "required": ["start_ms", "end_ms", "kind"],
                "properties": {**SPAN, "kind": {"enum": ["story", "title", "credits", "black"]}},
            },
        },
        "lanes": {
            "type": "array",
            "items": {
                "additionalProperties": False,
                "required": ["character", "visible_ms", "faces", "spans"],
                "properties": {
                    "character": {"type": ["string", "null"]},
                    "visible_ms": {"type": "integer"},
                    "faces": {"type": "integer"},
                    "spans": {
                        "type": "array",
                        "items": {
                            "additionalProperties": False,
                            "required": ["start_ms", "end_ms", "emotion", "confidence"],
                            "properties": {
                                **SPAN,
                                "emotion": {"enum": [*map(str, EMOTIONS), "unclear"]},
                                "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                            },
                        },
                    },
                },
            },
        },
    },
}


@pytest.fixture
def episode() -> Episode:
    return world.analysed_episode(1, "The Missing Cheese", 60_000)


@pytest.fixture
def staff() -> Client:
    user = User.objects.create_user("admin", is_staff=True)
    return Client(headers=bearer(user))


def get(client: Client, address: str, status: int = 200) -> Any:
    response = client.get(f"/api/v1/{address}")
    assert response.status_code == status, response.content
    data = response.json()
    if status >= 400:
        assert response["Content-Type"] == "application/problem+json"
        jsonschema.validate(data, PROBLEM)
        assert data["status"] == status
    return data


def test_every_resource_can_be_listed_and_shown(client: Client, episode: Episode) -> None:
    for name in ("series", "episodes", "characters", "runs", "bundles", "profiles", "scenes"):
        found = get(client, f"{name}/")
        paged = {"next", "results"} if name in ("profiles", "scenes") else {"count", "next", "previous", "results"}
        assert set(found) == paged, name
        first = found["results"][0]
        shown = get(client, f"{name}/{first.get('id', first.get('slug'))}/")
        assert {key: shown[key] for key in first} == first
        assert get(client, name) == found  # without the slash at the end


def test_a_profile_has_the_evidence_and_the_bounds(client: Client, episode: Episode) -> None:
    (jerry,) = get(client, f"profiles?episode={episode.pk}&character=jerry")["results"]
    assert jerry["episode"] == episode.pk
    assert jerry["enough_evidence"] is False
    assert jerry["readable_ms"] <= jerry["visible_ms"]
    assert set(jerry["shares"]) == {str(e) for e in EMOTIONS}
    happy = jerry["shares"]["happy"]
    assert 0 <= happy["low"] <= happy["share"] <= happy["high"] <= 1
    assert happy["raw"] == happy["corrected"] == happy["share"]  # no matrix, no other episode
    assert happy["baseline"] is None
    assert (jerry["ratings_version"], jerry["bias_corrected"], jerry["baseline_episodes"]) == (1, False, 0)
    assert sum(s["share"] for s in jerry["shares"].values()) == pytest.approx(1, abs=1e-4)


def test_an_emotion_that_is_not_modelled_is_absent_never_zero(client: Client, episode: Episode) -> None:
    run = AnalysisRun.objects.get()
    tom = run.profiles.get(character__slug="tom")
    del tom.shares["disgusted"]
    tom.save()
    (found,) = get(client, "profiles?character=tom")["results"]
    assert "disgusted" not in found["shares"]


def test_a_profile_tells_how_it_ends_and_whom_it_follows(client: Client) -> None:
    chase = world.analysed_chase(1, "The chase")
    found = {p["character"]: p for p in get(client, f"profiles?episode={chase.pk}")["results"]}
    assert found["tom"]["reactions"] == []
    (follows,) = found["jerry"]["reactions"]
    assert (follows["to"], follows["emotion"], follows["times"], follows["of"]) == ("tom", "happy", 12, 12)
    assert follows["by_chance"] < 6
    assert follows["p"] <= 0.05
    assert len(follows["at_ms"]) == 12
    ending = found["jerry"]["ending"]
    assert (ending["emotion"], ending["end_ms"]) == ("neutral", 90_000)
    assert sum(ending["shares"].values()) == pytest.approx(1)


def test_the_timeline_keeps_its_format(client: Client, episode: Episode) -> None:
    found = get(client, f"episodes/{episode.pk}/timeline")
    jsonschema.validate(found, TIMELINE)
    assert [lane["character"] is None for lane in found["lanes"]] == [False, False, False, True]
    for lane in found["lanes"]:
        edges = [edge for span in lane["spans"] for edge in (span["start_ms"], span["end_ms"])]
        assert edges == sorted(edges)


def test_filters(client: Client, episode: Episode) -> None:
    world.analysed_episode(2, "Storm", 30_000)
    assert [e["title"] for e in get(client, "episodes?character=rosa")["results"]] == ["Storm"]
    assert [e["title"] for e in get(client, "episodes?words=storm&sort=title")["results"]] == ["Storm"]
    assert get(client, f"runs?episode={episode.pk}&status=succeeded")["count"] == 1
    assert get(client, "runs?status=failed")["count"] == 0
    refused = get(client, "runs?status=bogus", 400)
    assert refused["code"] == "invalid_request"
    assert "queued" in json.dumps(refused["errors"]["status"])
    shown = {s["emotion"] for scene in get(client, "scenes?character=rosa&emotion=disgusted")["results"]
             for s in scene["emotions"] if s["character"] == "rosa"}  # fmt: skip
    assert "disgusted" in shown
    get(client, f"scenes?episode={episode.pk}&emotion=calm", 400)
    assert len(get(client, "scenes?limit=1")["results"]) == 1


def test_lists_take_as_many_queries_for_many(client: Client, django_assert_num_queries: Any) -> None:
    for number in (1, 2):
        world.analysed_episode(number, f"E{number}", 20_000)
    addresses = {"episodes": 2, "runs": 3, "profiles": 2, "scenes": 3, "characters": 2}
    for _ in range(2):
        for name, count in addresses.items():
            with django_assert_num_queries(count):
                get(client, name)
        world.analysed_episode(Episode.objects.count() + 1, "More", 20_000)


def test_only_published_runs_are_for_everybody(client: Client, staff: Client, episode: Episode) -> None:
    run = AnalysisRun.objects.get()
    profile = run.profiles.values_list("pk", flat=True)[0]
    Publication.objects.all().delete()
    for name in ("runs", "profiles", "scenes"):
        assert get(client, name)["results"] == []
        assert get(staff, name)["results"] != []
    assert get(client, f"runs/{run.pk}", 404)["code"] == "not_found"
    assert get(client, f"profiles/{profile}", 404)["code"] == "not_found"
    assert get(client, f"episodes/{episode.pk}/timeline", 404)["detail"] == "The episode shows no analysis yet."
    assert get(client, f"episodes/{episode.pk}")["published_run"] is None
    assert get(client, "search?q=happiest+scenes")["results"] == []


def test_nothing_tells_where_a_file_is_or_what_it_was_called(staff: Client, episode: Episode) -> None:
    source = episode.source
    assert source is not None
    for name in ("series", "episodes", "characters", "runs", "bundles", "profiles", "scenes",
                 f"episodes/{episode.pk}/timeline", "search?q=happiest+scenes"):  # fmt: skip
        text = json.dumps(get(staff, name))
        assert source.stored_name not in text
        assert source.original_name not in text
        assert "sources/" not in text


@pytest.mark.parametrize(
    "address",
    ["nothing", "runs/abc", "runs/99999999999999999999", "episodes/7", "profiles?episode=x", "episodes/7/timeline"],
)
def test_what_is_not_there_is_a_problem_with_a_code(client: Client, address: str) -> None:
    assert get(client, address, 404)["code"] == "not_found"


def test_anonymous_visitors_write_nothing(client: Client, episode: Episode) -> None:
    run = AnalysisRun.objects.get()
    before = (AnalysisRun.objects.count(), run.status, Episode.objects.count())
    for address in (f"episodes/{episode.pk}/analyse", f"runs/{run.pk}/cancel", f"runs/{run.pk}/retry",
                    f"runs/{run.pk}/publish"):  # fmt: skip
        answer = client.post(f"/api/v1/{address}", {}, content_type="application/json")
        assert answer.status_code == 401
        assert answer.json()["code"] == "not_authenticated"
        assert answer["WWW-Authenticate"] == 'Bearer realm="toonemo"'
    for method in ("post", "put", "patch", "delete"):
        for name in ("series", f"episodes/{episode.pk}", "characters/tom", "bundles", "profiles", "scenes", "search"):
            answer = getattr(client, method)(f"/api/v1/{name}", {}, content_type="application/json")
            editors = name == "characters/tom"
            assert answer.status_code == (401 if editors else 405)
            assert answer.json()["code"] == ("not_authenticated" if editors else "method_not_allowed")
    assert (AnalysisRun.objects.count(), AnalysisRun.objects.get().status, Episode.objects.count()) == before


def test_somebody_signed_in_who_is_not_staff_asks_for_no_work(client: Client, episode: Episode) -> None:
    client.force_login(User.objects.create_user("visitor"))
    answer = client.post(f"/api/v1/episodes/{episode.pk}/analyse", {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_a_session_needs_the_csrf_token(episode: Episode) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_user("admin", is_staff=True))
    assert strict.post(f"/api/v1/episodes/{episode.pk}/analyse").status_code == 403


def test_staff_ask_for_a_run_and_steer_it(staff: Client) -> None:
    world.make_bundle()
    episode = world.make_episode(world.make_series(), 1, "E", 120_000)
    ModelBundle.objects.update(name="test")
    ask = {"bundle": "test", "config": {"sampling": "per-second"}}
    address = f"/api/v1/episodes/{episode.pk}/analyse"
    first = staff.post(address, ask, content_type="application/json")
    again = staff.post(address, ask, content_type="application/json")
    assert (first.status_code, first.json()["status"]) == (202, "queued")
    assert first.json()["id"] == again.json()["id"]
    assert (first.json()["progress"], first.json()["seconds_left"]) == (0.0, None)
    run = AnalysisRun.objects.get()
    assert run.config["sampling"] == "per-second"
    assert run.requested_by is not None
    assert staff.post(f"/api/v1/runs/{run.pk}/cancel").json()["status"] == "cancelled"
    late = staff.post(f"/api/v1/runs/{run.pk}/cancel")
    assert (late.status_code, late.json()["code"]) == (409, "run_not_cancellable")
    assert staff.post(f"/api/v1/runs/{run.pk}/retry").json()["status"] == "queued"
    early = staff.post(f"/api/v1/runs/{run.pk}/publish")
    assert (early.status_code, early.json()["code"]) == (409, "run_not_publishable")


@pytest.mark.parametrize(
    ("ask", "status", "code"),
    [
        ({"bundle": "nothing"}, 404, "bundle_unknown"),
        ({"bundle": "toonemo", "config": {"sampling": "psychic"}}, 400, "run_config_invalid"),
        ({"config": 3}, 400, "invalid_request"),
        ({"force": "perhaps"}, 400, "invalid_request"),
    ],
)
def test_a_request_that_cannot_be_done_says_why(staff: Client, ask: dict[str, Any], status: int, code: str) -> None:
    world.make_bundle()
    episode = world.make_episode(world.make_series(), 1, "E")
    answer = staff.post(f"/api/v1/episodes/{episode.pk}/analyse", ask, content_type="application/json")
    jsonschema.validate(answer.json(), PROBLEM)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not AnalysisRun.objects.exists()


def test_text_that_is_no_json_is_a_problem(staff: Client, episode: Episode) -> None:
    answer = staff.post(f"/api/v1/episodes/{episode.pk}/analyse", "{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_progress_of_a_run_that_is_under_way(staff: Client) -> None:
    world.make_bundle()
    run = run_request(episode=world.make_episode(world.make_series(), 1, "E", 120_000), bundle_name="toonemo-1")
    run.segments.filter(index=0).update(done_ms=30_000)
    AnalysisRun.objects.update(status=RunStatus.RUNNING)
    assert get(staff, f"runs/{run.pk}")["progress"] == 0.25
    assert get(staff, "runs")["results"][0]["progress"] == 0.25


def test_search_pages_follow_the_link_header(client: Client) -> None:
    for number in range(1, 13):
        episode = world.make_episode(world.make_series(), number, f"E{number}", 21_000)
        world.analyse(episode, {"jerry": [(0, 6_000, Emotion.HAPPY), (9_000, 12_000, Emotion.HAPPY)]})
    response = client.get("/api/v1/search/?q=happiest+episodes")
    assert len(response.json()["results"]) == 12
    assert "Link" not in response
    response = client.get("/api/v1/search/?q=scenes+under+1+minute")
    link = re.fullmatch(r'<(/api/v1/search/\?[^>]+)>; rel="next"', response["Link"])
    assert link is not None
    found = [*response.json()["results"], *client.get(link[1]).json()["results"]]
    assert len({(r["episode"]["id"], r["start_ms"]) for r in found}) == len(found)


def test_a_json_query_gives_the_answer_of_its_echo(client: Client, episode: Episode) -> None:
    said = get(client, "search?q=happiest+Jerry+scenes")
    answer = client.post("/api/v1/query/", said["query"], content_type="application/json")
    assert answer.json() == said
    bad = client.post("/api/v1/query/", {"version": 1, "target": "x"}, content_type="application/json")
    assert (bad.status_code, bad.json()["code"]) == (400, "query_invalid")


def test_the_schema_has_no_warnings_and_names_every_resource(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))
    text = (tmp_path / "schema.yml").read_text()
    for name in ("series", "episodes", "characters", "runs", "bundles", "profiles", "scenes", "search", "query",
                 "episodes/{id}/timeline", "episodes/{id}/analyse"):  # fmt: skip
        assert f"/api/v1/{name}/:" in text


def test_the_documentation_asks_nothing_of_other_hosts(client: Client) -> None:
    text = client.get("/api/docs/").content.decode()
    assert "/static/drf_spectacular_sidecar/" in text
    assert not re.search(r'(src|href)="https?://', text)
    assert client.get("/api/schema/").status_code == 200


def test_a_fault_of_ours_is_logged_and_shows_no_stack(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, episode: Episode
) -> None:
    from analysis.api import views

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(views, "timeline_of", broken)
    answer = get(client, f"episodes/{episode.pk}/timeline", 500)
    assert (answer["code"], "secret" in json.dumps(answer)) == ("internal", False)
    assert "api_fault" in caplog.text
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    "address",
    ["episodes/?sort=zz", "episodes/?emotion=zz", "scenes/?emotion=zz", "runs/?status=zz", "corrections/?withdrawn=zz",
     "search/?q=happiest+scenes&explain=zz"],
)  # fmt: skip
@pytest.mark.django_db
def test_a_choice_that_there_is_not_is_refused_by_name(client: Client, address: str) -> None:
    answer = client.get(f"/api/v1/{address}")
    assert answer.status_code == 400
    assert address.split("zz")[0].rstrip("=").split("?")[-1].split("&")[-1] in answer.content.decode()
    assert "is one of" in answer.content.decode()
