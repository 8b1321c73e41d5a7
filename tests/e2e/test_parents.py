"""What a parent does, in a real browser: search, limits, an episode with its player, a printed sheet, the quiz."""

from __future__ import annotations

import re

import pytest
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Site, Window

AT = "() => document.querySelector('video').currentTime"


def open_episode(page: Page, site: Site) -> None:
    page.goto(f"/episodes/{site.episodes[0].pk}/")
    page.wait_for_function("() => document.querySelector('video').readyState >= 1")


def test_a_sentence_becomes_chips_and_cards(page: Page, site: Site) -> None:
    page.goto("/")
    page.get_by_role("searchbox", name="Say in your own words").fill("angriest episodes")
    page.get_by_role("button", name="Find").click()
    chips = page.get_by_role("list", name="What was understood")
    expect(chips).to_contain_text("angriest")
    expect(page.locator(".card")).to_have_count(len(site.episodes))
    chips.get_by_role("link", name="least angry").click()
    expect(page.locator("#found")).to_contain_text("Understood: least angry episodes")
    page.get_by_role("searchbox", name="Say in your own words").fill("happiest Tom scenes")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=happiest+Tom+scenes")


def test_a_range_opens_its_moments_in_place_and_closes_them(page: Page, site: Site) -> None:
    open_episode(page, site)
    page.mouse.wheel(0, 400)
    first = page.locator("a[data-opens]").first
    first.focus()
    page.keyboard.press("Enter")
    slot = page.locator(".slot .moments").first
    expect(slot).to_contain_text(re.compile("stretch"))
    expect(first).to_have_attribute("aria-expanded", "true")
    slot.locator(".moment a:not(.picture)").first.click()
    page.wait_for_function("() => document.querySelector('video').currentTime > 0")
    page.keyboard.press("Tab")
    first.click()
    expect(page.locator(".slot .moments")).to_have_count(0)


def test_player_and_charts_move_each_other(page: Page, site: Site) -> None:
    open_episode(page, site)
    slider = page.get_by_role("slider", name="Place in the episode")
    slider.focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => Math.abs(({AT})() - 2) < 0.3")
    assert slider.get_attribute("aria-valuetext") == "0:02"
    chart = page.locator("svg.curve").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function(f"() => Math.abs(({AT})() - 22.5) < 1")
    expect(page.locator("svg.curve [data-playhead]").first).to_have_attribute("x1", re.compile(r"^(49|50)"))
    page.evaluate("() => { document.querySelector('video').currentTime = 9 }")
    expect(page.locator("svg.curve [data-playhead]").first).to_have_attribute("x1", re.compile(r"^20"))
    page.locator("select[name=shows]").select_option("happy")
    page.wait_for_function("() => document.querySelector('svg.curve .f-happy') !== null")
    expect(page.get_by_role("slider", name="Place in the episode")).to_have_value("9000")


def test_subtitles_are_switched_on_and_off(page: Page, site: Site) -> None:
    open_episode(page, site)
    button = page.get_by_role("button", name="Emotions as subtitles")
    mode = "() => document.querySelector('video').textTracks[0].mode"
    button.click()
    assert page.evaluate(mode) == "showing"
    expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => (document.querySelector('video').textTracks[0].cues || []).length > 0")
    button.click()
    assert page.evaluate(mode) == "disabled"


def test_names_are_drawn_over_the_faces(page: Page, site: Site) -> None:
    try:
        reverse("api-overlays", args=[1])
    except NoReverseMatch:
        pytest.skip("the API tells no overlays")
    open_episode(page, site)
    page.evaluate("() => { document.querySelector('video').currentTime = 8 }")
    page.get_by_role("button", name="Names on faces").click()
    words = page.locator("svg[data-overlay] text")
    expect(words.first).to_have_text(re.compile(r"^(Tom|Jerry|Pip|Rosa|Nobody the model knows): \w+"))
    page.get_by_role("button", name="Names on faces").click()
    expect(words).to_have_count(0)


