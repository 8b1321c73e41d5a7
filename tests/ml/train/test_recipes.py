"""Recipes: every one is read, can be changed, and trains on pictures drawn here; the loss falls, the report appears."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ml.__main__ import main
from ml.bundle import read_bundle
from ml.data.records import Dataset, LabelledFace, LabelledImage
from ml.data.via_out import write_via
from ml.train.bundling import bundle_of_runs, read_run
from ml.train.distributed import World
from ml.train.experiment import Asked, run_recipe
from ml.train.history import read_history
from ml.train.recipes import (
    ClassifierPart,
    Recipe,
    changed,
    only,
    parse_change,
    read_recipe,
    recipe_names,
    recipe_of,
    reduced,
    to_toml,
    variants,
    varied,
)
from ml.train.settings import SettingsInvalid

SOURCES = ("Jain", "Hill", "Wang", "BITamin", "docs/models")
HEAVY = {"jain2021-vgg16": 32, "jain2021-inception_v3": 75}  # half a gigabyte; a hundred layers
LARGE = {"jain2021-resnet50": 32, "wang-zhang-resnet50": 32, "insideout2024": 32, "toonemo-resnet50": 32}
# What a recipe shrinks to beyond --scale small, so that all of them train in a minute.
TINY: dict[str, Any] = {
    "stages": [],
    "epochs": 8,
    "batch": 16,
    "report_every": 1,
    "augment": "none",
    "keep": "last",
    "warm_up": 0,
    "threads": 1,
    "valid_share": 0.2,
    "smoothing": 0.0,
    "rate": 1e-3,
    "optimiser": "adam",
    "schedule": "constant",
}
EMOTIONS = ("happy", "sad", "angry", "surprised")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six episodes of four pictures with a disc for a face: its colour says whose it is, its light what it shows."""
    folder = tmp_path_factory.mktemp("discs")
    rng = np.random.default_rng(1)
    images = []
    for number in range(24):
        episode, kind = number // 4, number % 8
        character, emotion = ("Tom", "Jerry")[kind % 2], EMOTIONS[number % 4]
        frame = np.full((72, 96, 3), 90, np.uint8)
        x, y, r = int(rng.integers(30, 66)), int(rng.integers(28, 44)), int(rng.integers(18, 26))
        light = 60 + 60 * EMOTIONS.index(emotion)
        cv2.circle(frame, (x, y), r, (light, 40, 20) if character == "Tom" else (20, 40, light), -1)
        path = folder / f"episode{episode}" / f"frame{number}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), frame)
        box = (float(x - r), float(y - r), float(x + r + 1), float(y + r + 1))
        corners = tuple((x + r * math.cos(a / 8 * math.pi), y + r * math.sin(a / 8 * math.pi)) for a in range(16))
        face = LabelledFace(box, character, emotion, (corners,))
        images.append(LabelledImage(path, 96, 72, (face,), group=f"episode{episode}"))
    write_via(Dataset("via", tuple(images)), folder / "via.json")
    return folder / "via.json"


def tiny(name: str, part: str, **changes: Any) -> Recipe:
    recipe = reduced(only(read_recipe(name), part))
    small = {**HEAVY, **LARGE}.get(name)
    more = {"size": small, "crop_size": small} if small else {}
    return replace(changed(recipe, {**TINY, **more, **changes} if part == "classifier" else changes), vary={}, runs=1)


def losses(folder: Path, name: str = "loss") -> list[float]:
    return [m.value for m in read_history(folder) if (m.split, m.name) == ("train", name)]


def names_with(part: str) -> list[Any]:
    heavy = HEAVY if part == "classifier" else ()
    marks = dict.fromkeys(heavy, pytest.mark.slow)
    names = [name for name in recipe_names() if part in read_recipe(name).parts]
    return [pytest.param(name, marks=marks.get(name, ())) for name in names]


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_names_its_source_and_says_everything(name: str) -> None:
    recipe = read_recipe(name)
    assert any(word in recipe.source for word in SOURCES)
    assert recipe.title
    again = recipe_of(tomllib.loads(to_toml(recipe)), name, "again")
    assert again == recipe
    assert reduced(recipe) != recipe


