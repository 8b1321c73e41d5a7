"""``python -m ml labels`` as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ml.__main__ as cli
from ml.data.labels import read_labels
from tests.ml.data.sets import picture, region, via, written


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    regions = [region(Character="Tom", Emotion="joy"), region(Character="Jerry", Emotion="smug"), region({})]
    for episode in ("ep1", "ep2"):
        picture(tmp_path / "set" / episode / "a.png")
        picture(tmp_path / "set" / episode / "b.png")
        written(tmp_path / "set" / episode / "via.json", via(("a.png", regions), ("b.png", [region({})] * 11)))
    return tmp_path / "set"


def test_it_prints_a_table_and_the_first_problems(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["labels", str(folder), "--json", str(folder.parent / "figures.json")])

    out = capsys.readouterr().out.splitlines()
    assert status == 0
    assert out[:8] == [
        "format      via",
        "pictures    4, 2 of them without a face",
        "faces       4, 4 with outlines, 0 with masks",
        "characters  Tom 2, Jerry 2",
        "emotions    joy = happy 2, smug = (not mapped) 2",
        "groups      2",
        "splits      (not said) 4",
        "problems    24",
    ]
    assert len(out) == 8 + 20 + 1
    assert out[8].startswith(f"  {folder}/ep1/via.json:")
    assert out[-1] == "  and 4 more"
    figures = json.loads((folder.parent / "figures.json").read_text())
    assert figures["unmapped"] == ["smug"]
    assert figures["groups"] == {"ep1": 2, "ep2": 2}
    assert len(figures["problems"]) == 24


def test_strict_ends_at_the_first_problem(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["labels", str(folder), "--strict"]) == 2
    assert f"error [label_invalid]: {folder}/ep1/via.json:" in capsys.readouterr().err


@pytest.mark.parametrize("to", ["via", "coco"])
def test_it_converts(folder: Path, to: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "all.json"

    assert cli.main(["labels", str(folder), "--to", to, "--out", str(out)]) == 0
    assert f"written     {out}, pictures named from {folder}" in capsys.readouterr().out
    again = read_labels(out, strict=True)
    assert again.format == to
    assert [len(i.faces) for i in again.images] == [2, 0, 2, 0]
    assert [i.group for i in again.images] == ["ep1", "ep1", "ep2", "ep2"]
    assert cli.main(["labels", str(out), "--to", to, "--out", str(out)]) == 2, "never over what was read"


def test_it_says_what_is_wrong_with_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["labels", str(folder), "--to", "via"]) == 2
    assert "--to and --out belong together" in capsys.readouterr().err
    assert cli.main(["labels", str(folder / "nothing")]) == 2
    assert "[label_invalid]: There are no labels at" in capsys.readouterr().err
    assert cli.main(["labels", str(folder), "--pictures", str(folder / "nothing")]) == 2
