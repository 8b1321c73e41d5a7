"""Outlines of masks cover what the masks cover."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis.outlines import MaskInvalid, Ring, outline_of, runs_of
from ml.masks import encode_mask

HEIGHT, WIDTH = 90, 160


def disc(x: float, y: float, radius: float, hole: float = 0.0) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    away = (columns - x) ** 2 + (rows - y) ** 2
    return np.asarray((away <= radius**2) & (away > hole**2 if hole else away >= 0))


def outlined(mask: NDArray[np.bool_]) -> tuple[Ring, ...]:
    encoded = encode_mask(mask)
    return outline_of(encoded.size, encoded.counts)


def filled(rings: tuple[Ring, ...]) -> NDArray[np.bool_]:
    """By the even-odd rule, at the middle of each pixel."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    inside = np.zeros((HEIGHT, WIDTH), bool)
    for ring in rings:
        for (ax, ay), (bx, by) in zip(ring, (*ring[1:], ring[0]), strict=True):
            if ay != by:
                crosses = ((ay <= rows) != (by <= rows)) & (columns < ax + (rows - ay) * (bx - ax) / (by - ay))
                inside ^= crosses
    return inside


def alike(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


@given(st.floats(0, WIDTH), st.floats(0, HEIGHT), st.floats(6, 70))
def test_a_disc_keeps_its_place_and_size_also_where_the_picture_cuts_it(x: float, y: float, radius: float) -> None:
    mask = disc(x, y, radius)
    if mask.sum() > 100:
        assert alike(filled(outlined(mask)), mask) > 0.85


def test_a_hole_stays_a_hole_and_two_pieces_stay_two() -> None:
    ring = disc(80, 45, 30, hole=12)
    assert len(outlined(ring)) == 2
    assert not filled(outlined(ring))[45, 80]
    two = disc(40, 45, 15) | disc(120, 45, 15)
    assert len(outlined(two)) == 2
    assert alike(filled(outlined(two)), two) > 0.9


def test_few_points_are_enough_and_crumbs_are_left_out() -> None:
    mask = disc(80, 45, 30)
    mask[2, 2] = True
    (ring,) = outlined(mask)
    assert 8 <= len(ring) <= 60


def test_pixels_that_touch_at_a_corner_stay_apart() -> None:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[10, 10] = mask[11, 11] = True
    assert len(outlined(mask)) == 2


def test_nothing_has_no_outline() -> None:
    assert outlined(np.zeros((HEIGHT, WIDTH), bool)) == ()
    assert outlined(np.ones((HEIGHT, WIDTH), bool)) != ()


@given(st.lists(st.integers(0, HEIGHT * WIDTH), max_size=12))
def test_run_lengths_are_those_that_were_written(edges: list[int]) -> None:
    cuts = [0, *sorted(edges), HEIGHT * WIDTH]
    flat = np.zeros(HEIGHT * WIDTH, bool)
    for i, (start, stop) in enumerate(pairwise(cuts)):
        flat[start:stop] = i % 2
    mask = flat.reshape(WIDTH, HEIGHT).T
    runs = runs_of(encode_mask(mask).counts)
    assert sum(runs) == HEIGHT * WIDTH
    again = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(WIDTH, HEIGHT).T
    assert (again == mask).all()


@pytest.mark.parametrize("counts", ["abc", "~", "é", "0", "o" * 40, "`o0"])
def test_what_is_no_mask_is_refused(counts: str) -> None:
    with pytest.raises(MaskInvalid):
        outline_of((HEIGHT, WIDTH), counts)


@pytest.mark.parametrize("size", [(0, 5), (-1, -1), (10**9, 10**9)])
def test_an_impossible_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(MaskInvalid):
        outline_of(size, "0")
