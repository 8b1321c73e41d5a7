"""No picture of a training shot in a test set: what the groups of a data set are, and the refusal where two meet.

A group is what a split must not tear apart (``LabelledImage.group``: the shot, else the episode). Whoever trains writes
``group_digests`` of what it trained on into the bundle's ``data`` under ``groups``; here they are compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ml.data.records import LabelledImage
from ml.errors import UserError

DIGEST_LETTERS = 16


class TestSetLeaks(UserError):
    """Pictures to be tested on come from shots or episodes that were trained on."""

    code = "test_set_leaks"
    __test__ = False  # no test class


def group_of(image: LabelledImage) -> str:
    """The group, or the file where the labels name none."""
    return image.group or image.path.stem


def picture_key(image: LabelledImage) -> str:
    """What the picture is called in results: folder, file, and the time within a video."""
    name = "/".join(image.path.parts[-2:])
    return name if image.pts_ms is None else f"{name}@{image.pts_ms}"


def group_digest(group: str) -> str:
    return hashlib.sha256(group.encode()).hexdigest()[:DIGEST_LETTERS]


def group_digests(images: Iterable[LabelledImage]) -> list[str]:
    """Sorted, each once: what a bundle's ``data["groups"]`` holds."""
    return sorted({group_digest(group_of(image)) for image in images})


def trained_groups(data: Mapping[str, Any]) -> set[str]:
    """Every list called ``groups`` anywhere in a bundle's ``data``."""
    found: set[str] = set()
    for name, value in data.items():
        if isinstance(value, Mapping):
            found |= trained_groups(value)
        elif name == "groups" and isinstance(value, list | tuple):
            found |= {str(v) for v in value}
    return found


def parted(
    images: Sequence[LabelledImage],
    trained: set[str],
    trained_pictures: set[str] = frozenset(),  # type: ignore[assignment]
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Pictures of groups nobody trained on, and those that share a group with training but were not trained on
    themselves: the near-copies.
    """
    honest = [i for i in images if group_digest(group_of(i)) not in trained]
    near = [i for i in images if group_digest(group_of(i)) in trained and picture_key(i) not in trained_pictures]
    return honest, near


def refuse_leaks(images: Sequence[LabelledImage], trained: set[str]) -> None:
    """Raises TestSetLeaks, naming a group."""
    leaking = sorted({group_of(i) for i in images if group_digest(group_of(i)) in trained})
    if leaking:
        raise TestSetLeaks(
            f"{len(leaking)} of the groups to be tested on were trained on, {leaking[0]!r} among them; frames of one "
            "shot look alike, so the figures would flatter. Test on other shots or episodes."
        )


def split_groups(
    images: Sequence[LabelledImage], test_share: float, seed: int
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """(train, test): whole groups, in random order, until the test set holds ``test_share`` of the pictures.

    Both hold at least one group where there are two. Same pictures and seed: the same split.
    """
    groups = sorted({group_of(i) for i in images})
    order = [groups[int(k)] for k in np.random.default_rng(seed).permutation(len(groups))]
    sizes = {g: sum(group_of(i) == g for i in images) for g in groups}
    chosen: set[str] = set()
    for group in order[: max(len(order) - 1, 0)]:
        if chosen and sum(sizes[g] for g in chosen) >= test_share * len(images):
            break
        chosen.add(group)
    return [i for i in images if group_of(i) not in chosen], [i for i in images if group_of(i) in chosen]


def flattering_random_frames(
    images: Sequence[LabelledImage], test_share: float, seed: int
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """(train, test) by lot over single frames: near-copies on both sides. Only to show beside ``split_groups``."""
    order = np.random.default_rng(seed).permutation(len(images))
    test = {int(k) for k in order[: round(test_share * len(images))]}
    return [i for n, i in enumerate(images) if n not in test], [i for n, i in enumerate(images) if n in test]
