"""One run as one page: every figure with its interval and its chance level, plots and their tables, all inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.evaluate import report_emotions, report_faces
from ml.evaluate.report_html import (
    bounds,
    cards,
    heading,
    number,
    page,
    paragraph,
    picture,
    table,
    with_bounds,
)
from ml.evaluate.report_svg import Axis, Line, plot, whiskers

Picture = tuple[str, NDArray[np.uint8]]


def report(document: Mapping[str, Any], pictures: Sequence[Picture] = ()) -> str:
    """``document``: of ``ml.evaluate.labelled``. ``pictures``: titles and RGB arrays (layer responses, Grad-CAM)."""
    bundle, labels = document["bundle"], document["labels"]
    title = f"{bundle['name']} {bundle['version']} on {labels.get('file', labels['format'])}"
    return page(title, _parts(document, pictures))


def _parts(document: Mapping[str, Any], pictures: Sequence[Picture]) -> Iterator[str]:
    yield from _summary(document)
    yield from report_faces.section(document)
    yield from report_emotions.section(document)
    if masking := document.get("masking"):
        yield from _masking(masking)
    if history := document.get("history"):
        yield from _history(history)
    if cost := document.get("cost"):
        yield from _cost(cost)
    if pictures:
        yield heading("What the network responds to")
        yield from (picture(name, pixels) for name, pixels in pictures)
    if flattering := document.get("flattering"):
        yield from _flattering(document, flattering)
    yield from _about(document)


def _summary(document: Mapping[str, Any]) -> Iterator[str]:
    labels, resampling, boxes = document["labels"], document["resampling"], document["detection"]["boxes"]
    yield paragraph(
        f"{labels['pictures']} pictures, {labels['faces']} labelled faces, {labels['groups']} shots or episodes. "
        f"Intervals: {resampling['level']:.0%}, whole shots or episodes resampled {resampling['rounds']} times."
    )
    if resampling["groups"] < 10:
        yield paragraph(f"Only {resampling['groups']} groups: the intervals themselves are rough.", "warn")
    recall = boxes["recall_iou30_at_1_unmatched"]
    entries = [_card("face recall", recall, f"IoU 0.3, 1 unmatched per picture; shuffled {number(recall['shuffled'])}")]
    entries.append(_card("box AP50", boxes["ap50"], f"AP30 {number(boxes['ap30']['value'])}"))
    if masks := document["detection"]["masks"]:
        entries.append(_card("mask AP50", masks["ap50"], f"AP50:95 {number(masks['ap50_95']['value'])}"))
    emotions = document["emotions"]
    if emotions and emotions["true_boxes"]["faces"]:
        part = emotions["true_boxes"]
        base, head = part["baselines"]["majority"], part["headline"]
        entries.append(_card("emotion accuracy", head["accuracy"], f"true boxes; majority {number(base['accuracy'])}"))
        classes = part["likeliest"]["macro_f1_classes"]
        entries.append(
            _card("macro-F1", head["macro_f1"], f"{classes} classes, true boxes; majority {number(base['macro_f1'])}")
        )
        entries.append(_card("calibration error", head["ece"], "ECE, true boxes"))
    yield cards(entries)
    yield _overview(document)


def _card(name: str, figure: Mapping[str, Any], below: str) -> tuple[str, str, str]:
    return name, number(figure["value"]), f"{bounds(figure)} · {below}"


def _overview(document: Mapping[str, Any]) -> str:
    boxes, masks, emotions = document["detection"]["boxes"], document["detection"]["masks"], document["emotions"]
    rows = [
        ("face recall, IoU 0.3, 1 unmatched per picture", boxes["recall_iou30_at_1_unmatched"]),
        ("face recall, IoU 0.5, 1 unmatched per picture", boxes["recall_iou50_at_1_unmatched"]),
        ("box AP50", boxes["ap50"]),
    ]
    if masks:
        rows.append(("mask AP50", masks["ap50"]))
    for name, place in report_emotions.PLACES.items():
        if emotions and emotions[name]["faces"]:
            rows += [(f"{what}, {place}", emotions[name]["headline"][key]) for key, what in _OVERVIEW.items()]
    return whiskers(
        "Headline figures with their intervals",
        Axis("value and 95 % interval"),
        [(name, f["value"], f["low"], f["high"]) for name, f in rows],
    )


_OVERVIEW = {"accuracy": "emotion accuracy", "macro_f1": "emotion macro-F1"}


def _masking(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield heading("With segmentation and without")
    yield paragraph(
        "The same classifier on the same true faces, cut out in several ways. A classifier does best on what it was "
        "trained on; whether segmentation helps is told by two bundles trained each way and compared."
    )
    yield table(
        ("what the classifier sees", "accuracy", "macro-F1", "accuracy less segmented"),
        [(r["name"], *(with_bounds(r[k]) for k in ("accuracy", "macro_f1", "accuracy_less_segmented"))) for r in rows],
    )


def _history(history: Mapping[str, Mapping[str, Sequence[Sequence[float]]]]) -> Iterator[str]:
    yield heading("Learning curves")
    for name, splits in history.items():
        points = [p for line in splits.values() for p in line]
        steps, values = [p[0] for p in points], [p[1] for p in points]
        room = 0.05 * (max(values) - min(values)) or 0.5
        across = Axis("step", min(steps), max(max(steps), min(steps) + 1))
        up = Axis(name, min(0.0, min(values)) if min(values) >= 0 else min(values) - room, max(values) + room)
        lines = [Line(s, [p[0] for p in line], [p[1] for p in line], k) for k, (s, line) in enumerate(splits.items())]
        ends = [(s, f"{line[-1][0]:g}", f"{line[-1][1]:.4g}", f"{_best(name, line):.4g}") for s, line in splits.items()]
        yield heading(name, 3) + plot(f"{name} over training", across, up, lines)
        yield table(("split", "last step", "last value", "best value"), ends)


def _best(name: str, line: Sequence[Sequence[float]]) -> float:
    """The least of a loss or an error, the greatest of anything else."""
    choose = min if any(word in name.lower() for word in ("loss", "error", "nll", "ece")) else max
    return choose(p[1] for p in line)


def _cost(cost: Mapping[str, Any]) -> Iterator[str]:
    yield heading("Speed and size")
    yield table(
        ("part", "parameters", "MB on disk"),
        [(p["name"], f"{p['parameters']:,}" if p["parameters"] else None, p["megabytes"]) for p in cost["parts"]],
    )
    if speed := cost.get("drawings_per_second"):
        yield paragraph(
            f"{speed:g} drawings per second on {cost['device']} with {cost['threads']} threads, detector and "
            f"classifier together, {cost['drawings']} pictures of {cost['picture'][0]} x {cost['picture'][1]}. Other "
            "work on the machine slows this down; python -m ml bench measures it with care."
        )


def _flattering(document: Mapping[str, Any], flattering: Mapping[str, Any]) -> Iterator[str]:
    yield heading("Flattering: random frames")
    yield paragraph(
        "Frames of shots that were trained on are let in here. They look like pictures that the bundle has seen, so "
        "these figures promise more than a new shot or cartoon will give.",
        "warn",
    )
    rows = []
    for name, key in (("face recall at 1 unmatched, IoU 0.3", "recall_iou30_at_1_unmatched"), ("box AP50", "ap50")):
        rows.append((name, *(with_bounds(d["detection"]["boxes"][key]) for d in (document, flattering))))
    if document["emotions"] and flattering["emotions"]:
        for name, key in (("emotion accuracy, true boxes", "accuracy"), ("macro-F1, true boxes", "macro_f1")):
            both = (d["emotions"]["true_boxes"]["headline"][key] for d in (document, flattering))
            rows.append((name, *(with_bounds(f) for f in both)))
    yield table(("", "honest: shots not trained on", "flattering: random frames"), rows)


def _about(document: Mapping[str, Any]) -> Iterator[str]:
    labels, bundle, resampling = document["labels"], document["bundle"], document["resampling"]
    yield heading("What was measured")
    known = (
        "compared with the groups it was trained on"
        if labels.get("training_groups_known")
        else ("the bundle does not name the groups it was trained on, so a leak cannot be ruled out")
    )
    yield table(
        ("", ""),
        [
            ("bundle", f"{bundle['name']} {bundle['version']}"),
            ("digest", bundle["digest"][:16]),
            ("labels", f"{labels.get('file', '')} ({labels['format']})"),
            ("split", f"{labels.get('split', 'all')}, every {labels.get('every', 1)}."),
            ("labels that could not be used", labels["problems"]),
            ("test groups", known),
            ("seed", resampling["seed"]),
        ],
    )
