from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from catalog.errors import CatalogError
from catalog.models import Episode, Series, SourceFile
from catalog.parsing import ParsedName, parse_name
from catalog.services.imports import Imported, episode_import
from catalog.services.sources import source_delete
from tests.catalog.conftest import FakeProbe, Make, stored
from tests.factories import EpisodeFactory, SeriesFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_probe")]


def _import(path: Path, name: str = "Popeye - S01E05 - The Cat", **options: Any) -> Imported:
    return episode_import(path=path, name=parse_name(name), **options)


def _refused(path: Path, name: str = "Popeye - S01E05", **options: Any) -> CatalogError:
    """The refusal, having checked that nothing was left or changed."""
    before = Episode.objects.count(), SourceFile.objects.count(), Series.objects.count()
    with pytest.raises(CatalogError) as caught:
        _import(path, name, **options)
    assert (Episode.objects.count(), SourceFile.objects.count(), Series.objects.count()) == before
    assert str(caught.value).count("\n") == 0
    return caught.value


def test_a_file_becomes_an_episode_kept_under_its_digest(make: Make, media: Path) -> None:
    path = make("-x\n🐭'; DROP.mp4")
    imported = _import(path, "Popeye - S01E05-E06 - The Cat (1936) (part 2)")
    episode = Episode.objects.select_related("source", "series").get()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert imported.status == "imported"
    assert imported.episode == episode
    assert (episode.series.title, episode.ordering, episode.identity) == ("Popeye", "aired", "S01E05-E06.P2")
    assert (episode.season, episode.number, episode.number_end, episode.part) == (1, 5, 6, 2)
    assert (episode.title, episode.year) == ("The Cat, part 2", 1936)
    source = episode.source
    assert source is not None
    assert (source.sha256, source.size_bytes) == (digest, path.stat().st_size)
    assert (source.width, source.height, source.duration_ms, source.frames) == (320, 180, 2_000, 48)
    assert source.original_name == "-x 🐭'; DROP.mp4"
    assert stored(media) == [f"sources/{digest[:2]}/{digest}.mp4"]
    assert (media / source.stored_name).read_bytes() == path.read_bytes()


def test_the_same_content_is_found_again_whatever_it_is_called(make: Make, media: Path, fake_probe: FakeProbe) -> None:
    path = make("a.mp4")
    first = _import(path)
    copy = path.with_name("another.mp4")
    shutil.copy(path, copy)
    again = _import(copy, "Betty - S09E09")
    assert (again.status, again.episode) == ("already", first.episode)
    assert Series.objects.count() == Episode.objects.count() == SourceFile.objects.count() == len(stored(media)) == 1
    assert fake_probe.seen == ["a.mp4"]


def test_other_content_under_the_same_number_is_refused(make: Make, media: Path, fake_probe: FakeProbe) -> None:
    _import(make("a.mp4", "aaa"))
    for content in ("bbb", "a longer one"):
        error = _refused(make("b.mp4", content), "POPEYE - 1x05")
        assert error.code == "identity_conflict"
        assert "“a.mp4”" in str(error)
        assert "S01E05" in str(error)
    assert fake_probe.seen == ["a.mp4"]
    assert len(stored(media)) == 1


def test_replacing_keeps_the_episode_and_the_file_before(make: Make, media: Path) -> None:
    first = _import(make("a.mp4"))
    second = _import(make("b.mp4"), replace=True)
    assert second.status == "replaced"
    assert second.episode.pk == first.episode.pk
    assert Episode.objects.get().source == SourceFile.objects.get(original_name="b.mp4")
    assert len(stored(media)) == 2
    back = _import(make("a.mp4"), replace=True)  # known content that no episode shows
    assert back.status == "replaced"
    assert SourceFile.objects.count() == 2
    assert Episode.objects.get().source == SourceFile.objects.get(original_name="a.mp4")


