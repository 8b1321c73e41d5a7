"""The shuffled-frames control: the same found faces, scored against the true faces of another picture.

Big boxes near the middle of the picture overlap faces by chance. What recall is left when each picture's found faces
are held against another picture's truth is that chance; it stands beside every recall.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.evaluate.bootstrap import SEED, group_index
from ml.evaluate.matching import TruthShape
from ml.types import Box

SHUFFLES = 5
Ints = NDArray[np.int64]


def other_frames(groups: Sequence[str], seed: int = SEED) -> tuple[Ints, int]:
    """For each picture the number of another one, each used once; and how many still meet one of their own group.

    Pictures are laid in a ring, group by group, in random order, and turned by more than the largest group, so that
    none meets its own group unless one group holds more than half of all pictures.
    """
    count = len(groups)
    if count < 2:
        return np.arange(count), count
    rng = np.random.default_rng(seed)
    index = group_index(groups)
    sizes = np.bincount(index)
    place_of_group = rng.permutation(len(sizes))
    ring = np.lexsort((rng.random(count), place_of_group[index]))
    largest = int(sizes.max())
    turn = int(rng.integers(largest, count - largest + 1)) if 2 * largest <= count else count // 2
    partner = np.empty(count, np.int64)
    partner[ring] = np.roll(ring, turn)
    return partner, int((index[partner] == index).sum())


def moved(
    truths: Sequence[Sequence[TruthShape]], sizes: Sequence[tuple[int, int]], partner: Ints
) -> list[list[TruthShape]]:
    """Boxes of the true faces of each picture's partner, scaled to this picture's (height, width); no masks."""
    result = []
    for number, other in enumerate(partner):
        (h, w), (other_h, other_w) = sizes[number], sizes[int(other)]
        scale = (w / other_w, h / other_h)
        result.append([TruthShape(_scaled(t.box, scale), None, t.ignore) for t in truths[int(other)]])
    return result


def _scaled(box: Box, scale: tuple[float, float]) -> Box:
    return box[0] * scale[0], box[1] * scale[1], box[2] * scale[0], box[3] * scale[1]
