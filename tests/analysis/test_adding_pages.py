"""The page on which episodes are added, as it works without scripts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from analysis.services.ingest import folder_watch, import_carry_out
from catalog.models import Episode, ImportPlan, Upload, WatchedFile
from catalog.services.plan_look import plan_look
from catalog.services.upload_checks import upload_check
from tests.catalog.conftest import fake_probe, make, media  # noqa: F401
from tests.catalog.incoming_helpers import editor, sent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_probe", "media")]


@pytest.fixture
def visitor(client: Client) -> Client:
    client.force_login(editor())
    return client


def page(client: Client, address: str = "/add/", **options: Any) -> str:
    answer = client.get(address, **options)
    assert answer.status_code in (200, 286), answer.status_code
    return str(answer.content.decode())


def follow(client: Client, address: str, given: dict[str, Any]) -> str:
    answer = client.post(address, given, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_only_those_who_may_add_episodes_come_in(client: Client) -> None:
    for address in ("/add/", "/add/folder/?at=0", "/add/1/", "/add/1/files/1/"):
        answer = client.get(address)
        assert answer.status_code == 302
        assert "/sign-in/" in answer["Location"]
    client.force_login(editor("vera", "viewer"))
    assert client.get("/add/").status_code == 403
    assert "/add/" not in page(client, "/")
    client.force_login(editor())
    assert 'href="/add/"' in page(client, "/")


def test_every_write_is_a_post_with_a_token_by_who_may() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(editor())
    addresses = ["/add/send", "/add/preview", "/add/files/x/remove", "/add/1/confirm", "/add/1/discard"]
    for address in addresses:
        assert client.get(address).status_code == 405
        assert client.post(address, {"files": SimpleUploadedFile("a.mkv", b"VIDEO")}).status_code == 403
    assert Upload.objects.count() == 0
    somebody = Client()
    somebody.force_login(User.objects.create_user("somebody"))
    for address in addresses:
        assert somebody.post(address).status_code == 403


def test_from_a_plain_form_to_an_episode(visitor: Client) -> None:
    files = [SimpleUploadedFile("Popeye S01E05 The <Cat>.mkv", b"VIDEO 5"), SimpleUploadedFile("essay.mp4", b"words")]
    shown = follow(visitor, "/add/send", {"files": files})
    assert shown.count("” was sent.") == 2
    assert "&lt;Cat&gt;" in shown
    assert 'hx-trigger="every 2s, uploads-changed from:body"' in shown
    assert "Look at what would be added" not in shown
    for upload in Upload.objects.all():
        upload_check(upload.pk)
    fragment = page(visitor, headers={"HX-Request": "true", "HX-Target": "uploads"})
    assert fragment.lstrip().startswith("<div")
    assert "every 2s" not in fragment
    assert "not_a_video" in fragment
    good, bad = Upload.objects.order_by("pk")
    shown = follow(visitor, f"/add/files/{bad.token}/remove", {})
    assert "essay.mp4" not in shown
    shown = follow(visitor, "/add/preview", {"upload": [good.token]})
    assert "A worker looks at the files" in shown
    plan = ImportPlan.objects.get()
    plan_look(plan.pk)
    shown = page(visitor, f"/add/{plan.pk}/")
    assert "Nothing is added until you say so" in shown
    assert re.search(r"Season 1 · Episode 5 · The", shown)
    plan.refresh_from_db()
    shown = follow(visitor, f"/add/{plan.pk}/confirm", {"digest": plan.digest, "choice-1": "add"})
    assert "Being added" in shown
    import_carry_out(plan.pk)
    shown = page(visitor, f"/add/{plan.pk}/")
    episode = Episode.objects.get()
    assert f'href="/episodes/{episode.pk}/"' in shown
    assert "Added: 1" in shown
    assert visitor.get(f"/add/{plan.pk}/", headers={"HX-Request": "true"}).status_code == 286
    assert "Here already, not added yet" not in page(visitor)


def test_what_is_too_much_for_a_form_is_refused_before_it_is_read(visitor: Client, settings: Any) -> None:
    settings.TOONEMO_MAX_FILE_GB = 0.000001
    shown = follow(visitor, "/add/send", {"files": SimpleUploadedFile("a.mkv", b"V" * 2_000_000)})
    assert "more than can be sent at once" in shown
    assert "No file was chosen" in follow(visitor, "/add/send", {})
    assert Upload.objects.count() == 0


def test_a_folder_is_chosen_and_looked_at(visitor: Client, make: Any, settings: Any) -> None:  # noqa: F811
    assert "No folder of the server is open" in page(visitor)
    root = make("Popeye/S01E01.mkv").parent.parent
    settings.TOONEMO_IMPORT_ROOTS = [str(root)]
    assert "/add/folder/?at=0" in page(visitor)
    assert "/add/folder/?at=0/Popeye" in page(visitor, "/add/folder/?at=0")
    assert "S01E01.mkv" in page(visitor, "/add/folder/?at=0/Popeye")
    for at in ("0/..", "9", "", "%2e%2e"):
        assert "Videos in it" not in follow_get(visitor, f"/add/folder/?at={at}")
    follow(visitor, "/add/preview", {"folder": "0/Popeye"})
    plan = ImportPlan.objects.get()
    plan_look(plan.pk)
    assert "New: 1" in page(visitor, f"/add/{plan.pk}/")
    assert "was dropped" in follow(visitor, f"/add/{plan.pk}/discard", {})
    assert Episode.objects.count() == 0


def follow_get(client: Client, address: str) -> str:
    return str(client.get(address, follow=True).content.decode())


def test_a_list_and_what_its_files_are(visitor: Client) -> None:
    sent(editor(), "a.mkv")
    data = SimpleUploadedFile("my list.csv", "path;series\na.mkv;Käse\nb.mkv;x\n".encode("cp1252"))
    follow(visitor, "/add/preview", {"list_form": "1", "list": data, "folder": ""})
    plan = ImportPlan.objects.get()
    plan_look(plan.pk)
    shown = page(visitor, f"/add/{plan.pk}/")
    assert "Windows-1252" in shown
    assert shown.index("b.mkv") < shown.index("a.mkv")  # what needs a decision comes first
    address = f"/add/{plan.pk}/files/1/"
    assert 'value="Käse"' in page(visitor, address)
    answer = visitor.post(address, {"series": "Käse", "number": "x"})
    assert answer.status_code == 400
    assert "“x” is no whole number" in answer.content.decode()
    shown = follow(visitor, address, {"series": "Käse", "season": "0", "number": "3", "title": ""})
    assert "Season 0 · Episode 3" in shown
    assert visitor.get(f"/add/{plan.pk}/files/9/").status_code == 404
    assert "No list was chosen" in follow(visitor, "/add/preview", {"list_form": "1"})


def test_a_collision_can_be_settled_and_what_changed_is_said(visitor: Client) -> None:
    plans = []
    for content in ("one", "two", "three"):
        upload = sent(editor(), "Popeye S01E01.mkv", content)
        follow(visitor, "/add/preview", {"upload": [upload.token]})
        plans.append(ImportPlan.objects.latest("pk"))
        plan_look(plans[-1].pk)
        plans[-1].refresh_from_db()
    first, second, third = plans
    follow(visitor, f"/add/{first.pk}/confirm", {"digest": first.digest})
    import_carry_out(first.pk)
    shown = follow(visitor, f"/add/{second.pk}/confirm", {"digest": second.digest})
    assert "Changed since you looked" in shown
    assert "Put it in place of the other file" in shown
    assert "Add it as a further part 2" in shown
    second.refresh_from_db()
    follow(visitor, f"/add/{second.pk}/confirm", {"digest": second.digest, "choice-1": "replace"})
    import_carry_out(second.pk)
    assert "Added in place of the other: 1" in page(visitor, f"/add/{second.pk}/")
    assert Episode.objects.count() == 1
    shown = follow(visitor, f"/add/{third.pk}/confirm", {"digest": third.digest, "choice-x": "1", "choice-": ""})
    assert "Changed since you looked" in shown


def test_other_peoples_previews_are_not_there(visitor: Client) -> None:
    upload = sent(editor("another"), "Popeye S01E01.mkv")
    assert "is somebody else" in follow(visitor, "/add/preview", {"upload": [upload.token]})
    assert "S01E01" not in page(visitor)


def test_the_watched_folder_is_shown(visitor: Client, make: Any, settings: Any, tmp_path: Path) -> None:  # noqa: F811
    make("Popeye/S01E01.mkv", "words", video=False)
    settings.TOONEMO_WATCH_DIR = str(tmp_path / "in")
    settings.TOONEMO_WATCH_QUIET_SECONDS = 0
    folder_watch()
    folder_watch()
    assert WatchedFile.objects.get().status == "refused"
    shown = page(visitor)
    assert "The watched folder" in shown
    assert "not_a_video" in shown
