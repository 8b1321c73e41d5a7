"""The one door for passwords: where it leads, and that nobody gets in by guessing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client

from catalog.access.models import SignInAttempt
from catalog.access.services.signing_in import MOST_OF_ADDRESS, MOST_OF_BOTH, attempts_forget

pytestmark = pytest.mark.django_db
RIGHT = {"username": "ada", "password": "correct horse"}


@pytest.fixture(autouse=True)
def ada() -> User:
    return User.objects.create_user(**RIGHT)


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_signing_in_leads_where_one_wanted_to_go(client: Client) -> None:
    away = client.get("/episodes/1/certify/")
    assert away["Location"] == "/sign-in/?next=/episodes/1/certify/"
    page = client.get(away["Location"])
    assert b'value="/episodes/1/certify/"' in page.content
    done = client.post("/sign-in/", {**RIGHT, "next": "/episodes/1/certify/"})
    assert (done.status_code, done["Location"]) == (302, "/episodes/1/certify/")
    assert signed_in(client)
    assert client.post("/sign-out/")["Location"] == "/"
    assert not signed_in(client)
    assert client.get("/sign-out/").status_code == 405


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil", ""]
)
def test_it_never_leads_to_another_site(client: Client, elsewhere: str) -> None:
    assert client.post("/sign-in/", {**RIGHT, "next": elsewhere})["Location"] == "/"


def test_the_administration_has_no_door_of_its_own(client: Client) -> None:
    answer = client.get("/admin/", follow=True)
    assert [step[0] for step in answer.redirect_chain] == [
        "/admin/login/?next=/admin/", "/sign-in/?next=%2Fadmin%2F",
    ]  # fmt: skip
    client.post("/sign-in/", RIGHT)
    page = client.get("/sign-in/?next=/admin/")
    assert b"who may not open that page" in page.content


@pytest.mark.parametrize(
    "typed",
    [
        {"username": "ada", "password": "zzwrongzz"},
        {"username": "nobody", "password": "correct horse"},
        {"username": "", "password": ""},
        {"username": "a" * 10_000, "password": "b"},
        {"username": "ada", "password": "b" * 10_000},
        {"username": "a\x00", "password": "\x00"},
    ],
)
def test_what_is_wrong_is_said_in_the_same_words(client: Client, typed: dict[str, str]) -> None:
    answer = client.post("/sign-in/", typed)
    assert answer.status_code == 400
    assert b"The name or the password is not right." in answer.content
    assert b"zzwrongzz" not in answer.content
    assert not signed_in(client)


def test_whoever_is_not_active_any_more_stays_out(client: Client, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert b"not right" in client.post("/sign-in/", RIGHT).content


def test_somebody_who_guesses_has_to_wait_also_with_the_right_password(client: Client) -> None:
    for _ in range(MOST_OF_BOTH):
        assert client.post("/sign-in/", {**RIGHT, "password": "guess"}).status_code == 400
    with mock.patch("catalog.access.views.authenticate") as asked:
        answer = client.post("/sign-in/", RIGHT)
    assert answer.status_code == 429
    assert not asked.called
    assert 800 < int(answer["Retry-After"]) <= 900
    assert b"Too many attempts" in answer.content
    assert client.post("/sign-in/", {**RIGHT, "username": "ADA"}).status_code == 429
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post("/sign-in/", RIGHT).status_code == 302, "the person is not locked out from elsewhere"
    SignInAttempt.objects.update(at=F("at") - timedelta(minutes=16))
    assert client.post("/sign-in/", RIGHT).status_code == 302


def test_what_is_refused_does_not_make_the_wait_longer(client: Client) -> None:
    for _ in range(MOST_OF_BOTH + 5):
        client.post("/sign-in/", {**RIGHT, "password": "guess"})
    assert SignInAttempt.objects.count() == MOST_OF_BOTH


def test_many_names_from_one_address_are_guesses_too(client: Client) -> None:
    with mock.patch("catalog.access.views.authenticate", return_value=None):
        for n in range(MOST_OF_ADDRESS):
            assert client.post("/sign-in/", {"username": f"name{n}", "password": "x"}).status_code == 400
        assert client.post("/sign-in/", {"username": "another", "password": "x"}).status_code == 429


def test_a_right_password_forgets_the_wrong_ones(client: Client) -> None:
    for _ in range(MOST_OF_BOTH - 1):
        client.post("/sign-in/", {**RIGHT, "password": "guess"})
    client.post("/sign-in/", RIGHT)
    assert not SignInAttempt.objects.exists()


def test_neither_names_nor_addresses_are_kept_and_attempts_are_forgotten(client: Client) -> None:
    client.post("/sign-in/", {"username": "my password by mistake", "password": "x"}, REMOTE_ADDR="192.0.2.7")
    row = SignInAttempt.objects.get()
    assert "mistake" not in str(vars(row))
    assert "192.0.2.7" not in str(vars(row))
    assert attempts_forget() == 0
    SignInAttempt.objects.update(at=F("at") - timedelta(hours=2))
    assert attempts_forget() == 1


def test_the_session_is_a_new_one(client: Client) -> None:
    client.get("/limits/")
    session: Any = client.session
    session["mark"] = 1
    session.save()
    before = session.session_key
    client.post("/sign-in/", RIGHT)
    assert client.session.session_key != before


def test_a_form_of_another_site_is_refused() -> None:
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/sign-in/", RIGHT)
    assert answer.status_code == 403
    assert b"load the page anew" in answer.content
