"""Each idea on made-up features where it is known what must come out."""

from __future__ import annotations

import numpy as np
import pytest

from ml.evaluate.calibration import softmax
from ml.evaluate.sources import NothingToMeasure
from ml.research import abstain, context, contrast, few_shot, neutral, parts
from ml.research.heads import LEARNERS, Base, with_prior
from ml.research.measure import Score, scores
from ml.research.study import cross_fitted, dealt_anew, folds_of, most_labels, spread_out
from tests.ml.research.made import study


def test_a_shot_is_never_on_both_sides() -> None:
    shots = [f"s{n // 3}" for n in range(30)]
    fold = folds_of(shots, 1)
    assert set(fold.tolist()) == {0, 1, 2, 3}
    assert all(len({fold[i] for i in range(30) if shots[i] == s}) == 1 for s in shots)
    with pytest.raises(NothingToMeasure, match="3 shots"):
        folds_of(["a", "b", "c"], 0)


def test_labels_are_spread_over_shots_and_dealt_anew_by_shot() -> None:
    shots = ["a"] * 8 + ["b"] * 2 + ["c"]
    first = spread_out(shots, np.random.default_rng(0))[:3]
    assert {shots[i] for i in first} == {"a", "b", "c"}
    truth = np.array([0] * 8 + [1] * 2 + [2])
    told = dealt_anew(truth, shots, np.random.default_rng(0))
    assert len(set(told[:8].tolist())) == 1
    assert told.tolist() != truth.tolist()


def test_cross_fitted_heads_never_see_the_shots_they_read() -> None:
    s = study()
    found, seen = s.sets[0], []

    def spy(base: Base, x: np.ndarray, y: np.ndarray):  # type: ignore[no-untyped-def]
        def said(asked: np.ndarray) -> np.ndarray:
            rows = {tuple(row) for row in found.seen.features.tolist()}
            assert {tuple(r) for r in x.tolist()} <= rows
            index = {tuple(r): i for i, r in enumerate(found.seen.features.tolist())}
            mine = {found.faces.shot[index[tuple(r)]] for r in x.tolist()}
            theirs = {found.faces.shot[index[tuple(r)]] for r in asked.tolist()}
            seen.append(mine & theirs)
            return np.zeros((len(asked), 7))

        return said

    cross_fitted(s.base, found, spy, 20)
    assert len(seen) == 8
    assert not any(seen)


@pytest.mark.parametrize("name", list(LEARNERS))
def test_every_recipe_reads_features_that_hold_the_truth(name: str) -> None:
    s = study(noise=0.2)
    learner = LEARNERS[name]
    logits = cross_fitted(s.base, s.sets[0], learner, 40)
    enough = 0.6 if name in ("head from scratch", "class means") else 0.8  # these never say what no label showed
    assert scores(s.sets[0].faces, logits.argmax(2))["accuracy"].value > enough


def test_a_prior_helps_with_few_labels_and_shuffled_labels_do_not() -> None:
    s = study(offset=2.0)
    found = s.sets[0]
    shipped = scores(found.faces, s.base.head(found.seen.features).argmax(1))["macro-F1"].value

    def reached(name: str, labels: int, shuffled: bool = False) -> float:
        return scores(found.faces, cross_fitted(s.base, found, LEARNERS[name], labels, None, shuffled).argmax(2))[
            "macro-F1"
        ].value

    assert reached("head, prior", 40) > shipped + 0.02
    assert reached("head, prior", 5) > reached("head from scratch", 5)
    assert reached("moved", 10) > shipped + 0.02
    assert reached("head from scratch", 40, shuffled=True) < 0.4 < reached("head from scratch", 40)


def test_a_strong_prior_is_the_shipped_head() -> None:
    s = study(offset=1.0)
    found = s.sets[0]
    logits = cross_fitted(s.base, found, with_prior(1e9), 10)[0]
    assert np.abs(logits - s.base.head(found.seen.features)).max() < 1e-3


def test_the_own_middle_undoes_what_a_character_adds() -> None:
    s = study(offset=1.5)
    found = s.sets[0]
    gained = {}
    for name, x in neutral.read_against(s, found).items():
        gained[name] = scores(found.faces, s.base.head(x).argmax(1))["accuracy"].value
    assert gained["the character's mean"] > gained["plain"] + 0.05
    assert gained["the character's mean"] > gained["the mean of another character"]


def test_standardising_per_character_beats_random_groups() -> None:
    s = study(offset=4.0)
    found = s.sets[0]
    mean, spread = contrast.usual(s)
    own = contrast.large_enough(found)
    lots = contrast.dealt(found, own)
    assert sorted(map(len, lots)) == sorted(map(len, own))
    by_own, by_lot = (
        scores(found.faces, contrast.standardised(found.seen.logits, of, mean, spread).argmax(1))["accuracy"].value
        for of in (own, lots)
    )
    assert by_own > by_lot


def test_tracks_are_better_than_drawings_and_than_other_shots() -> None:
    s = study(noise=1.6)
    found = s.sets[0]
    p = softmax(found.seen.logits)
    alone = scores(found.faces, p.argmax(1))["accuracy"].value
    together = scores(found.faces, context.joined(found, p, context.of_logarithms))["accuracy"].value
    others = scores(found.faces, context.elsewhere(found, p))["accuracy"].value
    assert together > alone > others
    assert all(len(t) == 6 for t in context.tracks(found))


def test_scores_of_certainty() -> None:
    right = np.array([True, True, False, False])
    assert abstain.auroc(np.array([0.9, 0.8, 0.2, 0.1]), right) == 1.0
    assert abstain.auroc(np.array([1.0, 1.0, 1.0, 1.0]), right) == 0.5
    assert abstain.auroc(np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4, bool)) is None
    assert abstain.surest_half(np.array([0.9, 0.8, 0.2, 0.1]), right) == 1.0
    assert abstain.area(np.array([0.9, 0.8, 0.2, 0.1]), right) < abstain.area(np.array([0.1, 0.2, 0.8, 0.9]), right)


def test_conformal_sets_hold_what_they_promise() -> None:
    rng = np.random.default_rng(6)
    p = softmax(rng.normal(size=(4000, 7)) * 1.5)
    truth = np.array([rng.choice(7, p=row) for row in p])
    limit = abstain.threshold(p[:2000], truth[:2000])
    held = abstain.sets(p[2000:], limit)[np.arange(2000), truth[2000:]].mean()
    assert held == pytest.approx(abstain.PROMISE, abs=0.03)
    assert abstain.threshold(p[:3], truth[:3]) == 1.0  # too few to promise anything: all emotions are named


def test_novelty_is_larger_far_from_what_is_known() -> None:
    s = study()
    x = s.sets[0].seen.features
    assert abstain.novelty(s.base, x + 50).min() > abstain.novelty(s.base, x).max()


def test_parts_of_another_face_tell_nothing() -> None:
    s = study()
    rows = {str(row[0]): row for row in parts.rows_of(s, s.sets[0], (10,))}
    other, true = rows["parts of another face of the show"][1], rows["emotion head"][1]
    assert isinstance(other, Score)
    assert isinstance(true, Score)
    assert other.value < true.value - 0.3


def test_every_table_appears() -> None:
    s = study()
    found = s.sets[0]
    assert most_labels(found) >= 40
    few = {name: LEARNERS[name] for name in ("as shipped", "class means")}
    texts = [few_shot.table(s, found, few), neutral.table(s, found), context.table(s, found), contrast.table(s, found)]
    texts += abstain.tables(s, found).values()
    assert all(text.count("\n") > 3 and "nan" not in text for text in texts)
