"""No picture of a training shot in a test set: which groups a bundle was trained on, and the refusal where they meet.

A group is what a split must not tear apart (``LabelledImage.group``: the shot, else the episode). Whoever trains writes
``group_digests`` of what it trained on into the bundle's ``data`` under ``groups``; here they are compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ml.data.records import LabelledImage
from ml.data.split import SplitLeaks

DIGEST_LETTERS = 16


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
    """Raises SplitLeaks, naming a group."""
    leaking = sorted({group_of(i) for i in images if group_digest(group_of(i)) in trained})
    if leaking:
        raise SplitLeaks(
            f"{len(leaking)} of the groups to be tested on were trained on, {leaking[0]!r} among them; frames of one "
            "shot look alike, so the figures would flatter. Test on other shots or episodes."
        )
