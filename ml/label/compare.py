"""How far two people's files of labels agree on the same frames: ``python -m ml label --compare A.json B.json``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from ml.evaluate.agreement import (
    cohen_kappa,
    hooper_consistency,
    krippendorff_alpha,
    percentage_agreement,
    rolling_consistency,
)
from ml.label.regions import EMOTION_NAMES, Region
from ml.label.store import Entry, LabelFileUnusable, read_entries
from ml.types import UNCLEAR

LEAST_IOU = 0.5  # of the two outlines, for faces to be the same one
NOBODY = "(no name)"


@dataclass(frozen=True, slots=True)
class Same:
    """A face that both outlined. ``frame``: file name of the frame."""

    frame: str
    iou: float
    first: Region
    second: Region


@dataclass(frozen=True, slots=True)
class Words:
    """Agreement on one kind of word over the matched faces that both gave one, and consistency over all faces.

    ``rolling``, ``hooper``: a face counts as common where both outlined it and gave it the same word.
    """

    faces: int
    share: float
    kappa: float
    alpha: float
    rolling: float
    hooper: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """``frames``: those that both called done. ``only_one``: frames that one of the two has not done.

    ``f1``: of finding faces, 2 * matched / (first + second). ``iou``: mean over the matched. ``sure``: emotions of
    faces that neither calls unclear. ``table[a][b]``: matched faces that the first calls a and the second b.
    """

    frames: int
    only_one: int
    first: int
    second: int
    matched: int
    f1: float
    iou: float
    emotion: Words
    sure: Words
    character: Words
    table: dict[str, dict[str, int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """NaN, which JSON does not have, is null."""
        return {"format": 1, **_without_nan(asdict(self))}


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def compare_files(first: Path, second: Path) -> Comparison:
    """Raises LabelFileUnusable, also where the two have no frame in common."""
    return compare(read_entries(first), read_entries(second), f"{first} and {second}")


def compare(first: Sequence[Entry], second: Sequence[Entry], names: str = "The two") -> Comparison:
    ours, theirs = ({e.filename: e for e in entries if e.done} for entries in (first, second))
    both = [name for name in ours if name in theirs]
    if not both:
        raise LabelFileUnusable(f"{names} have no frame in common that both call done.")
    pairs: list[Same] = []
    for name in both:
        pairs += match(name, ours[name].regions, theirs[name].regions)
    a, b = (sum(len(of[name].regions) for name in both) for of in (ours, theirs))
    sure = [p for p in pairs if UNCLEAR not in (p.first.emotion, p.second.emotion)]
    sure_a, sure_b = (sum(r.emotion != UNCLEAR for n in both for r in of[n].regions) for of in (ours, theirs))
    return Comparison(
        frames=len(both),
        only_one=len(ours.keys() ^ theirs.keys()),
        first=a,
        second=b,
        matched=len(pairs),
        f1=rolling_consistency(len(pairs), a, b),
        iou=float(np.mean([p.iou for p in pairs])) if pairs else math.nan,
        emotion=_words([(p.first.emotion, p.second.emotion) for p in pairs], a, b),
        sure=_words([(p.first.emotion, p.second.emotion) for p in sure], sure_a, sure_b),
        character=_words([(p.first.character or NOBODY, p.second.character or NOBODY) for p in pairs], a, b),
        table=_table(pairs),
    )


def match(frame: str, first: Sequence[Region], second: Sequence[Region]) -> list[Same]:
    """Pairs of outlines that overlap by LEAST_IOU, the best first, each outline in one pair at most."""
    overlaps = outline_ious([r.polygon for r in first], [r.polygon for r in second])
    pairs: list[Same] = []
    while overlaps.size and overlaps.max() >= LEAST_IOU:
        i, j = divmod(int(overlaps.argmax()), len(second))
        pairs.append(Same(frame, float(overlaps[i, j]), first[i], second[j]))
        overlaps[i, :] = overlaps[:, j] = -1
    return pairs


def outline_ious(
    first: Sequence[Sequence[tuple[float, float]]], second: Sequence[Sequence[tuple[float, float]]]
) -> NDArray[np.float64]:
    """Intersection over union of the pixels inside the outlines, len(first) x len(second)."""
    if not first or not second:
        return np.zeros((len(first), len(second)))
    points = np.array([p for polygon in (*first, *second) for p in polygon])
    width, height = (math.ceil(v) + 1 for v in points.max(axis=0))
    ours, theirs = (
        [coco.frPyObjects([np.ravel(polygon).tolist()], height, width)[0] for polygon in of] for of in (first, second)
    )
    return np.array(coco.iou(ours, theirs, [0] * len(theirs)), dtype=np.float64).reshape(len(first), len(second))


def _words(pairs: Sequence[tuple[str | None, str | None]], first: int, second: int) -> Words:
    said = [(x, y) for x, y in pairs if x is not None and y is not None]
    xs, ys = [x for x, _ in said], [y for _, y in said]
    common = sum(x == y for x, y in said)
    return Words(
        faces=len(said),
        share=percentage_agreement(xs, ys),
        kappa=cohen_kappa(xs, ys),
        alpha=krippendorff_alpha(pairs),
        rolling=rolling_consistency(common, first, second),
        hooper=hooper_consistency(common, first, second),
    )


def _table(pairs: Sequence[Same]) -> dict[str, dict[str, int]]:
    table = {a: dict.fromkeys(EMOTION_NAMES, 0) for a in EMOTION_NAMES}
    for pair in pairs:
        a, b = pair.first.emotion, pair.second.emotion
        if a in table and b in table:
            table[a][b] += 1
    return table


def report(found: Comparison) -> str:
    """For people."""
    lines = [
        f"frames that both call done     {found.frames}"
        + (f"   ({found.only_one} that only one does are left out)" if found.only_one else ""),
        f"faces                          {found.first} and {found.second}, {found.matched} of them the same"
        f" (outlines overlap by IoU {LEAST_IOU} or more)",
        f"finding faces, F1              {found.f1:.3f}",
        f"outlines, mean IoU             {found.iou:.3f}",
        "",
        "                              faces  the same  kappa  alpha  Rolling  Hooper",
    ]
    rows = {"emotion": found.emotion, "emotion, neither unclear": found.sure, "character": found.character}
    for name, w in rows.items():
        lines.append(
            f"{name:<28} {w.faces:>6}  {100 * w.share:>6.1f} %  {w.kappa:>5.3f}  {w.alpha:>5.3f}"
            f"  {w.rolling:>7.3f}  {w.hooper:>6.3f}"
        )
    lines += ["", "first down, second across:", " " * 10 + "".join(f"{name[:9]:>10}" for name in EMOTION_NAMES)]
    for a, row in found.table.items():
        lines.append(f"{a:<10}" + "".join(f"{n or '.':>10}" for n in row.values()))
    lines += [
        "",
        "kappa: Cohen 1960. alpha: Krippendorff, nominal. Rolling (1981) and Hooper (1965): inter-indexer consistency",
        "over all faces of both, so that a face which only one outlined lowers it.",
    ]
    return "\n".join(lines) + "\n"
