"""From what was seen to the figures of a run: the document that the JSON holds and the report shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.bundle import Bundle
from ml.evaluate import calibration, metrics
from ml.evaluate.bootstrap import LEVEL, ROUNDS, SEED, figure, frame_weights, rounded
from ml.evaluate.control import SHUFFLES, moved, other_frames
from ml.evaluate.curves import class_curves, risk_coverage
from ml.evaluate.detection_ap import (
    at,
    average_precision,
    counts_above,
    mean_average_precision,
    pycocotools_ap,
    recall_at,
)
from ml.evaluate.labels import FOUND_IOU, MISSED, EmotionRow, Seen, columns
from ml.evaluate.masking import masking_figures
from ml.evaluate.matching import (
    FoundShape,
    Matches,
    TruthShape,
    greedy,
    masked_found,
    masked_truths,
    match_all,
    ordered,
    overlaps_of,
)
from ml.types import EMOTIONS

PER_PICTURE = 1.0  # unmatched found faces per picture at which recall is stated
FROC_POINTS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
HEIGHTS = (  # share of the picture's height: name and upper end
    ("under 10 % of the picture", 0.10),
    ("10 to 25 %", 0.25),
    ("25 to 50 %", 0.50),
    ("50 % and more", float("inf")),
)
LABELS = [str(e) for e in EMOTIONS]
UNCLEAR_COLUMN, MISSED_COLUMN = "unclear", "missed"
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def figures_of(seen: Seen, bundle: Bundle, rounds: int = ROUNDS, seed: int = SEED) -> dict[str, Any]:
    """``detection``, ``emotions`` (None where the bundle has none or no label says any), ``raw``, ``resampling``."""
    groups = [image.group for image in seen.images]
    weights = frame_weights(groups, rounds, seed)
    boxes = match_all([i.truths for i in seen.images], [i.found for i in seen.images])
    masks = _mask_matches(seen)
    detection = {
        "boxes": detection_figures(seen, boxes, weights, bundle.thresholds.detection, seed),
        "masks": None if masks is None else _mask_figures(seen, masks, weights),
    }
    can_say = [EMOTIONS.index(e) for e in bundle.emotions]
    emotions = None
    if seen.true_boxes:
        emotions = {
            "unclear_or_unreadable_faces": seen.unclear_faces,
            "words_that_are_no_emotion_here": seen.foreign,
            "note": metrics.FLATTERS,
            "true_boxes": emotion_figures(columns(seen.true_boxes), can_say, groups, weights, bundle),
            "found_boxes": emotion_figures(columns(seen.found_boxes), can_say, groups, weights, bundle),
        }
    return {
        "detection": detection,
        "emotions": emotions,
        "masking": _masking(seen, weights),
        "resampling": {"by": "group", "groups": len(set(groups)), "rounds": rounds, "seed": seed, "level": LEVEL},
        "raw": {
            "pictures": [{"key": i.key, "group": i.group} for i in seen.images],
            "boxes": boxes.to_json(),
            "masks": None if masks is None else masks.to_json(),
            "true_boxes": rows_json(seen.true_boxes),
            "found_boxes": rows_json(seen.found_boxes),
        },
    }


def _masking(seen: Seen, weights: Ints) -> list[dict[str, Any]] | None:
    if not seen.ways or not seen.true_boxes:
        return None
    data = columns(seen.true_boxes)
    said = {way: np.array(numbers, np.int64) for way, numbers in seen.ways.items()}
    return masking_figures(np.asarray(data["truth"], np.int64), np.asarray(data["frame"], np.int64), said, weights)


def rows_json(rows: Sequence[EmotionRow]) -> dict[str, Any]:
    table: dict[str, Any] = {name: values.tolist() for name, values in columns(rows).items()}
    return {**table, "character": [r.character for r in rows]}


# ------------------------------------------------------------------------------------------------ faces found


def detection_figures(
    seen: Seen, matches: Matches, weights: Ints, threshold: float, seed: int = SEED
) -> dict[str, Any]:
    """AP, recall at one unmatched found face per picture, figures at the bundle's threshold; the control beside."""
    sizes = [i.size for i in seen.images]
    points = pycocotools_ap([i.truths for i in seen.images], [i.found for i in seen.images], sizes)
    _, own = other_frames([i.group for i in seen.images], seed)
    result: dict[str, Any] = {
        "true_faces": int(matches.truths.sum()),
        "ignored_regions": sum(t.ignore for i in seen.images for t in i.truths),
        "found_faces": len(matches.scores),
        **_ap(points, matches, weights),
        "own_threshold": {"threshold": threshold},
        "control": {"how": "same found faces against other pictures' truth", "shuffles": SHUFFLES},
    }
    others = _shuffled(seen, sizes, seed)
    for iou in (0.3, 0.5):
        row, name = at(iou), f"iou{round(100 * iou)}"
        _, limit = recall_at(matches, row, PER_PICTURE)
        result[f"recall_{name}_at_{PER_PICTURE:g}_unmatched"] = {
            **figure(lambda w, row=row: recall_at(matches, row, PER_PICTURE, w)[0], weights),  # type: ignore[misc]
            "threshold": limit,
            "shuffled": _mean([counts_above(o, row, limit)["recall"] for o in others]) if limit is not None else None,
        }
        result["own_threshold"][name] = {
            **{
                measure: figure(lambda w, r=row, m=measure: counts_above(matches, r, threshold, w)[m], weights)  # type: ignore[misc]
                for measure in ("recall", "precision", "unmatched_per_picture")
            },
            "shuffled_recall": _mean([counts_above(o, row, threshold)["recall"] for o in others]),
        }
    result["control"]["pictures_that_met_their_own_group"] = own
    result["froc"] = {f"iou{round(100 * iou)}": _froc_points(matches, others, at(iou)) for iou in (0.3, 0.5)}
    result["by_height"] = recall_by_height(seen, threshold)
    return result


