"""Every route that writes, asked by everybody: who may, may; who may not, is refused before anything is looked at.

The list is held against the addresses themselves: a new route has to be put into one of the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from catalog.access.models import READ, SCOPES
from catalog.access.services.tokens import token_create
from catalog.roles import ROLES, Right, rights_of
from tests.tokens import somebody

pytestmark = pytest.mark.django_db
ANYBODY, SIGNED_IN, SESSION = "anybody", "signed in", "signed in, without a token"
Needs = Right | str
SAFE = {"GET", "HEAD", "OPTIONS"}

# (method, name of the route) -> what it takes
API: dict[tuple[str, str], Needs] = {
    ("POST", "api-episode-analyse"): Right.ANALYSE,
    ("POST", "api-run-cancel"): Right.ANALYSE,
    ("POST", "api-run-retry"): Right.ANALYSE,
    ("POST", "api-run-publish"): Right.PUBLISH,
    ("POST", "api-run-rollback"): Right.PUBLISH,
    ("POST", "api-bundle-publish"): Right.PUBLISH,
    ("POST", "api-bundle-rollback"): Right.PUBLISH,
    ("POST", "api-correction-list"): Right.CORRECT,
    ("DELETE", "api-correction-detail"): Right.CORRECT,
    ("POST", "api-certification"): Right.CORRECT,
    ("DELETE", "api-certification"): Right.CORRECT,
    ("POST", "api-certification-answers"): Right.CORRECT,
    ("POST", "api-webhook-list"): Right.MANAGE,
    ("PATCH", "api-webhook-detail"): Right.MANAGE,
    ("DELETE", "api-webhook-detail"): Right.MANAGE,
    ("POST", "api-webhook-test"): Right.MANAGE,
    ("POST", "api-webhook-rotate"): Right.MANAGE,
    ("POST", "api-webhook-again"): Right.MANAGE,
    ("POST", "api-token-list"): SESSION,
    ("DELETE", "api-token-detail"): SIGNED_IN,
    ("POST", "api-run-priority"): Right.ANALYSE,
    ("POST", "api-runs-bulk"): Right.SEE_RUNS,  # what it does to each run takes the right of that
    ("POST", "api-queue-pause"): Right.MANAGE,
    ("POST", "api-queue-resume"): Right.MANAGE,
    ("POST", "api-uploads"): Right.INGEST,
    ("PATCH", "api-upload"): Right.INGEST,
    ("DELETE", "api-upload"): Right.INGEST,
    ("POST", "api-imports"): Right.INGEST,
    ("DELETE", "api-import"): Right.INGEST,
    ("POST", "api-import-confirm"): Right.INGEST,
    ("PUT", "api-import-file"): Right.INGEST,
    ("POST", "api-character-list"): Right.INGEST,
    ("PATCH", "api-character-detail"): Right.INGEST,
    ("POST", "api-drawings"): Right.CORRECT,
    ("DELETE", "api-drawing"): Right.CORRECT,
    ("POST", "api-naming"): Right.CORRECT,
    ("DELETE", "api-naming"): Right.CORRECT,
    ("POST", "api-faces-answers"): Right.CORRECT,
    ("DELETE", "api-faces-last"): Right.CORRECT,
    ("POST", "api-faces-settle"): Right.CORRECT,
    ("POST", "api-find"): ANYBODY,  # a picture to look for; forgotten within the hour
    ("POST", "api-query"): ANYBODY,  # these write nothing
    ("POST", "api-recommendations"): ANYBODY,
    ("POST", "api-evening"): ANYBODY,
}
# Pages are functions, which do not say what they take: each is here or below.
PAGES: dict[str, Needs] = {
    "episode-analyse": Right.ANALYSE,
    "run-cancel": Right.ANALYSE,
    "run-retry": Right.ANALYSE,
    "run-publish": Right.PUBLISH,
    "run-rollback": Right.PUBLISH,
    "run-priority": Right.ANALYSE,
    "run-again": Right.ANALYSE,
    "runs-bulk": Right.ANALYSE,
    "runs-queue": Right.MANAGE,
    "add-confirm": Right.INGEST,
    "add-discard": Right.INGEST,
    "add-name": Right.INGEST,
    "add-preview": Right.INGEST,
    "add-remove": Right.INGEST,
    "add-send": Right.INGEST,
    "character-new": Right.INGEST,
    "character-edit": Right.INGEST,
    "character-drawing-add": Right.CORRECT,
    "character-drawing-remove": Right.CORRECT,
    "character-naming-save": Right.CORRECT,
    "correct-next": Right.CORRECT,
    "correct-undo": Right.CORRECT,
    "correct-skip": Right.CORRECT,
    "correct-work-in": Right.CORRECT,
    "correct-settle": Right.CORRECT,
    "correct": Right.CORRECT,
    "correction-withdraw": Right.CORRECT,
    "certify-start": Right.CORRECT,
    "certify-answer": Right.CORRECT,
    "certify-withdraw": Right.CORRECT,
    "webhooks": Right.MANAGE,
    "webhook": Right.MANAGE,
    "webhook-act": Right.MANAGE,
    "webhook-again": Right.MANAGE,
    "tokens": SIGNED_IN,
    "token-revoke": SIGNED_IN,
    "sign-in": ANYBODY,
    "set_language": ANYBODY,  # a cookie of the browser
    "sign-out": ANYBODY,
    "limits": ANYBODY,  # a cookie of the browser
    "find": ANYBODY,
}
READ_ONLY = {
    "/admin/login/", "healthz", "readyz", "api-schema", "api-docs", "api-nothing", "browse", "episode",
    "episode-video", "certify", "scene-thumbnail", "character", "find-answer", "find-picture", "moment-picture",
    "search", "recommendations", "runs", "run", "runs-compare", "patterns", "audit", "card", "oembed", "quiz",
    "characters", "episode-moments", "episode-print", "moment-face",
    "words-for-scripts", "add", "add-folder", "add-plan", "character-naming", "character-drawing", "correct-disputed",
    "correct-agreement", "run-picture", "runs-analyse",
}  # fmt: skip
FILLED = {"pk": "999999999", "slug": "nobody", "token": "nothing-nothing-nothing",
          "delivery": "999999999", "other": "999999999",
          "before": "999999999", "position": "1", "picture": "1", "after": "999999999", "rest": "x"}  # fmt: skip


@dataclass(frozen=True)
class Route:
    name: str
    address: str
    methods: frozenset[str]  # that write; empty for a page, which does not say

    @property
    def is_api(self) -> bool:
        return self.name.startswith("api-")


def routes() -> list[Route]:
    def walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[Route]:
        for pattern in patterns:
            path = before + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                yield Route(pattern.name or path, filled(pattern, before), methods_of(pattern.callback))
            elif pattern.namespace != "admin":
                yield from walk(pattern.url_patterns, path)

    return list(walk(get_resolver().url_patterns, "/"))


def filled(pattern: URLPattern, before: str) -> str:
    """An address that the pattern takes."""
    text = str(pattern.pattern)
    text = re.sub(r"\(\?P<(\w+)>[^()]*\)", lambda m: FILLED.get(m[1], "x"), text)
    text = re.sub(r"<(?:\w+:)?(\w+)>", lambda m: FILLED.get(m[1], "x"), text)
    return before + text.replace("^", "").replace("/?$", "/").replace("$", "")


def methods_of(view: Any) -> frozenset[str]:
    actions = getattr(view, "actions", None)
    if actions:
        return frozenset(method.upper() for method in actions) - SAFE
    own = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if own is None:
        return frozenset()
    return frozenset(m.upper() for m in own.http_method_names if hasattr(own, m)) - SAFE


def test_every_route_that_writes_says_who_may() -> None:
    found = {(m, r.name) for r in routes() if r.is_api for m in r.methods}
    assert len(found) > 20
    assert found - set(API) == set(), "new routes of the API that write: say in API what each takes"
    assert set(API) - found == set(), "no route of the API any more"
    pages = {r.name for r in routes() if not r.is_api or r.name in READ_ONLY}
    assert pages - set(PAGES) - READ_ONLY == set(), "new pages: put each into PAGES or READ_ONLY"
    assert (set(PAGES) | READ_ONLY) - {r.name for r in routes()} == set(), "no page any more"


def may(needs: Needs, user: User | None, role: str, scopes: set[str] | None) -> bool:
    """As docs/api.md says it."""
    if needs == ANYBODY:
        return True
    if user is None:
        return False
    if needs == SESSION:
        return scopes is None
    if needs == SIGNED_IN:
        return True
    return needs in ROLES.get(role, frozenset()) and (scopes is None or needs in scopes)


def people() -> Iterator[tuple[str, User | None, str]]:
    yield "nobody", None, ""
    yield "without a role", somebody(), ""
    for role in ROLES:
        yield role, somebody(role), role
    yield "staff", somebody(is_staff=True), "admin"
    yield "no longer active", None, ""


def test_the_api_lets_through_who_may_and_nobody_else() -> None:
    by_name = {r.name: r for r in routes()}
    wrong = []
    for who, user, role in people():
        for client, scopes in clients(user):
            for (method, name), needs in API.items():
                answer = client.generic(method, by_name[name].address, b"{}", content_type="application/json")
                let = answer.status_code not in (401, 403)
                if let is not may(needs, user, role, scopes):
                    wrong.append(f"{method} {name} by {who} with {scopes}: {answer.status_code}")
                if not let:
                    assert answer.json()["code"] in ("not_authenticated", "permission_denied")
    assert not wrong, "\n".join(wrong)


def clients(user: User | None) -> Iterator[tuple[Client, set[str] | None]]:
    """In a session; an admin also with a token of each scope alone."""
    client = Client()
    if user is None:
        yield client, None
        return
    client.force_login(user)
    yield client, None
    if rights_of(user) != set(Right) or user.is_staff:
        return
    for scope in SCOPES:
        _, secret = token_create(owner=user, name=scope, scopes=[scope])
        yield Client(headers={"Authorization": f"Bearer {secret}"}), {READ, scope}


def test_the_pages_let_through_who_may_and_nobody_else() -> None:
    by_name = {r.name: r for r in routes()}
    wrong = []
    for who, user, role in people():
        for name, needs in PAGES.items():
            client = Client()
            if user is not None:
                client.force_login(user)
            answer = client.post(by_name[name].address, {"do": "none"})
            away = answer.status_code == 302 and answer["Location"].startswith("/sign-in/")
            let = not away and answer.status_code != 403
            if let is not may(needs, user, role, None):
                wrong.append(f"{name} by {who}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_a_token_with_scopes_its_owner_lost_is_refused() -> None:
    admin = somebody("admin")
    _, secret = token_create(owner=admin, name="x", scopes=["publish"])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    assert client.post("/api/v1/bundles/999999999/publish/", {}, "application/json").status_code == 404
    admin.groups.clear()
    assert client.post("/api/v1/bundles/999999999/publish/", {}, "application/json").status_code == 403


def test_pages_that_only_read_refuse_to_write_or_change_nothing(client: Client) -> None:
    """None of them takes a POST for more than a GET."""
    client.force_login(somebody("admin"))
    for route in routes():
        if route.name in READ_ONLY and not route.is_api:
            assert client.post(route.address).status_code in (200, 301, 302, 404, 405), route.name
