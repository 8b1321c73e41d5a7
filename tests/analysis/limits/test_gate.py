"""What the gates let through and offer, on planted episodes."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.limits.gate import Cases, cases, main, table_of, threshold


def test_a_threshold_lets_no_more_through_than_it_promises() -> None:
    scores = np.arange(1, 100) / 100  # 99 episodes over the limit
    assert (scores <= threshold(scores, 0.05)).sum() == 4  # (4 + 1) / (99 + 1)
    assert (scores <= threshold(scores, 0.01)).sum() == 0
    assert threshold(scores[:10], 0.05) == float("-inf")


def test_a_conformal_threshold_keeps_its_promise_on_other_draws() -> None:
    rng = np.random.default_rng(3)
    leaks = [
        float((rng.normal(size=500) <= threshold(rng.normal(size=200), 0.05)).mean()) for _ in range(400)
    ]  # fmt: skip
    assert 0.03 < np.mean(leaks) <= 0.055


def test_the_upper_bound_leaks_less_than_the_point() -> None:
    made = cases(40, 5)
    rows = {(r.limit, r.gate): r for r in table_of(made, made)}
    point, ours = rows[0.1, "point estimate"], rows[0.1, "upper bound and enough evidence (ours)"]
    bound = rows[0.1, "upper bound"]
    assert point.over > 50
    assert ours.leaks < point.leaks
    assert ours.leaks <= bound.leaks <= 0.03
    assert 0 < ours.offers < bound.offers < point.offers
    assert bound.offers > 0.2


def test_gates_on_known_numbers() -> None:
    made = Cases(
        truth=np.array([0.0, 0.2, 0.2, 0.0]),
        point=np.array([0.0, 0.0, 0.2, 0.0]),
        high=np.array([0.01, 0.01, 0.3, 0.4]),
        enough=np.array([True, False, True, True]),
    )
    rows = {r.gate: (r.leaks, r.offers) for r in table_of(made, made) if r.limit == 0.1}
    assert rows["point estimate"] == (0.5, 1.0)
    assert rows["upper bound"] == (0.5, 0.5)
    assert rows["upper bound and enough evidence (ours)"] == (0.0, 0.5)


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--episodes", "3"]) == 0
    said = capsys.readouterr().out
    assert "21 shares of 3 episodes" in said
    assert "| upper bound and enough evidence (ours) |" in said
