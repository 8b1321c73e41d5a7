"""What a random sample that people checked says of a whole episode."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.ratings import Checks, agreement, alpha, checked_coverage, estimate_checked
from analysis.ratings.checked import tuned_power
from analysis.ratings.checked_coverage import KS, NAIVE, OURS, UNCHECKED, check, measure
from analysis.ratings.planted import Planted, plant


def planted(seed: int = 1, shots: int = 60, **how: float) -> Planted:
    return plant(np.random.default_rng(seed), shots=shots, accuracy=0.8, strangers=0.05, **how)  # type: ignore[arg-type]


def checks(episode: Planted, k: int, seed: int = 0) -> Checks:
    return check(episode, k, np.random.default_rng(seed))


def width(bounds: np.ndarray) -> float:
    return float(np.diff(bounds).mean())


def test_intervals_of_checked_shots_hold_and_normal_ones_do_not() -> None:
    """A small sample. ``make test-slow`` has the large one."""
    rows = {(row.k, row.name): row for row in measure(40, 3, (10, 20))}
    assert rows[20, OURS].all >= 0.91
    assert rows[10, OURS].all >= 0.91
    assert rows[20, NAIVE].all < 0.9
    assert rows[20, OURS].width < 0.8 * rows[20, UNCHECKED].width


@pytest.mark.slow
def test_with_20_shots_93_to_97_percent_are_held_and_never_under_90() -> None:
    rows = {(row.k, row.name): row for row in measure(400, 1)}
    assert 0.93 <= rows[20, OURS].all <= 0.975
    assert min(rows[k, OURS].all for k in KS) >= 0.90
    assert rows[20, OURS].width < 0.75 * rows[20, UNCHECKED].width


@pytest.mark.slow
@pytest.mark.parametrize(("worse_by", "moods"), [(0.3, 0.0), (0.0, 0.5)])
def test_they_hold_where_the_model_alone_is_far_too_sure(worse_by: float, moods: float) -> None:
    rows = {(row.k, row.name): row for row in measure(150, 1, (20,), worse_by=worse_by, moods=moods)}
    assert rows[20, OURS].all >= 0.92


def test_with_every_shot_checked_nothing_is_left_to_doubt() -> None:
    episode = planted()
    found = estimate_checked(checks(episode, 60))
    assert found.share == pytest.approx(episode.shown, abs=1e-9)
    assert found.bounds[:, 0] == pytest.approx(found.bounds[:, 1])


def test_more_checked_shots_narrow_and_one_says_nothing() -> None:
    episode = planted()
    widths = [
        np.mean([width(estimate_checked(checks(episode, k, s)).bounds) for s in range(8)]) for k in (5, 10, 20, 40)
    ]
    assert widths == sorted(widths, reverse=True)
    assert estimate_checked(checks(episode, 1)).bounds.tolist() == [[0.0, 1.0]] * 7


def test_a_corrected_label_in_the_sample_moves_its_share_up() -> None:
    for seed in range(10):
        one = checks(planted(seed), 20, seed)
        other = one.truth.copy()
        row = int(other.sum(axis=1).argmax())
        other[row] = np.eye(7)[3] * other[row].sum()
        assert estimate_checked(replace(one, truth=other)).share[3] >= estimate_checked(one).share[3] - 1e-12


def test_a_model_that_is_right_is_trusted_and_one_that_guesses_is_not() -> None:
    one = checks(planted(), 30)
    right = replace(one, said=one.said.copy())
    right.said[one.picked] = one.truth
    assert tuned_power(right.said, right.said[one.picked], right.truth) == pytest.approx(1.0)
    guesses = np.random.default_rng(5).permutation(one.said)
    assert tuned_power(guesses, guesses[one.picked], one.truth) < 0.5


def test_shares_lie_on_the_simplex_in_their_bounds() -> None:
    for seed in range(20):
        found = estimate_checked(checks(planted(seed, shots=12), 6, seed), seed)
        assert found.share.sum() == pytest.approx(1.0)
        assert (found.bounds[:, 0] <= found.share + 1e-12).all()
        assert (found.share <= found.bounds[:, 1] + 1e-12).all()
        assert ((found.bounds >= 0) & (found.bounds <= 1)).all()


def test_what_could_not_be_drawn_may_be_anything() -> None:
    one = checks(planted(), 20)
    whole = float(one.said.sum())
    found, with_more = estimate_checked(one), estimate_checked(replace(one, outside_ms=whole / 9))
    assert with_more.bounds[:, 0] == pytest.approx(0.9 * found.bounds[:, 0])
    assert with_more.bounds[:, 1] == pytest.approx(0.9 * found.bounds[:, 1] + 0.1)


def test_what_is_sure_bounds_the_shares() -> None:
    """All but a tenth of the time is known to be angry, whatever the sample says."""
    one = checks(planted(), 20)
    found = estimate_checked(replace(one, sure=np.eye(7)[2] * 9_000, open_ms=1_000))
    assert found.bounds[2, 0] >= 0.9
    assert found.share[2] >= 0.9
    assert found.bounds[[0, 1, 3, 4, 5, 6], 1].max() <= 0.1


def test_nothing_that_can_be_read_says_nothing() -> None:
    one = checks(planted(), 20)
    found = estimate_checked(replace(one, truth=np.zeros_like(one.truth)))
    assert found.bounds.tolist() == [[0.0, 1.0]] * 7


def test_agreement_is_beyond_chance() -> None:
    same = agreement(["happy", "sad", "sad", "angry"], ["happy", "sad", "sad", "angry"])
    assert (same.same, same.of, same.kappa) == (4, 4, 1.0)
    assert agreement(["happy", "sad"] * 2, ["happy", "happy", "sad", "sad"]).kappa == 0.0
    assert agreement(["sad"] * 3, ["sad"] * 3).kappa is None
    # Cohen's own kind of table: 20 and 15 agreed of 50, marginals 25/25 and 30/20: kappa 0.4
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert agreement(first, second).kappa == pytest.approx(0.4)
    with pytest.raises(ValueError, match="same items"):
        agreement([], [])


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert checked_coverage.main(["--episodes", "2", "--whole-shots"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {10}
    assert len(rows) >= 2 + 4
    with pytest.raises(SystemExit) as refused:
        checked_coverage.main(["--worse-by", "2"])
    assert refused.value.code == 2


def test_alpha_is_that_of_the_book() -> None:
    """Krippendorff 2011, example C: four people, twelve units, not everybody said everything; nominal 0.743."""
    people = [
        "1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."
    ]  # fmt: skip
    units = [[x for x in column if x != "."] for column in zip(*(p.split() for p in people), strict=True)]
    assert alpha(units) == pytest.approx(0.743, abs=0.001)


def test_alpha_of_two_who_always_or_never_agree() -> None:
    assert alpha([["a", "a"], ["b", "b"]]) == 1.0
    worst = alpha([["a", "b"], ["b", "a"]])
    assert worst is not None
    assert worst < 0
    assert alpha([["a", "a"], ["a", "a"]]) is None
    assert alpha([["a"], ["b"]]) is None
