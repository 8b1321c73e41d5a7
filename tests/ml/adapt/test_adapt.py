"""``adapt`` from labels to a bundle that runs, with small random networks; and everything that labels may lack."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from ml.__main__ import main
from ml.adapt.adapt import CannotAdapt, adapt
from ml.adapt.examples import TooFewLabels
from ml.adapt.work import AdaptSettings
from ml.bundle import Bundle, read_bundle
from ml.data.records import Dataset
from ml.data.split import SplitLeaks
from ml.evaluate.labelled import measured
from ml.evaluate.splits import group_digests, refuse_leaks, trained_groups
from ml.runtime import load_models
from tests.ml.adapt.made import base_bundle, changed, labels_file, show

QUICK = AdaptSettings("discs", minutes=2.0, steps=2)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "tiny"
    base_bundle(folder)
    return folder


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return show(tmp_path_factory.mktemp("discs"))


@pytest.fixture(autouse=True)
def _little_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rendered drawings, and little time to tune with."""
    for name, value in {"LEAST_PICTURES": 2, "LEAST_CROPS": 8, "PICTURES": 2, "CROPS": 8}.items():
        monkeypatch.setattr(f"ml.adapt.replay.{name}", value)
    monkeypatch.setattr("ml.adapt.adapt.PICTURES", 2)
    monkeypatch.setattr("ml.adapt.detector.SIZE", (64, 96))


def adapted(base: Path, dataset: Dataset, out: Path, **changes: Any) -> tuple[Bundle, list[str]]:
    lines: list[str] = []
    made = adapt(base, dataset, dataset.images, out, replace(QUICK, **changes), lines.append)
    return made, lines


def test_a_show_gets_a_bundle_that_runs_and_tells_what_it_gained(base: Path, discs: Dataset, tmp_path: Path) -> None:
    made, _ = adapted(base, discs, tmp_path / "new")
    gained = made.metrics["gained"]
    assert (made.name, made.version) == ("discs", "1")
    assert made.characters == {"blue": "Blue", "red": "Red"}
    assert gained["detector"]["steps"] == 2
    assert gained["detector"]["before"]["faces"] == gained["detector"]["after"]["faces"] > 0
    assert gained["emotions"]["faces"] == 12
    assert gained["gallery"]["judged"] == 12
    models = load_models(tmp_path / "new", "cpu")
    assert models.gallery is not None
    document = measured(models, discs, discs.images, lambda _: None, rounds=3)
    assert document["labels"]["faces"] == 12
    before, after = (load_file(folder / "detector.safetensors") for folder in (base, tmp_path / "new"))
    assert any(not torch.equal(before[name], after[name]) for name in before)
    card = (tmp_path / "new" / "CARD.md").read_text()
    assert "tiny-2 adapted to one show by 12 labelled faces in 13 pictures" in card
    assert "| emotion accuracy (12 faces, 4 shots, 2 emotions) |" in card
    assert "Labelled emotions: happy 6, sad 6" in card


def test_what_was_learnt_from_is_refused_as_a_test(base: Path, discs: Dataset, tmp_path: Path) -> None:
    made, _ = adapted(base, discs, tmp_path / "new", parts=("gallery",))
    with pytest.raises(SplitLeaks):
        refuse_leaks(discs.images, trained_groups(made.data))
    other = show(tmp_path / "other")
    elsewhere = [replace(i, group=f"another-{i.group}") for i in other.images]
    refuse_leaks(elsewhere, trained_groups(made.data))
    assert made.data["groups"] == group_digests(discs.images)
    with pytest.raises(SplitLeaks, match="start from the bundle that it was made from"):
        adapted(tmp_path / "new", discs, tmp_path / "again")


def test_a_part_alone_leaves_the_others_as_they_are(base: Path, discs: Dataset, tmp_path: Path) -> None:
    made, _ = adapted(base, discs, tmp_path / "new", parts=("emotions",))
    assert made.characters == {"tom": "Tom"}
    assert made.gallery is None
    before, after = (load_file(folder / "classifier.safetensors") for folder in (base, tmp_path / "new"))
    assert {name for name in before if not torch.equal(before[name], after[name])} == {"emotion.weight", "emotion.bias"}
    assert (base / "detector.safetensors").read_bytes() == (tmp_path / "new" / "detector.safetensors").read_bytes()
    assert "Faces are found as by the base: it was not asked for." in (tmp_path / "new" / "CARD.md").read_text()


