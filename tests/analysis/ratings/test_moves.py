"""What moved between two models, and whether that is more than either knows."""

from __future__ import annotations

import pytest

from analysis.ratings.moves import Bounds, Gate, LimitChange, Move, limit_changes, moves, tally
from ml.types import Emotion

LITTLE = Bounds(0.10, 0.05, 0.14, "a little")
SOME = Bounds(0.22, 0.16, 0.30, "some")


def test_a_move_is_beyond_only_where_the_intervals_do_not_meet() -> None:
    assert Move(Emotion.ANGRY, LITTLE, SOME).beyond
    assert Move(Emotion.ANGRY, SOME, LITTLE).beyond, "either way"
    meeting = Move(Emotion.ANGRY, LITTLE, Bounds(0.16, 0.14, 0.2, "some"))
    assert (meeting.moved, meeting.beyond, meeting.level_changed) == (True, False, True)
    assert not Move(Emotion.ANGRY, LITTLE, Bounds(0.104, 0.0, 0.2, "a little")).moved, "less than half a point"


def test_what_comes_or_goes_is_a_move_without_points() -> None:
    found = moves({Emotion.ANGRY: LITTLE}, {Emotion.HAPPY: SOME})
    assert [(m.emotion, m.points, m.moved, m.beyond, m.level_changed) for m in found] == [
        (Emotion.HAPPY, None, True, False, True),
        (Emotion.ANGRY, None, True, False, True),
    ]
    counts = tally([*found, Move(Emotion.SAD, LITTLE, SOME)])
    assert (counts.ratings, counts.moved, counts.beyond, counts.levels) == (3, 3, 1, 3)
    assert counts.mean_points == pytest.approx(0.12)
    assert tally([]).mean_points == 0.0


def test_limits_decide_by_the_upper_end_and_the_unknown_is_over_all_of_them() -> None:
    before = {Emotion.ANGRY: Gate(0.12), Emotion.SAD: Gate(0.01)}
    after = {Emotion.ANGRY: Gate(0.06)}
    assert limit_changes(before, after, (0.05, 0.10, 0.15)) == (
        LimitChange(Emotion.SAD, 0.05, True),
        LimitChange(Emotion.SAD, 0.10, True),
        LimitChange(Emotion.SAD, 0.15, True),
        LimitChange(Emotion.ANGRY, 0.10, False),
    )
    assert limit_changes({}, {}, (0.05,)) == ()
    assert Gate(0.10).keeps(0.10)