def test_the_published_settings_are_kept() -> None:
    jain = {name: read_recipe(f"jain2021-{name}").classifier for name in ("vgg16", "inception_v3", "resnet50")}
    for part in jain.values():
        assert part is not None
        assert (part.batch, part.segmentation, len(part.emotions) * len(part.characters)) == (32, True, 8)
        assert [stage.train for stage in part.all_stages()] == ["head", "last"]
        assert part.all_stages()[1].rate < 0.1 * part.all_stages()[0].rate
    assert [part.size for part in jain.values() if part] == [224, 299, 224]
    hill = read_recipe("hill2017")
    assert hill.classifier is not None
    assert (hill.classifier.size, hill.classifier.batch, hill.classifier.epochs, hill.runs) == (60, 32, 50, 5)
    runs = variants(hill)
    assert len(runs) == 25
    assert {v.classifier.all_stages()[0].rate for n, v in runs if v.classifier and "sgd" in n} == {0.01}
    assert {v.classifier.seed for _, v in runs if v.classifier} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("name", names_with("classifier"))
def test_a_classifier_recipe_learns_and_reports(name: str, labels: Path, tmp_path: Path) -> None:
    recipe = tiny(name, "classifier")
    (folder,) = run_recipe(recipe, Asked(tmp_path, labels, scale="small"), World(), lambda _: None)
    entropy = losses(folder, "emotion") or losses(folder)
    assert np.mean(entropy[-3:]) < np.mean(entropy[:2])
    assert all(v.isfinite().all() for v in load_file(folder / "weights.safetensors").values() if v.is_floating_point())
    document = json.loads((folder / "evaluation.json").read_text())
    assert document["test"]["faces"] == document["faces"]["test"] > 0
    page = (folder / "report.html").read_text()
    for word in ("Confusion", "Learning curves", "ROC", "one against rest"):
        assert word in page
    facts = json.loads((folder / "run.json").read_text())
    assert facts["scale"] == "small"
    assert (folder / "config.toml").read_text().startswith("# as used; small scale")


@pytest.mark.parametrize("name", names_with("detector"))
def test_a_detector_recipe_learns_and_reports(name: str, labels: Path, tmp_path: Path) -> None:
    side = {"short_side": 96, "long_side": 96, "channels": 16, "box_hidden": 16, "proposals": 20, "faces": 5}
    shape = {"blocks": [1, 1, 1, 1]} if "resnet" in read_recipe(name).detector.architecture else {"mask_layers": 1}  # type: ignore[union-attr]
    changes = {"network": {**side, **shape}, "height": 96, "width": 96, "characters": ["tom", "jerry"], "stages": []}
    more = {"augment": "none", "steps": 12, "report_every": 1, "batch": 4, "optimiser": "adam", "rate": 1e-3}
    recipe = tiny(name, "detector", **changes, **more, warm_up=0, threads=1, valid_share=0.2, schedule="constant")
    (folder,) = run_recipe(recipe, Asked(tmp_path, labels, scale="small"), World(), lambda _: None)
    assert np.mean(losses(folder)[-3:]) < 0.9 * np.mean(losses(folder)[:3])
    document = json.loads((folder / "evaluation.json").read_text())
    assert document["labels"]["pictures"] > 0
    assert "Learning curves" in (folder / "report.html").read_text()


def test_both_with_and_without_segmentation_use_the_same_pictures(labels: Path, tmp_path: Path) -> None:
    recipe = varied(tiny("hill2017", "classifier", steps=2, segmentation=True), "segmentation", [True, False])
    with_, without = run_recipe(recipe, Asked(tmp_path, labels), World(), lambda _: None)
    assert (with_.name, without.name) == ("segmentation-true", "segmentation-false")
    one, other = (np.load(folder / "predictions.npz") for folder in (with_, without))
    assert one["keys"].tolist() == other["keys"].tolist()
    assert not np.allclose(one["logits"], other["logits"])
    assert len(list((tmp_path / "data").glob("crops-test-*.npy"))) == 2


def test_a_finished_run_makes_a_bundle(labels: Path, tmp_path: Path) -> None:
    recipe = tiny("wang-zhang-cnn", "classifier", steps=2)
    (folder,) = run_recipe(recipe, Asked(tmp_path / "run", labels), World(), lambda _: None)
    bundle = bundle_of_runs([read_run(folder)], tmp_path / "bundle")
    assert read_bundle(tmp_path / "bundle").digest == bundle.digest
    assert bundle.classifier is not None
    assert bundle.classifier.architecture == "hill_cnn"
    assert bundle.preprocessing["crop"]["size"] == 48
    assert bundle.data["classifier"]["groups"]
    with pytest.raises(SettingsInvalid, match="no finished run"):
        read_run(tmp_path)


