"""The part of a report about faces found: average precision, recall beside chance, precision-recall and FROC curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ml.evaluate.detection_ap import at, froc
from ml.evaluate.matching import Matches
from ml.evaluate.report_html import heading, number, pair, paragraph, table, with_bounds
from ml.evaluate.report_svg import Axis, Line, plot

SHOWN_IOUS = (0.3, 0.5, 0.75)
FEWEST = 0.01  # unmatched found faces per picture at the left end of the FROC curve


def section(document: Mapping[str, Any]) -> Iterator[str]:
    boxes, masks = document["detection"]["boxes"], document["detection"]["masks"]
    yield heading("Faces found")
    yield paragraph(
        f"{boxes['true_faces']} true faces, {boxes['found_faces']} found from a score of {document['lowest_score']:g} "
        f"on, {boxes['ignored_regions']} regions ignored. A face is found only by overlap (IoU), never by covering its "
        "centre."
    )
    kinds = {"boxes": boxes, "masks": masks}
    rows = [
        (name, *(with_bounds(part[k]) for k in ("ap30", "ap50", "ap50_95")))
        for name, part in kinds.items()
        if part is not None
    ]
    yield table(("average precision", "IoU 0.3", "IoU 0.5", "IoU 0.5 to 0.95"), rows)
    yield table(
        ("IoU", "recall", "frames shuffled", "threshold"),
        [_recall_row(boxes, iou) for iou in ("30", "50")],
        "Recall with at most one unmatched found face per picture",
    )
    own = boxes["own_threshold"]
    yield table(
        ("IoU", "recall", "frames shuffled", "precision", "unmatched per picture"),
        [_own_row(own, iou) for iou in ("30", "50")],
        f"At the bundle's own threshold, {own['threshold']:g}",
    )
    yield paragraph(
        "Frames shuffled: the same found faces against the true faces of other pictures; what is left is chance.",
        "quiet",
    )
    control = boxes["control"]
    if control["pictures_that_met_their_own_group"]:
        yield paragraph(
            f"{control['pictures_that_met_their_own_group']} pictures met one of their own shot in that control, as "
            "one shot holds more than half of all pictures: it reads too high.",
            "warn",
        )
    yield from _curves(document)


def _recall_row(boxes: Mapping[str, Any], iou: str) -> tuple[object, ...]:
    figure = boxes[f"recall_iou{iou}_at_1_unmatched"]
    values = (with_bounds(figure), number(figure["shuffled"]), number(figure["threshold"], 2))
    return (f"0.{iou[0]}", *values)


def _own_row(own: Mapping[str, Any], iou: str) -> tuple[object, ...]:
    part = own[f"iou{iou}"]
    return (
        f"0.{iou[0]}",
        with_bounds(part["recall"]),
        number(part["shuffled_recall"]),
        with_bounds(part["precision"]),
        with_bounds(part["unmatched_per_picture"], 2),
    )


def _curves(document: Mapping[str, Any]) -> Iterator[str]:
    matches = Matches.from_json(document["raw"]["boxes"])
    frocs, precisions, most = [], [], 1.0
    for style, iou in enumerate(SHOWN_IOUS):
        _, wrong, recall = froc(matches, at(iou))
        if not len(wrong):
            return
        most = max(most, float(wrong[-1]))
        frocs.append(Line(f"IoU {iou:g}", [max(v, FEWEST) for v in wrong], recall.tolist(), style, steps=True))
        found = recall * matches.truths.sum()
        precision = found / np.maximum(found + wrong * len(matches.truths), 1e-9)
        precisions.append(Line(f"IoU {iou:g}", recall.tolist(), precision.tolist(), style))
    across = Axis("unmatched found faces per picture", FEWEST, max(10.0, most), log=True)
    points = document["detection"]["boxes"]["froc"]
    yield pair(
        heading("Recall against false finds (FROC)", 3)
        + plot("FROC: recall against unmatched found faces per picture", across, Axis("recall"), frocs)
        + table(
            ("unmatched per picture", "recall, IoU 0.3", "shuffled", "recall, IoU 0.5", "shuffled"),
            [
                (f"{a['per_picture']:g}", *(number(p[k]) for p in (a, b) for k in ("recall", "shuffled")))
                for a, b in zip(points["iou30"], points["iou50"], strict=True)
            ],
        ),
        heading("Precision against recall", 3)
        + plot("Precision against recall of found faces", Axis("recall"), Axis("precision"), precisions),
    )
    if sizes := document["detection"]["boxes"].get("by_height"):
        yield table(
            ("height of the face", "true faces", "recall, IoU 0.3", "recall, IoU 0.5"),
            [(s["name"], s["faces"], number(s["recall_iou30"]), number(s["recall_iou50"])) for s in sizes],
            "Recall by size, at the bundle's own threshold",
        )
