"""Looks: each one is a whole of its own, keeps drawings readable, and those kept for tests never meet training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.render import recolour, surfaces, wear
from ml.render.canvas import Canvas, ellipse
from ml.render.cast import CAST
from ml.render.crowd import HELD_OUT_FAMILIES, TRAINING_FAMILIES
from ml.render.frameset import FrameSet
from ml.render.ink import Ink
from ml.render.looks import HELD_OUT_LOOKS, LOOKS, TRAINING_LOOKS, Dress, random_look

SIZE = (240, 134)


def scene(seed: int = 3) -> FrameSet:
    s = FrameSet(np.random.default_rng(seed), *SIZE)
    s.canvas.fill(ellipse(40, 40, 200, 60), (90.0, 160.0, 110.0))
    s.add("tom", CAST["tom"], 80.0, 70.0, 70.0, 1.0)
    return s


def developed(dress: Dress, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    s = scene(seed)
    dress.develop(s.canvas, np.random.default_rng(1))
    return dress.project(s.canvas.image(), np.random.default_rng(2)), s.canvas.ids


def test_the_looks_are_split_in_two() -> None:
    assert set(TRAINING_LOOKS) | set(HELD_OUT_LOOKS) == set(LOOKS)
    assert not set(TRAINING_LOOKS) & set(HELD_OUT_LOOKS)
    assert len(HELD_OUT_LOOKS) >= 4
    assert len(LOOKS) >= 14


@pytest.mark.parametrize(("split", "names"), [("training", TRAINING_LOOKS), ("held_out", HELD_OUT_LOOKS)])
def test_a_split_draws_all_its_looks_and_no_other(split: str, names: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    drawn = {random_look(rng, split).name for _ in range(400)}  # type: ignore[arg-type]
    assert drawn == set(names)


def test_what_only_tests_may_see_is_in_no_training_look() -> None:
    kept = {surfaces.newsprint, surfaces.watercolour, surfaces.chalkboard, surfaces.pixels, surfaces.glow}
    for name in TRAINING_LOOKS:
        look = LOOKS[name]
        assert not kept & set(look.surfaces)
        assert look.palette is not recolour.neon
        assert set(look.families) <= set(TRAINING_FAMILIES)
        assert not set(look.families) & set(HELD_OUT_FAMILIES)
        for seed in range(40):  # square blocks are kept too
            assert not look.dress(np.random.default_rng(seed)).style.nearest


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_repeats_keeps_the_size_and_changes_the_picture(name: str) -> None:
    plain = scene().canvas.image().astype(int)
    changes = []
    for seed in range(3):
        dress = LOOKS[name].dress(np.random.default_rng(seed))
        one, ids = developed(dress)
        two, _ = developed(LOOKS[name].dress(np.random.default_rng(seed)))
        assert one.shape == (SIZE[1], SIZE[0], 3)
        assert one.dtype == np.uint8
        assert np.array_equal(one, two)
        assert np.count_nonzero(ids) > 800
        changes.append(float(np.abs(one - plain).mean()) + float(dress.line.width != CAST["tom"].outline))
    assert max(changes) > 0.5


@pytest.mark.parametrize("name", LOOKS)
def test_a_face_can_still_be_told_from_one_flat_patch(name: str) -> None:
    spreads = []
    for seed in range(5):
        dress = LOOKS[name].dress(np.random.default_rng(seed))
        picture, ids = developed(dress)
        shown = (ids > 0) & ~(False if (dark := dress.hidden(SIZE[1], SIZE[0])) is None else dark)
        spreads.append(float(picture[shown].mean(axis=1).std()))
    assert np.median(spreads) > 8


def test_lines_follow_the_look() -> None:
    tom = CAST["tom"]
    rng = np.random.default_rng(0)
    assert LOOKS["soft_3d"].dress(rng).design(tom).outline == 0.0
    assert LOOKS["soft_3d"].dress(rng).ink(Ink()).width == 0.0
    television = LOOKS["television"].dress(rng)
    assert television.design(tom).outline >= 0.04
    assert television.design(tom).fill == "flat"
    assert television.ink(Ink(width=0.0)).width == television.line.width
    assert television.design(tom).skin == tom.skin


def test_masks_bend_with_the_drawing() -> None:
    dress = LOOKS["few_inks"].dress(np.random.default_rng(1))
    dress = replace(dress, table=None, surface=None, weave=0.03, line=replace(dress.line, wobble=0.01))
    canvas = Canvas(200, 100, background=(0.0, 0.0, 0.0))
    canvas.fill(ellipse(90, 50, 40, 25), (255.0, 255.0, 255.0), face=1)
    before = canvas.ids.copy()
    dress.develop(canvas, np.random.default_rng(0))
    white = canvas.image()[..., 0] > 127
    assert np.count_nonzero(white ^ (canvas.ids == 1)) < 0.05 * np.count_nonzero(white)
    assert np.count_nonzero(before != canvas.ids) > 20


def test_what_stands_before_the_light_is_darkened_alone() -> None:
    dress = replace(LOOKS["dark"].dress(np.random.default_rng(0)), dim=0.3)
    canvas = Canvas(60, 40, background=(200.0, 200.0, 200.0))
    ground = canvas.pixels.copy()
    canvas.fill(ellipse(30, 20, 8, 8), (150.0, 100.0, 90.0), face=1)
    dress.before_the_light(canvas, ground)
    picture = canvas.image()
    assert tuple(picture[20, 30]) == (45, 30, 27)
    assert picture[2, 2].min() > 200


@pytest.mark.parametrize("palette", [recolour.limited, recolour.neon])
def test_a_limited_palette_has_few_colours_from_dark_to_light(palette) -> None:  # type: ignore[no-untyped-def]
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    for seed in range(10):
        table = palette(np.random.default_rng(seed))
        assert table.shape == (32768, 3)
        assert 4 <= len(np.unique(table, axis=0)) <= 8
        tones = recolour.recoloured(ramp, table)[0].astype(int).sum(axis=1)
        assert tones[0] < 180
        assert tones[-1] > 600


@pytest.mark.parametrize("worn", [wear.low_bitrate, wear.hard_jpeg, wear.combed, wear.tape])
def test_wear_repeats_and_leaves_the_picture_recognisable(worn) -> None:  # type: ignore[no-untyped-def]
    picture = scene().canvas.image()
    one = worn(picture, np.random.default_rng(5))
    assert np.array_equal(one, worn(picture, np.random.default_rng(5)))
    assert one.shape == picture.shape
    assert not np.array_equal(one, picture)
    assert np.corrcoef(one.mean(axis=2).ravel(), picture.mean(axis=2).ravel())[0, 1] > 0.7
