"""The watched folder: each file once, never before it is whole, and a reason for whatever is not taken."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from catalog.errors import DiskFull
from catalog.models import Episode, WatchedFile, WatchedStatus
from catalog.services import watching
from catalog.services.imports import Imported
from catalog.services.watching import watch_look
from tests.catalog.conftest import FakeProbe, Make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_probe", "media")]


@pytest.fixture(autouse=True)
def watched(settings: Any, tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    settings.TOONEMO_WATCH_DIR = str(path)
    return path


def look() -> int:
    return watch_look(lambda row, imported: None)


def later(**by: Any) -> None:
    for row in WatchedFile.objects.all():
        row.since -= timedelta(**by)
        if row.retry_at:
            row.retry_at -= timedelta(**by)
        row.save()


def rows() -> dict[str, tuple[str, str]]:
    return {r.shown: (r.status, r.error_code) for r in WatchedFile.objects.all()}


def test_a_file_is_taken_once_it_is_quiet_and_then_never_again(make: Make, fake_probe: FakeProbe) -> None:
    path = make("Popeye/Season 1/S01E05 The Cat.mkv", "half")
    assert look() == 0
    later(seconds=30)
    make("Popeye/Season 1/S01E05 The Cat.mkv", "half, and the rest")
    assert look() == 0
    later(seconds=59)
    assert look() == 0
    assert fake_probe.seen == []
    later(seconds=2)
    assert look() == 1
    assert str(Episode.objects.get()) == "Popeye S01E05: The Cat"
    assert path.exists()
    later(days=1)
    assert look() == 0
    assert fake_probe.seen == [path.name]
    assert WatchedFile.objects.get().episode == Episode.objects.get()


def test_what_is_refused_has_a_reason_and_is_tried_again_only_when_changed(
    make: Make, fake_probe: FakeProbe, tmp_path: Path, watched: Path
) -> None:
    make("Popeye/S01E01.mkv", "words", video=False)
    make("S01E02.mkv")
    make("Popeye/S01E03.mkv", "one")
    make("Popeye/S01E03 b.mkv", "another")
    outside = tmp_path / "outside.mkv"
    outside.write_bytes(b"VIDEO outside")
    (watched / "Popeye" / "link S01E04.mkv").symlink_to(outside)
    os.link(outside, watched / "Popeye" / "hard S01E05.mkv")
    (watched / "folder").symlink_to(tmp_path)
    os.mkfifo(watched / "Popeye" / "pipe S01E06.mkv")
    make("Popeye/.S01E07.mkv")
    look()
    later(minutes=2)
    look()
    assert rows() == {
        "Popeye/S01E01.mkv": ("refused", "not_a_video"),
        "S01E02.mkv": ("refused", "series_unknown"),
        "Popeye/S01E03 b.mkv": ("done", ""),
        "Popeye/S01E03.mkv": ("refused", "identity_conflict"),
        "Popeye/link S01E04.mkv": ("refused", "not_a_file"),
        "Popeye/hard S01E05.mkv": ("refused", "not_a_file"),
        "Popeye/pipe S01E06.mkv": ("refused", "not_a_file"),
    }
    assert Episode.objects.count() == 1
    seen = len(fake_probe.seen)
    later(days=1)
    assert look() == 0
    assert len(fake_probe.seen) == seen
    make("Popeye/S01E01.mkv", "now a video")
    look()
    later(minutes=2)
    assert look() == 1
    assert rows()["Popeye/S01E01.mkv"] == ("done", "")


def test_our_own_faults_are_tried_a_few_times(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def full(**options: Any) -> Imported:
        tries.append(1)
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(watching, "episode_import", full)
    make("Popeye/S01E01.mkv")
    look()
    later(minutes=2)
    assert look() == 1
    later(minutes=2)
    assert look() == 0  # not yet
    for _ in range(10):
        later(hours=2)
        look()
    assert len(tries) == 4
    assert rows() == {"Popeye/S01E01.mkv": ("gave_up", "disk_full")}


def test_a_worker_that_was_killed_is_followed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make("Popeye/S01E01.mkv")
    look()
    later(minutes=2)

    class Killed(BaseException):
        pass

    def killed(**options: Any) -> Imported:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(watching, "episode_import", killed)
        with pytest.raises(Killed):
            look()
    assert look() == 0  # its lease lasts
    WatchedFile.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert look() == 1
    assert rows() == {"Popeye/S01E01.mkv": ("done", "")}


def test_hostile_names(make: Make, watched: Path) -> None:
    (watched / "Popeye").mkdir()
    for name in (b"S01E01 \xff\xfe.mkv", b"S01E02 \n\x1b[31m.mkv", "S01E03 \u202egpj.mkv".encode(), b"-rf S01E04.mkv"):
        Path(os.fsdecode(bytes(watched / "Popeye") + b"/" + name)).write_bytes(b"VIDEO " + name)
    look()
    later(minutes=2)
    assert look() == 4
    assert {r.status for r in WatchedFile.objects.all()} == {WatchedStatus.DONE}
    assert all(r.shown.isprintable() for r in WatchedFile.objects.all())
    assert Episode.objects.count() == 4


def test_off_or_missing_it_does_nothing(settings: Any, make: Make) -> None:
    make("Popeye/S01E01.mkv")
    for folder in ("", "/nowhere"):
        settings.TOONEMO_WATCH_DIR = folder
        assert look() == 0
    assert WatchedFile.objects.count() == 0


def test_what_is_already_there_is_said(make: Make) -> None:
    make("Popeye/S01E01.mkv", "one")
    make("Popeye/S01E02.mkv", "one")
    look()
    later(minutes=2)
    look()
    assert sorted(r.status for r in WatchedFile.objects.all()) == ["already", "done"]
