"""``python -m ml labels`` as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ml.__main__ as cli
from ml.data.labels import read_labels
from tests.ml.data.sets import coco, picture, region, via, written


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


def test_a_name_does_not_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture(tmp_path / "a.png")
    written(tmp_path / "via.json", via(("a.png", [region(Character="To\x1b[2Jm\r", Emotion="joy")])))

    assert cli.main(["labels", str(tmp_path / "via.json")]) == 0

    out = capsys.readouterr().out
    assert all(line.isprintable() for line in out.splitlines())
    assert "\\x1b[2J" in out


def test_strict_ends_at_the_first_problem(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["labels", str(folder), "--strict"]) == 2
    assert f"error [label_invalid]: {folder}/ep1/via.json:" in capsys.readouterr().err


def all_bad(root: Path) -> dict[str, tuple[Path, str]]:
    """Sets of which nothing can be used, with what is said of each."""
    for name in ("faces", "coco", "yolo/images", "voc", "labelme"):
        picture(root / name / "a.png")
    bad: list[dict[str, Any]] = [{"bbox": [1, 1, 0, 0]}, {"bbox": [1, 1, 5, 5], "category_id": 9}]
    xml = "<annotation><filename>a.png</filename><object><name>Tom</name></object></annotation>"
    shapes = {"shapes": [{"label": "Tom", "points": [[1, 1]]}], "imagePath": "a.png", "version": "5"}
    written(root / "yolo" / "labels" / "a.txt", "0 0.5 0.5 0 0\n0.5 0.5 0.5 0.5 0.5\n")
    return {
        "regions": (written(root / "faces" / "via.json", via(("a.png", [region({})] * 2))), "2 had to be refused"),
        "pictures": (written(root / "via.json", via(("gone.png", [region()]))), "not one picture could be read"),
        "empty": (written(root / "coco.json", {"images": [], "annotations": []}), "it lists no picture"),
        "coco": (written(root / "coco" / "c.json", coco(bad)), "2 had to be refused"),
        "ids": (written(root / "coco" / "i.json", coco([{**bad[1], "image_id": 8}])), "1 had to be refused"),
        "yolo": (root / "yolo", "2 had to be refused"),
        "voc": (written(root / "voc" / "a.xml", xml), "1 had to be refused"),
        "labelme": (written(root / "labelme" / "a.json", shapes), "1 had to be refused"),
    }


@pytest.mark.parametrize("which", ["regions", "pictures", "empty", "coco", "ids", "yolo", "voc", "labelme"])
def test_labels_that_are_all_bad_are_the_inputs_fault(
    which: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, what = all_bad(tmp_path / "bad")[which]
    figures, out = tmp_path / "figures.json", tmp_path / "out.json"

    status = cli.main(["labels", str(path), "--json", str(figures), "--to", "via", "--out", str(out)])

    said = capsys.readouterr()
    assert status == 2
    assert said.err.startswith(f"error [label_invalid]: Nothing in {path} can be used: ")
    assert said.err.endswith(f"{what}.\n")
    assert said.err.count("\n") == 1
    assert "problems " in said.out, "what is wrong is listed all the same"
    assert json.loads(figures.read_text())["faces"] == 0
    assert not out.exists()


def test_pictures_without_a_face_are_no_fault(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nobody: list[tuple[str, list[Any]]] = [("a.png", []), ("b.png", [])]
    for name, entries in (("nobody", nobody), ("missing", [*nobody, ("gone.png", [])])):
        path = written(folder / "ep1" / f"{name}.json", via(*entries))
        assert cli.main(["labels", str(path)]) == 0
        assert "pictures    2, 2 of them without a face" in capsys.readouterr().out


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