def test_whole_frames_make_no_bundle(labels: Path, tmp_path: Path) -> None:
    recipe = tiny("hill2017", "classifier", steps=1, segmentation=False, without="frame")
    (folder,) = run_recipe(recipe, Asked(tmp_path / "run", labels), World(), lambda _: None)
    with pytest.raises(SettingsInvalid, match="whole frames"):
        bundle_of_runs([read_run(folder)], tmp_path / "bundle")


def test_the_command_line_trains_once_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "hill2017", "--rendered", "12", "--out", str(tmp_path), "--scale", "small", "--set", "runs=1"]
    words += ["--set", "optimiser=sgd", "--set", "steps=2", "--set", "rendered_height=100"]
    assert main(words) == 0
    first = (tmp_path / "weights.safetensors").read_bytes()
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "goes on after step 2" in out
    assert "mean one-against-rest accuracy" in out
    assert (tmp_path / "weights.safetensors").read_bytes() == first
    assert main([*words, "--set", "batch=4"]) == 2
    assert "checkpoint_invalid" in capsys.readouterr().err
    (drawn,) = (tmp_path / "data").glob("drawn-*")  # another run learns from the same pictures
    words[2:4] = ["--labels", str(drawn)]
    words[words.index("--out") + 1] = str(tmp_path / "again")
    assert main(words) == 0
    assert (tmp_path / "again" / "weights.safetensors").read_bytes() == first


def test_a_random_split_is_made_by_name_only_and_says_that_it_flatters(
    labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "hill2017", "--labels", str(labels), "--scale", "small", "--set", "runs=1", "--set", "steps=1"]
    words += ["--set", "optimiser=sgd"]
    assert main([*words, "--out", str(tmp_path), "--split", "random_frames"]) == 0
    assert "every figure flatters" in capsys.readouterr().out
    assert "every figure flatters" in (tmp_path / "report.html").read_text()
    assert json.loads((tmp_path / "evaluation.json").read_text())["flattering"]
    assert main([*words, "--out", str(tmp_path / "given"), "--split", "given"]) == 2
    assert "split_impossible" in capsys.readouterr().err
    assert main([*words, "--rendered", "8", "--out", str(tmp_path / "both")]) == 2


def test_the_list_has_one_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == recipe_names()
    assert all(line.endswith(")") for line in lines)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"ratee": 1}, "ratee is not a setting"),
        ({"rate": "fast"}, "which is no float"),
        ({"optimiser": "magic"}, "it can be sgd"),
        ({"batch": 0}, "at least 1"),
        ({"stages.0.epochs": 3}, "no such setting"),
        ({"detector.rate": 1.0}, "not a setting of the recipe hill2017"),
        ({"stages": [{"train": "nothing"}]}, "it can be all"),
        ({"emotions": [1]}, "other than texts"),
        ({"valid_share": -0.1}, "cannot be negative"),
        ({"rate": math.nan}, "finite"),
        ({"rate": math.inf}, "finite"),
        ({"seed": 10**20}, "at most"),
        ({"workers": 500}, "64 at most"),
        ({"epochs": 0}, "at least 1"),
        ({"size": 3}, "at least 8"),
    ],
)
def test_settings_that_make_no_sense_are_named(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsInvalid, match=complaint):
        changed(read_recipe("hill2017"), changes)


def test_changes_reach_into_tables(tmp_path: Path) -> None:
    recipe = changed(read_recipe("jain2021-vgg16"), dict([parse_change("stages.1.rate=2e-6"), parse_change("seed=7")]))
    part = recipe.classifier
    assert isinstance(part, ClassifierPart)
    assert (part.all_stages()[1].rate, part.seed) == (2e-6, 7)
    assert parse_change("pretrained=auto") == ("pretrained", "auto")
    with pytest.raises(SettingsInvalid, match="KEY=VALUE"):
        parse_change("rate")
    path = tmp_path / "mine.toml"
    path.write_text(to_toml(recipe))
    assert read_recipe(str(path)).classifier == part
    path.write_text("[classifier]\nx = 1")
    with pytest.raises(SettingsInvalid, match="x is not a setting"):
        read_recipe(str(path))
    with pytest.raises(SettingsInvalid, match="no recipe 'nothing'"):
        read_recipe("nothing")
