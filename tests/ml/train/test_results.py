"""The table of finished runs: figures by hand, intervals by episode, the difference of two runs on the same faces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.evaluate import metrics
from ml.train.results import differences, finished_runs, lines, main

LABELS = ["happy", "sad"]
TRUTH = np.array([0, 0, 0, 1] * 3)
FACTS: dict[str, Any] = {"recipe": "r", "scale": "small", "steps": 7, "seconds": 12.4}


def classifier(folder: Path, wrong: tuple[int, ...] = (), groups: int = 3) -> None:
    folder.mkdir(parents=True)
    said = TRUTH.copy()
    said[list(wrong)] = 1 - said[list(wrong)]
    table = metrics.confusion(TRUTH, said, 2, 0)
    test = {**metrics.figures(table, LABELS, LABELS), "baselines": metrics.baselines(table, range(2))}
    (folder / "run.json").write_text(json.dumps({**FACTS, "part": "classifier"}))
    (folder / "evaluation.json").write_text(json.dumps({"test": test}))
    np.savez(
        folder / "predictions.npz",
        logits=np.eye(2)[said],
        truth=TRUTH,
        labels=np.array(LABELS),
        groups=np.array([f"episode {i * groups // len(TRUTH)}" for i in range(len(TRUTH))]),
        keys=np.array([f"{i}" for i in range(len(TRUTH))]),
    )


def test_a_row_has_the_figures_of_the_test_faces_and_their_intervals(tmp_path: Path) -> None:
    classifier(tmp_path / "run", wrong=(0, 1, 2))
    (row,) = [line for line in lines(finished_runs([tmp_path / "run"])) if "| r |" in line]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:4] == ["r", "small", "12 of 3 groups", "0.750 [0.250, 1.000]"]
    assert cells[4].startswith("0.733 [")  # F1: happy 2 * 6 / 15, sad 2 * 3 / 9
    assert cells[5:] == ["0.875 / 0.750 / 0.767", "0.750", "0.750", "7", "12"]


def test_one_group_gives_no_interval(tmp_path: Path) -> None:
    classifier(tmp_path / "run", wrong=(0,), groups=1)
    (row,) = [line for line in lines(finished_runs([tmp_path])) if "| r |" in line]
    assert "0.917 |" in row
    assert "[" not in row


def test_two_runs_on_the_same_faces_are_compared_and_others_are_not(tmp_path: Path) -> None:
    classifier(tmp_path / "a" / "x")
    classifier(tmp_path / "a" / "y", wrong=(0, 1, 4, 5, 8, 9))
    (told,) = differences(finished_runs([tmp_path / "a"]))
    assert told == "- r: accuracy of x less that of y: 0.500 [0.500, 0.500]"
    assert told in list(lines(finished_runs([tmp_path / "a"])))
    classifier(tmp_path / "b" / "x")
    classifier(tmp_path / "b" / "y", groups=2)
    kept = dict(np.load(tmp_path / "b" / "y" / "predictions.npz"))
    np.savez(tmp_path / "b" / "y" / "predictions.npz", **{**kept, "keys": kept["keys"][::-1]})
    assert list(differences(finished_runs([tmp_path / "b"]))) == []


def test_a_detector_has_average_precision_and_no_emotions(tmp_path: Path) -> None:
    figure = {"value": 0.5, "low": 0.25, "high": 0.75}
    document = {
        "labels": {"pictures": 9, "groups": 4, "faces": 11},
        "detection": {"boxes": {"ap50": figure}, "masks": None},
    }
    (tmp_path / "run.json").write_text(json.dumps({**FACTS, "part": "detector"}))
    (tmp_path / "evaluation.json").write_text(json.dumps(document))
    text = list(lines(finished_runs([tmp_path])))
    assert text[-1] == "| r | small | 9 of 4 groups | 11 | 0.500 [0.250, 0.750] | - | - | 7 | 12 |"


def test_what_is_no_finished_run_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "no finished run" in capsys.readouterr().err
    classifier(tmp_path / "run")
    (tmp_path / "run" / "predictions.npz").write_bytes(b"not a zip")
    assert main([str(tmp_path)]) == 2
    assert "predictions.npz cannot be read" in capsys.readouterr().err
