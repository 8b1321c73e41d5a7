"""The benchmark's figures, on few and small pictures."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ml import bench
from ml.bench import cli
from ml.bench.clock import Clock
from ml.bench.contenders import STAGES, TorchvisionDefault
from ml.bundle import DEFAULT_BUNDLE
from ml.detect.base import Face, Frame
from ml.runtime import load_models


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args(arguments)


def test_it_measures_each_stage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "speed.json"
    assert (
        bench.run(parsed("--drawings", "2", "--size", "320x180", "--threads", "1", "--rounds", "2", "--json", str(out)))
        == 0
    )
    figures = json.loads(out.read_text())
    assert figures["drawings"] == 2
    assert figures["drawings_per_second"] > 0
    assert figures["ratio_vs_torchvision"] > 0
    assert figures["ratio_same_weights"] > 0
    ours, theirs = (figures["ms_per_drawing"][name] for name in ("ours", "torchvision"))
    assert set(ours) == set(theirs) == {*STAGES, "all"}
    assert figures["drawings_per_second"] == pytest.approx(1e3 / ours["all"]["wall"], rel=0.01)
    assert "ratio_vs_torchvision" in capsys.readouterr().out


def test_both_draw_and_read_the_same_faces() -> None:
    models = load_models(DEFAULT_BUNDLE, "cpu")
    frames = cli.pictures(3, 320, 240)
    found = models.detector.detect(frames)
    other = TorchvisionDefault(found, 2)
    read: list[int] = []
    other.classifier.register_forward_hook(lambda m, i, o: read.append(len(o)))
    drawn: list[tuple[int, ...]] = []
    other.detector.register_forward_hook(lambda m, i, o: drawn.extend(tuple(one["masks"].shape) for one in o))
    other.run(frames)
    assert sum(len(faces) for faces in found) > 0
    assert sum(read) == sum(len(faces) for faces in found)
    assert drawn == [(len(faces), 1, 240, 320) for faces in found]


def test_an_inner_stage_does_not_count_for_the_outer_one() -> None:
    class Work:
        def outer(self) -> None:
            time.sleep(0.02)
            self.inner()

        def inner(self) -> None:
            time.sleep(0.2)

    work, clock = Work(), Clock()
    clock.watch(work, "outer", "outer")
    clock.watch(work, "inner", "inner")
    work.outer()
    wall, cpu = clock.take()
    assert 0.02 <= wall["outer"] < 0.2 <= wall["inner"]
    assert cpu["inner"] < 0.2
    assert clock.take() == ({}, {})


def test_a_bundle_of_another_detector_is_measured_too() -> None:
    class Blank:
        def detect(self, frames: Sequence[Frame]) -> list[list[Face]]:
            return [[] for _ in frames]

    models = replace(load_models(DEFAULT_BUNDLE, "cpu"), detector=Blank(), classifier=None)
    figures = cli.measure(models, cli.pictures(2, 320, 180), rounds=1)
    assert "ratio_same_weights" not in figures
    assert figures["faces"] == 0


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(SystemExit):
        parsed("--size", "large")
    with pytest.raises(SystemExit):
        parsed("--rounds", "0")
