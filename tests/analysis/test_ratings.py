from __future__ import annotations

import numpy as np
import pytest

from analysis import ratings
from ml.types import Emotion

EMOTIONS = (Emotion.HAPPY, Emotion.SAD)


def readings(happy: list[float], *, per_shot: int = 10, shown_ms: int = 500) -> ratings.Readings:
    p = np.array([[x, 1 - x] for x in happy])
    n = len(happy)
    return ratings.Readings(
        EMOTIONS, p.reshape(n, 2), np.arange(n) * shown_ms, np.full(n, shown_ms), np.arange(n) // per_shot
    )


def test_shares_weigh_by_time_shown() -> None:
    r = ratings.Readings(
        EMOTIONS, np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 300]), np.array([300, 100]), np.array([0, 0])
    )
    assert ratings.shares(r).tolist() == pytest.approx([0.75, 0.25])


def test_more_frames_of_the_same_shots_do_not_narrow_the_interval() -> None:
    few = readings([1.0] * 50 + [0.0] * 50, per_shot=10)
    many = readings([1.0] * 500 + [0.0] * 500, per_shot=100, shown_ms=50)
    assert np.ptp(ratings.share_intervals(many)[0]) == pytest.approx(np.ptp(ratings.share_intervals(few)[0]), abs=1e-9)


def test_one_shot_says_nothing_about_others() -> None:
    assert ratings.share_intervals(readings([1.0] * 10)).tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize(
    ("happy", "enough"),
    [
        ([1.0] * 100, True),
        ([1.0] * 30, False),
        ([1.0, 0.0] * 10, False),
        ([float(i // 10 % 2) for i in range(100)], False),
    ],
)
def test_a_rating_needs_time_shots_and_a_narrow_interval(happy: list[float], enough: bool) -> None:
    assert ratings.rate_character(readings(happy)).enough is enough


def test_a_rating_points_at_its_longest_run() -> None:
    rating = ratings.rate_character(readings([0.0] * 10 + [1.0] * 4 + [0.0] * 6 + [1.0] * 2 + [0.0] * 78))
    longest = rating.emotions[Emotion.HAPPY].longest
    assert longest is not None
    assert (longest.start_ms, longest.end_ms) == (5000, 7000)
    assert rating.emotions[Emotion.HAPPY].runs_per_minute == pytest.approx(2 / (50 / 60))


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
