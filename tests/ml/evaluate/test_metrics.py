"""Figures of confusion tables, calibration, curves and intervals against formulas written another way."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml.evaluate import calibration, curves, metrics
from ml.evaluate.bootstrap import figure, frame_weights, interval

TABLE = np.array([[5, 1, 0], [2, 3, 1], [0, 0, 0]])  # a third class that never occurs but is said once
TRUTH = np.array([0] * 6 + [1] * 6)
SAID = np.array([0] * 5 + [1] + [0, 0, 1, 1, 1, 2])
tables = arrays(np.int64, (4, 5), elements=st.integers(0, 9))


def answers(table: np.ndarray) -> tuple[list[int], list[int]]:
    """The single answers that a table counts; a column beyond the classes is -1."""
    rows, columns = table.shape
    cells = [(t, s if s < rows else -1) for t, s in product(range(rows), range(columns)) for _ in range(table[t, s])]
    return [t for t, _ in cells], [s for _, s in cells]


def test_the_table_counts_answers() -> None:
    assert np.array_equal(metrics.confusion(TRUTH, SAID, 3, 0), TABLE)
    unclear = metrics.confusion(np.array([0, 0, 1]), np.array([0, -1, -2]), 2, 2)
    assert unclear.tolist() == [[1, 0, 1, 0], [0, 0, 0, 1]]
    twice = metrics.confusion(TRUTH, SAID, 3, 0, np.full(12, 2))
    assert np.array_equal(twice, 2 * TABLE)


def test_figures_by_hand() -> None:
    found = metrics.figures(TABLE, "abc", "abc")
    assert found["accuracy"] == round(8 / 12, 4)
    assert found["classes"]["a"] == {
        "faces": 6, "precision": round(5 / 7, 4), "recall": round(5 / 6, 4), "f1": round(10 / 13, 4),
        "one_against_rest_accuracy": round(9 / 12, 4),
    }  # fmt: skip
    assert found["classes"]["c"]["precision"] == 0.0
    assert found["classes"]["c"]["recall"] is None
    assert found["macro_f1"] == round((10 / 13 + 6 / 10) / 2, 4)
    assert found["macro_f1_classes"] == 2
    assert found["mean_one_against_rest_accuracy"] == round((9 + 8 + 11) / 36, 4)
    assert found["weighted"] == {
        "precision": round((5 / 7 + 3 / 4) / 2, 4), "recall": round(8 / 12, 4), "f1": round((10 / 13 + 0.6) / 2, 4),
    }  # fmt: skip
    assert found["top_confusions"][0] == {"truth": "b", "said": "a", "faces": 2, "share": round(2 / 6, 4)}


@settings(max_examples=60, deadline=None)
@given(tables)
def test_figures_agree_with_counting_answers_one_by_one(table: np.ndarray) -> None:
    truth, said = answers(table)
    if not truth:
        assert metrics.accuracy(table) is None
        assert metrics.macro_f1(table) is None
        return
    pairs = list(zip(truth, said, strict=True))
    assert metrics.accuracy(table) == pytest.approx(sum(t == s for t, s in pairs) / len(pairs))
    rest = metrics.one_against_rest(table)
    f1s = []
    for k in range(4):
        assert rest[k] == pytest.approx(sum((t == k) == (s == k) for t, s in pairs) / len(pairs))
        tp = sum(t == s == k for t, s in pairs)
        fp, fn = sum(s == k != t for t, s in pairs), sum(t == k != s for t, s in pairs)
        if k in truth:
            f1s.append(2 * tp / (2 * tp + fp + fn))
    assert metrics.macro_f1(table) == pytest.approx(sum(f1s) / len(f1s))
    assert metrics.weighted(table)["recall"] == pytest.approx(metrics.accuracy(table))


def test_mean_one_against_rest_accuracy_flatters_as_the_sentence_says() -> None:
    half_wrong = np.full((7, 7), 1) + np.eye(7, dtype=np.int64) * 5  # 6 of 12 right in each class
    assert metrics.accuracy(half_wrong) == 0.5
    assert metrics.mean_one_against_rest_accuracy(half_wrong) == pytest.approx(1 - 2 * 0.5 / 7)
    assert "0.86" in metrics.FLATTERS


def test_baselines_know_nothing_of_the_pictures() -> None:
    base = metrics.baselines(TABLE[:2], [0, 1, 2])
    assert base["majority"] == {"accuracy": 0.5, "macro_f1": round((2 * 6 / 18) / 2, 4)}
    assert base["uniform"]["accuracy"] == round(1 / 3, 4)
    assert base["shuffled"]["accuracy"] == round(0.5 * 7 / 12 + 0.5 * 4 / 12, 4)


def test_shuffled_baseline_is_what_shuffling_gives() -> None:
    rng = np.random.default_rng(0)
    hits = [float((rng.permutation(SAID) == TRUTH).mean()) for _ in range(4000)]
    assert metrics.baselines(TABLE[:2], [0])["shuffled"]["accuracy"] == pytest.approx(np.mean(hits), abs=0.01)


# ------------------------------------------------------------------------------------------------ calibration

P = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.45, 0.55]])
T = np.array([0, 1, 1, 0])


def test_calibration_by_hand() -> None:
    # bins: .9 (right), .8 (wrong), .7 (right), .55 (wrong), one face each
    assert calibration.ece(P, T) == pytest.approx((0.1 + 0.8 + 0.3 + 0.55) / 4)
    assert calibration.brier(P, T) == pytest.approx(2 * (0.01 + 0.64 + 0.09 + 0.3025) / 4)
    assert calibration.nll(P, T) == pytest.approx(-sum(map(math.log, (0.9, 0.2, 0.7, 0.45))) / 4)
    assert [row["faces"] for row in calibration.reliability(P, T)] == [1, 1, 1, 1]
    assert calibration.figures(np.zeros((0, 2)), np.zeros(0, np.int64)) == {"ece": None, "brier": None, "nll": None}


def test_weights_of_calibration_repeat_faces() -> None:
    weights = np.array([1, 2, 0, 3])
    again = np.repeat(np.arange(4), weights)
    for measure in (calibration.brier, calibration.nll):
        assert measure(P, T, weights) == pytest.approx(measure(P[again], T[again]))
    assert calibration.ece(P, T, weights=weights) == pytest.approx(calibration.ece(P[again], T[again]))


def test_a_perfectly_calibrated_answer_has_no_error() -> None:
    p = np.tile([0.75, 0.25], (4, 1))
    assert calibration.ece(p, np.array([0, 0, 0, 1])) == pytest.approx(0.0)


def test_the_fitted_temperature_is_the_best_of_a_fine_grid() -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 300)
    logits = rng.normal(0, 1, (300, 4)) + 1.5 * np.eye(4)[truth]
    cost = {t: calibration.nll(calibration.softmax(3 * logits, t), truth) or 0.0 for t in np.geomspace(0.3, 20, 400)}
    best = min(cost, key=cost.__getitem__)
    assert calibration.fit_temperature(3 * logits, truth) == pytest.approx(best, rel=0.02)
    before, after = (calibration.figures_of_logits(3 * logits, truth, best)[k] for k in ("before", "after"))
    assert (after["nll"] or 9) < (before["nll"] or 0)


def test_another_temperature_from_probabilities() -> None:
    logits = np.array([[1.0, 0.2, -0.5], [0.0, 2.0, 1.0]])
    assert calibration.retempered(calibration.softmax(logits, 0.7), 0.7) == pytest.approx(calibration.softmax(logits))


def test_a_temperature_is_judged_on_groups_that_it_was_not_fitted_on() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 60)
    logits = rng.normal(0, 1, (60, 3)) + np.eye(3)[truth]
    groups = ["a"] * 30 + ["b"] * 30
    result = calibration.temperature_of_others(logits, truth, groups)
    assert result is not None
    expected = calibration.softmax(logits[:30], calibration.fit_temperature(logits[30:], truth[30:]))
    assert result[:30] == pytest.approx(expected)
    assert calibration.temperature_of_others(logits, truth, ["a"] * 60) is None


# ------------------------------------------------------------------------------------------------ curves

scored = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=25)


@settings(max_examples=60, deadline=None)
@given(scored)
def test_areas_agree_with_their_definitions(pairs: list[tuple[int, bool]]) -> None:
    scores, positive = np.array([s / 6 for s, _ in pairs]), np.array([p for _, p in pairs])
    ups, downs = scores[positive], scores[~positive]
    roc = curves.area(curves.roc_curve(scores, positive))
    if len(ups) and len(downs):
        wins = sum((a > b) + 0.5 * (a == b) for a in ups for b in downs)
        assert roc == pytest.approx(wins / len(ups) / len(downs))
    else:
        assert roc is None
    ap = curves.average_precision(scores, positive)
    if len(ups):
        total, before = 0.0, 0.0
        for t in sorted(set(scores), reverse=True):
            chosen = scores >= t
            recall = positive[chosen].sum() / len(ups)
            total += (recall - before) * positive[chosen].mean()
            before = recall
        assert ap == pytest.approx(total)
    else:
        assert ap is None


def test_micro_and_macro_averages() -> None:
    p = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.1, 0.9, 0.0]])
    truth = np.array([0, 1, 1, 1])
    found = curves.class_curves(p, truth, ("a", "b", "c"))
    assert set(found["pr"]) == {"a", "b", "micro", "macro"}  # c never occurs
    assert found["roc"]["a"] == found["roc"]["b"] == found["roc"]["macro"] == 1.0
    pot = np.concatenate([p[:, 0], p[:, 1]])
    right = np.concatenate([truth == 0, truth == 1])
    assert found["pr"]["micro"] == round(curves.average_precision(pot, right) or 0, 4)


def test_risk_falls_where_doubt_means_something() -> None:
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    found = curves.risk_coverage(p, np.array([0, 0, 1, 1]))
    assert found["coverage"].tolist() == [0.25, 0.5, 0.75, 1.0]
    assert found["risk"] == pytest.approx([0, 0, 1 / 3, 0.5])
    assert found["figures"] == {
        "area": round((1 / 3 + 0.5) / 4, 4), "risk_at_1": 0.5, "risk_at_0.8": 0.5, "risk_at_0.5": 0.0,
    }  # fmt: skip


def test_learning_curves_are_read_from_both_kinds_of_log(tmp_path: Path) -> None:
    rows = [{"step": s, "split": "train", "name": "loss", "value": 1 / (s + 1)} for s in range(3)]
    lines, table = tmp_path / "history.jsonl", tmp_path / "history.csv"
    lines.write_text("\n".join(map(json.dumps, rows)) + "\n")
    table.write_text("step,split,name,value\n" + "\n".join(f"{r['step']},train,loss,{r['value']}" for r in rows))
    assert curves.read_history(lines) == curves.read_history(table)
    assert curves.read_history(lines)["loss"]["train"][1] == (1.0, 0.5)
    lines.write_text('{"step": 1}\n')
    with pytest.raises(curves.HistoryInvalid, match="jsonl:1"):
        curves.read_history(lines)


# ------------------------------------------------------------------------------------------------ intervals


def test_frames_of_one_shot_are_drawn_together() -> None:
    weights = frame_weights(["a", "a", "b", "c", "b"], 50, 1)
    assert weights.shape == (50, 5)
    assert np.array_equal(weights[:, 0], weights[:, 1])
    assert np.array_equal(weights[:, 2], weights[:, 4])
    assert (weights[:, [0, 2, 3]].sum(1) == 3).all()
    assert np.array_equal(weights, frame_weights(["a", "a", "b", "c", "b"], 50, 1))


def test_near_copies_widen_the_interval() -> None:
    """Ten shots of ten like frames say no more than ten frames; taking frames for independent would flatter."""
    values = np.repeat(np.random.default_rng(3).integers(0, 2, 10), 10)

    def mean(w: np.ndarray) -> float | None:
        return float(w @ values / w.sum())

    by_shot = figure(mean, frame_weights([str(n // 10) for n in range(100)], 400))
    by_frame = figure(mean, frame_weights([str(n) for n in range(100)], 400))
    assert by_shot["value"] == by_frame["value"] == round(values.mean(), 4)
    wide, narrow = ((f["high"] or 0) - (f["low"] or 0) for f in (by_shot, by_frame))
    assert wide > 2 * narrow


def test_one_group_gives_no_interval() -> None:
    assert figure(lambda w: 0.5, frame_weights(["a", "a"], 20)) == {"value": 0.5, "low": None, "high": None}
    assert interval([None, None, 0.5]) is None
