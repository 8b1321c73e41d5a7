"""Movement and words in single frames: what they change, what they leave, and which faces they take away."""

from __future__ import annotations

import numpy as np
import pytest

from ml.render import captions, motion
from ml.render.canvas import Canvas, ellipse


def two_faces() -> tuple[Canvas, np.ndarray]:
    canvas = Canvas(200, 120, background=(40.0, 80.0, 120.0))
    canvas.fill(ellipse(40, 30, 6, 6), (250.0, 220.0, 200.0), face=1)
    before = canvas.pixels.copy()
    canvas.fill(ellipse(120, 60, 40, 40), (250.0, 220.0, 200.0), face=2)
    return canvas, before


def test_a_smear_blurs_only_what_was_drawn_last() -> None:
    canvas, before = two_faces()
    sharp, ids = canvas.pixels.copy(), canvas.ids.copy()
    motion.smear(canvas, before, np.random.default_rng(0), 20.0)
    assert np.array_equal(canvas.ids, ids)
    assert np.array_equal(canvas.pixels[:100, :120], sharp[:100, :120])
    assert canvas.pixels[120, 240] == pytest.approx(sharp[120, 240], abs=2)  # the middle stays solid
    assert (canvas.pixels != sharp).any(axis=2).sum() > 500


def test_copies_lie_beside_the_sharp_drawing() -> None:
    canvas, before = two_faces()
    sharp, fresh = canvas.pixels.copy(), motion.drawn_since(canvas, before)
    motion.repeat(canvas, before, np.random.default_rng(0), 80.0)
    assert np.array_equal(canvas.pixels[fresh], sharp[fresh])
    assert (canvas.pixels != sharp).any(axis=2).sum() > 500


def test_a_whip_pan_takes_away_small_faces_and_leaves_large_ones() -> None:
    canvas, _ = two_faces()
    motion.whip(canvas, np.random.default_rng(0), 12.0)
    assert set(np.unique(canvas.ids)) == {0, 2}


def test_a_shift_depends_on_the_drawing_alone() -> None:
    pictures = []
    for _ in range(2):
        canvas, _ = two_faces()
        canvas.pixels, canvas.supersample = canvas.image(), 1
        motion.shaken(canvas, 0.005, 0.02)
        pictures.append(canvas.pixels)
    assert np.array_equal(pictures[0], pictures[1])


@pytest.mark.parametrize(
    "draw", [captions.subtitles, captions.credits, captions.title, captions.sign, captions.bubble, captions.logo]
)
def test_words_are_seen_and_hide_faces(draw) -> None:  # type: ignore[no-untyped-def]
    for seed in range(4):
        canvas = Canvas(320, 180, background=(90.0, 90.0, 90.0))
        canvas.ids[:] = 1
        draw(canvas, np.random.default_rng(seed))
        assert (canvas.pixels != 90).any()
        assert (canvas.ids == 0).any()
        assert set(np.unique(canvas.ids)) <= {0, 1}
