"""Adding episodes in a real browser: sent in pieces, reloaded in the middle, cut off, found to be there already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from analysis.services.ingest import import_carry_out
from catalog.models import Episode, ImportPlan, Upload
from catalog.services import upload_files as files
from catalog.services.plan_look import plan_look
from catalog.services.upload_checks import upload_check
from tests.catalog.conftest import fake_probe, make, media  # noqa: F401
from tests.catalog.incoming_helpers import editor, sent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake_probe", "media")]
SIZE = 12_000_000
LOOKS = Path(os.environ.get("TOONEMO_LOOKS", ""))  # a folder for pictures of the pages, to look at


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "Popeye S01E05 The Cat.mkv"
    path.write_bytes(b"VIDEO " + os.urandom(SIZE - 6))
    return path


class Visit:
    """A window of an editor. ``asked``: method and address of each request; ``faults``: what scripts and the content
    policy complained of."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        client = Client()
        client.force_login(editor())
        key = client.cookies[site_settings.SESSION_COOKIE_NAME].value
        self.context: BrowserContext = browser.new_context(base_url=address, **options)
        self.context.add_cookies([{"name": site_settings.SESSION_COOKIE_NAME, "value": key, "url": address}])
        self.context.set_default_timeout(20_000)
        self.asked: list[tuple[str, str]] = []
        self.faults: list[str] = []
        self.context.on("request", lambda r: self.asked.append((r.method, r.url)))
        self.context.on("weberror", lambda e: self.faults.append(str(e.error)))
        self.context.on("console", lambda m: self.faults.append(m.text) if "Content Security" in m.text else None)
        self.context.on("dialog", lambda dialog: dialog.accept())
        self.page: Page = self.context.new_page()
        self.net = self.context.new_cdp_session(self.page)

    def slowly(self, bytes_per_second: int, *, offline: bool = False) -> None:
        """-1: as fast as it goes."""
        self.net.send("Network.enable")
        given = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
        self.net.send("Network.emulateNetworkConditions", given)

    def count(self, method: str) -> int:
        return sum(m == method and "/api/v1/uploads" in url for m, url in self.asked)

    def look(self, name: str) -> None:
        if str(LOOKS) not in ("", "."):
            self.page.screenshot(path=str(LOOKS / f"{name}.png"), full_page=True)


@pytest.fixture
def visit(browser: Browser, live_server: Any) -> Iterator[Visit]:
    made = Visit(browser, live_server.url, viewport={"width": 1280, "height": 900})
    yield made
    made.context.close()
    assert made.faults == []


def half_sent(visit: Visit, video: Path) -> int:
    """Chooses the file, and waits until some of it is on the server."""
    visit.page.goto("/add/")
    visit.slowly(1_500_000)
    visit.page.set_input_files("#files", str(video))
    expect(visit.page.locator(".sending .state")).to_contain_text("a second · about")
    return Upload.objects.get().offset


def test_a_reload_in_the_middle_loses_nothing(visit: Visit, video: Path) -> None:
    page = visit.page
    before = half_sent(visit, video)
    assert 0 < before < SIZE
    visit.look("sending")
    page.reload()
    visit.slowly(-1)
    expect(page.locator("#uploads")).to_contain_text("Not whole yet")
    expect(page.locator("#uploads")).to_contain_text("choose the same file again")
    visit.asked.clear()
    page.set_input_files("#files", str(video))
    expect(page.locator(".sending .state")).to_have_text("Sent; a worker looks at it.")
    assert (visit.count("HEAD"), visit.count("POST")) == (1, 0)
    upload = Upload.objects.get()
    assert files.path_of(upload.token).read_bytes() == video.read_bytes()
    assert upload_check(upload.pk)  # with the digest that the browser made
    expect(page.locator("#uploads")).to_contain_text("Ready to add")
    visit.look("sent")


