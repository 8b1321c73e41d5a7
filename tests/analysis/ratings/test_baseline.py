from __future__ import annotations

import numpy as np
import pytest

from analysis.ratings import Baseline, Peer, baseline_of, shrink
from analysis.ratings.baseline import MOST_STRENGTH

USUAL = np.array([0.5, 0.3, 0.2])


def series(rng: np.random.Generator, strength: float, episodes: int, worth: int = 25) -> list[tuple[Peer, np.ndarray]]:
    """Episodes of a series of that strength, each seen in ``worth`` shots, with what each truly shows."""
    made = []
    for i in range(episodes):
        true = rng.dirichlet(strength * USUAL)
        made.append((Peer(i, rng.multinomial(worth, true) / worth, float(worth)), true))
    return made


def test_fewer_than_four_others_tell_no_baseline() -> None:
    rng = np.random.default_rng(0)
    assert baseline_of([p for p, _ in series(rng, 8, 3)]) is None
    assert baseline_of([*[p for p, _ in series(rng, 8, 3)], Peer(9, USUAL, 0.5)]) is None
    assert baseline_of([]) is None


@pytest.mark.parametrize("strength", [3.0, 12.0])
def test_strength_and_baseline_of_a_planted_series_are_found(strength: float) -> None:
    found = baseline_of([p for p, _ in series(np.random.default_rng(1), strength, 400)])
    assert found is not None
    assert found.share == pytest.approx(USUAL, abs=0.03)
    assert found.strength == pytest.approx(strength, rel=0.25)
    assert found.episodes == 400


def test_episodes_that_are_all_alike_draw_as_strongly_as_is_allowed() -> None:
    found = baseline_of([Peer(i, USUAL, 30.0) for i in range(6)])
    assert found is not None
    assert found.strength == pytest.approx(MOST_STRENGTH)
    single = baseline_of([Peer(i, np.array([1.0, 0.0, 0.0]), 30.0) for i in range(6)])
    assert single is not None
    assert (single.share.tolist(), single.strength) == ([1.0, 0.0, 0.0], MOST_STRENGTH)


def test_a_drawn_share_is_a_weighted_mean() -> None:
    share = np.array([0.9, 0.1, 0.0])
    drawn = shrink(share, 30.0, Baseline(USUAL, 10.0, 6))
    assert drawn == pytest.approx((30 * share + 10 * USUAL) / 40)
    assert shrink(share, 30.0, None) is share


def test_drawing_toward_the_series_brings_episodes_nearer_to_the_truth() -> None:
    rng = np.random.default_rng(2)
    alone, drawn = [], []
    for _ in range(60):
        (this, true), *others = series(rng, 12, 9, worth=12)
        alone.append(((this.share - true) ** 2).sum())
        drawn.append(((shrink(this.share, this.worth, baseline_of([p for p, _ in others])) - true) ** 2).sum())
    assert np.mean(drawn) < 0.85 * np.mean(alone)
