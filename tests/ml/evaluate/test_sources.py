"""Where pictures come from: truth files of rendered episodes, and labels that somebody has not finished."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ml.__main__ import main
from ml.evaluate.episodes import TruthInvalid
from ml.evaluate.labels import is_ignored
from ml.evaluate.sources import NothingToMeasure, read


def test_drawings_of_an_episode_are_labels_grouped_by_shot(tmp_path: Path) -> None:
    face: dict[str, Any] = {
        "character": "tom",
        "box": [1, 1, 5, 5],
        "mask": {"size": [10, 10], "counts": "0"},
        "emotion": "sad",
    }
    drawings: list[dict[str, Any]] = [
        {"pts_ms": t, "shown_ms": 40, "faces": [{**face, "intensity": 1.0, "readable": t < 500}]} for t in (0, 400, 600)
    ]
    truth = {
        "format": 1,
        "video": {"width": 10, "height": 10},
        "shots": [{"start_ms": 0, "end_ms": 500, "kind": "story"}, {"start_ms": 500, "end_ms": 900, "kind": "story"}],
        "drawings": drawings,
        "profiles": {},
    }
    (tmp_path / "a.mp4").touch()
    file = tmp_path / "a.truth.json"
    file.write_text(json.dumps(truth))
    images = read(tmp_path).images
    assert [i.group for i in images] == ["a.mp4#1", "a.mp4#1", "a.mp4#2"]
    assert [i.pts_ms for i in images] == [0, 400, 600]
    assert [is_ignored(i.faces[0]) for i in images] == [False, False, True]
    assert images[0].faces[0].mask is not None
    del drawings[0]["faces"][0]["mask"]
    file.write_text(json.dumps(truth))
    with pytest.raises(TruthInvalid, match="mask"):
        read(file)


def test_frames_that_nobody_finished_are_left_out(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    entries = {}
    for name, done in (("a.png", "true"), ("b.png", "false")):
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
        entries[f"{name}-1"] = {"filename": name, "size": -1, "regions": [], "file_attributes": {"done": done}}
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps(entries))
    assert [i.path.name for i in read(labels).images] == ["a.png"]
    labels.write_text(json.dumps({"b.png-1": entries["b.png-1"]}))
    with pytest.raises(NothingToMeasure):
        read(labels)


@pytest.mark.parametrize("option", [("--rounds", "-5"), ("--every", "0"), ("--rounds", "many")])
def test_a_count_that_is_none_is_refused_before_anything_is_measured(
    option: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "--labels", str(tmp_path), *option])

    assert ended.value.code == 2
    assert "a number from 1" in capsys.readouterr().err
