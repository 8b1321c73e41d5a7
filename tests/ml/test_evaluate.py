"""The arithmetic on cases that can be checked by hand, and one small run against a truth file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.evaluate.counts import (
    FoundFace,
    TrueFace,
    calibration_error,
    detection_figures,
    emotion_figures,
    macro_f1,
    overlap,
    pair,
    share_error,
)
from ml.evaluate.episodes import TruthInvalid, read_truth
from ml.types import EMOTIONS, Box, Emotion

HAPPY, SAD = Emotion.HAPPY, Emotion.SAD
LEFT: Box = (0.0, 0.0, 10.0, 10.0)
RIGHT: Box = (50.0, 0.0, 60.0, 10.0)


def true(box: Box = LEFT, character: str = "tom", emotion: Emotion = HAPPY, readable: bool = True) -> TrueFace:
    return TrueFace(box, character, emotion, readable)


def found(
    box: Box = LEFT,
    character: str = "tom",
    emotion: Emotion | None = HAPPY,
    score: float = 0.9,
    likeliest: Emotion = HAPPY,
    confidence: float = 0.8,
) -> FoundFace:
    return FoundFace(box, character, score, emotion, likeliest, confidence)


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(LEFT, (5.0, 0.0, 15.0, 10.0)) == pytest.approx(1 / 3)
    assert overlap(LEFT, LEFT) == 1.0
    assert overlap(LEFT, (10.0, 0.0, 20.0, 10.0)) == 0.0


def test_one_face_is_found_once() -> None:
    pairs = pair([true()], [found(score=0.6), found(score=0.9)])
    assert [face.score for _, face in pairs.matched] == [0.9]
    assert [face.score for face in pairs.wrong] == [0.6]
    assert not pairs.missed


def test_half_an_overlap_is_the_least() -> None:
    assert pair([true()], [found(box=(0.0, 0.0, 10.0, 5.0))]).matched
    assert not pair([true()], [found(box=(0.0, 0.0, 10.0, 4.9))]).matched


def test_an_unreadable_face_counts_neither_way() -> None:
    hidden = true(readable=False)
    assert pair([hidden], []).missed == ()
    seen = pair([hidden], [found()])
    assert (seen.matched, seen.wrong, len(seen.set_aside)) == ((), (), 1)


def test_a_wrong_name_costs_recall_and_precision() -> None:
    pairs = [
        pair([true(), true(RIGHT, "jerry")], [found(), found(RIGHT, "tom")]),
        pair([true(RIGHT, "jerry")], []),
        pair([], [found(character="unknown")]),
    ]
    figures: Any = detection_figures(pairs, ["tom", "jerry", "unknown"])
    assert figures["faces"] == 3
    assert figures["recall"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["precision"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["recall_any_name"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["recall_by_character"] == {"tom": 1.0, "jerry": 0.0, "unknown": None}
    assert figures["precision_by_character"] == {"tom": 0.5, "jerry": None, "unknown": 0.0}
    assert figures["names"]["counts"] == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_unclear_is_not_right() -> None:
    pairs = [
        pair([true()], [found()]),
        pair([true()], [found(emotion=None, confidence=0.3)]),
        pair([true(emotion=SAD)], [found()]),
        pair([true(emotion=SAD)], [found(emotion=SAD, likeliest=SAD)]),
    ]
    figures: Any = emotion_figures(pairs, [HAPPY, SAD])
    assert figures["faces"] == 4
    assert figures["accuracy"] == 0.5
    assert figures["accuracy_where_said"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["accuracy_of_likeliest"] == 0.75
    assert figures["unclear"] == 0.25
    assert figures["confusion"] == {"labels": ["happy", "sad", "unclear"], "counts": [[1, 0, 1], [1, 1, 0]]}


def test_macro_f1_weighs_classes_alike() -> None:
    assert macro_f1(np.array([[9, 1, 0], [1, 0, 0]])) == pytest.approx((18 / 20 + 0) / 2, abs=1e-4)
    assert macro_f1(np.array([[4, 0, 0], [0, 0, 0]])) == 1.0
    assert macro_f1(np.zeros((2, 3), np.int64)) is None


def test_calibration_error_is_the_gap_between_saying_and_being_right() -> None:
    assert calibration_error([0.9, 0.9], [True, True]) == pytest.approx(0.1)
    assert calibration_error([0.9] * 10, [True] * 9 + [False]) == pytest.approx(0.0)
    assert calibration_error([1.0, 0.05], [False, False]) == pytest.approx(0.525)
    assert calibration_error([], []) is None


def test_share_error_averages_over_characters_and_emotions() -> None:
    truth = {"tom": {HAPPY: 1.0}, "jerry": {HAPPY: 0.5, SAD: 0.5}}
    assert share_error(truth, truth, EMOTIONS) == 0.0
    assert share_error(truth, {"tom": {SAD: 1.0}, "jerry": truth["jerry"]}, [HAPPY, SAD]) == 0.5
    assert share_error(truth, {}, [HAPPY, SAD]) == 0.5
    assert share_error({}, {}, EMOTIONS) is None


def test_nothing_to_count_gives_no_figure() -> None:
    figures: Any = detection_figures([], ["tom"])
    assert figures["recall"] is None
    assert figures["precision"] is None


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"format": 1}', '{"format": 1, "drawings": [{}]}'])
def test_a_truth_file_that_is_none_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.truth.json"
    path.write_text(text)
    with pytest.raises(TruthInvalid, match=r"x\.truth\.json"):
        read_truth(path)


def test_a_truth_file_without_its_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.truth.json"
    path.write_text(json.dumps({"format": 1, "drawings": [], "shots": [], "profiles": {}}))
    with pytest.raises(TruthInvalid, match=r"x\.mp4"):
        read_truth(path)
