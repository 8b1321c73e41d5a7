"""Previews: what they say, that confirming does exactly that, and that what has changed is said and not done."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from catalog import places
from catalog.errors import (
    ChoiceInvalid,
    FolderForbidden,
    ListInvalid,
    NothingToImport,
    PlanChanged,
    PlanNotReady,
    PlanUnknown,
    UploadNotReady,
    UploadUnknown,
)
from catalog.models import Episode, ImportItem, ImportPlan, PlanStatus, Series, Upload
from catalog.parsing import parse_name
from catalog.services import plan_look as looking
from catalog.services.findings import choices_of
from catalog.services.imports import Imported, episode_import
from catalog.services.lease import lease_take
from catalog.services.plan_carry import plan_carry_out
from catalog.services.plan_look import plan_look
from catalog.services.plans import (
    Said,
    plan_confirm,
    plan_discard,
    plan_get,
    plan_items,
    plan_name,
    plan_of_folder,
    plan_of_list,
    plan_of_uploads,
    plans_due,
    plans_forget,
)
from catalog.services.upload_checks import uploads_sweep
from tests.catalog.conftest import FakeProbe, Make, stored
from tests.catalog.incoming_helpers import editor, findings, looked, sent
from tests.factories import EpisodeFactory, SeriesFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_probe", "media")]


@pytest.fixture
def root(settings: Any, tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    settings.TOONEMO_IMPORT_ROOTS = [str(path)]
    return path


def of_folder(address: str = "0", **options: Any) -> tuple[ImportPlan, list[ImportItem]]:
    plan = plan_of_folder(owner=editor(), address=address, **options)
    return plan, looked(plan)


def confirmed(plan: ImportPlan, **choices: str) -> list[ImportItem]:
    """``f2="skip"``: of the file at position 2. A worker carries it out at once."""
    by_position = {int(k[1:]): v for k, v in choices.items()}
    plan_confirm(plan=plan, digest=plan.digest, choices=by_position, actor=editor())
    assert plan_carry_out(plan.pk, lambda *_: None)
    plan.refresh_from_db()
    assert plan.status == PlanStatus.DONE
    return plan_items(plan)


def there(path: Path, name: str) -> Episode:
    return episode_import(path=path, name=parse_name(name)).episode


def test_each_finding_with_its_choices(make: Make, root: Path, media: Path, tmp_path: Path) -> None:
    known = make("Popeye/Popeye S01E01.mkv")
    there(known, "Popeye S01E01")
    gone = make("Popeye/Popeye S01E02.mkv")
    lost = there(gone, "Popeye S01E02")
    assert lost.source is not None
    (media / lost.source.stored_name).unlink()
    EpisodeFactory(series=Series.objects.get(), season=1, number=3, identity="S01E03", source=None, title="Three")
    make("Popeye/Popeye S01E03.mkv")
    there(make("elsewhere.mkv", "other"), "Popeye S01E04 The Cat")
    make("Popeye/Popeye S01E04.mkv")
    make("Popeye/Popeye S01E05 The Cat.mkv")
    make("Popeye/Popeye S01E06.mkv", "six")
    make("Popeye/Popeye S01E07.mkv", "six")
    make("Popeye/Popeye 1x06.avi", "another six")
    make("Popeye/Popeye S01E08.mkv", "words", video=False)
    (root / "Popeye" / "link S01E09.mkv").symlink_to(known)
    make("Popeye/read me.txt", "words", video=False)
    before = stored(media)
    plan, items = of_folder("0/Popeye")
    assert findings(items) == {
        "Popeye 1x06.avi": "new",
        "Popeye S01E01.mkv": "known",
        "Popeye S01E02.mkv": "restores",
        "Popeye S01E03.mkv": "fills",
        "Popeye S01E04.mkv": "collides",
        "Popeye S01E05 The Cat.mkv": "same_title",
        "Popeye S01E06.mkv": "collides",
        "Popeye S01E07.mkv": "twice",
        "Popeye S01E08.mkv": "refused",
        "link S01E09.mkv": "refused",
    }
    by_name = {Path(i.shown).name: i for i in items}
    assert [str(c) for c in choices_of(by_name["Popeye S01E04.mkv"])] == ["skip", "part", "replace"]
    assert [str(c) for c in choices_of(by_name["Popeye S01E06.mkv"])] == ["skip", "part"]  # none to replace
    assert by_name["Popeye S01E06.mkv"].part == 2
    assert "“elsewhere.mkv”" in by_name["Popeye S01E04.mkv"].finding_detail
    assert by_name["link S01E09.mkv"].finding_code == "not_a_file"
    assert plan.notes == [{"kind": "skipped", "text": "No videos by their names: “read me.txt”."}]
    assert stored(media) == before
    assert Episode.objects.count() == 4


def test_confirming_does_what_was_shown_and_decodes_nothing_twice(
    make: Make, root: Path, media: Path, fake_probe: FakeProbe
) -> None:
    there(make("old.mkv", "old"), "Popeye S01E04")
    old = Episode.objects.get()
    for name in ("S01E04.mkv", "S01E05.mkv", "S01E06.mkv", "S01E06 again.avi"):
        make(f"Popeye/{name}")
    (root / "Popeye" / "tvshow.nfo").write_text("<tvshow><title>Popeye</title><plot>Spinach.</plot></tvshow>")
    plan, items = of_folder("0/Popeye")
    assert [i.finding for i in items] == ["collides", "new", "new", "collides"]
    fake_probe.seen.clear()
    done = confirmed(plan, f1="replace", f2="skip", f4="part")
    assert [i.outcome for i in done] == ["replaced", "left_out", "imported", "imported"]
    assert fake_probe.seen == []
    identities = list(Episode.objects.order_by("identity").values_list("identity", flat=True))
    assert identities == ["S01E04", "S01E06", "S01E06.P2"]
    assert done[0].episode == old
    assert Series.objects.get().synopsis == "Spinach."
    assert not any("incoming" in name for name in stored(media))


def test_what_has_changed_since_is_said_and_nothing_is_written(make: Make, root: Path) -> None:
    make("Popeye/S01E01.mkv")
    make("Popeye/S01E02.mkv")
    plan, _ = of_folder("0/Popeye")
    seen = plan.digest
    there(make("other.mkv", "other"), "Popeye S01E02")
    with pytest.raises(PlanChanged) as caught:
        plan_confirm(plan=plan, digest=seen, choices={}, actor=editor())
    assert len(caught.value.changes) == 1
    assert "S01E02" in caught.value.changes[0]
    plan.refresh_from_db()
    assert plan.status == PlanStatus.READY
    assert plan.digest != seen
    assert plan.notes[-1]["kind"] == "changed"
    with pytest.raises(PlanChanged):
        plan_confirm(plan=plan, digest=seen, choices={}, actor=editor())
    assert [i.outcome for i in confirmed(plan)] == ["imported", "left_out"]


def test_a_file_that_is_written_to_after_the_look_is_left_alone(make: Make, root: Path) -> None:
    make("Popeye/S01E01.mkv", "one")
    make("Popeye/S01E02.mkv", "two")
    make("Popeye/S01E03.mkv", "three")
    plan, _ = of_folder("0/Popeye")
    plan_confirm(plan=plan, digest=plan.digest, choices={}, actor=editor())
    make("Popeye/S01E01.mkv", "ONE")
    second = root / "Popeye" / "S01E02.mkv"
    second.unlink()
    second.symlink_to("/etc/passwd")
    plan_carry_out(plan.pk, lambda *_: None)
    assert [(i.outcome, i.outcome_code) for i in plan_items(plan)] == [
        ("changed", "file_changed"),
        ("changed", "folder_forbidden"),
        ("imported", ""),
    ]


def test_a_place_that_was_taken_between_word_and_deed_is_left_alone(make: Make, root: Path) -> None:
    there(make("old.mkv", "old"), "Popeye S01E01")
    make("Popeye/S01E01.mkv")
    make("Popeye/S01E02.mkv")
    plan, _ = of_folder("0/Popeye")
    plan_confirm(plan=plan, digest=plan.digest, choices={1: "replace"}, actor=editor())
    episode_import(path=make("third.mkv", "third"), name=parse_name("Popeye S01E01"), replace=True)
    there(make("fourth.mkv", "fourth"), "Popeye S01E02")
    plan_carry_out(plan.pk, lambda *_: None)
    assert [(i.outcome, i.outcome_code) for i in plan_items(plan)] == [("changed", "identity_conflict")] * 2


def test_a_worker_that_takes_over_goes_on_with_the_next_file(make: Make, root: Path) -> None:
    for n in (1, 2, 3):
        make(f"Popeye/S01E0{n}.mkv")
    plan, _ = of_folder("0/Popeye")
    plan_confirm(plan=plan, digest=plan.digest, choices={}, actor=editor())

    class Killed(BaseException):
        pass

    def killed(plan: ImportPlan, item: ImportItem, imported: Imported) -> None:
        if item.position == 2:
            raise Killed

    with pytest.raises(Killed):
        plan_carry_out(plan.pk, killed)
    assert not plan_carry_out(plan.pk, killed)  # its lease lasts
    ImportPlan.objects.update(lease_until=timezone.now() - timedelta(seconds=1), sent_at=None)
    assert plans_due() == ([], [plan.pk])
    assert plan_carry_out(plan.pk, lambda *_: None)
    assert [i.outcome for i in plan_items(plan)] == ["imported", "already", "imported"]
    assert Episode.objects.count() == 3


def test_uploads_are_added_with_their_notes_and_then_gone(media: Path) -> None:
    owner = editor()
    video = sent(owner, "episode.mkv")
    note = sent(
        owner,
        "Episode.NFO",
        b"<episodedetails><title>The Cat</title><season>1</season><episode>5</episode></episodedetails>",
    )
    show = sent(owner, "tvshow.nfo", b"<tvshow><title>Popeye</title></tvshow>")
    bad = sent(owner, "essay.mkv", b"words")
    plan = plan_of_uploads(owner=owner, tokens=[u.token for u in (video, note, show, bad)])
    items = looked(plan)
    assert [(i.shown, i.finding) for i in items] == [("episode.mkv", "new"), ("essay.mkv", "refused")]
    assert items[0].name["title"] == "The Cat"
    done = confirmed(plan)
    assert done[0].episode is not None
    assert str(done[0].episode) == "Popeye S01E05: The Cat"
    assert done[0].episode.source is not None
    assert done[0].episode.source.original_name == "episode.mkv"
    assert not Upload.objects.filter(pk=video.pk).exists()
    assert [n for n in stored(media) if video.token in n] == []


def test_an_upload_that_a_preview_names_outlives_its_time() -> None:
    upload = sent(editor(), "Popeye S01E01.mkv")
    plan = plan_of_uploads(owner=editor(), tokens=[upload.token])
    looked(plan)
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert uploads_sweep() == 0
    assert confirmed(plan)[0].outcome == "imported"


def test_other_peoples_uploads_and_previews_are_not_seen() -> None:
    upload = sent(editor(), "Popeye S01E01.mkv")
    with pytest.raises(UploadUnknown):
        plan_of_uploads(owner=editor("other"), tokens=[upload.token])
    plan = plan_of_uploads(owner=editor(), tokens=[upload.token])
    with pytest.raises(PlanUnknown):
        plan_get(editor("other"), plan.pk)
    with pytest.raises(UploadNotReady):
        plan_of_uploads(owner=editor(), tokens=[sent(editor(), "b.mkv", check=False).token])
    with pytest.raises(NothingToImport):
        plan_of_uploads(owner=editor(), tokens=[])


def test_a_name_that_says_nothing_can_be_given(make: Make) -> None:
    first, second = sent(editor(), "a.mkv"), sent(editor(), "b.mkv")
    plan = plan_of_uploads(owner=editor(), tokens=[first.token, second.token])
    assert [i.finding_code for i in looked(plan)] == ["series_unknown"] * 2
    seen = plan.digest
    plan_name(plan=plan, position=1, said=Said("Popeye", "The Cat", season=1, number=5))
    plan_name(plan=plan, position=2, said=Said("POPEYE", "", season=1, number=5))
    plan.refresh_from_db()
    assert plan.digest != seen
    assert [i.finding for i in plan_items(plan)] == ["new", "collides"]
    with pytest.raises(ChoiceInvalid):
        plan_name(plan=plan, position=3, said=Said("x"))
    assert [i.outcome for i in confirmed(plan)] == ["imported", "left_out"]
    assert str(Episode.objects.get()) == "Popeye S01E05: The Cat"


def test_a_series_for_all_wins_over_names_and_notes(make: Make, root: Path) -> None:
    make("Popeye/Popeye S01E01.mkv")
    (root / "Popeye" / "tvshow.nfo").write_text("<tvshow><title>Betty</title></tvshow>")
    _, items = of_folder("0", series="Mickey")
    assert items[0].name["series"] == "Mickey"


def test_parts_that_are_offered_differ(make: Make, root: Path) -> None:
    series = SeriesFactory(title="Popeye", slug="popeye")
    EpisodeFactory(series=series, identity="S01E01", season=1, number=1)
    EpisodeFactory(series=series, identity="S01E01.P4", season=1, number=1, part=4)
    make("Popeye/S01E01.mkv")
    make("Popeye/S01E01 b.mkv")
    plan, items = of_folder("0/Popeye")
    assert sorted(i.part or 0 for i in items) == [5, 6]
    confirmed(plan, f1="part", f2="part")
    assert set(Episode.objects.values_list("identity", flat=True)) == {
        "S01E01",
        "S01E01.P4",
        "S01E01.P5",
        "S01E01.P6",
    }


def test_choices_are_held_to(make: Make, root: Path) -> None:
    make("Popeye/S01E01.mkv")
    plan, _ = of_folder("0/Popeye")
    for choices in ({1: "replace"}, {2: "add"}, {1: "x" * 500}):
        with pytest.raises(ChoiceInvalid):
            plan_confirm(plan=plan, digest=plan.digest, choices=choices, actor=editor())
    with pytest.raises(NothingToImport):
        plan_confirm(plan=plan, digest=plan.digest, choices={1: "skip"}, actor=editor())
    confirmed(plan)
    with pytest.raises(PlanNotReady):
        plan_confirm(plan=plan, digest=plan.digest, choices={}, actor=editor())


def test_a_list_of_files_of_a_folder(make: Make, root: Path, tmp_path: Path) -> None:
    make("films/a.mkv")
    (tmp_path / "outside.mkv").write_bytes(b"VIDEO outside")
    lines = ["a.mkv;Popeye;5", "../outside.mkv;Popeye;6", f"{tmp_path}/outside.mkv;Popeye;7", "none.mkv;Popeye;8"]
    data = "path;series;number\r\n" + "\r\n".join([*lines, "a.mkv;Popeye;x"])
    plan = plan_of_list(owner=editor(), data=data.encode("utf-16"), called="C:\\lists\\my.csv", address="0/films")
    items = looked(plan)
    assert plan.title == "my.csv"
    assert [(i.finding, i.finding_code, i.line) for i in items] == [
        ("new", "", 2),
        ("refused", "folder_forbidden", 3),
        ("refused", "folder_forbidden", 4),
        ("refused", "folder_forbidden", 5),
        ("refused", "list_invalid", 6),
    ]
    assert confirmed(plan)[0].outcome == "imported"
    assert Episode.objects.get().identity == "E005"


def test_a_list_of_files_that_were_sent() -> None:
    upload = sent(editor(), "a.mkv")
    data = "path,series,number,title\na.mkv,Popeye,5,Käse\nb.mkv,Popeye,6,\n".encode("cp1252")
    plan = plan_of_list(owner=editor(), data=data, called="", tokens=[upload.token])
    items = looked(plan)
    assert [i.finding for i in items] == ["new", "refused"]
    assert items[0].name["title"] == "Käse"
    assert plan.notes[0]["kind"] == "warning"


@pytest.mark.parametrize("data", [b"", b"name\nx\n", b"path\n", b"path,colour\na,b\n", b"path\n" + b"x" * 5_000_000])
def test_a_list_that_is_none_is_refused_at_once(data: bytes) -> None:
    with pytest.raises((ListInvalid, NothingToImport)):
        plan_of_list(owner=editor(), data=data, called="a.csv")
    assert ImportPlan.objects.count() == 0


def test_a_preview_that_fails_says_why(make: Make, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of_folder(owner=editor(), address="0")
    assert plan_look(plan.pk)
    plan.refresh_from_db()
    assert (plan.status, plan.error_code) == (PlanStatus.FAILED, "nothing_to_import")
    monkeypatch.setattr(looking, "MOST_FILES", 2)
    for n in range(3):
        make(f"Popeye/S01E0{n}.mkv")
    plan = plan_of_folder(owner=editor(), address="0")
    assert plan_look(plan.pk)
    plan.refresh_from_db()
    assert plan.error_code == "import_too_large"


def test_a_worker_that_is_killed_while_looking_is_followed_three_times(make: Make, root: Path) -> None:
    make("Popeye/S01E01.mkv")
    plan = plan_of_folder(owner=editor(), address="0")
    for _ in range(3):
        assert lease_take(ImportPlan.objects.filter(status="looking"), plan.pk)
        ImportPlan.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert plan_look(plan.pk)
    plan.refresh_from_db()
    assert (plan.status, plan.error_code) == (PlanStatus.FAILED, "check_failed")


@pytest.mark.django_db(transaction=True)
def test_a_preview_can_be_dropped_also_while_it_is_made(make: Make, root: Path, fake_probe: FakeProbe) -> None:
    make("Popeye/S01E01.mkv")
    make("Popeye/S01E02.mkv")
    plan = plan_of_folder(owner=editor(), address="0")
    fake_probe.then = lambda path: plan_discard(ImportPlan.objects.get(pk=plan.pk)) if len(fake_probe.seen) == 1 else 0
    assert not plan_look(plan.pk)
    assert ImportPlan.objects.count() == 0
    plan, _ = of_folder()
    plan_confirm(plan=plan, digest=plan.digest, choices={}, actor=editor())
    with pytest.raises(PlanNotReady):
        plan_discard(plan)
    ImportPlan.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert plans_forget() == 0
    plan_carry_out(plan.pk, lambda *_: None)
    assert plans_forget() == 3  # the plan and its files


HOSTILE = ["1", "-1", "x", "0/..", "0/../in", "0/a/../../b", "0/link", "0/none", "0/\0", "00000000", "0/" + "x" * 5000]


@pytest.mark.parametrize("address", HOSTILE)
def test_nothing_outside_the_roots_is_named(address: str, root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (root / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(FolderForbidden):
        places.resolve(address)


def test_folders_to_choose_from(make: Make, root: Path, settings: Any, tmp_path: Path) -> None:
    make("b/10.mkv")
    make("b/9.mkv")
    make("b/c/x.mkv")
    (root / "b" / "link").symlink_to(tmp_path)
    (root / "b" / "a\nb").mkdir()
    (root / "b" / ".hidden").mkdir()
    found = places.listing("0/b")
    assert ([f.address for f in found.folders], found.videos, found.left_out) == (["0/b/c"], ["9.mkv", "10.mkv"], 2)
    assert (found.above, places.listing("0").above) == ("0", None)
    assert places.address_of(root / "b" / "c") == "0/b/c"
    assert places.address_of(tmp_path) is None
    settings.TOONEMO_IMPORT_ROOTS = ["", "/nowhere", str(root), str(root)]
    settings.TOONEMO_WATCH_DIR = str(root)
    assert places.roots() == [root]
    shutil.rmtree(root)
    assert places.roots() == []
