"""The figures of a run in a few lines of text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NONE = "-"


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Of a document of ``ml.evaluate.labelled``."""
    labels, resampling = document["labels"], document["resampling"]
    yield (
        f"{labels['pictures']} pictures, {labels['faces']} faces, {labels['groups']} groups; "
        f"[..] are {100 * resampling['level']:.0f} % intervals, resampled by {resampling['by']}"
    )
    yield from _detection(document["detection"])
    emotions = document["emotions"]
    if emotions is None:
        yield "emotions: nothing to measure"
        return
    for where, name in (("true_boxes", "true boxes"), ("found_boxes", "found boxes")):
        yield from _emotions(emotions[where], name)
    if flattering := document.get("flattering"):
        yield f"-- {flattering['name']}"
        yield from _detection(flattering["detection"])


def _detection(detection: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("boxes", "masks"):
        if (part := detection[kind]) is not None:
            yield f"{kind}: AP30 {shown(part['ap30'])}  AP50 {shown(part['ap50'])}  AP50:95 {shown(part['ap50_95'])}"
    boxes = detection["boxes"]
    for iou in ("30", "50"):
        recall = boxes[f"recall_iou{iou}_at_1_unmatched"]
        yield (
            f"recall at IoU 0.{iou[0]}, one unmatched detection per picture: {shown(recall)}  "
            f"(frames shuffled: {number(recall['shuffled'])})"
        )
        own = boxes["own_threshold"][f"iou{iou}"]
        yield (
            f"  at the bundle's threshold {boxes['own_threshold']['threshold']:g}: recall {shown(own['recall'])}  "
            f"precision {shown(own['precision'])}  unmatched per picture {shown(own['unmatched_per_picture'])}  "
            f"(frames shuffled: recall {number(own['shuffled_recall'])})"
        )


def _emotions(part: Mapping[str, Any], name: str) -> Iterator[str]:
    if not part["faces"]:
        yield f"emotions on {name}: no face with a known emotion"
        return
    head, base, after = part["headline"], part["baselines"], part["calibration"]["after"]
    yield (
        f"emotions on {name} ({part['faces']} faces, {part['missed']} missed): accuracy {shown(head['accuracy'])}  "
        f"macro-F1 {shown(head['macro_f1'])} over {part['likeliest']['macro_f1_classes']} classes  "
        f"weighted F1 {shown(head['weighted_f1'])}"
    )
    yield (
        f"  mean one-against-rest accuracy {shown(head['mean_one_against_rest_accuracy'])} (flatters)  "
        f"ECE {shown(head['ece'])}  NLL {number(after['nll'])}  unclear {number(part['unclear'])}"
    )
    yield (
        "  baselines, accuracy / macro-F1: "
        + "  ".join(f"{n} {number(b['accuracy'])} / {number(b['macro_f1'])}" for n, b in base.items())
    )


def shown(figure: Mapping[str, Any] | None) -> str:
    """``0.912 [0.873, 0.941]``."""
    if figure is None or figure["value"] is None:
        return NONE
    bounds = "" if figure.get("low") is None else f" [{figure['low']:.3f}, {figure['high']:.3f}]"
    return f"{figure['value']:.3f}{bounds}"


def number(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"
