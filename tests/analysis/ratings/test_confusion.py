from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.ratings import Confusion, confusion_of_card, correct
from analysis.ratings.confusion import to_simplex
from ml.types import Emotion

TWO = (Emotion.HAPPY, Emotion.SAD)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_what_is_said_leads_back_to_what_was_drawn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = rng.dirichlet(np.ones(7))
    matrix = 0.6 * np.eye(7) + 0.4 * rng.dirichlet(np.ones(7), size=7)
    assert correct(drawn @ matrix, matrix) == pytest.approx(drawn, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=7))
def test_the_nearest_point_of_the_simplex(point: list[float]) -> None:
    here = np.array(point)
    found = to_simplex(here)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    others = np.random.default_rng(0).dirichlet(np.ones(len(point)), size=300)
    assert ((others - here) ** 2).sum(axis=1).min() >= ((found - here) ** 2).sum() - 1e-9


def test_a_matrix_that_tells_nothing_apart_breaks_nothing() -> None:
    assert correct(np.array([0.7, 0.3]), np.full((2, 2), 0.5)).sum() == pytest.approx(1)


def test_draws_spread_around_the_matrix_the_less_the_more_was_tested() -> None:
    counts = np.array([[80.0, 20.0], [30.0, 70.0]])
    draws = [
        Confusion(c, g).draw(np.random.default_rng(0), 2000)
        for c, g in ((counts, 0), (counts * 10, 0), (counts * 10, 20))
    ]
    for found in draws:
        assert found.sum(axis=2) == pytest.approx(np.ones((2000, 2)))
        assert found.mean(axis=0) == pytest.approx(Confusion(counts).mean(), abs=0.03)
    few, many, many_of_few_shots = (found[:, 0, 0].std() for found in draws)
    assert many < few / 2
    assert many_of_few_shots > few


def test_an_emotion_that_was_never_tested_is_hardly_known() -> None:
    found = Confusion(np.array([[90.0, 10.0], [0.0, 0.0]])).draw(np.random.default_rng(0), 2000)
    assert found[:, 1, 1].std() > 5 * found[:, 0, 0].std()


def card(**confusion: Any) -> dict[str, Any]:
    return {"emotions": {"canonical": {"joy": "happy", "glee": "happy", "grief": "sad"}}, "confusion": confusion}


def test_a_matrix_is_read_in_either_form() -> None:
    one = confusion_of_card(card(labels=["sad", "happy", "unclear"], counts=[[7, 2, 5], [1, 8, 4]], groups=12), TWO)
    other = confusion_of_card(
        card(labels=["sad", "happy"], columns=["happy", "sad", "unclear"], counts=[[2, 7, 5], [8, 1, 4]]), TWO
    )
    assert one is not None
    assert other is not None
    assert one.counts.tolist() == other.counts.tolist() == [[8, 1], [2, 7]]
    assert (one.groups, other.groups) == (12, 0)


def test_a_bundles_own_labels_are_joined_under_the_emotion_they_mean() -> None:
    found = confusion_of_card(card(labels=["joy", "glee", "grief"], counts=[[5, 1, 1], [2, 6, 1], [1, 1, 9]]), TWO)
    assert found is not None
    assert found.counts.tolist() == [[14, 2], [2, 9]]


@pytest.mark.parametrize(
    "confusion",
    [
        {},
        {"labels": ["happy", "sad"]},
        {"labels": ["happy", "sad"], "counts": [[1, 2]]},
        {"labels": ["happy", "sad"], "counts": [[1], [2]]},
        {"labels": ["happy", "sad"], "counts": [[1, -2], [3, 4]]},
        {"labels": ["happy", "sad"], "counts": [[1, float("nan")], [3, 4]]},
        {"labels": ["happy", "sad"], "counts": [["x", 1], [2, 3]]},
        {"labels": ["happy", "sad"], "counts": [[0, 0], [0, 0]]},
        {"labels": ["happy", "angry"], "counts": [[1, 2], [3, 4]]},
        {"labels": "happy", "counts": [[1]]},
    ],
)
def test_a_matrix_that_cannot_be_used_is_none(confusion: dict[str, Any]) -> None:
    assert confusion_of_card(card(**confusion), TWO) is None
    assert confusion_of_card({"confusion": 3}, TWO) is None
