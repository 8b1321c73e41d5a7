"""Which pictures are learnt from, which choose the best weights, which are kept for testing: whole shots or episodes.

The rules are ml.data.split's; a split of single frames is made only when somebody asks for it by name, and everything
that comes of it says that it flatters.
"""

from __future__ import annotations

from collections.abc import Sequence

from ml.data.records import LabelledImage
from ml.data.split import given_split, split_by_group, split_random_frames
from ml.train.recipes import PartSettings

FLATTERS = (
    "This split is by lot over single frames: near-copies of the pictures that were learnt from are among those that "
    "it was tested on, so every figure flatters."
)
PARTS = ("train", "valid", "test")
Split = dict[str, list[LabelledImage]]


def split_pictures(images: Sequence[LabelledImage], part: PartSettings) -> Split:
    """``train``, ``valid`` and ``test`` as ``part.split`` asks; the last two empty where their share is 0 or the data
    set's own split has none. Raises SplitImpossible, SplitLeaks.
    """
    shares = {"train": 1 - part.valid_share - part.test_share, "valid": part.valid_share, "test": part.test_share}
    shares = {name: share for name, share in shares.items() if share > 0}
    if part.split == "given":
        found = given_split(images)
    elif part.split == "random_frames":
        found = split_random_frames(images, shares, part.seed, allow_leaky_random_frames=True)
    else:
        found = split_by_group(images, shares, part.seed)
    return {name: list(found.get(name, ())) for name in PARTS}


def is_flattering(images: Sequence[LabelledImage], part: PartSettings) -> bool:
    """Whether near-copies may lie on both sides: by lot, or as the labels have it without naming shots or episodes."""
    return part.split == "random_frames" or (part.split == "given" and not all(i.group for i in images))
