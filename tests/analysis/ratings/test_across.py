"""Over many planted episodes: the mean lies in its interval, further ones in the usual range, exceptions are found."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.ratings.across import EpisodeShare, Piece, arc, pool, t_of


def planted(
    rng: np.random.Generator, count: int, mean: float, strength: float, exception: float | None = None
) -> tuple[list[EpisodeShare], list[float]]:
    """Episodes whose true shares lie around ``mean`` as a beta distribution; and those shares."""
    truth = list(rng.beta(mean * strength, (1 - mean) * strength, size=count))
    if exception is not None:
        truth[0] = exception
    found = []
    for i, true in enumerate(truth):
        worth = float(rng.uniform(12, 60))
        share = float(rng.beta(true * worth + 1e-6, (1 - true) * worth + 1e-6))
        half = 1.96 * (max(share * (1 - share), 0.01) / worth) ** 0.5
        found.append(EpisodeShare(i, share, max(0.0, share - half), min(1.0, share + half), worth))
    return found, truth


@pytest.mark.parametrize(("count", "mean", "strength"), [(5, 0.4, 12), (12, 0.4, 12), (12, 0.1, 30), (30, 0.6, 8)])
def test_the_planted_mean_lies_in_its_interval(count: int, mean: float, strength: float) -> None:
    rng = np.random.default_rng(count)
    held = further = 0
    rounds = 400
    for _ in range(rounds):
        episodes, _ = planted(rng, count, mean, strength)
        across = pool(episodes)
        assert across.low is not None
        assert across.high is not None
        assert across.usual_low is not None
        assert across.usual_high is not None
        held += across.low <= mean <= across.high
        further += across.usual_low <= rng.beta(mean * strength, (1 - mean) * strength) <= across.usual_high
    assert held / rounds >= 0.90
    assert further / rounds >= 0.88


def test_the_spread_between_episodes_is_what_was_planted() -> None:
    rng = np.random.default_rng(1)
    alike = [pool(planted(rng, 40, 0.4, 1e6)[0]).spread for _ in range(40)]
    unlike = [pool(planted(rng, 40, 0.4, 9)[0]).spread for _ in range(40)]
    assert np.mean(alike) < 0.03
    assert np.mean(unlike) == pytest.approx((0.4 * 0.6 / 10) ** 0.5, abs=0.03)


def test_a_planted_exception_is_found_and_hardly_any_other() -> None:
    rng = np.random.default_rng(2)
    found = false = 0
    for _ in range(200):
        across = pool(planted(rng, 14, 0.2, 40, exception=0.75)[0])
        found += 0 in across.exceptions
        false += len(pool(planted(rng, 14, 0.2, 40)[0]).exceptions)
    assert found / 200 >= 0.95
    assert false / (200 * 14) <= 0.05


def test_few_episodes_carry_no_interval() -> None:
    two, _ = planted(np.random.default_rng(3), 2, 0.5, 10)
    across = pool(two)
    assert (across.low, across.usual_high, across.exceptions) == (None, None, ())
    one = pool(two[:1])
    assert one.share == two[0].share
    with pytest.raises(ValueError, match="no episode"):
        pool([])


def test_equal_shares_of_nothing_are_known_as_far_as_shots_tell() -> None:
    across = pool([EpisodeShare(i, 0.0, 0.0, 0.05, 20.0) for i in range(6)])
    assert (across.share, across.spread, across.unlike) == (0.0, 0.0, 0.0)
    assert across.high is not None
    assert across.high < 0.01


def test_order_of_episodes_changes_nothing() -> None:
    episodes, _ = planted(np.random.default_rng(4), 9, 0.3, 10)
    a, b = pool(episodes), pool(episodes[::-1])
    assert a.share == pytest.approx(b.share)
    assert set(a.exceptions) == set(b.exceptions)


def test_an_arc_rises_where_it_was_planted_to_rise() -> None:
    episodes = [[Piece(i / 10, (i + 1) / 10, 5_000, 0.1 if i < 5 else 0.8) for i in range(10)] for _ in range(4)]
    points = arc(episodes)
    assert [p.share for p in points] == pytest.approx([0.1] * 5 + [0.8] * 5)
    assert {p.episodes for p in points} == {4}
    half = arc([[Piece(0.0, 0.25, 1_000, 1.0)]])
    assert [p.share for p in half[:3]] == pytest.approx([1.0, 1.0, 1.0])
    assert half[3].share is None
    assert half[0].low is None, "one episode has no interval"
    assert [p.share for p in arc([])] == [None] * 10


def test_student() -> None:
    assert t_of(1) == 12.706
    assert t_of(60) == pytest.approx(2.000, abs=0.002)
    assert t_of(10_000) == pytest.approx(1.960, abs=0.001)
    with pytest.raises(ValueError, match="degree"):
        t_of(0)
