from __future__ import annotations

from pathlib import Path

import pytest

from catalog.discovery import Candidate, discover
from catalog.models import Episode, Series, SourceFile
from catalog.services.batches import Report, Summary, import_all
from catalog.services.imports import Watcher
from tests.catalog.conftest import FakeProbe, Make, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_probe")]


def _all(path: Path, *, series: str | None = None, dry_run: bool = False, replace: bool = False) -> list[Report]:
    return list(import_all(discover(path, series), dry_run=dry_run, replace=replace))


def _statuses(reports: list[Report]) -> list[tuple[str, str]]:
    return [(Path(r.path).name, r.code or r.status) for r in reports]


@pytest.fixture
def folder(make: Make) -> Path:
    make("Popeye/S01E01 One.mkv")
    make("Popeye/S01E02 Two.mkv", "two")
    make("Popeye/S01E02 Two again.mkv", "other")
    make("Popeye/S01E03 Copy of one.mkv", (make("Popeye/S01E01 One.mkv").read_bytes()[6:]))
    make("Popeye/S01E04 Text.mkv", "hello", video=False)
    return make("Popeye/cover.jpg").parent


EXPECTED = [
    ("cover.jpg", "skipped"),
    ("S01E01 One.mkv", "imported"),
    ("S01E02 Two again.mkv", "imported"),
    ("S01E02 Two.mkv", "identity_conflict"),
    ("S01E03 Copy of one.mkv", "already"),
    ("S01E04 Text.mkv", "not_a_video"),
]


def test_every_file_is_reported_and_the_next_one_follows(folder: Path, media: Path) -> None:
    reports = _all(folder)
    assert _statuses(reports) == EXPECTED
    assert all(bool(r.reason) == (r.status == "refused") for r in reports)
    assert sorted(Episode.objects.values_list("identity", flat=True)) == ["S01E01", "S01E02"]
    assert len(stored(media)) == 2


def test_again_nothing_changes(folder: Path, media: Path) -> None:
    _all(folder)
    before = list(Episode.objects.values()), list(SourceFile.objects.values()), stored(media)
    again = _statuses(_all(folder))
    assert [s for _, s in again] == ["skipped", "already", "already", "identity_conflict", "already", "not_a_video"]
    assert (list(Episode.objects.values()), list(SourceFile.objects.values()), stored(media)) == before


def test_a_dry_run_says_what_would_happen_and_changes_nothing(folder: Path, media: Path) -> None:
    reports = _all(folder, dry_run=True)
    assert _statuses(reports) == EXPECTED
    assert not media.exists()
    assert Series.objects.count() == Episode.objects.count() == SourceFile.objects.count() == 0
    assert all(r.episode_id is None for r in reports)
    real = _all(folder)
    assert [(r.status, r.identity, r.title) for r in real] == [(r.status, r.identity, r.title) for r in reports]


def test_a_dry_run_that_replaces(folder: Path, media: Path) -> None:
    assert dict(_statuses(_all(folder, dry_run=True, replace=True)))["S01E02 Two.mkv"] == "replaced"
    assert dict(_statuses(_all(folder, replace=True)))["S01E02 Two.mkv"] == "replaced"


def test_a_file_that_disappears_between_listing_and_opening(make: Make, media: Path) -> None:
    make("S/S01E01.mkv")
    later = make("S/S01E02.mkv")
    make("S/S01E03.mkv")
    statuses = []
    for report in import_all(discover(later.parent)):
        later.unlink(missing_ok=True)
        statuses.append(report.code or report.status)
    assert statuses == ["imported", "video_missing", "imported"]


def test_a_full_disk_refuses_one_file_and_takes_the_next_that_fits(
    make: Make, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    make("S/S01E01.mkv", "x" * 5_000)
    make("S/S01E02.mkv", "small")
    usage = shutil.disk_usage("/")._replace(free=1_000)
    monkeypatch.setattr("catalog.services.storage.shutil.disk_usage", lambda _: usage)
    reports = _all(media.parent / "in" / "S")
    assert [r.code or r.status for r in reports] == ["disk_full", "imported"]
    assert len(stored(media)) == 1


def test_odd_names_are_reported_on_one_line(make: Make, media: Path) -> None:
    make("S/-rf\n\x1b[2J🐭 S01E01.mkv")
    (report,) = _all(media.parent / "in" / "S")
    assert report.status == "imported"
    assert report.path.endswith("-rf\\n\\x1b[2J🐭 S01E01.mkv")


def test_parts_and_series_that_is_named(make: Make, media: Path) -> None:
    for n in (1, 2, 3):
        make(f"popeye_1936/part{n}.mkv")
    reports = _all(media.parent / "in" / "popeye_1936", series="Popeye")
    assert [(r.series, r.identity, r.title) for r in reports] == [
        ("Popeye", f"popeye-1936.P{n}", f"Popeye, part {n}") for n in (1, 2, 3)
    ]
    assert [e.part for e in Episode.objects.order_by("part")] == [1, 2, 3]


def test_watchers_are_told_how_far_it_is(make: Make, media: Path) -> None:
    make("S/S01E01.mkv")
    told: list[tuple[int, int]] = []

    def watch(item: Candidate) -> Watcher:
        return Watcher(on_bytes=lambda done, total: told.append((done, total)))

    list(import_all(discover(media.parent / "in"), watch=watch))
    assert told
    assert told[-1][0] == told[-1][1]


@pytest.mark.parametrize(
    ("statuses", "exit_status"),
    [
        (["imported", "already"], 0),
        (["already", "skipped"], 0),
        (["imported", "refused"], 1),
        (["refused", "refused"], 2),
        (["skipped"], 2),
        ([], 2),
    ],
)
def test_exit_statuses(statuses: list[str], exit_status: int) -> None:
    summary = Summary()
    for status in statuses:
        summary.add(Report("x", status))
    assert summary.exit_status == exit_status


def test_refusals_ask_the_probe_only_about_files_that_can_be_read(
    make: Make, media: Path, fake_probe: FakeProbe
) -> None:
    make("S/S01E01.mkv")
    (media.parent / "in" / "S" / "S01E02.mkv").touch()
    _all(media.parent / "in")
    assert fake_probe.seen == ["S01E01.mkv"]