def _froc_points(matches: Matches, others: Sequence[Matches], row: int) -> list[dict[str, float | None]]:
    points = []
    for per_picture in FROC_POINTS:
        recall, limit = recall_at(matches, row, per_picture)
        chance = None if limit is None else _mean([counts_above(o, row, limit)["recall"] for o in others])
        points.append(
            {"per_picture": per_picture, "recall": rounded(recall), "threshold": limit, "shuffled": chance},
        )
    return points


def recall_by_height(seen: Seen, threshold: float) -> list[dict[str, Any]]:
    """Recall of the found faces from ``threshold`` on, by the true face's share of the picture's height."""
    counts = np.zeros((len(HEIGHTS), 3), np.int64)  # true faces, found at IoU 0.3, at 0.5
    for image in seen.images:
        spoken = ordered([f for f in image.found if f.score >= threshold])
        ignore = np.array([t.ignore for t in image.truths], bool)
        partner, _ = greedy(overlaps_of(image.truths, spoken), ignore, (0.3, 0.5))
        for g, truth in enumerate(image.truths):
            if not truth.ignore:
                share = (truth.box[3] - truth.box[1]) / image.size[0]
                row = next(n for n, (_, most) in enumerate(HEIGHTS) if share < most)
                counts[row] += (1, g in partner[0], g in partner[1])
    return [
        {
            "name": name,
            "faces": int(faces),
            "recall_iou30": rounded(loose / faces) if faces else None,
            "recall_iou50": rounded(tight / faces) if faces else None,
        }
        for (name, _), (faces, loose, tight) in zip(HEIGHTS, counts, strict=True)
    ]


def _shuffled(seen: Seen, sizes: Sequence[tuple[int, int]], seed: int) -> list[Matches]:
    groups, truths = [i.group for i in seen.images], [i.truths for i in seen.images]
    found = [i.found for i in seen.images]
    return [match_all(moved(truths, sizes, other_frames(groups, seed + k)[0]), found) for k in range(SHUFFLES)]


def _mask_matches(seen: Seen) -> Matches | None:
    """None where no true or no found face has a mask. A true face without one is ignored, by its box."""
    if not any(t.mask for i in seen.images for t in i.truths if not t.ignore):
        return None
    if not any(f.mask for i in seen.images for f in i.found):
        return None
    return match_all(*_all_masked(seen), masks=True)


def _all_masked(seen: Seen) -> tuple[list[list[TruthShape]], list[list[FoundShape]]]:
    return (
        [masked_truths(i.truths, i.size) for i in seen.images],
        [masked_found(i.found, i.size) for i in seen.images],
    )


def _mask_figures(seen: Seen, matches: Matches, weights: Ints) -> dict[str, Any]:
    points = pycocotools_ap(*_all_masked(seen), [i.size for i in seen.images], masks=True)
    return {"true_faces": int(matches.truths.sum()), **_ap(points, matches, weights)}


def _ap(points: dict[str, float | None], matches: Matches, weights: Ints) -> dict[str, Any]:
    """pycocotools' values with the bounds of ours."""
    measured = {
        "ap30": figure(lambda w: average_precision(matches, at(0.3), w), weights),
        "ap50": figure(lambda w: average_precision(matches, at(0.5), w), weights),
        "ap50_95": figure(lambda w: mean_average_precision(matches, w), weights),
    }
    return {name: {**bounds, "value": points[name]} for name, bounds in measured.items()}


# ------------------------------------------------------------------------------------------------ emotions


