from __future__ import annotations

import numpy as np
import pytest

from analysis import ratings
from analysis.ratings import Baseline, Confusion, Needed
from ml.types import Emotion
from tests.analysis.ratings.made import EMOTIONS, readings

RIGHT = Confusion(np.array([[90.0, 10.0], [10.0, 90.0]]))
USUALLY_SAD = Baseline(np.array([0.2, 0.8]), strength=10.0, episodes=6)


def test_shares_weigh_by_time_shown() -> None:
    r = ratings.Readings(
        EMOTIONS, np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 300]), np.array([300, 100]), np.array([0, 0])
    )
    assert ratings.shares(r).tolist() == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize(
    ("happy", "enough"),
    [
        ([1.0] * 200, True),
        ([1.0] * 30, False),
        ([1.0, 0.0] * 10, False),
        ([float(i // 10 % 2) for i in range(100)], False),
    ],
)
def test_a_rating_needs_time_shots_and_a_narrow_interval(happy: list[float], enough: bool) -> None:
    assert ratings.rate_character(readings(happy)).enough is enough


def test_what_evidence_is_needed_can_be_set() -> None:
    happy = [1.0] * 200
    assert not ratings.rate_character(readings(happy), needed=Needed(readable_ms=100_001)).enough
    assert not ratings.rate_character(readings(happy), needed=Needed(shots=21)).enough
    assert not ratings.rate_character(readings(happy), needed=Needed(half_width=0.001)).enough


def test_a_rating_points_at_its_longest_run() -> None:
    rating = ratings.rate_character(readings([0.0] * 10 + [1.0] * 4 + [0.0] * 6 + [1.0] * 2 + [0.0] * 78))
    longest = rating.emotions[Emotion.HAPPY].longest
    assert longest is not None
    assert (longest.start_ms, longest.end_ms) == (5000, 7000)
    assert rating.emotions[Emotion.HAPPY].runs_per_minute == pytest.approx(2 / (50 / 60))


def test_without_a_matrix_nothing_is_corrected_and_the_rating_says_so() -> None:
    rating = ratings.rate_character(readings([0.9] * 100 + [0.2] * 100))
    happy = rating.emotions[Emotion.HAPPY]
    assert not rating.bias_corrected
    assert happy.raw == happy.corrected == happy.share == pytest.approx(0.55)


def test_with_a_matrix_mistakes_are_taken_out() -> None:
    """Nine of ten are told right: of 100 drawings, 26 called happy means that 20 are (0.2 x 0.9 + 0.8 x 0.1 = 0.26)."""
    rating = ratings.rate_character(readings([1.0] * 52 + [0.0] * 148), confusion=RIGHT)
    happy = rating.emotions[Emotion.HAPPY]
    assert rating.bias_corrected
    assert happy.raw == pytest.approx(0.26)
    assert happy.corrected == pytest.approx(0.2, abs=0.005)  # one face of prior knowledge per row
    assert happy.low <= happy.corrected <= happy.high


def test_the_point_is_drawn_toward_the_series_and_the_interval_is_not_narrowed() -> None:
    alone = ratings.rate_character(readings([1.0] * 60 + [0.0] * 40))
    drawn = ratings.rate_character(readings([1.0] * 60 + [0.0] * 40), baseline=USUALLY_SAD)
    before, after = alone.emotions[Emotion.HAPPY], drawn.emotions[Emotion.HAPPY]
    assert after.raw == after.corrected == before.share == pytest.approx(0.6)
    assert after.share == pytest.approx((alone.worth * 0.6 + 10 * 0.2) / (alone.worth + 10))
    assert after.baseline == pytest.approx(0.2)
    assert (after.low, after.high) == (min(before.low, after.share), max(before.high, after.share))
    assert sum(e.share for e in drawn.emotions.values()) == pytest.approx(1)


def test_a_face_that_nobody_can_read_has_no_rating() -> None:
    rating = ratings.rate_character(readings([]), confusion=RIGHT, baseline=USUALLY_SAD)
    assert (rating.readable_ms, rating.drawings, rating.shots, rating.enough) == (0, 0, 0, False)
    assert rating.emotions[Emotion.HAPPY].share == 0.0
    assert (rating.emotions[Emotion.HAPPY].low, rating.emotions[Emotion.HAPPY].high) == (0.0, 1.0)


def test_the_scene_score_is_the_documented_formula() -> None:
    # V = 10 s, p = 0.8, p0 = 0.2: n = 2, p~ = (1.6 + 0.8) / 6 = 0.4, score = 0.4 - sqrt(0.24 / 7)
    assert ratings.lower_bound(0.8, 10_000, 0.2) == pytest.approx(0.4 - (0.24 / 7) ** 0.5)


def test_of_two_equally_happy_scenes_the_longer_is_surer() -> None:
    assert ratings.lower_bound(0.9, 20_000, 0.3) > ratings.lower_bound(0.9, 2_000, 0.3)


def test_a_glimpse_is_no_scene() -> None:
    assert ratings.score_scene(readings([1.0] * 2), 1000, {}) == {}


def test_the_happier_of_two_scenes_of_one_length_is_first_whatever_its_episode() -> None:
    happy_episode, calm_episode = {Emotion.HAPPY: 0.9}, {Emotion.HAPPY: 0.1}
    mixed = ratings.score_scene(readings([1.0, 0.4, 0.4, 0.4]), 2000, happy_episode)[Emotion.HAPPY]
    pure = ratings.score_scene(readings([1.0] * 4), 2000, calm_episode)[Emotion.HAPPY]
    assert pure.score > mixed.score
    assert (pure.baseline, mixed.baseline) == (0.1, 0.9)
