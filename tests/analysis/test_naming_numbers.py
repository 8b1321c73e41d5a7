"""Whom a face looks like. Pure."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.finding.naming import (
    LEAST_THRESHOLD,
    MOST_OWN,
    SLACK,
    Examples,
    likeness,
    named_by,
    own_likeness,
    spread_out,
    threshold_of,
    unit,
    who_of,
)


def faces(seed: int, count: int, noise: float = 0.4) -> np.ndarray:
    base = np.random.default_rng(seed).normal(size=128)
    return unit(base + noise * np.random.default_rng((seed, count)).normal(size=(count, 128)), 128)


def examples(character: str, seed: int, rivals: dict[str, int], threshold: float = 0.7) -> Examples:
    rows = {slug: tuple(map(tuple, faces(s, 9))) for slug, s in rivals.items()}
    return Examples(1, character, tuple(map(tuple, faces(seed, 5))), rows, threshold, 0.03)


def test_a_face_gets_the_name_of_whom_it_looks_like_and_strangers_none() -> None:
    found = [examples("mia", 1, {"tom": 2}), examples("kit", 3, {"tom": 2})]
    assert who_of(list(faces(1, 30)[7]), found) == "mia"
    assert who_of(list(faces(3, 30)[7]), found) == "kit"
    assert who_of(list(faces(4, 30)[7]), found) is None
    assert who_of(list(faces(1, 30)[7]), []) is None
    assert who_of([0.0] * 128, found) is None


def test_who_is_as_like_a_rival_gets_no_name() -> None:
    sure, _ = named_by(faces(1, 20), examples("mia", 1, {"tom": 1}, 0.5))
    assert not sure.any()


def test_the_threshold_goes_by_how_alike_the_drawings_are() -> None:
    nobody = np.zeros((0, 128))
    assert threshold_of(faces(1, 5, noise=0.05), nobody) == MOST_OWN
    assert threshold_of(faces(1, 5, noise=2.0), nobody) == LEAST_THRESHOLD
    some = faces(1, 5, noise=0.4)
    assert threshold_of(some, nobody) == pytest.approx(own_likeness(some).min() - SLACK)


def test_the_threshold_keeps_others_out() -> None:
    far = np.concatenate([faces(s, 40, noise=0.9) for s in range(20, 30)])
    assert threshold_of(faces(1, 5), far) == threshold_of(faces(1, 5), far[:10])
    near = unit(0.95 * faces(1, 300, noise=0.1) + 0.3 * faces(2, 300), 128)
    raised = threshold_of(faces(1, 5), near)
    assert raised > threshold_of(faces(1, 5), far)
    assert (likeness(near, faces(1, 5)) > raised).mean() <= 0.011


def test_few_that_are_far_apart_stand_for_many() -> None:
    rows = np.concatenate([faces(1, 50), faces(2, 2)])
    kept = spread_out(rows, 6)
    assert len(kept) == 6
    assert likeness(faces(2, 9), kept).min() > 0.3
    assert spread_out(rows[:4], 6) is not None
    assert len(spread_out(rows[:4], 6)) == 4


def test_the_odd_one_out() -> None:
    rows = np.concatenate([faces(1, 5), faces(2, 1)])
    like = own_likeness(rows)
    assert like.argmin() == 5
    assert like[5] == pytest.approx(like.min())
    assert own_likeness(rows[:1]).tolist() == [1.0]