def emotion_figures(
    data: dict[str, Any], can_say: Sequence[int], groups: Sequence[str], weights: Ints, bundle: Bundle
) -> dict[str, Any]:
    """``data``: as ``ml.evaluate.labels.columns`` gives it; missed faces count in ``missed`` and
    ``accuracy_with_missed_as_wrong`` only.
    """
    everyone = len(data["truth"])
    there = data["said"] != MISSED
    data = {name: np.asarray(values)[there] for name, values in data.items() if name != "character"}
    truth, p, frame = data["truth"], data["probabilities"], data["frame"]
    if not len(truth):
        return {"faces": 0, "missed": everyone}
    likeliest = p.argmax(1)
    tables = Tables(truth, likeliest, data["said"], frame)
    table, as_said = tables.likeliest(), tables.as_said()
    temperature = bundle.calibration.emotion_temperature
    names = sorted(set(truth.tolist()))
    face_groups = [groups[int(n)] for n in frame]
    return {
        "faces": len(truth),
        "missed": everyone - len(truth),
        "found_iou": FOUND_IOU,
        "headline": tables.headline(p, weights, everyone),
        "likeliest": metrics.figures(table, LABELS, LABELS),
        "as_said": metrics.figures(as_said, LABELS, [*LABELS, UNCLEAR_COLUMN]),
        "unclear": rounded(float((data["said"] < 0).mean())),
        "among_label_classes": among_classes(p, truth, names),
        "baselines": metrics.baselines(table, can_say),
        "calibration": calibration_figures(data, temperature, face_groups),
        "areas": {k: v for k, v in class_curves(p, truth, LABELS).items() if k in ("pr", "roc")},
        "risk_coverage": risk_coverage(p, truth)["figures"],
    }


class Tables:
    """Confusion tables of the same faces, whole or resampled."""

    def __init__(self, truth: Ints, likeliest: Ints, said: Ints, frame: Ints) -> None:
        self.truth, self.top, self.said, self.frame = truth, likeliest, said, frame

    def likeliest(self, weights: Ints | None = None) -> Ints:
        return metrics.confusion(self.truth, self.top, len(LABELS), 0, self._each(weights))

    def as_said(self, weights: Ints | None = None) -> Ints:
        return metrics.confusion(self.truth, self.said, len(LABELS), 1, self._each(weights))

    def _each(self, weights: Ints | None) -> Ints | None:
        return None if weights is None else weights[self.frame]

    def headline(self, p: Floats, weights: Ints, everyone: int) -> dict[str, Any]:
        """With intervals. ``accuracy_as_said``: an *unclear* is not right."""
        all_right = int(np.trace(self.likeliest()))
        return {
            "accuracy": figure(lambda w: metrics.accuracy(self.likeliest(w)), weights),
            "accuracy_as_said": figure(lambda w: metrics.accuracy(self.as_said(w)), weights),
            "accuracy_with_missed_as_wrong": {"value": rounded(all_right / everyone), "low": None, "high": None},
            "mean_one_against_rest_accuracy": figure(
                lambda w: metrics.mean_one_against_rest_accuracy(self.likeliest(w)), weights
            ),
            "macro_f1": figure(lambda w: metrics.macro_f1(self.likeliest(w)), weights),
            "weighted_f1": figure(lambda w: metrics.weighted(self.likeliest(w))["f1"], weights),
            "ece": figure(lambda w: calibration.ece(p, self.truth, weights=w[self.frame]), weights),
        }


def among_classes(p: Floats, truth: Ints, names: Sequence[int]) -> dict[str, Any]:
    """The likeliest among the classes that the labels use: an easier question than the bundle is asked."""
    chosen = np.asarray(names)[p[:, list(names)].argmax(1)]
    table = metrics.confusion(truth, chosen, len(LABELS), 0)
    return {
        "classes": [LABELS[n] for n in names],
        "accuracy": rounded(metrics.accuracy(table)),
        "macro_f1": rounded(metrics.macro_f1(table)),
    }


def calibration_figures(data: dict[str, Any], temperature: float, groups: Sequence[str]) -> dict[str, Any]:
    """Before and after the bundle's temperature; and after one that was fitted on the other groups of these labels."""
    truth, p, plain = data["truth"], data["probabilities"], data["plain"]
    others = calibration.temperature_of_others(np.log(np.maximum(plain, calibration.SMALLEST)), truth, groups)
    return {
        "temperature": temperature,
        "before": calibration.figures(plain, truth),
        "after": calibration.figures(p, truth),
        "temperature_of_other_groups": None if others is None else calibration.figures(others, truth),
        "reliability": calibration.reliability(p, truth),
        "reliability_before": calibration.reliability(plain, truth),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return rounded(float(np.mean(known))) if known else None
