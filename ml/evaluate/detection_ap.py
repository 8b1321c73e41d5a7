"""Average precision, recall and FROC of found faces. The headline is pycocotools' own; intervals use our arithmetic.

``average_precision`` is the same sum over 101 recalls as pycocotools', on matches that are already made, so that a
thousand resamplings cost seconds; a test holds both together.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.evaluate.matching import IOUS, FoundShape, Matches, TruthShape, ordered, rle, xywh

RECALLS = np.linspace(0.0, 1.0, 101)
COCO_RANGE = slice(1, None)  # of IOUS: 0.5 to 0.95
MOST_FOUND = 1000  # found faces per picture that pycocotools looks at
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def at(iou: float) -> int:
    """The row of IOUS."""
    return IOUS.index(iou)


def pycocotools_ap(
    truths: Sequence[Sequence[TruthShape]],
    found: Sequence[Sequence[FoundShape]],
    sizes: Sequence[tuple[int, int]],
    masks: bool = False,
) -> dict[str, float | None]:
    """AP at IoU 0.3, at 0.5, and the mean over 0.5 to 0.95. ``sizes``: (height, width) of each picture.

    None where there is no true face that counts.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    images = [{"id": n + 1, "height": h, "width": w} for n, (h, w) in enumerate(sizes)]
    true = [_annotation(n + 1, t, masks) for n, faces in enumerate(truths) for t in faces]
    seen = [
        {**_annotation(n + 1, TruthShape(f.box, f.mask), masks), "score": f.score}
        for n, faces in enumerate(found)
        for f in ordered(faces)
    ]
    names = ("ap30", "ap50", "ap50_95")
    if not any(not a["iscrowd"] for a in true):
        return dict.fromkeys(names)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pycocotools speaks numpy 1
        sides = []
        for annotations in (true, seen):
            side = COCO()
            side.dataset = {
                "images": images,
                "categories": [{"id": 1, "name": "face"}],
                "annotations": [{**a, "id": i + 1} for i, a in enumerate(annotations)],
            }
            side.createIndex()
            sides.append(side)
        judge = COCOeval(*sides, "segm" if masks else "bbox")
        judge.params.iouThrs = np.array(IOUS)
        judge.params.maxDets = [MOST_FOUND]
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.evaluate()
        judge.accumulate()
    by_iou = np.asarray(judge.eval["precision"])[:, :, 0, 0, 0].mean(axis=1)
    values = (by_iou[at(0.3)], by_iou[at(0.5)], by_iou[COCO_RANGE].mean())
    return {name: round(float(v), 4) for name, v in zip(names, values, strict=True)}


def _annotation(image: int, shape: TruthShape, masks: bool) -> dict[str, Any]:
    x, y, w, h = xywh(shape.box)
    known = {"image_id": image, "category_id": 1, "bbox": [x, y, w, h], "area": w * h, "iscrowd": int(shape.ignore)}
    return {**known, "segmentation": rle(shape.mask)} if masks else known


def average_precision(matches: Matches, row: int, weights: Ints | None = None) -> float | None:
    """At the overlap IOUS[row]. ``weights``: (F,) how often each picture counts. None where no true face counts."""
    weight = np.ones(len(matches.truths), np.int64) if weights is None else weights
    total = int(weight @ matches.truths)
    if total == 0:
        return None
    order = np.argsort(-matches.scores, kind="mergesort")
    order = order[~matches.ignored[row, order]]
    each = weight[matches.frame[order]]
    right = np.cumsum(each * matches.matched[row, order])
    wrong = np.cumsum(each * ~matches.matched[row, order])
    if not len(order):
        return 0.0
    precision = right / np.maximum(right + wrong, np.spacing(1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    where = np.searchsorted(right / total, RECALLS, side="left")
    return float(np.where(where < len(order), precision[np.minimum(where, len(order) - 1)], 0.0).mean())


def mean_average_precision(matches: Matches, weights: Ints | None = None) -> float | None:
    """Over the overlaps 0.5 to 0.95."""
    values = [average_precision(matches, row, weights) for row in range(1, len(IOUS))]
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


def froc(matches: Matches, row: int, weights: Ints | None = None) -> tuple[Floats, Floats, Floats]:
    """Thresholds (falling, each score that occurs), unmatched found faces per picture, recall; one point each.

    All three empty where nothing was found, or there is no true face or picture.
    """
    weight = np.ones(len(matches.truths), np.int64) if weights is None else weights
    total, pictures = int(weight @ matches.truths), int(weight.sum())
    order = np.argsort(-matches.scores, kind="mergesort")
    if total == 0 or pictures == 0 or not len(order):
        return np.zeros(0), np.zeros(0), np.zeros(0)
    scores = matches.scores[order]
    each = weight[matches.frame[order]]
    matched, ignored = matches.matched[row, order], matches.ignored[row, order]
    right, wrong = np.cumsum(each * matched), np.cumsum(each * ~(matched | ignored))
    last = np.append(scores[1:] != scores[:-1], True)  # faces of one score come and go together
    return scores[last], wrong[last] / pictures, right[last] / total


def recall_at(
    matches: Matches, row: int, per_picture: float = 1.0, weights: Ints | None = None
) -> tuple[float | None, float | None]:
    """Best recall with at most ``per_picture`` unmatched found faces per picture, and its threshold.

    (None, None) where no true face counts; (0.0, None) where no threshold is strict enough or nothing was found.
    """
    weight = np.ones(len(matches.truths), np.int64) if weights is None else weights
    if int(weight @ matches.truths) == 0:
        return None, None
    thresholds, wrong, recall = froc(matches, row, weight)
    allowed = np.flatnonzero(wrong <= per_picture)
    if not len(allowed):
        return 0.0, None
    best = int(allowed[-1])  # recall and unmatched both grow as the threshold falls
    return float(recall[best]), float(thresholds[best])


def counts_above(matches: Matches, row: int, threshold: float, weights: Ints | None = None) -> dict[str, float | None]:
    """Recall, precision and unmatched found faces per picture of the found faces with at least that score."""
    weight = np.ones(len(matches.truths), np.int64) if weights is None else weights
    each = weight[matches.frame] * (matches.scores >= threshold)
    right = int(each @ matches.matched[row])
    wrong = int(each @ ~(matches.matched[row] | matches.ignored[row]))
    total, pictures = int(weight @ matches.truths), int(weight.sum())
    return {
        "recall": right / total if total else None,
        "precision": right / (right + wrong) if right + wrong else None,
        "unmatched_per_picture": wrong / pictures if pictures else None,
    }
