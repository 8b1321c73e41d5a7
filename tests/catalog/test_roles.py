"""Roles: what each may do, in pages and in the API, and that a token never has more than its scopes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from catalog.roles import ROLES, Right, api_needs, may, needs, rights_context, rights_of

pytestmark = pytest.mark.django_db


def somebody(*roles: str, **fields: Any) -> User:
    user = User.objects.create_user(f"somebody-{User.objects.count()}", **fields)
    user.groups.add(*(Group.objects.get_or_create(name=role)[0] for role in roles))
    return user


def asked(user: Any, *, auth: Any = None) -> Any:
    request = RequestFactory().get("/runs/")
    request.user = user
    request.auth = auth  # type: ignore[attr-defined]
    return request


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gives_its_rights_and_no_others(role: str) -> None:
    request = asked(somebody(role))
    assert {right for right in Right if may(request, right)} == ROLES[role]


def test_each_role_has_what_the_one_before_has() -> None:
    viewer, editor, admin = ROLES["viewer"], ROLES["editor"], ROLES["admin"]
    assert viewer < editor < admin


def test_nobody_and_people_without_a_role_have_no_right() -> None:
    assert rights_of(AnonymousUser()) == frozenset()
    assert rights_of(somebody()) == frozenset()
    assert rights_of(somebody("something else")) == frozenset()
    assert rights_of(somebody("admin", is_active=False)) == frozenset()


def test_who_may_enter_the_administration_may_everything() -> None:
    assert rights_of(somebody(is_staff=True)) == frozenset(Right)


def test_a_token_narrows_and_never_widens() -> None:
    editor = somebody("editor")
    token = SimpleNamespace(rights=frozenset({Right.ANALYSE, Right.PUBLISH}))
    request = asked(editor, auth=token)
    assert {right for right in Right if may(request, right)} == {Right.ANALYSE}


def test_a_page_sends_to_sign_in_or_refuses() -> None:
    @needs(Right.PUBLISH)
    def page(request: HttpRequest) -> HttpResponse:
        return HttpResponse("in")

    assert page(asked(somebody("admin"))).status_code == 200
    away = page(asked(AnonymousUser()))
    assert away.status_code == 302
    assert "next=/runs/" in away["Location"]
    with pytest.raises(PermissionDenied):
        page(asked(somebody("editor")))


def test_the_api_may_let_anybody_read() -> None:
    anybody = asked(AnonymousUser())
    view: Any = None
    assert not api_needs(Right.CORRECT)().has_permission(anybody, view)
    assert api_needs(Right.CORRECT, to_read=False)().has_permission(anybody, view)
    anybody.method = "POST"
    assert not api_needs(Right.CORRECT, to_read=False)().has_permission(anybody, view)


def test_templates_see_the_rights() -> None:
    held = rights_context(asked(somebody("editor")))["rights"]
    assert held["correct"]
    assert not held["publish"]
