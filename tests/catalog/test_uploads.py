"""Files sent in pieces: what is certain after whatever breaks off, and what nobody may do."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from catalog.errors import (
    CatalogError,
    DiskFull,
    UploadBusy,
    UploadChecksum,
    UploadExpired,
    UploadInvalid,
    UploadOffset,
    UploadOverflow,
    UploadsTooMany,
    UploadUnknown,
)
from catalog.models import Upload, UploadStatus
from catalog.services import upload_files as files
from catalog.services.lease import lease_take
from catalog.services.upload_checks import upload_check, uploads_due, uploads_sweep
from catalog.services.uploads import (
    Checksum,
    upload_append,
    upload_create,
    upload_get,
    upload_offset,
    upload_remove,
)
from tests.catalog.conftest import FakeProbe, stored
from tests.catalog.incoming_helpers import editor, sent, stream

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_probe", "media")]
DATA = b"VIDEO " + bytes(range(256)) * 40


def begun(size: int = len(DATA), **options: Any) -> Upload:
    return upload_create(owner=editor(), name="a.mkv", size=size, **options)


def append(upload: Upload, data: bytes, offset: int = 0, **options: Any) -> Upload:
    return upload_append(upload, offset=offset, length=len(data), read=stream(data), **options)


def on_disk(upload: Upload) -> bytes:
    return files.path_of(upload.token).read_bytes()


def test_pieces_make_the_whole_which_is_then_looked_at(fake_probe: FakeProbe) -> None:
    upload = begun()
    for at in range(0, len(DATA), 1000):
        upload = append(upload, DATA[at : at + 1000], at)
    assert upload.status == UploadStatus.RECEIVED
    assert on_disk(upload) == DATA
    assert fake_probe.seen == []
    assert upload_check(upload.pk)
    assert not upload_check(upload.pk)
    upload.refresh_from_db()
    assert upload.status == UploadStatus.READY
    assert upload.sha256 == hashlib.sha256(DATA).hexdigest()
    assert upload.facts is not None
    assert upload.facts["duration_ms"] == 2_000


def test_a_broken_connection_keeps_what_came() -> None:
    upload = begun()

    given: list[bytes] = []

    def breaks(most: int) -> bytes:
        if given:
            raise OSError("connection reset")
        given.append(DATA[:300])
        return given[0]

    upload = upload_append(upload, offset=0, length=len(DATA), read=breaks)
    assert (upload.offset, upload.status) == (300, UploadStatus.OPEN)
    assert append(upload, DATA[300:], 300).status == UploadStatus.RECEIVED
    assert on_disk(upload) == DATA


def test_bytes_that_no_row_is_certain_of_are_written_anew() -> None:
    """As after a kill: the file is longer than the row says."""
    upload = append(begun(), DATA[:100])
    with files.path_of(upload.token).open("ab") as file:
        file.write(b"of a process that was killed")
    assert upload_offset(upload) == 100
    upload = append(upload, DATA[100:], 100)
    assert on_disk(upload) == DATA


def test_bytes_that_the_disk_lost_are_asked_for_again() -> None:
    upload = append(begun(), DATA[:500])
    os.truncate(files.path_of(upload.token), 200)
    assert upload_offset(upload) == 200
    with pytest.raises(UploadOffset):
        append(upload, DATA[500:], 500)
    upload.refresh_from_db()
    assert append(upload, DATA[200:], 200).status == UploadStatus.RECEIVED
    assert on_disk(upload) == DATA


def test_a_file_that_is_gone_begins_anew() -> None:
    upload = append(begun(), DATA[:500])
    files.remove(upload.token)
    assert upload_offset(upload) == 0
    with pytest.raises(UploadOffset, match="byte 0"):
        append(upload, DATA[500:], 500)
    upload.refresh_from_db()
    assert append(upload, DATA).status == UploadStatus.RECEIVED


def test_a_piece_with_a_wrong_checksum_leaves_no_trace() -> None:
    upload = append(begun(), DATA[:100])
    wrong = Checksum("sha1", b"\0" * 20)
    with pytest.raises(UploadChecksum):
        append(upload, DATA[100:200], 100, checksum=wrong)
    assert on_disk(upload) == DATA[:100]
    right = Checksum("sha256", hashlib.sha256(DATA[100:]).digest())
    with pytest.raises(UploadChecksum):
        upload_append(upload, offset=100, length=len(DATA) - 100, read=stream(DATA[100:-1]), checksum=right)
    upload.refresh_from_db()
    assert upload.offset == 100
    assert append(upload, DATA[100:], 100, checksum=right).status == UploadStatus.RECEIVED
    assert on_disk(upload) == DATA


def test_offsets_and_sizes_are_held_to() -> None:
    upload = append(begun(), DATA[:100])
    for offset in (0, 99, 101):
        with pytest.raises(UploadOffset):
            append(upload, DATA[100:200], offset)
    with pytest.raises(UploadOverflow):
        append(upload, DATA, 100)
    whole = append(upload, DATA[100:], 100)
    assert append(whole, b"", len(DATA)).status == UploadStatus.RECEIVED
    with pytest.raises(UploadOverflow):
        append(whole, b"x", len(DATA))


def test_two_pieces_at_once_are_refused_and_the_first_is_whole() -> None:
    upload = begun()

    def slow(most: int) -> bytes:
        with pytest.raises(UploadBusy):
            append(upload, b"x" * 10, 0)
        with pytest.raises(UploadBusy):
            upload_remove(upload)
        return DATA[:50]

    upload = upload_append(upload, offset=0, length=50, read=slow)
    assert upload.offset == 50
    assert on_disk(upload) == DATA[:50]


@pytest.mark.django_db(transaction=True)
def test_a_writer_on_another_machine_is_noticed() -> None:
    """Where the lock of the file does not hold, the row does."""
    upload = begun()

    def meanwhile(most: int) -> bytes:
        Upload.objects.filter(pk=upload.pk).update(offset=7)
        return DATA[:50]

    with pytest.raises(UploadOffset):
        upload_append(upload, offset=0, length=50, read=meanwhile)
    upload.refresh_from_db()
    assert upload.offset == 7


def test_long_pieces_are_marked_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.services.uploads.MARK_EVERY", 1000)
    upload, seen, body = begun(), [], stream(DATA)

    def read(most: int) -> bytes:
        seen.append(Upload.objects.get(pk=upload.pk).offset)
        return bytes(body(600))

    upload_append(upload, offset=0, length=len(DATA), read=read)
    assert seen[:6] == [0, 0, 1200, 1200, 2400, 2400]
    assert on_disk(upload) == DATA


def test_a_full_disk_keeps_what_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = append(begun(), DATA[:100])
    real: Callable[..., int] = os.pwrite

    def full(fd: int, data: Any, offset: int) -> int:
        if offset > 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, bytes(data)[:10], offset)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(DiskFull):
        append(upload, DATA[100:300], 100)
    monkeypatch.undo()
    upload.refresh_from_db()
    assert upload.offset == 100
    assert on_disk(upload) == DATA[:100]


@pytest.mark.parametrize(
    ("name", "size", "sha256", "code"),
    [
        ("", 5, "", "upload_invalid"),
        ("\u202e\x00", 5, "", "upload_invalid"),
        ("a.mkv", 0, "", "video_empty"),
        ("a.mkv", 10**18, "", "file_too_large"),
        ("a.nfo", 1_000_001, "", "file_too_large"),
        ("a.mkv", 5, "G" * 64, "upload_invalid"),
    ],
)
def test_what_is_refused_at_the_start(name: str, size: int, sha256: str, code: str, media: Path) -> None:
    with pytest.raises(CatalogError) as caught:
        upload_create(owner=editor(), name=name, size=size, sha256=sha256)
    assert caught.value.code == code
    assert Upload.objects.count() == 0
    assert stored(media) == []


def test_a_name_leads_nowhere(media: Path) -> None:
    upload = upload_create(owner=editor(), name="..\\../../etc/pass\nwd.mkv", size=5)
    assert upload.name == "pass wd.mkv"
    assert stored(media) == [f"uploads/{upload.token}.upload"]


def test_quotas(settings: Any) -> None:
    settings.TOONEMO_UPLOADS_OPEN = 2
    begun()
    Upload.objects.filter(pk=begun().pk).update(status=UploadStatus.REFUSED)  # what is refused does not count
    begun()
    with pytest.raises(UploadsTooMany):
        begun()
    upload_create(owner=editor("somebody else"), name="a.mkv", size=5)
    settings.TOONEMO_UPLOAD_SPARE_GB = 10**9
    with pytest.raises(DiskFull):
        upload_create(owner=editor("a third"), name="a.mkv", size=5)


def test_room_that_others_were_promised_is_not_given_twice(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.TOONEMO_UPLOAD_SPARE_GB = 0.0
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    begun(700)
    with pytest.raises(DiskFull):
        begun(400)
    begun(300)


def test_uploads_are_ones_own_and_end() -> None:
    upload = begun()
    with pytest.raises(UploadUnknown):
        upload_get(editor("somebody else"), upload.token)
    Upload.objects.filter(pk=upload.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(UploadExpired):
        upload_get(editor(), upload.token)
    assert uploads_sweep() == 1
    assert not files.path_of(upload.token).exists()
    with pytest.raises(UploadUnknown):
        upload_get(editor(), upload.token)


def test_files_without_a_row_are_swept_after_a_day(media: Path) -> None:
    upload = begun()
    (media / "uploads" / ("x" * 32 + ".upload")).write_bytes(b"old")
    (media / "uploads" / "notes.txt").write_bytes(b"not ours")
    past = time.time() - 90_000
    for path in (media / "uploads").iterdir():
        os.utime(path, (past, past))
    assert uploads_sweep() == 1
    assert sorted(p.name for p in (media / "uploads").iterdir()) == sorted(["notes.txt", f"{upload.token}.upload"])


def test_what_is_no_video_is_refused_by_its_own_name_and_takes_no_room(media: Path) -> None:
    upload = sent(editor(), "essay.mp4", b"words")
    assert (upload.status, upload.error_code) == (UploadStatus.REFUSED, "not_a_video")
    assert "“essay.mp4”" in upload.error_detail
    assert upload.token not in upload.error_detail
    assert stored(media) == []


def test_a_file_that_is_not_what_its_sender_said_is_refused() -> None:
    upload = begun(sha256="0" * 64)
    append(upload, DATA)
    upload_check(upload.pk)
    upload.refresh_from_db()
    assert (upload.status, upload.error_code) == (UploadStatus.REFUSED, "upload_altered")


def test_a_worker_that_was_killed_three_times_is_told(fake_probe: FakeProbe) -> None:
    upload = sent(editor(), "a.mkv", check=False)
    received = Upload.objects.filter(status=UploadStatus.RECEIVED)
    for _ in range(3):
        assert lease_take(received, upload.pk)
        assert lease_take(received, upload.pk) is None
        assert uploads_due() == []
        Upload.objects.update(lease_until=timezone.now() - timedelta(seconds=1), sent_at=None)
        assert uploads_due() == [upload.pk]
    upload_check(upload.pk)
    upload.refresh_from_db()
    assert (upload.status, upload.error_code) == (UploadStatus.REFUSED, "check_failed")
    assert fake_probe.seen == []


def test_invalid_name_is_said() -> None:
    with pytest.raises(UploadInvalid):
        upload_create(owner=editor(), name="/", size=5)


@pytest.mark.django_db(transaction=True)
def test_one_person_cannot_pass_the_quota_by_haste(settings: Any) -> None:
    settings.TOONEMO_UPLOADS_OPEN = 3
    owner, errors = editor(), []

    def create() -> None:
        try:
            upload_create(owner=owner, name="a.mkv", size=5)
        except UploadsTooMany as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Upload.objects.count() == 3
    assert len(errors) == 3
