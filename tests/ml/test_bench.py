"""The benchmark's figures, on few and small pictures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from ml import bench


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args(arguments)


def test_it_measures_each_stage(tmp_path: Path) -> None:
    out = tmp_path / "speed.json"
    assert bench.run(parsed("--drawings", "2", "--size", "320x180", "--threads", "1", "--json", str(out))) == 0
    figures = json.loads(out.read_text())
    assert figures["drawings"] == 2
    assert figures["drawings_per_second"] > 0
    assert set(figures["stages"]) == {"detect_s", "classify_s"}
    assert figures["ratio_vs_torchvision"] > 0


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(SystemExit):
        parsed("--size", "large")