def test_from_a_file_to_an_episode_and_the_same_file_again(visit: Visit, video: Path) -> None:
    page = visit.page
    page.goto("/add/")
    page.set_input_files("#files", str(video))
    expect(page.locator(".sending .state")).to_have_text("Sent; a worker looks at it.")
    upload_check(Upload.objects.get().pk)
    page.get_by_role("button", name="Look at what would be added").click()
    expect(page.get_by_role("heading", name="A worker looks at the files")).to_be_visible()
    plan_look(ImportPlan.objects.get().pk)
    expect(page.locator("#plan")).to_contain_text("Popeye · Season 1 · Episode 5 · The Cat")
    page.get_by_label("Analyse each new episode afterwards").uncheck()
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_role("heading", name="Being added")).to_be_visible()
    import_carry_out(ImportPlan.objects.get().pk)
    expect(page.locator("#plan")).to_contain_text("Added: 1")
    assert str(Episode.objects.get()) == "Popeye S01E05: The Cat"
    page.goto("/add/")
    visit.asked.clear()
    page.set_input_files("#files", str(video))
    expect(page.locator(".sending .state")).to_contain_text("Here already: Popeye S01E05")
    assert visit.count("POST") == 0
    page.locator(".sending a").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("The Cat")


def test_a_lost_connection_is_waited_for(visit: Visit, video: Path) -> None:
    half_sent(visit, video)
    visit.slowly(-1, offline=True)
    expect(visit.page.locator(".sending .state")).to_contain_text("No connection. Trying again in")
    visit.slowly(-1)
    expect(visit.page.locator(".sending .state")).to_have_text("Sent; a worker looks at it.")
    assert files.path_of(Upload.objects.get().token).read_bytes() == video.read_bytes()


def test_pause_go_on_and_cancel(visit: Visit, video: Path) -> None:
    page = visit.page
    half_sent(visit, video)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".sending .state")).to_have_text("Paused")
    page.wait_for_timeout(300)
    held = Upload.objects.get().offset
    page.wait_for_timeout(700)
    assert Upload.objects.get().offset == held
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".sending .state")).to_contain_text("a second · about")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".sending li")).to_have_count(0)
    expect(page.locator("#uploads li")).to_have_count(0)
    for _ in range(50):
        if not Upload.objects.exists():
            break
        page.wait_for_timeout(100)
    assert Upload.objects.count() == 0


def test_what_cannot_be_sent_is_said(visit: Visit, tmp_path: Path, settings: Any) -> None:
    settings.TOONEMO_MAX_FILE_GB = 0.001
    page = visit.page
    (tmp_path / "large.mkv").write_bytes(b"x" * 1_100_000)
    (tmp_path / "empty.mkv").touch()
    page.goto("/add/")
    page.set_input_files("#files", [str(tmp_path / "large.mkv"), str(tmp_path / "empty.mkv")])
    expect(page.locator(".sending li.bad .state")).to_have_text(
        ["It has 1.1 MB; 1.0 MB is the most.", "It is empty, or a folder."]
    )
    assert Upload.objects.count() == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_fit_their_window(
    browser: Browser, live_server: Any, make: Any, settings: Any, width: int  # noqa: F811
) -> None:  # fmt: skip
    root = make("Popeye the Sailor/Season 1/S01E01 A Clean Shaven Man With a Very Long Title Indeed.mkv").parents[2]
    for n in range(2, 6):
        make(f"Popeye the Sailor/Season 1/S01E0{n}.mkv")
    make("Popeye the Sailor/Season 1/S01E02 again.mkv", "another")
    make("Popeye the Sailor/Season 1/essay.mkv", "words", video=False)
    settings.TOONEMO_IMPORT_ROOTS = settings.TOONEMO_WATCH_DIR = str(root)
    settings.TOONEMO_IMPORT_ROOTS = [str(root)]
    visit = Visit(browser, live_server.url, viewport={"width": width, "height": 844})
    sent(editor(), "Betty Boop S01E01 a name that is long enough to be broken over lines.mkv")
    sent(editor(), "notes.mp4", b"words")
    sent(editor(), "Betty Boop S01E02.mkv", check=False)
    page = visit.page
    for name, address in (("add", "/add/"), ("add-folder", "/add/folder/?at=0/Popeye the Sailor/Season 1")):
        page.goto(address)
        visit.look(f"{name}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    page.get_by_role("button", name="Look at all videos here and below").click()
    plan = ImportPlan.objects.get()
    plan_look(plan.pk)
    expect(page.locator("#plan")).to_contain_text("This is what would happen")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    visit.look(f"add-plan-{width}")
    page.get_by_role("link", name="Change what it is").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    visit.look(f"add-name-{width}")
    visit.context.close()
    assert visit.faults == []
