"""Whatever goes wrong under /api/ is said in one form."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.analysis import world
from tests.analysis.test_api import PROBLEM

pytestmark = pytest.mark.django_db
QUERY = "/api/v1/query/"


def problem(response: Any, status: int, code: str) -> Any:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    data = response.json()
    jsonschema.validate(data, PROBLEM)
    assert (data["status"], data["code"]) == (status, code)
    return data


@pytest.mark.parametrize(
    "address",
    ["/api/v1/nothing/", "/api/v1/", "/api/v2/episodes/", "/api/", "/api/nothing", "/api/v1/episodes/1/nothing",
     "/api/v1/episodes/%00", "/api/v1/episodes/../../x", "/api/v1/series/%F0%9F%90%AD/", "/api/v1/search/x"],
)  # fmt: skip
def test_an_address_that_there_is_not(client: Client, address: str) -> None:
    problem(client.get(address), 404, "not_found")


def test_the_pages_of_the_description_keep_their_addresses(client: Client) -> None:
    for name in ("docs", "redoc", "schema"):
        assert client.get(f"/api/{name}").status_code == 301
        assert client.get(f"/api/{name}/").status_code == 200


def test_a_method_that_is_not_taken(client: Client) -> None:
    response = client.put("/api/v1/episodes/", {}, content_type="application/json")
    problem(response, 405, "method_not_allowed")
    assert "GET" in response["Allow"]


def test_a_form_that_is_not_made_or_not_read(client: Client) -> None:
    problem(client.get("/api/v1/episodes/", headers={"Accept": "application/xml"}), 406, "not_acceptable")
    problem(client.get("/api/schema/", headers={"Accept": "image/png"}), 406, "not_acceptable")
    problem(client.post(QUERY, "<x/>", content_type="text/xml"), 415, "unsupported_media_type")
    problem(client.post(QUERY, {"version": 1}), 415, "unsupported_media_type")  # a form


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1e999}', b'{"a": "\\ud800"}', b'{"\\u0000": 1}', b"[" * 100_000,
     b'{"a": -Infinity}', b"1" * 5_000],
)  # fmt: skip
def test_bodies_that_are_no_json(client: Client, body: bytes) -> None:
    response = client.post(QUERY, body, content_type="application/json")
    assert problem(response, 400, "invalid_request" if body else "query_invalid")["detail"]


def test_a_body_without_end_is_not_read_to_its_end(client: Client) -> None:
    body = json.dumps({"a": "x" * 3_000_000}).encode()
    problem(client.post(QUERY, body, content_type="application/json"), 413, "body_too_large")


def test_a_text_that_looks_like_an_escape_is_text(client: Client) -> None:
    body = {"version": 2, "target": "scenes", "order": "most", "emotion": "happy", "character": "\\u0000"}
    assert client.post(QUERY, body, content_type="application/json").status_code == 200


def test_a_host_that_is_not_ours(client: Client) -> None:
    problem(client.get("/api/v1/episodes/", headers={"Host": "evil.example"}), 400, "invalid_request")


def test_a_token_that_is_none(client: Client) -> None:
    response = client.get("/api/v1/episodes/", headers={"Authorization": "Token nothing"})
    problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"]


def test_what_waits_too_long_says_how_long(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from rest_framework.exceptions import Throttled

    from analysis.api import views

    def slow(*args: Any, **kwargs: Any) -> None:
        raise Throttled(wait=7)

    monkeypatch.setattr(views.EpisodeViewSet, "get_queryset", slow)
    response = client.get("/api/v1/episodes/")
    problem(response, 429, "throttled")
    assert response["Retry-After"] == "7"


def test_pages_are_not_touched(client: Client) -> None:
    response = client.get("/nothing/")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_other_sites_pages_read_nothing_unless_they_are_named(client: Client, settings: Any) -> None:
    world.make_episode(world.make_series(), 1, "E")
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    assert "Access-Control-Allow-Origin" not in client.get("/api/v1/episodes/", headers=asked)
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    told = client.get("/api/v1/episodes/", headers=asked)
    assert told["Access-Control-Allow-Origin"] == "https://app.example"
    assert "origin" in told["Vary"].lower()
    assert "etag" in told["Access-Control-Expose-Headers"].lower()
    for response in (told, client.options("/api/v1/episodes/", headers=asked)):
        assert "Access-Control-Allow-Credentials" not in response
    for origin in ("https://evil.example", "null", "https://app.example.evil.example", "http://app.example"):
        assert "Access-Control-Allow-Origin" not in client.get("/api/v1/episodes/", headers={"Origin": origin})
    for page in ("/", "/limits/", "/admin/login/", "/oembed"):
        assert "Access-Control-Allow-Origin" not in client.get(page, headers=asked)


def test_what_another_site_is_told_is_what_anybody_is_told(settings: Any) -> None:
    """A session's cookie is not enough for a write from another site: it has no CSRF token."""
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("admin", is_staff=True))
    episode = world.make_episode(world.make_series(), 1, "E")
    response = client.post(f"/api/v1/episodes/{episode.pk}/analyse/", headers={"Origin": "https://app.example"})
    assert response.status_code == 403
