"""The stream of training frames: picture n of a seed is one picture, whoever draws it."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice

import numpy as np
import pytest

from ml.render.frameset import UNKNOWN
from ml.render.sample import sample_frame
from ml.render.stream import frame, frames


def size_of(n: int) -> tuple[int, int]:
    return (192, 108) if n % 2 else (160, 120)


def test_two_workers_draw_what_one_draws() -> None:
    alone = list(islice(frames(5, "training", size_of), 6))
    shared = [list(islice(frames(5, "training", size_of, start=k, step=2), 3)) for k in range(2)]
    for n, sample in enumerate(alone):
        other = shared[n % 2][n // 2]
        assert np.array_equal(sample.rgb, other.rgb)
        assert [f.box for f in sample.faces] == [f.box for f in other.faces]
        assert sample.rgb.shape == (*size_of(n)[::-1], 3)
    assert np.array_equal(frame(5, 4, "training", size_of(4)).rgb, alone[4].rgb)


def test_a_stream_starts_anywhere() -> None:
    first = next(frames(5, "held_out", size_of, start=7))
    assert np.array_equal(first.rgb, frame(5, 7, "held_out", size_of(7)).rgb)
    assert not np.array_equal(first.rgb, frame(5, 7, "training", size_of(7)).rgb)


def test_held_out_frames_show_strangers_only() -> None:
    seen = [f.character for s in islice(frames(2, "held_out", lambda n: (160, 90)), 20) for f in s.faces]
    assert len(seen) > 10
    assert set(seen) == {UNKNOWN}


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ValueError, match="no split"):
        sample_frame(np.random.default_rng(0), (96, 64), "trainin")  # type: ignore[arg-type]


def test_drawing_needs_no_torch() -> None:
    code = "import sys, ml.render.stream; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_training_frames_hold_crowds_close_ups_and_nobody() -> None:
    samples = list(islice(frames(3, "training", lambda n: (160, 90)), 70))
    counts = [len(s.faces) for s in samples]
    tall = [(f.box[3] - f.box[1]) / 90 for s in samples for f in s.faces]
    assert max(counts) >= 6
    assert max(tall) > 0.75
    assert min(tall) < 0.12
    assert 0.05 < np.mean([c == 0 for c in counts]) < 0.3
