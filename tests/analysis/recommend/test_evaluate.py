from __future__ import annotations

import numpy as np
import pytest

from analysis.recommend import evaluate
from analysis.recommend.evaluate import METHODS, by_chance, limit_table, measure, ndcg, settings_of, table
from analysis.recommend.planted import read, world_of


@pytest.fixture(scope="module")
def world() -> tuple[object, ...]:
    rng = np.random.default_rng(3)
    made = world_of(rng, 12, 8)
    first, second = read(made, rng), read(made, rng)
    both = np.intersect1d(first.episode, second.episode)
    return made, first, second, settings_of(made, both, 8, rng)


def test_planted_tastes_are_found_better_than_by_chance_and_no_limit_is_broken(world: tuple) -> None:  # type: ignore[type-arg]
    made, first, second, (everything, _, calmer, limited) = world
    for setting in (everything, calmer):
        results = measure(made, first, second, setting, METHODS)
        assert np.mean(results["ours"].ndcg) > np.mean(results["random"].ndcg) + 0.15
        assert np.mean(results["ours"].stable) > np.mean(results["random"].stable)
        assert len(table(results, len(first)).splitlines()) == 2 + len(METHODS)
    results = measure(made, first, second, limited, METHODS)
    assert {name: r.over_rule for name, r in results.items() if name != "mean without uncertainty"} == dict.fromkeys(
        [name for name in METHODS if name != "mean without uncertainty"], 0
    )
    assert results["mean without uncertainty"].over_rule > 0
    assert "safe offered" in limit_table(results, made, first)


def test_ndcg_is_one_for_the_best_order_and_less_for_any_other() -> None:
    worth = np.linspace(0, 1, 100)
    candidates = np.arange(100)
    best = list(range(99, 89, -1))
    assert ndcg(best, candidates, worth) == pytest.approx(1)
    assert ndcg(best[::-1], candidates, worth) < 1
    assert ndcg(list(range(10)), candidates, worth) == 0


def test_readings_of_one_world_hold_what_is_shown(world: tuple) -> None:  # type: ignore[type-arg]
    """Most intervals hold what the cut shows, or the table would tell of another kind of rating than the site's."""
    made, first, *_ = world
    shown = made.shown[first.episode].T
    assert ((first.low <= shown) & (shown <= first.high)).mean() > 0.93
    assert by_chance in METHODS.values()


def test_the_command_prints_every_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate.main(["--series", "8", "--episodes", "5", "--people", "2"]) == 0
    out = capsys.readouterr().out
    assert out.count("| ours |") == 4
    with pytest.raises(SystemExit):
        evaluate.main(["--series", "1"])
