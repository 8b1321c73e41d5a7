from __future__ import annotations

import numpy as np
import pytest

from analysis.ratings import ranking
from analysis.ratings.planted import plant
from analysis.ratings.ranking import ORDERS, OURS, catalogue, measure, ndcg, table
from analysis.ratings.scenes import SCENE_LEAST_MS


def test_ndcg_is_one_for_the_best_order_and_falls_with_every_slip() -> None:
    gains = np.array([0.1, 0.9, 0.5, 0.0])
    assert ndcg([1, 2, 0, 3], gains) == pytest.approx(1.0)
    slips = [ndcg(order, gains) for order in ([1, 2, 0, 3], [2, 1, 0, 3], [3, 0, 2, 1])]
    assert slips == sorted(slips, reverse=True)
    assert len(set(slips)) == 3
    assert ndcg([0, 1], np.zeros(2)) == 1.0
    by_hand = (0.5 / np.log2(2) + 0.9 / np.log2(3)) / (0.9 / np.log2(2) + 0.5 / np.log2(3))
    assert ndcg([2, 1], np.array([0.0, 0.9, 0.5]), top=2) == pytest.approx(by_hand)


def test_a_catalogue_holds_what_can_be_ranked_and_follows_from_its_seed() -> None:
    one, same, other = (catalogue(np.random.default_rng(seed), 20) for seed in (1, 1, 2))
    assert min(scene.readings.readable_ms for scene in one) >= SCENE_LEAST_MS
    assert [s.readings.readable_ms for s in one] == [s.readings.readable_ms for s in same]
    assert [s.readings.readable_ms for s in one] != [s.readings.readable_ms for s in other]


def test_our_score_puts_the_right_scenes_first_more_often_than_the_others() -> None:
    rows = {row.name: row for row in measure(20, seed=3)}
    assert set(rows) == set(ORDERS)
    assert rows[OURS].ndcg == max(row.ndcg for row in rows.values())
    assert rows[OURS].low == rows[OURS].high == 0.0
    assert rows["mean probability"].low > 0


def test_a_single_happy_second_is_no_happy_scene() -> None:
    happy = np.eye(7)[0]
    short = plant(np.random.default_rng(1), shots=1, accuracy=0.97, planted=happy).readings
    long = plant(np.random.default_rng(1), shots=8, accuracy=0.97, planted=happy).readings
    assert ranking.score(short, 0) < ranking.score(long, 0)
    assert ranking.mean_probability(short, 0) == pytest.approx(ranking.mean_probability(long, 0), abs=0.05)


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert ranking.main(["--catalogues", "1", "--emotion", "sad"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == len(ORDERS) + 2
    assert table([]) in printed
    for wrong in (["--catalogues", "0"], ["--accuracy", "2"]):
        with pytest.raises(SystemExit):
            ranking.main(wrong)
