"""What must not matter does not, and what must does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.ratings import Confusion, Peer, Readings, baseline_of, ending_of, estimate, shares
from analysis.ratings.interval import corrected
from ml.types import EMOTIONS, Emotion
from tests.analysis.ratings.made import backwards, episode, readings, split, taken

seeds = st.integers(0, 10_000)
few = settings(max_examples=15, deadline=None)
WITH_MATRIX = pytest.mark.parametrize("with_matrix", [False, True])


def matrix_of(seed: int, with_matrix: bool) -> tuple[Readings, Confusion | None]:
    planted = episode(seed, shots=12)
    return planted.readings, planted.confusion if with_matrix else None


@WITH_MATRIX
@few
@given(seeds, st.floats(0.0, 1.0))
def test_a_drawing_that_is_looked_at_twice_changes_nothing(with_matrix: bool, seed: int, part: float) -> None:
    """Repeated frames and another frame rate: no share moves by half a point, and no interval is narrower."""
    r, confusion = matrix_of(seed, with_matrix)
    again = split(r, np.flatnonzero(np.random.default_rng(seed).random(len(r.pts_ms)) < part))
    assert again.readable_ms == r.readable_ms
    once, twice = estimate(r, confusion), estimate(again, confusion)
    assert np.abs(twice.share - once.share).max() < 0.005
    assert (np.diff(twice.bounds) >= np.diff(once.bounds) - 1e-9).all()
    assert twice.worth <= once.worth + 1e-9


@WITH_MATRIX
@few
@given(seeds)
def test_the_order_of_drawings_changes_nothing(with_matrix: bool, seed: int) -> None:
    r, confusion = matrix_of(seed, with_matrix)
    mixed = taken(r, np.random.default_rng(seed).permutation(len(r.pts_ms)))
    one, other = estimate(r, confusion), estimate(mixed, confusion)
    assert other.share == pytest.approx(one.share, abs=1e-9)
    assert other.bounds == pytest.approx(one.bounds, abs=1e-9)


@WITH_MATRIX
@few
@given(seeds)
def test_a_film_played_backwards_shows_as_much_of_everything(with_matrix: bool, seed: int) -> None:
    r, confusion = matrix_of(seed, with_matrix)
    assert estimate(backwards(r), confusion).share == pytest.approx(estimate(r, confusion).share, abs=1e-9)


def test_a_film_played_backwards_ends_otherwise() -> None:
    r = readings([1.0] * 60 + [0.0] * 60)
    forward, back = ending_of(r, 60_000), ending_of(backwards(r), 60_000)
    assert forward is not None
    assert back is not None
    assert (forward.emotion, back.emotion) == (Emotion.SAD, Emotion.HAPPY)


@few
@given(seeds)
def test_the_order_of_episodes_changes_no_baseline(seed: int) -> None:
    rng = np.random.default_rng(seed)
    peers = [Peer(i, rng.dirichlet(np.ones(7)), float(rng.uniform(2, 60))) for i in range(8)]
    one = baseline_of(peers)
    other = baseline_of([peers[i] for i in rng.permutation(8)])
    assert one is not None
    assert other is not None
    assert (other.share.tolist(), other.strength) == (one.share.tolist(), one.strength)


@WITH_MATRIX
@few
@given(seeds, st.sampled_from(range(len(EMOTIONS))))
def test_a_corrected_label_moves_its_share_up(with_matrix: bool, seed: int, to: int) -> None:
    r, _ = matrix_of(seed, with_matrix)
    confusion = Confusion(np.full((7, 7), 3.0) + 82.0 * np.eye(7)) if with_matrix else None
    wrong = np.flatnonzero(r.probabilities.argmax(axis=1) != to)[:10]
    told = r.probabilities.copy()
    told[wrong] = np.eye(7)[to]
    mended = replace(r, probabilities=told)
    assert shares(mended)[to] > shares(r)[to]
    before, after = corrected(r, confusion), corrected(mended, confusion)
    assert after[to] >= before[to] - 1e-12
    assert after[to] > before[to] or before[to] == 0.0


@few
@given(seeds)
def test_more_shots_of_the_same_kind_do_narrow_the_interval(seed: int) -> None:
    """So that the first property is no accident of an interval that nothing narrows."""
    r = episode(seed, shots=16).readings
    later = replace(r, pts_ms=r.pts_ms + 1_000_000, shot=r.shot + 16)
    both = Readings(
        r.emotions,
        np.concatenate([r.probabilities, later.probabilities]),
        np.concatenate([r.pts_ms, later.pts_ms]),
        np.concatenate([r.shown_ms, later.shown_ms]),
        np.concatenate([r.shot, later.shot]),
    )
    assert np.diff(estimate(both).bounds).mean() < np.diff(estimate(r).bounds).mean()
