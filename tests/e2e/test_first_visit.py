"""A parent comes for the first time: sees episodes, opens one, and plays it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site

PLAYS = "() => document.querySelector('video').readyState >= 2"


def test_an_episode_is_found_opened_and_played(page: Page, site: Site) -> None:
    page.goto("/")
    expect(page.locator(".card")).to_have_count(len(site.episodes))
    page.get_by_role("link", name=site.episodes[0].title).click()
    expect(page.locator("h1")).to_have_text(site.episodes[0].title)
    page.wait_for_function(PLAYS)
    page.locator("a[data-seek-ms]").first.evaluate("link => link.click()")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0")


def test_the_same_on_a_phone(phone: Page, site: Site) -> None:
    phone.goto(f"/episodes/{site.episodes[0].pk}/")
    assert phone.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"), "it scrolls sideways"
    phone.wait_for_function(PLAYS)
