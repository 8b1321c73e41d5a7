"""The card of an adapted bundle, for people: CARD.md in its folder, from the figures in bundle.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ml.bundle import Bundle

FEW = 5  # labelled faces of an emotion or a character, below which the card names it
Table = Mapping[str, Any]
_KEPT = {
    "detector": "Faces are found as by the base",
    "gallery": "Names are told as by the base",
    "emotions": "Emotions are read as by the base",
}


def write_card(bundle: Bundle, folder: Path) -> str:
    """Writes ``folder/CARD.md`` and gives its text."""
    text = card(bundle)
    (folder / "CARD.md").write_text(text, encoding="utf-8")
    return text


def card(bundle: Bundle) -> str:
    gained: Table = bundle.metrics["gained"]
    detector, gallery, emotions = (gained.get(part, {}) for part in ("detector", "gallery", "emotions"))
    base = bundle.made["base"]
    lines = [
        f"# {bundle.name}-{bundle.version}",
        "",
        f"{base['name']}-{base['version']} adapted to one show by {bundle.data['faces']} labelled faces in "
        f"{bundle.data['pictures']} pictures, in {bundle.made['seconds'] / 60:.1f} minutes. Figures are of faces in "
        "shots that were not learnt from; in brackets the 95 % interval by shot.",
    ]
    rows = [*_found_rows(detector), *_emotion_rows(emotions)]
    if rows:
        lines += ["", "| on shots that were not learnt from | before | after |", "|---|---|---|", *rows]
    remembered = [*_remembered_rows(detector, emotions)]
    if remembered:
        lines += ["", "| on rendered drawings, so that nothing is forgotten | before | after |", "|---|---|---|"]
        lines += remembered
    said = [*_names(gallery), *_emotions(emotions), *_missing(gained, bundle.data)]
    return "\n".join([*lines, *(line for sentence in said for line in ("", sentence)), ""])


def _found_rows(d: Table) -> Iterator[str]:
    if "after" in d:
        before, after = d["before"], d["after"]
        counts = f"{before['faces']} faces, {before['pictures']} pictures, {d['test_shots']} shots"
        yield f"| faces found (IoU 0.3; {counts}) | {_plain(before['recall'])} | {_plain(after['recall'])} |"
        yield (
            f"| found where the labels have no face, per picture | {_plain(before['unmatched_per_picture'])} | "
            f"{_plain(after['unmatched_per_picture'])} |"
        )


def _emotion_rows(e: Table) -> Iterator[str]:
    if "after" in e:
        counts = f"{e['faces']} faces, {e['shots']} shots, {e['after']['classes']} emotions"
        for key, name in (("accuracy", f"emotion accuracy ({counts})"), ("macro_f1", "emotion macro-F1")):
            yield f"| {name} | {_figure(e['before'][key])} | {_figure(e['after'][key])} |"
        yield f"| calibration error of emotions (ECE) | {_plain(e['before']['ece'])} | {_plain(e['after']['ece'])} |"


def _remembered_rows(d: Table, e: Table) -> Iterator[str]:
    if "remembered" in d:
        before, after = d["remembered"]["before"], d["remembered"]["after"]
        yield f"| faces found (of {before['faces']}) | {_plain(before['recall'])} | {_plain(after['recall'])} |"
        yield (
            f"| found where there is no face, per picture | {_plain(before['unmatched_per_picture'])} | "
            f"{_plain(after['unmatched_per_picture'])} |"
        )
    if "remembered" in e:
        r = e["remembered"]
        yield f"| emotion accuracy (of {r['faces']} faces) | {_plain(r['before'])} | {_plain(r['after'])} |"


def _names(g: Table) -> Iterator[str]:
    if not g or "kept" in g:
        return
    if g["judged"]:
        yield (
            f"Names: of {g['judged']} faces {g['right']:.0%} got the right one, {g['wrong']:.0%} a wrong one, "
            f"{g['unknown']:.0%} none, each judged without the examples of its own shot."
        )
    strangers = [(g["strangers_named"], "rendered strangers"), (g["others_named"], f"the show's {g['others']} others")]
    named = [f"{share:.0%} of {whom}" for share, whom in strangers if share is not None]
    if named:
        yield f"Of faces of nobody in the gallery, {' and '.join(named)} got a name."
    few = [f"{name} ({n})" for name, n in g["labelled"].items() if n < FEW]
    if few:
        yield f"Fewer than {FEW} labelled faces: {', '.join(few)}."


def _emotions(e: Table) -> Iterator[str]:
    if "shuffled" in e:
        yield (
            f"By chance, with the labels shuffled, the emotion accuracy is {_figure(e['shuffled']['accuracy'])}; "
            f"always saying the commonest labelled emotion has {_plain(e['commonest'])}."
        )
    if "labelled" in e:
        yield "Labelled emotions: " + ", ".join(f"{name} {n}" for name, n in e["labelled"].items()) + "."
        few = [name for name, n in e["labelled"].items() if 0 < n < FEW]
        none = [name for name, n in e["labelled"].items() if n == 0]
        if few and "kept" not in e:
            yield f"Of {', '.join(few)} there are too few to rely on: what they look like is told much as by the base."
        if none and "kept" not in e:
            yield (
                f"No label says {', '.join(none)}: taken as rare in this show, and said only of faces that show it "
                "plainly. Label some, or start from the base, where that is wrong."
            )


def _missing(gained: Table, data: Table) -> Iterator[str]:
    """What was not done or not measured, plainly."""
    for part, sentence in _KEPT.items():
        table = gained.get(part)
        if table is None:
            yield f"{sentence}: it was not asked for."
        elif "kept" in table:
            yield f"{sentence}: {table['kept']}."
    if "unmeasured" in gained.get("detector", {}):
        yield f"What the detector gained was not measured: {gained['detector']['unmeasured']}."
    if gained.get("gallery", {}).get("judged") == 0:
        yield "How well names are told was not measured: nobody was labelled in two shots."
    emotions = gained.get("emotions", {})
    if "remembered" in emotions and "after" not in emotions:
        yield "What the emotions gained was not measured: all labelled faces are of one shot."
    if data.get("unread"):
        yield f"{data['unread']} labelled pictures were left out, as reading them took too long."


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _figure(value: Mapping[str, float | None]) -> str:
    if value["low"] is None or value["high"] is None:
        return _plain(value["value"])
    return f"{_plain(value['value'])} [{_plain(value['low'])}, {_plain(value['high'])}]"