def test_limits_are_counted_while_they_move_and_then_set(page: Page, site: Site) -> None:
    page.goto("/limits/")
    expect(page.locator("#live")).to_contain_text(f"{len(site.episodes)} of {len(site.episodes)}")
    slider = page.get_by_role("slider", name="Angry: at most so many percent of the time")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("#live")).to_contain_text(f"0 of {len(site.episodes)}")
    expect(page.locator("#counted")).to_contain_text("once these limits are set")
    page.keyboard.press("End")
    expect(page.locator("#live")).to_contain_text(f"{len(site.episodes)} of {len(site.episodes)}")
    page.keyboard.press("Home")
    page.get_by_role("button", name="Set these limits").click()
    expect(page.locator(".limits-bar")).to_contain_text("0 of 3 episodes shown")
    page.goto(f"/episodes/{site.episodes[0].pk}/")
    expect(page.locator("h1")).to_have_text("Your limits hide this episode")
    cookies = page.context.cookies()
    assert {c["name"] for c in cookies} <= {"limits", "csrftoken"}, "nothing else is kept"


def test_what_is_hidden_says_by_which_number_and_limits_are_shared(page: Page, site: Site, plain: Page) -> None:
    page.goto("/limits/?limits=angry<=1%25")
    expect(page.locator("main")).to_contain_text(site.episodes[0].title)
    expect(page.locator("main")).to_contain_text(re.compile(r"angry.*%", re.IGNORECASE))
    link = page.locator("input.copy").first.input_value()
    plain.goto(link)
    expect(plain.get_by_role("slider", name="Angry: at most so many percent of the time")).to_have_value("1")
    plain.get_by_role("button", name="Set these limits").click()
    expect(plain.locator(".limits-bar")).to_contain_text("of 3 episodes shown")


def test_something_calmer_is_recommended_with_a_reason(page: Page, site: Site) -> None:
    page.goto(f"/episodes/{site.episodes[0].pk}/")
    page.get_by_role("link", name=re.compile("calmer", re.IGNORECASE)).first.click()
    expect(page.locator("h1")).to_be_visible()
    assert "calmer" in page.url
    expect(page.locator(".result").first).to_be_visible()
    reason = page.locator(".result .small:not(.quiet)").first
    expect(reason).to_have_text(re.compile(r"\w+ \w+"))
    title = page.locator(".result h3 a").first.inner_text()
    page.locator(".result h3 a").first.click()
    expect(page.locator("h1")).to_have_text(title)


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_the_summary_is_one_sheet(browser_page: Page, site: Site, width: str) -> None:
    for episode in site.episodes:
        browser_page.goto(f"/episodes/{episode.pk}/print/")
        sheet = browser_page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1, episode


@pytest.fixture
def browser_page(request: pytest.FixtureRequest) -> Page:
    found: Page = request.getfixturevalue("page" if request.node.callspec.params["width"] == "desktop" else "phone")
    return found


@pytest.mark.parametrize("script", ["with", "without"])
def test_a_quiz_is_played_by_keyboard_and_leaves_nothing(
    request: pytest.FixtureRequest, site: Site, script: str
) -> None:
    page: Page = request.getfixturevalue("page" if script == "with" else "plain")
    page.goto("/quiz/")
    page.get_by_role("link", name="Start").focus()
    page.keyboard.press("Enter")
    for _ in range(5):
        expect(page.locator("h1")).to_contain_text("feel?")
        assert page.locator(".frame img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
        page.locator(".answer").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_contain_text("looks")
        page.locator("a.button.big").focus()
        page.keyboard.press("Enter")
    expect(page.locator(".lead")).to_contain_text("of 5 as the drawings show it")
    assert page.context.cookies() == []


def test_pages_do_not_scroll_sideways_on_a_phone(phone: Page, site: Site) -> None:
    first = f"/episodes/{site.episodes[0].pk}"
    mine = (f"{first}/", f"{first}/moments/?character=tom&emotion=angry", f"{first}/print/")
    for address in ("/", "/?q=calm+episodes", *mine, "/search/?q=happiest+scenes", "/limits/", "/quiz/", "/runs/"):
        phone.goto(address)
        assert phone.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"), address


def test_everything_works_without_javascript(plain: Page, site: Site) -> None:
    plain.goto("/")
    plain.get_by_label("Shows").select_option("happy")
    plain.get_by_role("button", name="Show").click()
    expect(plain.locator("#found")).to_contain_text("found")
    plain.goto(f"/episodes/{site.episodes[0].pk}/")
    plain.locator("a[data-opens]").first.click()
    expect(plain.locator("h1")).to_contain_text("When ")
    plain.locator(".moment a:not(.picture)").first.click()
    assert "?t=" in plain.url


def test_no_script_of_a_page_fails(window: Window, site: Site) -> None:
    """The fixture looks at its end; here are pages that no journey opens."""
    for address in ("/find/", "/recommendations/", "/characters/tom/?with=jerry", "/runs/", "/nothing/"):
        window.page.goto(address)
