"""Which found face is which true face: COCO's own greedy matching, at several overlaps at once. Needs numpy only.

The rules are those of pycocotools, so that its average precision and our curves count the same pairs: best score
first, each found face takes the free true face that it overlaps most; an ignored one only where no other fits; an
ignored true face may be taken any number of times. Overlap is intersection over union, and with an ignored true face
the share of the found face that lies on it. That a found face covers the centre of a true one never counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from ml.masks import encode_mask
from ml.types import Box, Mask

IOUS: tuple[float, ...] = (0.3, *(round(0.5 + 0.05 * i, 2) for i in range(10)))
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TruthShape:
    """A true face. ``ignore``: finding it or not counts nothing. ``mask`` None: labelled by its box alone."""

    box: Box
    mask: Mask | None = None
    ignore: bool = False


@dataclass(frozen=True, slots=True)
class FoundShape:
    box: Box
    score: float
    mask: Mask | None = None


@dataclass(frozen=True, slots=True)
class Matches:
    """Found faces of all pictures, picture after picture, best score first within one.

    ``scores``, ``frame``: (D,). ``matched``, ``ignored``: (overlaps, D). ``truths``: (F,) true faces that count.
    """

    scores: Floats
    frame: Ints
    matched: Bools
    ignored: Bools
    truths: Ints

    def to_json(self) -> dict[str, Any]:
        """Overlaps packed as bits, the lowest bit for IOUS[0]."""
        bits = 1 << np.arange(len(IOUS), dtype=np.int64)
        return {
            "scores": [round(float(s), 5) for s in self.scores],
            "frame": self.frame.tolist(),
            "matched": (bits @ self.matched.astype(np.int64)).tolist() if len(self.scores) else [],
            "ignored": (bits @ self.ignored.astype(np.int64)).tolist() if len(self.scores) else [],
            "truths": self.truths.tolist(),
        }

    @classmethod
    def from_json(cls, table: Mapping[str, Any]) -> Matches:
        """Raises KeyError, TypeError or ValueError where the table is none of ours."""
        bits = np.arange(len(IOUS))[:, None]
        matched, ignored = ((np.asarray(table[n], np.int64)[None] >> bits & 1) > 0 for n in ("matched", "ignored"))
        return cls(
            np.asarray(table["scores"], np.float64),
            np.asarray(table["frame"], np.int64),
            matched,
            ignored,
            np.asarray(table["truths"], np.int64),
        )


def greedy(overlaps: Floats, ignore: Bools, least: Sequence[float] = IOUS) -> tuple[Ints, Bools]:
    """``overlaps``: (found, true), found ordered by falling score. Gives, per overlap of ``least`` and found face, the
    index of its true face or -1, and whether that one is ignored.
    """
    found, true = overlaps.shape
    partner = np.full((len(least), found), -1, np.int64)
    order = np.argsort(ignore, kind="stable")  # those that count come first
    for t, limit in enumerate(least):
        taken = np.zeros(true, bool)
        for d in range(found):
            best, chosen = min(limit, 1 - 1e-10), -1
            for g in order:
                if taken[g] and not ignore[g]:
                    continue
                if chosen > -1 and not ignore[chosen] and ignore[g]:
                    break
                if overlaps[d, g] >= best:
                    best, chosen = float(overlaps[d, g]), int(g)
            if chosen > -1:
                partner[t, d] = chosen
                taken[chosen] = True
    aside = np.zeros_like(partner, bool)
    aside[partner > -1] = ignore[partner[partner > -1]]
    return partner, aside


def overlaps_of(truths: Sequence[TruthShape], found: Sequence[FoundShape], masks: bool = False) -> Floats:
    """(found, true), by pycocotools: boxes as they are, masks run-length encoded (every one must be there)."""
    if not truths or not found:
        return np.zeros((len(found), len(truths)))
    crowd = [int(t.ignore) for t in truths]
    if masks:
        return np.asarray(coco.iou([rle(f.mask) for f in found], [rle(t.mask) for t in truths], crowd), np.float64)
    return np.asarray(coco.iou([xywh(f.box) for f in found], [xywh(t.box) for t in truths], crowd), np.float64)


def ordered(found: Sequence[FoundShape]) -> list[FoundShape]:
    return sorted(found, key=lambda f: -f.score)


def match_all(
    truths: Sequence[Sequence[TruthShape]], found: Sequence[Sequence[FoundShape]], masks: bool = False
) -> Matches:
    """One list of true and of found faces per picture."""
    scores, frame, matched, ignored = [], [], [], []
    for number, (true, seen) in enumerate(zip(truths, found, strict=True)):
        seen = ordered(seen)
        partner, aside = greedy(overlaps_of(true, seen, masks), np.array([t.ignore for t in true], bool))
        scores += [f.score for f in seen]
        frame += [number] * len(seen)
        matched.append((partner > -1) & ~aside)
        ignored.append(aside)
    empty = np.zeros((len(IOUS), 0), bool)
    return Matches(
        np.asarray(scores, np.float64),
        np.asarray(frame, np.int64),
        np.concatenate([empty, *matched], axis=1),
        np.concatenate([empty, *ignored], axis=1),
        np.array([sum(not t.ignore for t in true) for true in truths], np.int64),
    )


def masked_truths(truths: Sequence[TruthShape], size: tuple[int, int]) -> list[TruthShape]:
    """Every true face with a mask; one labelled by its box alone is ignored, there where its box is."""
    return [t if t.mask is not None else TruthShape(t.box, box_mask(t.box, size), True) for t in truths]


def masked_found(found: Sequence[FoundShape], size: tuple[int, int]) -> list[FoundShape]:
    """Every found face with a mask, that of its box where the detector gave none."""
    return [f if f.mask is not None else FoundShape(f.box, f.score, box_mask(f.box, size)) for f in found]


def box_mask(box: Box, size: tuple[int, int]) -> Mask:
    """The filled box. ``size``: (height, width) of the picture."""
    full = np.zeros(size, bool)
    x1, y1, x2, y2 = (max(round(v), 0) for v in box)
    full[y1:y2, x1:x2] = True
    return encode_mask(full)


def xywh(box: Box) -> list[float]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def rle(mask: Mask | None) -> dict[str, Any]:
    if mask is None:
        raise ValueError("a face without a mask cannot be compared by masks")
    return {"size": list(mask.size), "counts": mask.counts.encode("ascii")}
