from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.recommend import Sliders, wanted_of
from analysis.recommend.features import KINDS
from analysis.recommend.taste import SLIDERS, moved, shift_of
from ml.types import EMOTIONS, Emotion
from tests.analysis.recommend.made import made_catalogue

ANGRY, SCARED, HAPPY = (EMOTIONS.index(e) for e in (Emotion.ANGRY, Emotion.SCARED, Emotion.HAPPY))
steps = st.integers(-2, 2)
sliders = st.builds(Sliders, *(steps for _ in SLIDERS))
profiles = st.lists(st.floats(0, 1), min_size=KINDS, max_size=KINDS).filter(lambda x: sum(x) > 0.01)


@settings(max_examples=30, deadline=None)
@given(profiles, sliders)
def test_sliders_leave_shares_that_sum_to_one(profile: list[float], asked: Sliders) -> None:
    shares = np.array(profile) / sum(profile)
    after = moved(shares, shift_of(asked))
    assert after.min() >= 0
    assert after.sum() == pytest.approx(1)


def test_one_step_calmer_halves_the_odds_of_anger_and_fear_and_the_rest_keeps_its_proportions() -> None:
    shares = np.array([0.3, 0.1, 0.2, 0.1, 0.1, 0.0, 0.2])
    after = moved(shares, shift_of(Sliders(calmer=1)))
    for i in (ANGRY, SCARED):
        assert after[i] / (1 - after[i]) == pytest.approx(0.5 * shares[i] / (1 - shares[i]))
    others = [i for i in range(KINDS) if i not in (ANGRY, SCARED)]
    assert after[others] / after[HAPPY] == pytest.approx(shares[others] / shares[HAPPY])


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 50), st.sampled_from(["calmer", "less_angry", "less_scary", "less_sad"]))
def test_more_steps_ask_for_less_of_it(seed: int, name: str) -> None:
    catalogue = made_catalogue(seed, 10, 3)
    liked = [catalogue.features(0)]
    asked = [wanted_of(liked, Sliders(**{name: n}), catalogue) for n in (-2, -1, 1, 2)]
    moved_ones = np.flatnonzero(asked[-1].side)
    assert list(asked[-1].side[moved_ones]) == [-1] * len(moved_ones)
    together = [w.share[moved_ones].sum() for w in asked]
    assert together == sorted(together, reverse=True)
    for i in moved_ones:
        assert asked[2].share[i] >= asked[3].share[i]


def test_shorter_and_calmer_move_length_and_pace() -> None:
    catalogue = made_catalogue(1, 10, 3)
    liked = [catalogue.features(0)]
    wanted = wanted_of(liked, Sliders(shorter=2, calmer=1), catalogue)
    assert wanted.duration_ms is not None
    assert wanted.pace is not None
    assert wanted.duration_ms[0] == pytest.approx(liked[0].duration_ms / 2.25)
    assert wanted.duration_ms[1] == -1
    assert wanted.pace[0] < liked[0].pace
    assert wanted_of(liked, Sliders(), catalogue).duration_ms is None


def test_emotions_in_which_likes_differ_count_less() -> None:
    catalogue = made_catalogue(2, 30, 5)
    one, two = catalogue.features(0), catalogue.features(1)
    wanted = wanted_of([one, two], Sliders(), catalogue)
    gaps = np.abs(one.share - two.share)
    assert wanted.spread[gaps.argmax()] > wanted.spread[gaps.argmin()]


def test_nothing_asked_and_steps_out_of_range_are_refused() -> None:
    catalogue = made_catalogue(1, 5, 2)
    with pytest.raises(ValueError, match="nothing is asked"):
        wanted_of([], Sliders(), catalogue)
    with pytest.raises(ValueError, match="calmer is from -2 to 2"):
        Sliders(calmer=3)