def test_an_episode_without_a_file_gets_it(make: Make, media: Path) -> None:
    series = SeriesFactory.create(title="Popeye", slug="popeye")
    episode = EpisodeFactory.create(series=series, season=1, number=5, identity="S01E05", title="Typed", source=None)
    imported = _import(make("a.mp4"))
    assert (imported.status, imported.episode.pk) == ("imported", episode.pk)
    episode.refresh_from_db()
    assert episode.title == "Typed"
    assert episode.source is not None


def test_a_stored_file_that_vanished_is_brought_back(make: Make, media: Path) -> None:
    path = make("a.mp4")
    _import(path)
    (kept,) = stored(media)
    (media / kept).unlink()
    assert _import(path).status == "restored"
    assert stored(media) == [kept]
    assert _import(path).status == "already"


def test_an_extension_follows_from_the_container_not_from_the_name(make: Make, media: Path) -> None:
    _import(make("evil.php.mkv"))
    assert stored(media)[0].endswith(".mp4")


# ------------------------------------------------------------------------------------------------ refusals


def test_what_is_no_video_leaves_no_trace(make: Make, media: Path) -> None:
    error = _refused(make("notes.mp4", "hello", video=False))
    assert error.code == "not_a_video"
    assert "“notes.mp4”" in str(error)
    assert not media.exists()


def test_what_is_no_ordinary_file_is_not_opened(make: Make, tmp_path: Path, media: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "link.mp4").symlink_to(make("a.mp4"))
    for name in ("pipe.mp4", "folder.mp4", "link.mp4"):
        assert _refused(tmp_path / name).code == "not_a_file"
    assert _refused(Path("/dev/null")).code == "not_a_file"
    assert _refused(tmp_path / "a\0b").code == "video_missing"


