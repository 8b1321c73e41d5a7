"""Splits that never tear a group apart."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.data.records import LabelledFace, LabelledImage
from ml.data.split import (
    SplitImpossible,
    SplitLeaks,
    given_split,
    split_by_group,
    split_random_frames,
    unsafe_split,
)


def frames(group: str, count: int, emotion: str = "happy", split: str = "") -> list[LabelledImage]:
    face = LabelledFace((0, 0, 5, 5), "Tom", emotion)
    return [LabelledImage(Path(f"{group}/{n}.png"), 9, 9, (face,), None, group, split) for n in range(count)]


@given(
    sizes=st.lists(st.integers(1, 9), min_size=3, max_size=12),
    seed=st.integers(0, 99),
    moods=st.lists(st.sampled_from(["happy", "sad", "angry"]), min_size=12, max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_every_picture_is_in_one_part_and_every_group_whole(sizes: list[int], seed: int, moods: list[str]) -> None:
    images = [f for k, n in enumerate(sizes) for f in frames(f"g{k}", n, moods[k])]

    parts = split_by_group(images, {"train": 0.7, "valid": 0.1, "test": 0.2}, seed)

    assert sorted(i.path for p in parts.values() for i in p) == sorted(i.path for i in images)
    assert all(parts.values())
    groups = {name: {i.group for i in part} for name, part in parts.items()}
    unsafe_split(groups["train"], groups["test"])
    unsafe_split(groups["train"] | groups["test"], groups["valid"])
    assert parts == split_by_group(images, {"train": 0.7, "valid": 0.1, "test": 0.2}, seed)


def test_shares_and_emotions_are_met_as_far_as_possible() -> None:
    images = [f for k in range(40) for f in frames(f"g{k}", 5, ["happy", "sad", "angry", "happy"][k % 4])]

    parts = split_by_group(images, {"train": 3, "test": 1}, 4)

    assert Counter(len(p) for p in parts.values()) == Counter([150, 50])
    moods = Counter(i.faces[0].emotion for i in parts["test"])
    assert moods["happy"] == pytest.approx(25, abs=5)
    assert moods["sad"] == pytest.approx(12.5, abs=3)
    assert moods["angry"] == pytest.approx(12.5, abs=3)


def test_a_rare_emotion_is_on_both_sides() -> None:
    common = [f for k in range(10) for f in frames(f"g{k}", 10)]
    rare = frames("r1", 2, "disgust") + frames("r2", 2, "disgust")

    parts = split_by_group(common + rare, {"train": 0.5, "test": 0.5}, 1)

    assert all(any(i.faces[0].emotion == "disgust" for i in part) for part in parts.values())


def test_seeds_give_other_splits() -> None:
    images = [f for k in range(30) for f in frames(f"g{k}", 3)]
    shares = {"train": 0.5, "test": 0.5}

    assert len({tuple(i.path for i in split_by_group(images, shares, seed)["train"]) for seed in range(5)}) > 1


def test_too_few_groups_are_refused_in_words() -> None:
    with pytest.raises(SplitImpossible, match=r"2 parts need at least 2 episodes or shots, and there is 1 \(ep1\)"):
        split_by_group(frames("ep1", 50), {"train": 0.8, "test": 0.2}, 0)
    with pytest.raises(SplitImpossible, match="Nothing says"):
        split_by_group(frames("", 50), {"train": 0.8, "test": 0.2}, 0)
    for shares in ({}, {"train": 1.0, "test": 0.0}, {"train": float("nan")}, {"train": float("inf")}):
        with pytest.raises(SplitImpossible, match="share above 0"):
            split_by_group(frames("ep1", 5), shares, 0)


def test_frames_are_divided_at_random_only_by_name() -> None:
    images = frames("ep1", 50)
    with pytest.raises(SplitLeaks, match="near-copies"):
        split_random_frames(images, {"train": 0.8, "test": 0.2}, 0, allow_leaky_random_frames=False)

    parts = split_random_frames(images, {"train": 0.8, "test": 0.2}, 0, allow_leaky_random_frames=True)

    assert [len(p) for p in parts.values()] == [40, 10]
    assert {i.path for p in parts.values() for i in p} == {i.path for i in images}


def test_overlap_is_refused() -> None:
    with pytest.raises(SplitLeaks, match="in training and in the test: a, b, c and 1 more"):
        unsafe_split("abcdx", "abcdy")
    with pytest.raises(SplitLeaks):
        given_split(frames("ep1", 3, split="train") + frames("ep1", 3, split="test"))
    with pytest.raises(SplitImpossible):
        given_split(frames("ep1", 3))
    assert set(given_split(frames("ep1", 3, split="train") + frames("ep2", 3, split="test"))) == {"train", "test"}
