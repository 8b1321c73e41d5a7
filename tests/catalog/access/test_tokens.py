"""Tokens: made once, kept as digests, never more than their owner, and gone when they should be."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.access.errors import TokenInvalid, TooManyTokens
from catalog.access.models import Audit, Token
from catalog.access.services import tokens as service
from catalog.access.services.tokens import token_create, token_find, token_revoke
from tests.tokens import bearer, somebody

pytestmark = pytest.mark.django_db
API = "/api/v1/bundles/1/publish/"  # asks for the right to publish before it looks for the bundle


def sent(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_the_secret_is_told_once_and_kept_nowhere() -> None:
    token, secret = token_create(owner=somebody("editor"), name="  A\u202e script ", scopes=["correct"])
    assert secret.startswith("toonemo_")
    assert len(secret) == len("toonemo_") + 43
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM access_token t UNION ALL SELECT row_to_json(a)::text "
                       "FROM access_audit a")  # fmt: skip
        kept = " ".join(row[0] for row in cursor.fetchall())
    assert secret not in kept
    assert token.digest in kept
    assert (token.name, token.scopes) == ("A script", ["read", "correct"])
    assert token_find(secret) == token
    assert timedelta(days=89) < token.expires_at - timezone.now() < timedelta(days=91)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": ""}, "has a name"),
        ({"name": "x" * 81}, "has a name"),
        ({"scopes": ["everything"]}, "There is no scope 'everything'"),
        ({"scopes": ["publish"]}, "has no right to publish"),
        ({"days": 0}, "lasts 1 to 365 days, not 0"),
        ({"days": 366}, "lasts 1 to 365 days, not 366"),
    ],
)
def test_what_a_token_cannot_be_is_said(options: dict[str, Any], said: str) -> None:
    with pytest.raises(TokenInvalid, match=said):
        token_create(**{"owner": somebody("editor"), "name": "x", **options})
    assert not Token.objects.exists()


def test_the_maximum_is_that_of_the_setting(settings: Any) -> None:
    settings.TOONEMO_TOKEN_MOST_DAYS = 7
    token, _ = token_create(owner=somebody(), name="x")
    assert token.expires_at - timezone.now() < timedelta(days=7, seconds=1)
    with pytest.raises(TokenInvalid, match="1 to 7 days"):
        token_create(owner=somebody(), name="x", days=8)


def test_one_person_has_a_bounded_number_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_LIVE", 2)
    person = somebody()
    first, _ = token_create(owner=person, name="1")
    token_create(owner=person, name="2")
    with pytest.raises(TooManyTokens):
        token_create(owner=person, name="3")
    token_revoke(token=first)
    token_create(owner=person, name="3")


def test_the_database_keeps_the_rules() -> None:
    token, _ = token_create(owner=somebody(), name="x")
    changes: tuple[dict[str, Any], ...] = ({"scopes": []}, {"scopes": ["root"]}, {"name": ""}, {"digest": "x" * 64},
                   {"expires_at": token.created_at - timedelta(seconds=1)})  # fmt: skip
    for change in changes:
        with pytest.raises(IntegrityError), transaction.atomic():
            Token.objects.filter(pk=token.pk).update(**change)


def test_a_token_acts_for_its_owner_within_its_scopes() -> None:
    admin = somebody("admin")
    assert Client(headers=bearer(admin, "publish")).post(API, {}, "application/json").status_code == 404
    assert Client(headers=bearer(admin, "correct", "analyse")).post(API, {}, "application/json").status_code == 403
    assert Client(headers=bearer(admin, "read")).get("/api/v1/series/").status_code == 200


def test_a_token_loses_what_its_owner_loses() -> None:
    admin = somebody("admin")
    client = Client(headers=bearer(admin))
    assert client.post(API, {}, "application/json").status_code == 404
    admin.groups.clear()
    assert client.post(API, {}, "application/json").status_code == 403
    User.objects.filter(pk=admin.pk).update(is_active=False)
    assert client.post(API, {}, "application/json").status_code == 401


def test_every_token_that_is_refused_is_refused_in_the_same_words() -> None:
    """Whether it was ever one is told to nobody."""
    person = somebody("admin")
    revoked, first = token_create(owner=person, name="1")
    token_revoke(token=revoked)
    old, second = token_create(owner=person, name="2")
    Token.objects.filter(pk=old.pk).update(
        created_at=timezone.now() - timedelta(days=9), expires_at=timezone.now() - timedelta(days=1)
    )
    gone = somebody("admin")
    _, third = token_create(owner=gone, name="3")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    never = "toonemo_" + "a" * 43
    answers = set()
    for secret in (first, second, third, never, "x", "", "ü" * 30, "a b", "a" * 5_000, never + "\t"):
        answer = Client().get("/api/v1/series/", headers=sent(secret))
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["WWW-Authenticate"] == 'Bearer realm="toonemo"'
        answers.add((answer.status_code, answer.content))
    assert len(answers) == 1
    assert answers.pop()[0] == 401


def test_known_and_unknown_tokens_take_the_same_queries() -> None:
    revoked, secret = token_create(owner=somebody(), name="1")
    token_revoke(token=revoked)
    counts = []
    for one in (secret, "toonemo_" + "a" * 43):
        with CaptureQueriesContext(connection) as asked:
            assert token_find(one) is None
        counts.append(len(asked))
    assert counts == [1, 1]


def test_the_old_way_of_sending_one_is_told_what_changed() -> None:
    answer = Client().get("/api/v1/series/", headers={"Authorization": "Token 0123456789"})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert "Bearer" in answer.json()["detail"]


def test_a_token_is_no_way_into_the_pages() -> None:
    assert Client(headers=bearer(somebody("admin"))).get("/tokens/").status_code == 302


def test_last_used_is_noted_once_a_minute() -> None:
    person = somebody()
    client = Client(headers=bearer(person))
    token = Token.objects.get()
    assert token.last_used_at is None
    client.get("/api/v1/series/")
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    client.get("/api/v1/series/")
    token.refresh_from_db()
    assert token.last_used_at == first
    Token.objects.update(last_used_at=first - timedelta(minutes=2))
    client.get("/api/v1/series/")
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert token.last_used_at >= first


def test_making_and_revoking_are_in_the_audit() -> None:
    person = somebody("editor")
    token, _ = token_create(owner=person, name="x", actor=person)
    token_revoke(token=token, actor=person)
    token_revoke(token=token, actor=person)
    rows = list(Audit.objects.filter(object_type="access.token").order_by("pk").values_list("action", "actor"))
    assert rows == [("token.create", person.pk), ("token.revoke", person.pk)]


def test_the_page_makes_one_shows_it_once_and_revokes_it(client: Client) -> None:
    person = somebody("editor")
    client.force_login(person)
    page = client.get("/tokens/").content.decode()
    assert 'value="correct"' in page
    assert 'value="publish"' not in page
    made = client.post("/tokens/", {"name": "Backup", "scope": ["correct"], "days": "5"})
    assert made.status_code == 201
    assert "no-store" in made["Cache-Control"]
    token = Token.objects.get()
    text = made.content.decode()
    secret = text.partition('value="toonemo_')[2].partition('"')[0]
    assert token_find(f"toonemo_{secret}") == token
    assert secret not in client.get("/tokens/").content.decode()
    assert client.post(f"/tokens/{token.pk}/revoke", follow=True).status_code == 200
    assert token_find(f"toonemo_{secret}") is None
    refused = client.post("/tokens/", {"name": "x", "scope": ["publish"]})
    assert (refused.status_code, b"has no right to publish" in refused.content) == (400, True)
    assert client.post("/tokens/", {"name": "x", "days": "9" * 30}).status_code == 400


def test_of_others_tokens_one_learns_nothing(client: Client) -> None:
    token, _ = token_create(owner=somebody("editor"), name="Secret plan")
    client.force_login(somebody("editor"))
    assert client.post(f"/tokens/{token.pk}/revoke").status_code == 404
    assert client.post("/tokens/999999/revoke").status_code == 404
    assert b"Secret plan" not in client.get("/tokens/?all=1").content
    client.force_login(somebody("admin"))
    assert b"Secret plan" in client.get("/tokens/?all=1").content
    assert client.post(f"/tokens/{token.pk}/revoke").status_code == 302
    token.refresh_from_db()
    assert token.state == "revoked"


def test_the_command_makes_lists_and_revokes() -> None:
    User.objects.create_user("ada", is_staff=True)
    out = StringIO()
    asked = ["create", "ada", "--name", "Nightly", "--scopes", "analyse, publish"]
    call_command("tokens", *asked, stdout=out, stderr=StringIO())
    token = token_find(out.getvalue().strip())
    assert token is not None
    assert token.scopes == ["read", "analyse", "publish"]
    out = StringIO()
    call_command("tokens", "list", "--user", "ada", "--json", stdout=out)
    (row,) = json.loads(out.getvalue())
    assert (row["id"], row["state"], row["last_used_at"]) == (token.pk, "live", None)
    call_command("tokens", "revoke", str(token.pk), stdout=StringIO())
    out = StringIO()
    call_command("tokens", stdout=out)
    assert "revoked" in out.getvalue()
    for arguments, code in ((("create", "bob", "--name", "x"), "user_unknown"), (("revoke", "0"), "token_unknown"),
                            (("create", "ada", "--name", "x", "--scopes", "root"), "token_invalid")):  # fmt: skip
        with pytest.raises(CommandError, match=code):
            call_command("tokens", *arguments, stdout=StringIO())
