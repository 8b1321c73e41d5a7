"""Stretches of time: their share, and a band that is as wide as the model is unsure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.over_time import FEWEST, MOST, Drawings, edges_of, stretches


def drawn(p: float, shots: list[int], shown_ms: int = 100) -> Drawings:
    n = len(shots)
    return Drawings(
        np.arange(n) * shown_ms + shown_ms // 2, np.full(n, shown_ms), np.array(shots), np.full(n, p, dtype=np.float64)
    )


def test_what_is_sure_has_no_band_and_what_is_not_read_no_share() -> None:
    first, second = stretches(drawn(1.0, [0] * 10), [0, 1_000, 2_000])
    assert (first.share, first.low, first.high, first.readable_ms) == (1.0, 1.0, 1.0, 1_000)
    assert (second.share, second.low, second.high, second.readable_ms) == (None, None, None, 0)


def test_more_drawings_of_a_shot_leave_as_much_doubt_and_more_shots_less() -> None:
    few, many = (stretches(drawn(0.8, [0] * n), [0, 100 * n])[0] for n in (5, 50))
    assert few.low is not None
    assert few.low == pytest.approx(many.low)
    several = stretches(drawn(0.8, list(range(50))), [0, 5_000])[0]
    assert several.low is not None
    assert several.low > few.low + 0.2


def test_a_single_wobbly_shot_may_be_either() -> None:
    (one,) = stretches(drawn(0.5, [3] * 4), [0, 400])
    assert (one.low, one.high) == (0.0, 1.0)


@given(st.integers(1, 20_000_000))
def test_stretches_fill_the_episode(duration_ms: int) -> None:
    edges = edges_of(duration_ms)
    assert (edges[0], edges[-1]) == (0, duration_ms)
    assert FEWEST <= len(edges) - 1 <= MOST
    assert edges == sorted(edges)
