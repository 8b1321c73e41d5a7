"""Agreement of annotators, against figures that were published or can be worked out by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from ml.evaluate.agreement import (
    cohen_kappa,
    hooper_consistency,
    krippendorff_alpha,
    percentage_agreement,
    rolling_consistency,
)
from ml.evaluate.annotators import agreement

# Four observers, twelve units: Krippendorff (2011), section C; alpha is 0.743 there.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)


def pairs(yes: int, first_only: int, second_only: int, no: int) -> tuple[list[str], list[str]]:
    first = ["yes"] * (yes + first_only) + ["no"] * (second_only + no)
    second = ["yes"] * yes + ["no"] * first_only + ["yes"] * second_only + ["no"] * no
    return first, second


def test_kappa_takes_out_what_chance_explains() -> None:
    # 20 and 15 of 50 alike: observed 0.7, by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5.
    assert percentage_agreement(*pairs(20, 5, 10, 15)) == pytest.approx(0.7)
    assert cohen_kappa(*pairs(20, 5, 10, 15)) == pytest.approx(0.4)


def test_kappa_is_one_nought_and_below() -> None:
    assert cohen_kappa(["a", "b", "c"], ["a", "b", "c"]) == pytest.approx(1)
    assert cohen_kappa(*pairs(25, 25, 25, 25)) == pytest.approx(0)
    assert cohen_kappa(["a", "b"], ["b", "a"]) == pytest.approx(-1)


def test_alpha_is_the_published_one() -> None:
    assert krippendorff_alpha(list(zip(*OBSERVERS, strict=True))) == pytest.approx(0.743, abs=5e-4)


def test_alpha_of_two_without_gaps_is_the_published_one() -> None:
    # Krippendorff (2011), section B, "nominal data, two observers, no missing data": alpha 0.692.
    assert krippendorff_alpha(list(zip("aabbdcccedda", "babbbccceddd", strict=True))) == pytest.approx(0.692, abs=5e-4)


def test_alpha_does_not_count_what_only_one_labelled() -> None:
    both = [("a", "a"), ("b", "b"), ("a", "b")]
    assert krippendorff_alpha([*both, ("c", None), (None, None), ()]) == pytest.approx(krippendorff_alpha(both))


def test_consistency_of_indexers() -> None:
    assert rolling_consistency(6, 8, 10) == pytest.approx(12 / 18)
    assert hooper_consistency(6, 8, 10) == pytest.approx(6 / 12)
    assert rolling_consistency(0, 3, 0) == 0 == hooper_consistency(0, 3, 0)


@pytest.mark.parametrize(
    "value",
    [
        percentage_agreement([], []),
        cohen_kappa([], []),
        cohen_kappa(["a", "a"], ["a", "a"]),
        krippendorff_alpha([("a", "a"), ("a", "a")]),
        krippendorff_alpha([("a", None)]),
        rolling_consistency(0, 0, 0),
        hooper_consistency(0, 0, 0),
    ],
)
def test_what_is_not_defined_is_no_number(value: float) -> None:
    assert math.isnan(value)


def test_labels_of_different_things_are_refused() -> None:
    with pytest.raises(ValueError, match="2 and 1 labels"):
        cohen_kappa(["a", "b"], ["a"])
    with pytest.raises(ValueError, match="5 labels"):
        rolling_consistency(5, 4, 6)


def test_pictures_of_one_name_in_two_episodes_are_two_pictures(tmp_path: Path) -> None:
    outline = {"name": "rect", "x": 5, "y": 5, "width": 20, "height": 20}
    for who, words in (("a", ("happy", "sad")), ("b", ("happy", "angry"))):
        for episode, word in zip(("ep1", "ep2"), words, strict=True):
            region = {"shape_attributes": outline, "region_attributes": {"Emotion": word}}
            folder = tmp_path / who / episode
            folder.mkdir(parents=True)
            entry = {"filename": "1.jpg", "size": -1, "regions": [region], "file_attributes": {}}
            (folder / "via.json").write_text(json.dumps({"1.jpg-1": entry}))

    found = agreement([tmp_path / "a", tmp_path / "b"])

    assert (found["pictures"], found["faces"], found["pairs"][0]["same_emotion"]) == (2, 2, 0.5)