def test_empty_and_missing_files(tmp_path: Path, media: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    assert _refused(tmp_path / "empty.mp4").code == "video_empty"
    assert _refused(tmp_path / "gone.mp4").code == "video_missing"


def test_too_large_and_too_long(make: Make, media: Path, settings: Any, fake_probe: FakeProbe) -> None:
    path = make("a.mp4", "x" * 2_000)
    settings.TOONEMO_MAX_FILE_GB = 0.000001
    error = _refused(path)
    assert (error.code, fake_probe.seen) == ("file_too_large", [])
    assert "2.0 kB" in str(error)
    settings.TOONEMO_MAX_FILE_GB = 1
    settings.TOONEMO_MAX_DURATION_MINUTES = 60
    fake_probe.duration_ms = 3 * 3600 * 1000
    assert _refused(path).code == "video_too_long"


def test_a_file_that_disappears_while_it_is_looked_at_is_still_whole(
    make: Make, media: Path, fake_probe: FakeProbe
) -> None:
    """It is open already, so it can be read to its end."""
    path = make("a.mp4")
    content = path.read_bytes()
    fake_probe.then = Path.unlink
    source = _import(path).episode.source
    assert source is not None
    assert (media / source.stored_name).read_bytes() == content


def test_a_file_that_changes_while_it_is_imported_is_refused(make: Make, media: Path, fake_probe: FakeProbe) -> None:
    path = make("a.mp4")
    fake_probe.then = lambda p: p.write_bytes(b"VIDEO of something else")
    assert _refused(path).code == "file_changed"
    assert stored(media) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_while_a_file_is_copied(
    make: Make, media: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path = make("big.mp4", "x" * 3_000_000)
    written: list[int] = []
    write = os.write

    def fills_up(fd: int, data: Any) -> int:
        if written:
            raise OSError(code, os.strerror(code))
        written.append(len(data))
        return write(fd, data[:1000])

    monkeypatch.setattr("catalog.services.storage.os.write", fills_up)
    error = _refused(path)
    assert written
    assert error.code == "disk_full"
    assert "“big.mp4” needs 3.0 MB" in str(error)
    assert stored(media) == []
    monkeypatch.undo()
    assert _import(path).status == "imported"


def test_a_disk_that_is_too_small_is_not_written_to(make: Make, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=10)
    monkeypatch.setattr("catalog.services.storage.shutil.disk_usage", lambda _: usage)
    assert _refused(make("a.mp4")).code == "disk_full"
    assert stored(media) == []


def test_a_media_folder_that_cannot_be_made(make: Make, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file stands in the way")
    settings.MEDIA_ROOT = tmp_path / "media"
    assert _refused(make("a.mp4")).code == "storage_failed"


def test_what_a_killed_import_left_is_swept_away_in_time(make: Make, media: Path) -> None:
    (media / "incoming").mkdir(parents=True)
    old, fresh = media / "incoming" / "old.part", media / "incoming" / "fresh.part"
    old.touch()
    fresh.touch()
    os.utime(old, (1, 1))
    _import(make("a.mp4"))
    assert fresh.exists()
    assert not old.exists()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (ParsedName(title="The Cat"), "series_unknown"),
        (ParsedName(series="Popeye"), "name_unusable"),
        (ParsedName(series="Popeye", number=5, number_end=5), "name_unusable"),
        (ParsedName(series="Popeye", number=2**40), "name_unusable"),
        (ParsedName(series="Popeye", number=1, season=40_000), "name_unusable"),
        (ParsedName(series="Popeye", title="x" * 301), "name_unusable"),
        (ParsedName(series="x" * 301, title="The Cat"), "name_unusable"),
    ],
)
def test_names_that_cannot_be_kept(make: Make, media: Path, name: ParsedName, code: str) -> None:
    with pytest.raises(CatalogError) as caught:
        episode_import(path=make("a.mp4"), name=name)
    assert caught.value.code == code
    assert Episode.objects.count() == 0


def test_a_number_in_a_name_that_cannot_be_kept_is_refused_with_the_largest(make: Make, media: Path) -> None:
    path = make("Show S999999999999E99999999999.mp4")
    with pytest.raises(CatalogError, match=r"The season in the name of the file .* is not from 0 to 32767"):
        episode_import(path=path, name=parse_name(path.name))
    assert Episode.objects.count() == 0


def test_a_synopsis_and_an_unreadable_name_can_be_stored(make: Make, media: Path) -> None:
    path = make(b"caf\xe9.mp4".decode("utf-8", "surrogateescape"))
    name = dataclasses.replace(parse_name(path.name), series="Série")
    episode = episode_import(path=path, name=name, synopsis="A\x00B").episode
    episode.refresh_from_db()
    assert episode.synopsis == "A B"
    assert episode.source is not None
    assert episode.source.original_name == "caf\ufffd.mp4"


# -------------------------------------------------------------------------------------------- at once, and afterwards


@pytest.mark.django_db(transaction=True)
def test_the_same_file_twice_at_once_is_one_episode(make: Make, media: Path, fake_probe: FakeProbe) -> None:
    path = make("a.mp4", "x" * 100_000)
    together = threading.Barrier(4, timeout=20)
    fake_probe.then = lambda _: together.wait()
    statuses: list[str] = []

    def work() -> None:
        try:
            statuses.append(_import(path).status)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == ["already", "already", "already", "imported"]
    assert Episode.objects.count() == SourceFile.objects.count() == 1
    assert len(stored(media)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_files_for_one_number_at_once(make: Make, media: Path, fake_probe: FakeProbe) -> None:
    together = threading.Barrier(2, timeout=20)
    fake_probe.then = lambda _: together.wait()
    answers: list[str] = []

    def work(path: Path) -> None:
        try:
            answers.append(_import(path).status)
        except CatalogError as error:
            answers.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[make(f"{n}.mp4")]) for n in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == ["identity_conflict", "imported"]
    assert SourceFile.objects.count() == len(stored(media)) == 1


@pytest.mark.django_db(transaction=True)
def test_only_a_file_that_no_episode_shows_can_be_deleted(make: Make, media: Path) -> None:
    _import(make("a.mp4"))
    _import(make("b.mp4"), replace=True)
    old, new = SourceFile.objects.get(original_name="a.mp4"), SourceFile.objects.get(original_name="b.mp4")
    with pytest.raises(CatalogError) as caught:
        source_delete(source=new)
    assert caught.value.code == "source_in_use"
    source_delete(source=old)
    assert stored(media) == [new.stored_name]