@pytest.mark.parametrize(
    ("lacking", "sentence"),
    [
        ({"character": None}, "Names are told as by the base: no label names a character."),
        ({"character": "other"}, "Names are told as by the base: no label names a character."),
        ({"emotion": None}, "Emotions are read as by the base: 0 labelled faces show an emotion"),
        ({"emotion": "happy"}, "Emotions are read as by the base: all labelled faces show the same emotion."),
        ({"character": "Solo"}, "Names: of 12 faces"),
    ],
)
def test_labels_that_lack_something_adapt_the_rest(
    base: Path, discs: Dataset, tmp_path: Path, lacking: dict[str, Any], sentence: str
) -> None:
    made, _ = adapted(base, changed(discs, **lacking), tmp_path / "new", parts=("gallery", "emotions"))
    load_models(tmp_path / "new", "cpu")
    assert sentence in (tmp_path / "new" / "CARD.md").read_text()
    assert made.data["faces"] == 12


def test_boxes_of_one_shot_make_a_bundle_and_the_card_says_what_is_not_known(base: Path, tmp_path: Path) -> None:
    dataset = show(tmp_path / "pictures", shots=1, each=12, empty=0, polygons=False)
    adapted(base, dataset, tmp_path / "new")
    load_models(tmp_path / "new", "cpu")
    card = (tmp_path / "new" / "CARD.md").read_text()
    assert "What the detector gained was not measured: the labels are of fewer than three shots" in card
    assert "How well names are told was not measured" in card
    assert "What the emotions gained was not measured: all labelled faces are of one shot." in card
    assert "on shots that were not learnt from |" not in card


def test_the_time_is_kept_even_where_it_is_far_too_short(base: Path, discs: Dataset, tmp_path: Path) -> None:
    begun = time.monotonic()
    made, lines = adapted(base, discs, tmp_path / "new", minutes=0.05, steps=10**6)
    assert time.monotonic() - begun < 30
    assert "the detector stays as it is: the time was spent before" in lines
    assert "Faces are found as by the base: the time was spent before." in (tmp_path / "new" / "CARD.md").read_text()
    load_models(made.path or "", "cpu")


def test_too_few_faces_and_bundles_of_another_kind_are_refused(base: Path, discs: Dataset, tmp_path: Path) -> None:
    few = replace(discs, images=discs.images[:4])
    with pytest.raises(TooFewLabels, match="5 faces"):
        adapted(base, few, tmp_path / "new")
    base_bundle(tmp_path / "named", ("tom",))
    with pytest.raises(CannotAdapt, match="tiny-2 has a detector of its own characters"):
        adapted(tmp_path / "named", discs, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def called(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = main(["adapt", *arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_the_command_writes_the_bundle_and_shows_its_card(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.set_num_threads", lambda _: None)
    labels = labels_file(show(tmp_path / "pictures"), tmp_path)
    out = tmp_path / "my-show"
    plain = ["--labels", str(labels), "--bundle", str(base), "--out", str(out), "--only", "gallery,emotions"]
    status, said, err = called(plain, capsys)
    assert (status, err) == (0, "")
    assert "# my_show-1" in said
    assert f"--bundle {out}" in said
    assert read_bundle(out).name == "my_show"
    status, _, err = called(plain, capsys)
    assert status == 2
    assert "[output_unwritable]" in err


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--only", "ears"], "settings_invalid"),
        (["--minutes", "0"], "settings_invalid"),
        (["--minutes", "nan"], "settings_invalid"),
        (["--pictures", "0"], "settings_invalid"),
        (["--name", "a/b"], "settings_invalid"),
        (["--labels", "nothing.json"], "label_invalid"),
        (["--out", "nowhere/at/all"], "output_unwritable"),
        (["--bundle", "nothing-9"], "bundle_missing"),
    ],
)
def test_what_is_asked_wrongly_is_said_before_the_work(
    base: Path, discs: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: str
) -> None:
    labels = labels_file(discs, discs.images[0].path.parent)
    plain = ["--labels", str(labels), "--bundle", str(base), "--out", str(tmp_path / "new")]
    status, _, err = called([*plain, *options], capsys)
    assert status == 2
    assert f"[{code}]" in err
    assert not (tmp_path / "new").exists()
