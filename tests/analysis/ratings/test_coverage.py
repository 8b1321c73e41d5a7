"""The promise of the intervals, kept on planted episodes."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest

from analysis.ratings import coverage
from analysis.ratings.alternatives import t_quantile
from analysis.ratings.coverage import NAIVE, OURS, STRATA, episodes, measure
from analysis.ratings.planted import plant


def test_the_intervals_hold_about_what_they_promise_and_counting_frames_does_not() -> None:
    """A small sample: 560 intervals in 80 episodes. ``make test-slow`` has the large one."""
    ours, naive = measure(episodes(80, seed=11))
    assert (ours.name, naive.name, ours.intervals) == (OURS, NAIVE, 560)
    assert 0.91 <= ours.all <= 0.985
    assert naive.all < 0.5
    assert ours.width > naive.width


@pytest.mark.slow
def test_of_2000_episodes_95_percent_are_held_and_90_in_each_stratum() -> None:
    ours, naive = measure(episodes(2000, seed=1))
    assert 0.93 <= ours.all <= 0.97
    assert min(chain.from_iterable(ours.strata.values())) >= 0.90
    assert ours.rated >= 0.93
    assert ours.shown >= ours.all  # what this very cut shows is held at least as often
    assert naive.all < 0.3


def test_what_is_planted_comes_out_in_the_mean() -> None:
    rng = np.random.default_rng(0)
    share = np.array([0.3, 0.1, 0.2, 0.1, 0.1, 0.1, 0.1])
    many = [plant(rng, shots=60, planted=share) for _ in range(40)]
    assert np.mean([p.shown for p in many], axis=0) == pytest.approx(share, abs=0.02)
    right = plant(rng, shots=400, accuracy=0.8)
    assert right.accuracy == pytest.approx(0.8, abs=0.06)


def test_a_model_that_is_worse_here_than_where_it_was_tested_breaks_the_promise() -> None:
    """What docs/ratings.md warns of is true, and the generator shows it."""
    fine, worse = (measure(episodes(50, 5, shots=100, accuracy=0.9, worse_by=w))[0].all for w in (0.0, 0.3))
    assert worse < fine - 0.05


def test_the_command_prints_a_table_with_every_stratum(capsys: pytest.CaptureFixture[str]) -> None:
    assert coverage.main(["--episodes", "3", "--alternatives"]) == 0
    said = capsys.readouterr().out
    assert "3 episodes, 21 intervals" in said
    rows = [line.split("|")[1:-1] for line in said.splitlines() if line.startswith("|")]
    strata = sum(len(edges) - 1 for edges in STRATA.values())
    assert {len(row) for row in rows} == {strata + 5}
    assert [row[0].strip() for row in rows[2:4]] == [OURS, NAIVE]
    assert len(rows) == 2 + 2 + 10
    with pytest.raises(SystemExit) as refused:
        coverage.main(["--episodes", "0"])
    assert refused.value.code == 2


def test_students_t() -> None:
    assert [round(t_quantile(v), 2) for v in (4, 7, 30)] == [2.77, 2.36, 2.04]
