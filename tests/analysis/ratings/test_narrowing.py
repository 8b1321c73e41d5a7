"""The order in which faces are asked about, and what it brings on planted truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.ratings import Confusion, Readings, estimate
from analysis.ratings.narrowing import Piece, expected_narrowing, pieces_of
from analysis.ratings.narrowing_coverage import DOUBT, OURS, RANDOM, UNSURE, answered, measure, plant
from ml.types import EMOTIONS

K = len(EMOTIONS)
RIGHT = Confusion(np.eye(K) * 30 + 2)


def readings(rows: list[tuple[int, int, int, float]]) -> Readings:
    """(shot, milliseconds, emotion read, its probability), one drawing after the other."""
    probabilities = np.array([_row(said, p) for _, _, said, p in rows])
    shown = np.array([ms for _, ms, _, _ in rows], np.int64)
    shots = np.array([shot for shot, _, _, _ in rows], np.int64)
    return Readings(EMOTIONS, probabilities, np.cumsum(shown) - shown, shown, shots)


def _row(said: int, p: float) -> np.ndarray:
    row = np.full(K, (1 - p) / (K - 1))
    row[said] = p
    return row


def even(*changed: tuple[int, int, float]) -> Readings:
    """Twelve shots of a second, read as the first two emotions in turn; (shot, milliseconds, probability) changed."""
    rows = [(i, 1_000, i % 2, 0.8) for i in range(12)]
    for shot, ms, p in changed:
        rows[shot] = (shot, ms, shot % 2, p)
    return readings(rows)


def gains(found: Readings, confusion: Confusion | None = RIGHT) -> np.ndarray:
    bounds = estimate(found, confusion).bounds
    return expected_narrowing(found, pieces_of(found), confusion).gains(bounds[:, 1] - bounds[:, 0])[1]


def test_a_piece_is_a_stretch_of_one_shot_that_is_read_alike() -> None:
    found = readings([(0, 500, 0, 0.9), (0, 500, 0, 0.9), (0, 500, 1, 0.9), (1, 500, 1, 0.9)])
    assert [(p.start_ms, p.end_ms, p.members.tolist()) for p in pieces_of(found)] == [
        (0, 1_000, [0, 1]), (1_000, 1_500, [2]), (1_500, 2_000, [3]),
    ]  # fmt: skip


def test_flicker_is_not_asked_about_on_its_own() -> None:
    found = readings([(0, 1_000, 0, 0.9), (0, 100, 1, 0.9), (0, 1_000, 0, 0.9), (1, 100, 1, 0.9)])
    assert [(p.start_ms, p.end_ms) for p in pieces_of(found)] == [(0, 1_100), (1_100, 2_100), (2_100, 2_200)]
    assert pieces_of(replace(found, probabilities=found.probabilities[:0], pts_ms=found.pts_ms[:0])) == []


def test_a_face_that_was_away_is_asked_about_anew_and_so_is_what_nobody_said() -> None:
    found = readings([(0, 500, 0, 0.9)] * 4)
    found = replace(found, pts_ms=np.array([0, 500, 5_000, 5_500]), known=np.array([False, True, False, False]))
    assert [(p.start_ms, p.known) for p in pieces_of(found)] == [(0, False), (500, True), (5_000, False)]


def test_longer_and_less_sure_comes_first() -> None:
    longer, unsure = gains(even((4, 3_000, 0.8))), gains(even((4, 1_000, 0.4)))
    assert longer.argmax() == 4
    assert unsure.argmax() == 4 or unsure[4] >= np.delete(unsure, 4).max() - 1e-3
    assert (gains(even()) > 0).any()


def test_what_is_known_brings_nothing_more() -> None:
    found = replace(even(), known=np.arange(12) == 3)
    less = expected_narrowing(found, pieces_of(found), RIGHT).less
    assert (less[3] == 0).all()
    assert (np.delete(less, 3, axis=0) != 0).any()


@pytest.mark.parametrize("confusion", [RIGHT, None])
def test_nothing_to_ask_nothing_to_gain(confusion: Confusion | None) -> None:
    empty = even().where(np.zeros(12, dtype=np.bool_))
    found = expected_narrowing(empty, pieces_of(empty), confusion)
    assert found.less.shape == (0, K)
    assert found.gains(np.ones(K))[1].shape == (0,)
    assert expected_narrowing(empty, [], confusion).gains(np.zeros(0))[1].shape == (0,)


def test_without_a_matrix_it_goes_by_the_doubt() -> None:
    found = gains(even((3, 1_000, 0.5), (5, 4_000, 0.99)), None)
    assert found.argmax() == 3
    assert found.min() >= 0


def test_the_order_of_shots_changes_nothing() -> None:
    told = plant(np.random.default_rng(3), 30)
    pieces = pieces_of(told.readings)
    first = expected_narrowing(told.readings, pieces, told.confusion).less
    renamed = replace(told.readings, shot=1_000 - told.readings.shot)
    assert expected_narrowing(renamed, pieces, told.confusion).less == pytest.approx(first)


def test_what_is_expected_is_what_happens_on_average() -> None:
    """The variance that the real interval has after an answer, averaged over what the person may say."""
    told = plant(np.random.default_rng(5), 60)
    pieces = pieces_of(told.readings)
    found = expected_narrowing(told.readings, pieces, told.confusion)
    place = int(np.argmax([p.members.size for p in pieces]))
    before = expected_narrowing(told.readings, pieces, told.confusion).variance
    p = told.readings.probabilities[pieces[place].members].mean(axis=0)
    after = np.zeros(K)
    for t in range(K):
        said = answered(replace(told, drawn=np.full_like(told.drawn, t)), told.readings, pieces[place])
        known = [replace(x, known=i == place) for i, x in enumerate(pieces)]
        after += p[t] * expected_narrowing(said, known, told.confusion).variance
    big = int(before.argmax())
    assert before[big] - after[big] == pytest.approx(found.less[place, big], rel=0.35)


def test_our_order_narrows_the_widest_range_faster_than_others() -> None:
    """A small sample; docs/certifying.md has the large one."""
    rows = {(r.order, r.answers): r for r in measure(8, 2, (0, 20), (OURS, RANDOM, UNSURE, DOUBT))}
    fall = {name: rows[name, 0].widest - rows[name, 20].widest for name in (OURS, RANDOM, UNSURE, DOUBT)}
    assert fall[OURS] > 1.3 * max(fall[RANDOM], fall[UNSURE], fall[DOUBT])
    assert rows[UNSURE, 20].errs_there > rows[RANDOM, 20].errs_there + 0.05
    assert rows[OURS, 20].planted >= rows[OURS, 0].planted - 0.05


def test_pieces_hold_every_reading_once() -> None:
    told = plant(np.random.default_rng(9), 40)
    found: list[Piece] = pieces_of(told.readings)
    assert np.concatenate([p.members for p in found]).tolist() == list(range(len(told.readings.pts_ms)))
