"""Uploads by tus and imports through the API: the protocol, who may, and that hostile input is only refused."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import base64
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from tusclient.client import TusClient

from analysis.models import AnalysisRun, Audit
from analysis.services.ingest import import_carry_out
from catalog.models import Episode, ImportPlan, Upload
from catalog.services import upload_files as files
from catalog.services.plan_look import plan_look
from catalog.services.upload_checks import upload_check
from tests.catalog.conftest import fake_probe, make, media  # noqa: F401
from tests.catalog.incoming_helpers import editor, sent
from tests.tokens import bearer
from tests.workers.conftest import make_fake_bundle

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_probe", "media")]
UPLOADS = "/api/v1/uploads"
PIECE = "application/offset+octet-stream"
DATA = b"VIDEO " + os.urandom(5000)


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


@pytest.fixture
def tus() -> Client:
    client = Client(headers={"Tus-Resumable": "1.0.0"})
    client.force_login(editor())
    return client


def begin(tus: Client, size: int = len(DATA), name: str = "Popeye S01E01.mkv", **headers: str) -> str:
    wanted = {"Upload-Length": str(size), "Upload-Metadata": f"filename {b64(name)}", **headers}
    answer = tus.generic("POST", UPLOADS, headers=wanted)
    assert answer.status_code == 201, answer.content
    return str(answer["Location"])


def patch(tus: Client, address: str, data: bytes, offset: int, kind: str = PIECE, **headers: str) -> Any:
    return tus.patch(address, data, content_type=kind, headers={"Upload-Offset": str(offset), **headers})


def is_problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["title"]


def test_what_can_be_sent_is_told_to_anybody(client: Client) -> None:
    for address in (UPLOADS, f"{UPLOADS}/{'x' * 32}"):
        answer = client.options(address)
        assert answer.status_code == 204
        assert answer["Tus-Version"] == answer["Tus-Resumable"] == "1.0.0"
        assert set(answer["Tus-Extension"].split(",")) == {
            "creation", "creation-with-upload", "checksum", "expiration", "termination",
        }  # fmt: skip
        assert answer["Tus-Checksum-Algorithm"] == "sha1,sha256"
        assert int(answer["Tus-Max-Size"]) == 10_000_000_000


def test_a_file_in_pieces(tus: Client) -> None:
    address = begin(tus)
    assert address.startswith("http://testserver/api/v1/uploads/")
    answer = patch(
        tus, address, DATA[:2000], 0, **{"Upload-Checksum": f"sha1 {b64(hashlib.sha1(DATA[:2000]).digest())}"}
    )
    assert (answer.status_code, answer["Upload-Offset"]) == (204, "2000")
    assert answer["Upload-Expires"].endswith("GMT")
    head = tus.head(address)
    assert (head["Upload-Offset"], head["Upload-Length"], head["Cache-Control"]) == ("2000", str(len(DATA)), "no-store")
    is_problem(patch(tus, address, DATA[2000:], 1999), 409, "upload_offset")
    wrong = patch(tus, address, DATA[2000:], 2000, **{"Upload-Checksum": f"sha256 {b64(bytes(32))}"})
    is_problem(wrong, 460, "upload_checksum")
    assert wrong.reason_phrase == "Checksum Mismatch"
    assert patch(tus, address, DATA[2000:], 2000).status_code == 204
    upload = Upload.objects.get()
    assert files.path_of(upload.token).read_bytes() == DATA
    assert upload_check(upload.pk)
    state = tus.get(address).json()
    assert (state["status"], state["sha256"]) == ("ready", hashlib.sha256(DATA).hexdigest())
    assert state["video"]["duration_ms"] == 2000
    assert [u["token"] for u in tus.get(UPLOADS).json()] == [upload.token]


def test_first_bytes_may_come_with_the_creation_and_the_end_may_be_asked_for(tus: Client) -> None:
    headers = {"Upload-Length": str(len(DATA)), "Upload-Metadata": f"filename {b64('a.mkv')}"}
    answer = tus.post(UPLOADS, DATA[:100], content_type=PIECE, headers=headers)
    assert (answer.status_code, answer["Upload-Offset"]) == (201, "100")
    overridden = tus.post(answer["Location"], headers={"X-HTTP-Method-Override": "DELETE"})
    assert overridden.status_code == 204
    is_problem(tus.get(answer["Location"]), 404, "upload_unknown")
    assert [a.action for a in Audit.objects.order_by("pk")] == ["upload.begin", "upload.remove"]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412, "tus_version"),
        ({"Upload-Length": ""}, 400, "upload_invalid"),
        ({"Upload-Length": "-1"}, 400, "upload_invalid"),
        ({"Upload-Length": "1e5"}, 400, "upload_invalid"),
        ({"Upload-Length": "９"}, 400, "upload_invalid"),
        ({"Upload-Length": "9" * 400}, 400, "upload_invalid"),
        ({"Upload-Length": "0"}, 400, "video_empty"),
        ({"Upload-Length": "99999999999"}, 413, "file_too_large"),
        ({"Upload-Defer-Length": "1"}, 400, "upload_invalid"),
        ({"Upload-Metadata": ""}, 400, "upload_invalid"),
        ({"Upload-Metadata": "filename ???"}, 400, "upload_invalid"),
        ({"Upload-Metadata": "filename /w=="}, 400, "upload_invalid"),
        ({"Upload-Metadata": f"filename {b64('a')},filename {b64('b')}"}, 400, "upload_invalid"),
        ({"Upload-Metadata": f"filename {b64('a')},sha256 {b64('x')}"}, 400, "upload_invalid"),
    ],
)
def test_what_cannot_be_begun(tus: Client, headers: dict[str, str], status: int, code: str) -> None:
    usual = {"Upload-Length": "5", "Upload-Metadata": f"filename {b64('a.mkv')}"}
    answer = tus.generic("POST", UPLOADS, headers={**usual, **headers})
    is_problem(answer, status, code)
    assert answer["Tus-Resumable"] == "1.0.0"
    assert Upload.objects.count() == 0


def test_what_cannot_be_gone_on_with(tus: Client) -> None:
    address = begin(tus, 10)
    is_problem(patch(tus, address, b"x", 0, kind="text/plain"), 415, "unsupported_media_type")
    is_problem(patch(tus, address, b"x" * 11, 0), 413, "upload_overflow")
    is_problem(tus.patch(address, b"x", content_type=PIECE), 400, "upload_invalid")
    for checksum in ("md5 AAAA", "sha1 AAAA", "sha1", "sha1 ???", ""):
        is_problem(patch(tus, address, b"x", 0, **{"Upload-Checksum": checksum}), 400, "upload_invalid")
    is_problem(patch(tus, f"{UPLOADS}/{'x' * 32}", b"x", 0), 404, "upload_unknown")
    is_problem(tus.patch(address, b"x", content_type=PIECE, headers={"Tus-Resumable": ""}), 412, "tus_version")
    answer = tus.generic("PATCH", address, headers={"Upload-Offset": "0", "Content-Type": PIECE})
    is_problem(answer, 411, "length_required")
    with files.held(Upload.objects.get().token):
        is_problem(patch(tus, address, b"x", 0), 423, "upload_busy")
        is_problem(tus.delete(address), 423, "upload_busy")
    Upload.objects.update(expires_at="2001-01-01T00:00Z")
    is_problem(patch(tus, address, b"x", 0), 410, "upload_expired")


def test_only_those_who_may_add_episodes_send(tus: Client, client: Client) -> None:
    address = begin(tus)
    looked = "/api/v1/imports"
    for user in (None, User.objects.create_user("somebody"), editor("vera", "viewer")):
        if user is not None:
            client.force_login(user)
        status = 401 if user is None else 403
        for answer in (
                client.post(UPLOADS), client.get(UPLOADS), client.patch(address), client.delete(address),
            client.get(f"{UPLOADS}/known?sha256={'0' * 64}"), client.get(looked), client.post(looked),
            client.get(f"{looked}/1"), client.post(f"{looked}/1/confirm"), client.get(f"{looked}/folders"),
        ):  # fmt: skip
            assert answer.status_code == status
    client.force_login(editor("another"))
    is_problem(client.get(address), 404, "upload_unknown")


def test_a_session_needs_its_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True, headers={"Tus-Resumable": "1.0.0"})
    client.force_login(editor())
    headers = {"Upload-Length": "5", "Upload-Metadata": f"filename {b64('a.mkv')}"}
    assert client.generic("POST", UPLOADS, headers=headers).status_code == 403
    for method in ("PATCH", "DELETE"):
        answer = client.generic("POST", f"{UPLOADS}/{'x' * 32}", headers={"X-HTTP-Method-Override": method})
        assert answer.status_code == 403
    assert Upload.objects.count() == 0


def test_whether_a_file_is_here_already(tus: Client) -> None:
    digest = hashlib.sha256(DATA).hexdigest()
    assert tus.get(f"{UPLOADS}/known?sha256={digest}").json() == {"known": False, "episode": None, "upload": None}
    upload = sent(editor(), "Popeye S01E01.mkv", DATA)
    assert tus.get(f"{UPLOADS}/known?sha256={digest}").json()["upload"] == upload.token
    plan = tus.post("/api/v1/imports", {"uploads": [upload.token]}, content_type="application/json").json()
    do(tus, plan["id"])
    found = tus.get(f"{UPLOADS}/known?sha256={digest.upper()}&size={len(DATA)}").json()
    assert found["known"]
    assert found["episode"] == {
        "id": Episode.objects.get().pk, "series": "Popeye", "identity": "S01E01", "title": "Episode 1",
    }  # fmt: skip
    assert not tus.get(f"{UPLOADS}/known?sha256={digest}&size=1").json()["known"]
    for query in ("", "sha256=x", f"sha256={digest}&size=x"):
        is_problem(tus.get(f"{UPLOADS}/known?{query}"), 400, "upload_invalid")


def do(client: Client, pk: int, **more: Any) -> dict[str, Any]:
    """A worker looks, what it found is confirmed, a worker does it."""
    plan_look(pk)
    shown = client.get(f"/api/v1/imports/{pk}").json()
    body = {"digest": shown["digest"], **more}
    answer = client.post(f"/api/v1/imports/{pk}/confirm", body, content_type="application/json")
    assert answer.status_code == 202, answer.content
    import_carry_out(pk)
    return dict(client.get(f"/api/v1/imports/{pk}").json())


def test_an_import_with_its_analyses(tus: Client, make: Any, settings: Any) -> None:  # noqa: F811
    make_fake_bundle()
    settings.TOONEMO_BUNDLE = "fake"
    for n in (1, 2, 3):
        make(f"Popeye/S01E0{n}.mkv")
    settings.TOONEMO_IMPORT_ROOTS = [str(make("a.mkv").parent)]
    folders = tus.get("/api/v1/imports/folders").json()["folders"]
    listing = tus.get("/api/v1/imports/folders", {"folder": folders[0]["address"]}).json()
    address = listing["folders"][0]["address"]
    answer = tus.post("/api/v1/imports", {"folder": address}, content_type="application/json")
    assert answer.status_code == 202
    assert answer.json()["status"] == "looking"
    done = do(tus, answer.json()["id"], choices={"2": "skip"}, analyse=True)
    assert done["status"] == "done"
    assert [f["outcome"] for f in done["files"]] == ["imported", "left_out", "imported"]
    assert AnalysisRun.objects.count() == 2
    assert {r.requested_by for r in AnalysisRun.objects.all()} == {editor()}
    actions = list(Audit.objects.order_by("pk").values_list("action", flat=True))
    assert [a for a in actions if a.startswith("import.")] == ["import.preview", "import.confirm"]
    assert actions.count("episode.imported") == 2


def test_a_bundle_that_nobody_knows_is_refused_before_anything_is_done(tus: Client) -> None:
    upload = sent(editor(), "Popeye S01E01.mkv")
    pk = tus.post("/api/v1/imports", {"uploads": [upload.token]}, content_type="application/json").json()["id"]
    plan_look(pk)
    body = {"digest": ImportPlan.objects.get().digest, "analyse": True, "bundle": "none"}
    answer = tus.post(f"/api/v1/imports/{pk}/confirm", body, content_type="application/json")
    is_problem(answer, 404, "bundle_unknown")
    assert ImportPlan.objects.get().status == "ready"


def test_what_has_changed_is_told(tus: Client) -> None:
    first, second = sent(editor(), "Popeye S01E01.mkv", "one"), sent(editor(), "Popeye S01E01.mkv", "two")
    ids = [
        tus.post("/api/v1/imports", {"uploads": [u.token]}, content_type="application/json").json()["id"]
        for u in (first, second)
    ]
    for pk in ids:
        plan_look(pk)
    digest = tus.get(f"/api/v1/imports/{ids[1]}").json()["digest"]
    do(tus, ids[0])
    answer = tus.post(f"/api/v1/imports/{ids[1]}/confirm", {"digest": digest}, content_type="application/json")
    is_problem(answer, 409, "import_changed")
    assert "S01E01" in answer.json()["changes"][0]
    shown = tus.get(f"/api/v1/imports/{ids[1]}").json()
    assert (shown["files"][0]["finding"], shown["files"][0]["choices"]) == ("collides", ["skip", "part", "replace"])
    name = {"series": "Popeye", "season": 1, "number": 2}
    changed = tus.put(f"/api/v1/imports/{ids[1]}/files/1", name, content_type="application/json").json()
    assert (changed["files"][0]["finding"], changed["digest"] != shown["digest"]) == ("new", True)
    assert tus.delete(f"/api/v1/imports/{ids[1]}").status_code == 204
    is_problem(tus.get(f"/api/v1/imports/{ids[1]}"), 404, "import_unknown")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid_request"),
        ({"uploads": ["x"], "folder": "0"}, 400, "invalid_request"),
        ({"uploads": "x"}, 400, "invalid_request"),
        ({"uploads": ["x\x00"]}, 400, "invalid_request"),
        ({"uploads": ["x"]}, 404, "upload_unknown"),
        ({"folder": "0/../../etc"}, 404, "folder_forbidden"),
        ({"list": "path\n", "folder": "0"}, 400, "nothing_to_import"),
        ({"list": "name\nx"}, 400, "list_invalid"),
        ({"list": "path\nx", "folder": "7"}, 404, "folder_forbidden"),
    ],
)
def test_what_no_preview_is_made_of(tus: Client, body: dict[str, Any], status: int, code: str) -> None:
    is_problem(tus.post("/api/v1/imports", body, content_type="application/json"), status, code)
    assert ImportPlan.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_tuspy_sends_a_file_and_goes_on_with_it(live_server: Any, tmp_path: Path) -> None:
    path = tmp_path / "Popeye S01E01.mkv"
    path.write_bytes(DATA)
    client = TusClient(f"{live_server.url}/api/v1/uploads/", headers=bearer(editor()))
    options: dict[str, Any] = {"metadata": {"filename": path.name}, "chunk_size": 1000, "upload_checksum": True}
    with path.open("rb") as file:
        first = client.uploader(file_stream=file, **options)
        first.upload_chunk()
        first.upload_chunk()
        again = client.uploader(file_stream=file, url=first.url, **options)
        assert again.offset == 2000
        again.upload()
    upload = Upload.objects.get()
    assert (upload.status, upload.name) == ("received", path.name)
    assert files.path_of(upload.token).read_bytes() == DATA


KILLED = """
import os, signal, sys
import django
django.setup()
from catalog.models import Upload
from catalog.services import uploads
uploads.MARK_EVERY = 1 << 16
upload, given = Upload.objects.get(), [0]
def read(most):
    given[0] += most
    if given[0] > 300_000:
        os.kill(os.getpid(), signal.SIGKILL)
    return b"x" * most
uploads.upload_append(upload, offset=upload.offset, length=upload.size - upload.offset, read=read)
"""


@pytest.mark.django_db(transaction=True)
def test_a_server_that_is_killed_loses_only_what_came_after_the_last_mark(
    tus: Client, service_env: dict[str, str], settings: Any
) -> None:
    address = begin(tus, 400_000)
    environment = {**service_env, "MEDIA_ROOT": str(settings.MEDIA_ROOT), "TOONEMO_SETTINGS": ""}
    code = f"from django.conf import settings\nsettings.MEDIA_ROOT = {str(settings.MEDIA_ROOT)!r}\n{KILLED}"
    ended = subprocess.run([sys.executable, "-c", code], env=environment, check=False, timeout=120)
    assert ended.returncode == -signal.SIGKILL
    offset = int(tus.head(address)["Upload-Offset"])
    assert 200_000 < offset <= 300_000
    assert patch(tus, address, b"y" * (400_000 - offset), offset).status_code == 204
    assert files.path_of(Upload.objects.get().token).read_bytes() == b"x" * offset + b"y" * (400_000 - offset)
