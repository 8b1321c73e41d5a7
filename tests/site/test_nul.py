"""NUL, which PostgreSQL refuses, in whatever a visitor can send: never a fault of ours."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

PAGES = ["/", "/search/", "/runs/", "/admin/", "/readiness", "/static/x.css"]
API = ["series", "episodes", "characters", "runs", "bundles", "profiles", "scenes", "search"]
NAMES = ["q", "series", "character", "emotion", "words", "title", "sort", "status", "episode", "run", "page", "limit"]
PATHS = ["/%00", "/characters/%00/", "/episodes/%00/", "/static/%00.css", "/admin/%00/", "/admin/catalog/series/%00/"]


def is_problem(client: Client, address: str, status: int) -> None:
    response = client.get(address)
    assert response.status_code == status, address
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == status


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_not_there(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()
    assert "Content-Security-Policy" in response.headers


def test_a_resource_is_not_there(client: Client) -> None:
    for name in API:
        is_problem(client, f"/api/v1/{name}/%00/", 404)


@pytest.mark.parametrize("name", NAMES)
def test_a_query_is_refused_wherever_it_is_sent(client: Client, name: str) -> None:
    for page in PAGES:
        response = client.get(f"{page}?{name}=%00")
        assert response.status_code == 400, page
        assert "cannot be read" in response.content.decode()
    for resource in API:
        is_problem(client, f"/api/v1/{resource}?{name}=a%00b", 400)


def test_a_name_in_the_query_a_cookie_and_a_token_are_refused(client: Client) -> None:
    is_problem(client, "/api/v1/series?%00=1", 400)
    assert client.get("/api/v1/series", headers={"Authorization": "Token a\x00b"}).status_code == 400
    response = client.get("/", headers={"Cookie": r'sessionid="\000\000\000\000\000\000\000\000\000"'})
    assert response.status_code == 400


def test_the_guard_stands_before_whatever_opens_files_or_asks_the_database() -> None:
    guard = settings.MIDDLEWARE.index("toonemo_site.nul.NulMiddleware")
    for name in ("whitenoise.middleware.WhiteNoiseMiddleware", "django.contrib.sessions.middleware.SessionMiddleware"):
        assert guard < settings.MIDDLEWARE.index(name)


@pytest.mark.django_db
def test_a_body_with_nul_is_a_fault_of_whoever_sent_it(client: Client) -> None:
    response = client.post("/api/v1/query", {"find": "scenes\x00", "text": "\x00"}, content_type="application/json")
    assert response.status_code == 400
    signing_in = client.post("/sign-in/", {"username": "a\x00", "password": "b\x00"})
    assert signing_in.status_code == 400
