"""Matching, AP and FROC against pycocotools, hand-counted cases and a slow formula of their own."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.evaluate.control import moved, other_frames
from ml.evaluate.detection_ap import (
    at,
    average_precision,
    counts_above,
    froc,
    mean_average_precision,
    pycocotools_ap,
    recall_at,
)
from ml.evaluate.matching import IOUS, FoundShape, Matches, TruthShape, box_mask, greedy, match_all, overlaps_of
from ml.types import Box

LEFT: Box = (0.0, 0.0, 10.0, 10.0)
RIGHT: Box = (50.0, 0.0, 60.0, 10.0)
FAR: Box = (0.0, 60.0, 10.0, 70.0)
SIZE = (80, 100)
Frames = tuple[list[list[TruthShape]], list[list[FoundShape]]]


def frames(seed: int, count: int = 12) -> Frames:
    """Pictures with up to four true faces, some ignored, and found ones near and far; many equal scores."""
    rng = np.random.default_rng(seed)
    truths, found = [], []
    for _ in range(count):
        here = [_box(rng) for _ in range(rng.integers(0, 5))]
        truths.append([TruthShape(b, None, bool(rng.random() < 0.15)) for b in here])
        seen = [_near(rng, b) for b in here if rng.random() < 0.8] + [_box(rng) for _ in range(rng.integers(0, 3))]
        found.append([FoundShape(b, round(float(rng.random()), 1)) for b in seen])
    return truths, found


def _box(rng: np.random.Generator) -> Box:
    x, y, w, h = (float(v) for v in rng.uniform((0, 0, 8, 8), (60, 50, 40, 30)))
    return x, y, x + w, y + h


def _near(rng: np.random.Generator, box: Box) -> Box:
    w, h = box[2] - box[0], box[3] - box[1]
    dx, dy, dw, dh = (float(v) for v in rng.normal(0, 0.12, 4))
    return box[0] + dx * w, box[1] + dy * h, box[2] + dw * w + 1, box[3] + dh * h + 1


@pytest.mark.parametrize("seed", range(8))
def test_our_average_precision_is_that_of_pycocotools(seed: int) -> None:
    truths, found = frames(seed)
    theirs = pycocotools_ap(truths, found, [SIZE] * len(truths))
    ours = match_all(truths, found)
    assert average_precision(ours, at(0.3)) == pytest.approx(theirs["ap30"], abs=1e-4)
    assert average_precision(ours, at(0.5)) == pytest.approx(theirs["ap50"], abs=1e-4)
    assert mean_average_precision(ours) == pytest.approx(theirs["ap50_95"], abs=1e-4)


def test_masks_are_compared_as_masks() -> None:
    half = (0.0, 0.0, 10.0, 5.0)
    truths = [[TruthShape(LEFT, box_mask(LEFT, SIZE))]]
    found = [[FoundShape(LEFT, 0.9, box_mask(half, SIZE))]]
    boxes, masks = (pycocotools_ap(truths, found, [SIZE], masks=m) for m in (False, True))
    assert boxes["ap50_95"] == 1.0
    assert masks["ap30"] == 1.0
    assert masks["ap50_95"] == pytest.approx(0.1)  # at 0.5 alone of the ten overlaps
    assert mean_average_precision(match_all(truths, found, masks=True)) == pytest.approx(0.1)


def test_average_precision_by_hand() -> None:
    """Right, wrong, right of two faces: precision 1 up to recall 1/2, 2/3 beyond; 51 and 50 of the 101 recalls."""
    truths = [[TruthShape(LEFT), TruthShape(RIGHT)]]
    found = [[FoundShape(LEFT, 0.9), FoundShape(FAR, 0.8), FoundShape(RIGHT, 0.7)]]
    expected = (51 * 1 + 50 * 2 / 3) / 101
    assert average_precision(match_all(truths, found), at(0.5)) == pytest.approx(expected)
    assert pycocotools_ap(truths, found, [SIZE])["ap50"] == pytest.approx(expected, abs=1e-4)


def test_weighting_a_picture_twice_is_showing_it_twice() -> None:
    truths, found = frames(3)
    weights = np.array([2, 0, 1, 3] * 3)
    again = [n for n, w in enumerate(weights) for _ in range(w)]
    weighted, repeated = match_all(truths, found), match_all([truths[n] for n in again], [found[n] for n in again])
    assert recall_at(weighted, at(0.3), 1.0, weights) == recall_at(repeated, at(0.3), 1.0)
    assert counts_above(weighted, at(0.5), 0.5, weights) == counts_above(repeated, at(0.5), 0.5)


def test_an_ignored_region_takes_any_number_and_counts_nothing() -> None:
    truths = [[TruthShape(LEFT), TruthShape((40.0, 0.0, 80.0, 40.0), None, True)]]
    inside = [FoundShape((45.0, 5.0, 50.0, 10.0), 0.8), FoundShape((60.0, 5.0, 70.0, 15.0), 0.7)]
    matches = match_all(truths, [[FoundShape(LEFT, 0.9), *inside]])
    assert matches.truths.tolist() == [1]
    assert matches.ignored[at(0.5)].tolist() == [False, True, True]
    assert counts_above(matches, at(0.5), 0.0) == {"recall": 1.0, "precision": 1.0, "unmatched_per_picture": 0.0}


def test_covering_the_centre_of_a_face_is_not_finding_it() -> None:
    matches = match_all([[TruthShape((45.0, 35.0, 55.0, 45.0))]], [[FoundShape((0.0, 0.0, 100.0, 80.0), 0.9)]])
    assert not matches.matched.any()


def test_recall_at_one_unmatched_face_per_picture() -> None:
    truths = [[TruthShape(LEFT), TruthShape(RIGHT)], [TruthShape(LEFT)]]
    found = [
        [FoundShape(LEFT, 0.9), FoundShape(FAR, 0.8), FoundShape(FAR, 0.7), FoundShape(RIGHT, 0.5)],
        [FoundShape(FAR, 0.6), FoundShape(LEFT, 0.4)],
    ]
    matches = match_all(truths, found)
    thresholds, wrong, recall = froc(matches, at(0.5))
    assert thresholds.tolist() == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
    assert wrong.tolist() == [0.0, 0.5, 1.0, 1.5, 1.5, 1.5]
    assert recall == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1 / 3, 2 / 3, 1.0])
    assert recall_at(matches, at(0.5), 1.0) == (1 / 3, 0.7)
    assert recall_at(matches, at(0.5), 1.5) == (1.0, 0.4)
    assert recall_at(matches, at(0.5), 0.0) == (1 / 3, 0.9)


def test_faces_of_one_score_come_together() -> None:
    """No threshold takes the right one of two equal scores alone."""
    matches = match_all([[TruthShape(LEFT)]], [[FoundShape(LEFT, 0.5), FoundShape(FAR, 0.5), FoundShape(RIGHT, 0.5)]])
    assert recall_at(matches, at(0.5), 1.0) == (0.0, None)


def test_nothing_true_and_nothing_found() -> None:
    nothing = match_all([[]], [[FoundShape(LEFT, 0.5)]])
    assert recall_at(nothing, 0) == (None, None)
    assert average_precision(nothing, 0) is None
    assert pycocotools_ap([[]], [[FoundShape(LEFT, 0.5)]], [SIZE]) == dict.fromkeys(("ap30", "ap50", "ap50_95"))
    missed = match_all([[TruthShape(LEFT)]], [[]])
    assert recall_at(missed, 0) == (0.0, None)
    assert average_precision(missed, 0) == 0.0
    assert pycocotools_ap([[TruthShape(LEFT)]], [[]], [SIZE])["ap50"] == 0.0


def test_matches_survive_json() -> None:
    truths, found = frames(5)
    matches = match_all(truths, found)
    again = Matches.from_json(json.loads(json.dumps(matches.to_json())))
    for name in ("frame", "matched", "ignored", "truths"):
        assert np.array_equal(getattr(again, name), getattr(matches, name))
    assert again.scores == pytest.approx(matches.scores)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_a_true_face_is_taken_once_and_a_stricter_overlap_finds_no_more(seed: int) -> None:
    (truths, found) = frames(seed, 1)
    seen = sorted(found[0], key=lambda f: -f.score)
    ignore = np.array([t.ignore for t in truths[0]], bool)
    partner, aside = greedy(overlaps_of(truths[0], seen), ignore)
    for row, away in zip(partner, aside, strict=True):
        counted = row[(row >= 0) & ~away]
        assert len(set(counted.tolist())) == len(counted)
        assert not ignore[counted].any()
    assert len(partner) == len(IOUS)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcde"), min_size=2, max_size=30), st.integers(0, 99))
def test_no_picture_meets_its_own_shot_unless_one_shot_is_most_of_them(groups: list[str], seed: int) -> None:
    partner, own = other_frames(groups, seed)
    assert sorted(partner.tolist()) == list(range(len(groups)))
    assert own == sum(groups[n] == groups[int(p)] for n, p in enumerate(partner))
    if 2 * max(groups.count(g) for g in groups) <= len(groups):
        assert own == 0


def test_the_control_scales_truth_to_the_other_picture() -> None:
    truths = [[TruthShape(LEFT)], [TruthShape((0.0, 0.0, 40.0, 20.0))]]
    result = moved(truths, [(80, 100), (160, 200)], np.array([1, 0]))
    assert result[0][0].box == (0.0, 0.0, 20.0, 10.0)
    assert result[1][0].box == (0.0, 0.0, 20.0, 20.0)
