from __future__ import annotations

import numpy as np
import pytest

from analysis.ratings import Confusion, estimate
from analysis.ratings.interval import bounds, concentration, hold
from tests.analysis.ratings.made import episode, readings

ALIKE = [1.0] * 50 + [0.0] * 50


def test_more_frames_of_the_same_shots_do_not_narrow_the_interval() -> None:
    few = estimate(readings(ALIKE, per_shot=10)).bounds
    many = estimate(readings(np.repeat(ALIKE, 10).tolist(), per_shot=100, shown_ms=50)).bounds
    assert many == pytest.approx(few, abs=1e-9)


def test_one_shot_says_nothing_about_others() -> None:
    assert estimate(readings([1.0] * 10)).bounds.tolist() == [[0, 1], [0, 1]]


def test_many_short_shots_beside_one_long_are_worth_little() -> None:
    """Eight shots, and still all hangs on one: the interval is everything."""
    r = readings([1.0] * 8, per_shot=1)
    r.shown_ms[0] = 100_000
    assert estimate(r).bounds.tolist() == [[0, 1], [0, 1]]


def test_what_ten_shots_do_not_show_may_still_be_there() -> None:
    """Nothing of ten: by the rule of three about 0.3 at most. A plain bootstrap would say 0 to 0."""
    low, high = estimate(readings([0.0] * 100)).bounds[0]
    assert low == 0.0
    assert 0.1 < high < 0.4


def test_a_lower_end_under_two_points_reads_nothing() -> None:
    found = np.array([[0.019, 0.2], [0.021, 0.2], [0.3, 0.4]])
    assert hold(found, np.array([0.1, 0.1, 0.5])).tolist() == [[0.0, 0.2], [0.021, 0.2], [0.3, 0.5]]


def test_the_middle_95_percent_of_the_draws() -> None:
    drawn = np.linspace(0.1, 0.9, 801)[:, None]
    assert bounds(drawn, np.array([0.5])).tolist() == [pytest.approx([0.12, 0.88])]


@pytest.mark.parametrize("total", [5.0, 40.0])
def test_draws_are_worth_as_many_shots_as_the_distribution_has(total: float) -> None:
    drawn = np.random.default_rng(0).dirichlet(total * np.array([0.5, 0.3, 0.2]), size=20_000)
    assert concentration(drawn) == pytest.approx(total, rel=0.05)


def test_the_same_readings_have_the_same_interval_each_time() -> None:
    planted = episode(3)
    one, other = (estimate(planted.readings, planted.confusion) for _ in range(2))
    assert one.bounds.tolist() == other.bounds.tolist()
    assert one.worth == other.worth <= planted.shots


def test_a_matrix_known_from_few_shots_widens_the_interval() -> None:
    planted = episode(5, shots=60)
    sure = Confusion(planted.confusion.counts * 1000)
    unsure = Confusion(planted.confusion.counts, groups=30)
    widths = [np.diff(estimate(planted.readings, c).bounds).mean() for c in (sure, unsure)]
    assert widths[1] > 1.1 * widths[0]
