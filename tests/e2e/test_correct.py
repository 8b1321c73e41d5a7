"""An editor answers one face after another with the keyboard alone, takes answers back, and settles a disagreement."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect

from analysis.models import Correction, FaceWord
from analysis.selectors.asking import SECOND, Scope, asks_next
from analysis.services.asking import face_answer, layers_behind
from analysis.services.corrections import CorrectionRequest
from tests.e2e.conftest import Site

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def person(name: str) -> User:
    return User.objects.create_user(name, is_staff=True)


def signed_in(page: Page, site: Site, user: User) -> None:
    client = Client()
    client.force_login(user)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site.address}])


@pytest.fixture
def ann(page: Page, site: Site) -> User:
    user = person("ann")
    signed_in(page, site, user)
    return user


def asked(page: Page) -> str:
    """Which face: its form says so, whatever its title is."""
    fields = page.locator("form[data-answer]")
    return "-".join(fields.locator(f"input[name={name}]").input_value() for name in ("episode", "subject", "start"))


def press(page: Page, key: str, status: str) -> str:
    before = asked(page)
    page.keyboard.press(key)
    page.wait_for_function(
        "before => ['episode', 'subject', 'start'].map(n => document.querySelector("
        "`form[data-answer] input[name=${n}]`).value).join('-') !== before",
        arg=before,
    )
    expect(page.locator("#ask [role=status]")).to_contain_text(status)
    return asked(page)


def test_the_keyboard_alone(page: Page, site: Site, ann: User) -> None:
    page.goto("/correct/")
    first = asked(page)
    second = press(page, "2", "Sad")
    assert page.evaluate("document.activeElement.id") == "ask-title"
    third = press(page, "u", "Unclear")
    press(page, "x", "not a face")
    assert FaceWord.objects.filter(withdrawn_at__isnull=True).count() == 3
    assert press(page, "Control+z", "Taken back") == third
    page.reload()
    assert press(page, "ArrowLeft", "Taken back") == second
    assert press(page, "ArrowLeft", "Taken back") == first
    assert not Correction.objects.filter(withdrawn_at__isnull=True).exists()
    assert press(page, "ArrowRight", "") == second
    page.keyboard.press("o")
    assert page.evaluate("document.activeElement.name") == "character"
    choice = page.locator("[data-other]")
    choice.select_option("jerry" if "jerry" not in second else "tom")
    page.get_by_role("button", name="It is this one").focus()
    press(page, "o", "it is")
    page.get_by_role("button", name="Make them follow now").click()
    expect(page.locator(".messages")).to_contain_text("All ratings follow")
    assert layers_behind() == []


def test_two_people_who_differ(page: Page, site: Site, ann: User) -> None:
    ben, cleo = person("ben"), person("cleo")
    for who, look, emotion in ((ben, "new", "sad"), (cleo, SECOND, "happy")):
        ask = asks_next(who.pk, Scope(look=look), 1)[0]
        slug = ask.subject.slug
        said = CorrectionRequest(ask.start_ms, ask.end_ms, subject=slug, character=slug, emotion=emotion)
        face_answer(episode=ask.episode, actor=who, asked=said)
    page.goto("/correct/")
    page.get_by_role("link", name="People differ: 1").click()
    expect(page.get_by_text("counts now")).to_be_visible()
    page.get_by_role("button", name="Scared").click()
    expect(page.locator("main")).to_contain_text("Nobody differs")
    assert Correction.objects.get(withdrawn_at__isnull=True).emotion == "scared"


ADDRESSES = (
    "/correct/", "/correct/disputed/", "/correct/agreement/", "/characters/", "/characters/tom/edit/",
    "/characters/tom/naming/", "/new-character/",
)  # fmt: skip


@pytest.mark.parametrize("size", ["page", "phone"])
def test_the_pages_of_editors_are_accessible(size: str, site: Site, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(size)
    signed_in(page, site, person("ann"))
    for address in (*ADDRESSES, f"/episodes/{site.episodes[0].pk}/correct/"):
        page.goto(address)
        found = Axe().run(page, options={"runOnly": RULES})
        assert found.violations_count == 0, (address, found.generate_report())
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), address
