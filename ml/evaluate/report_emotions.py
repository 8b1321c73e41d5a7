"""The part of a report about what faces show: figures by class, confusion, curves, calibration, doubt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ml.evaluate.curves import class_curves, risk_coverage
from ml.evaluate.labels import MISSED
from ml.evaluate.report_html import confusion, heading, number, pair, paragraph, table, with_bounds
from ml.evaluate.report_svg import Axis, Line, plot
from ml.types import EMOTIONS

PLACES = {"true_boxes": "true boxes", "found_boxes": "found boxes"}
HEADLINE = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "weighted_f1": "weighted F1",
    "mean_one_against_rest_accuracy": "mean one-against-rest accuracy (flatters)",
    "accuracy_as_said": "accuracy, unclear counted as wrong",
    "accuracy_with_missed_as_wrong": "accuracy, missed faces counted as wrong",
    "ece": "calibration error (ECE)",
}
LABELS = [str(e) for e in EMOTIONS]


def section(document: Mapping[str, Any]) -> Iterator[str]:
    emotions = document["emotions"]
    yield heading("What the faces show")
    if emotions is None or not emotions["true_boxes"]["faces"]:
        yield paragraph("Nothing to measure: the bundle reads no emotions, or no label says one.")
        return
    parts = {name: emotions[name] for name in PLACES if emotions[name]["faces"]}
    yield paragraph(
        "On true boxes the classifier alone is measured; on found boxes what the detector cuts out, at the bundle's "
        f"own threshold, {emotions['found_boxes'].get('missed', 0)} missed faces left out. "
        f"{emotions['unclear_or_unreadable_faces']} faces whose label says unclear, or nothing, count for finding only."
    )
    if foreign := emotions["words_that_are_no_emotion_here"]:
        words = ", ".join(f"{word} ({count})" for word, count in foreign.items())
        yield paragraph(f"Words of the labels that are none of the seven emotions, left out: {words}.", "warn")
    yield table(
        ("", *(f"{PLACES[n]} ({p['faces']} faces)" for n, p in parts.items())),
        [(label, *(with_bounds(p["headline"][key]) for p in parts.values())) for key, label in HEADLINE.items()],
        f"Macro-F1 is over the {parts['true_boxes']['likeliest']['macro_f1_classes']} classes that occur in the truth",
    )
    yield paragraph(emotions["note"], "warn")
    for name, part in parts.items():
        yield from _place(document, name, part)


def _place(document: Mapping[str, Any], name: str, part: Mapping[str, Any]) -> Iterator[str]:
    yield heading(f"Emotions on {PLACES[name]}", 2)
    yield table(
        ("knows nothing of the picture", "accuracy", "macro-F1"),
        [(n, number(b["accuracy"]), number(b["macro_f1"])) for n, b in part["baselines"].items()]
        + [
            (
                "this bundle",
                number(part["headline"]["accuracy"]["value"]),
                number(part["headline"]["macro_f1"]["value"]),
            )
        ],
        "Baselines: always the commonest class; any class by lot; the bundle's own answers dealt out at random",
    )
    among = part["among_label_classes"]
    if len(among["classes"]) < len(LABELS):
        yield paragraph(
            f"Allowed to choose only among the classes that the labels use ({', '.join(among['classes'])}): accuracy "
            f"{number(among['accuracy'])}, macro-F1 {number(among['macro_f1'])}. That is an easier question.",
            "quiet",
        )
    likeliest = part["likeliest"]
    yield table(
        ("class", "faces", "precision", "recall", "F1", "one against rest"),
        [
            (label, c["faces"], *(number(c[k]) for k in ("precision", "recall", "f1", "one_against_rest_accuracy")))
            for label, c in likeliest["classes"].items()
        ]
        + [
            (
                "weighted",
                likeliest["faces"],
                *(number(likeliest["weighted"][k]) for k in ("precision", "recall", "f1")),
                None,
            )
        ],
    )
    yield confusion(part["as_said"]["confusion"], "Confusion, as said")
    yield table(
        ("truth", "said", "faces", "share of that truth"),
        [(c["truth"], c["said"], c["faces"], number(c["share"])) for c in likeliest["top_confusions"]],
        "Most frequent confusions of the likeliest emotion",
    )
    rows = document["raw"][name]
    there = np.asarray(rows["said"]) != MISSED
    truth = np.asarray(rows["truth"], np.int64)[there]
    p = np.asarray(rows["probabilities"], np.float64).reshape(-1, len(LABELS))[there]
    yield from _class_curves(p, truth, part)
    yield pair(_reliability(part["calibration"]), _coverage(p, truth, part))


def _class_curves(p: Any, truth: Any, part: Mapping[str, Any]) -> Iterator[str]:
    found = class_curves(p, truth, LABELS)["curves"]
    names = [*LABELS, "micro", "macro"]
    charts = []
    for kind, title, x, y in (
        ("pr", "Precision against recall, one class against the rest", "recall", "precision"),
        ("roc", "ROC, one class against the rest", "false positive rate", "true positive rate"),
    ):
        areas = part["areas"][kind]
        lines = [
            Line(f"{n} {number(areas.get(n), 2)}", a.tolist(), b.tolist(), names.index(n))
            for n, (a, b) in found[kind].items()
            if len(a)
        ]
        charts.append(heading(title, 3) + plot(title, Axis(x), Axis(y), lines, diagonal=kind == "roc"))
    yield pair(*charts)
    yield table(
        ("class", "average precision", "area under ROC"),
        [
            (n, number(part["areas"]["pr"].get(n)), number(part["areas"]["roc"].get(n)))
            for n in names
            if n in part["areas"]["pr"]
        ],
        "Areas; micro: all answers in one pot, macro: the mean of the classes that occur",
    )


def _reliability(found: Mapping[str, Any]) -> str:
    lines = [
        _dots("before temperature", found["reliability_before"], 1),
        _dots("after temperature", found["reliability"], 0),
    ]
    rows: list[Sequence[object]] = [
        (name, *(number(values[k]) for k in ("ece", "brier", "nll")))
        for name, values in (
            ("before (temperature 1)", found["before"]),
            (f"after (the bundle's {found['temperature']:g})", found["after"]),
            ("temperature fitted on other groups", found["temperature_of_other_groups"]),
        )
        if values is not None
    ]
    bins = [
        (f"{r['from']:.1f} to {r['to']:.1f}", r["faces"], number(r["confidence"]), number(r["accuracy"]))
        for r in found["reliability"]
    ]
    return (
        heading("Does a confidence mean what it says?", 3)
        + plot("Reliability: accuracy against confidence", Axis("confidence"), Axis("accuracy"), lines, diagonal=True)
        + table(("calibration", "ECE", "Brier", "NLL"), rows)
        + table(("confidence", "faces", "mean", "accuracy"), bins, "After temperature")
    )


def _dots(name: str, rows: Sequence[Mapping[str, Any]], style: int) -> Line:
    return Line(name, [r["confidence"] for r in rows], [r["accuracy"] for r in rows], style)


def _coverage(p: Any, truth: Any, part: Mapping[str, Any]) -> str:
    found = risk_coverage(p, truth)
    figures = part["risk_coverage"]
    lines = [
        Line("surest first", found["coverage"].tolist(), found["risk"].tolist(), 0),
        Line("random order", [0.0, 1.0], [figures["risk_at_1"]] * 2, 1),
    ]
    share = number(None if part["unclear"] is None else 1 - part["unclear"])
    return (
        heading("What does saying unclear bring?", 3)
        + plot("Risk against coverage", Axis("share of faces spoken of"), Axis("share wrong"), lines)
        + table(
            ("share of faces spoken of", "share wrong"),
            [
                (f"{float(name.removeprefix('risk_at_')):.0%}", number(v))
                for name, v in figures.items()
                if name != "area"
            ]
            + [("mean over all shares", number(figures["area"]))],
            f"At the bundle's own threshold it speaks of {share} of the faces",
        )
    )
