"""The card of an adapted bundle, for people: CARD.md in its folder, from the figures in bundle.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml.bundle import Bundle


def write_card(bundle: Bundle, folder: Path) -> str:
    """Writes ``folder/CARD.md`` and gives its text."""
    text = card(bundle)
    (folder / "CARD.md").write_text(text, encoding="utf-8")
    return text


def card(bundle: Bundle) -> str:
    gained: Mapping[str, Any] = bundle.metrics["gained"]
    base = bundle.made["base"]
    lines = [
        f"# {bundle.name}-{bundle.version}",
        "",
        f"{base['name']}-{base['version']} adapted to one show by {bundle.data['faces']} labelled faces in "
        f"{bundle.data['pictures']} pictures, in {bundle.made['seconds'] / 60:.1f} minutes. "
        "Figures are of faces in shots that were not learnt from; in brackets the 95 % interval by shot.",
        "",
        "| | before | after |",
        "|---|---|---|",
    ]
    if "detector" in gained and "before" in gained["detector"]:
        d = gained["detector"]
        for key, name in (
            ("recall", f"faces found (IoU 0.3; {d['before']['faces']} faces, {d['shots']} shots)"),
            ("unmatched_per_picture", "found where the labels have no face, per picture"),
        ):
            lines.append(f"| {name} | {_plain(d['before'][key])} | {_plain(d['after'][key])} |")
    if "emotions" in gained:
        e = gained["emotions"]
        counts = f"{e['faces']} faces, {e['shots']} shots, {e['after']['classes']} emotions"
        for key, name in (("accuracy", f"emotion accuracy ({counts})"), ("macro_f1", "macro-F1")):
            lines.append(f"| {name} | {_figure(e['before'][key])} | {_figure(e['after'][key])} |")
        lines.append(f"| calibration error | {_plain(e['before']['ece'])} | {_plain(e['after']['ece'])} |")
        chance = _plain(e["shuffled"]["accuracy"]["value"])
        lines += ["", f"With the labels shuffled, so by chance, the accuracy is {chance}."]
    if "gallery" in gained:
        g = gained["gallery"]
        lines += [
            "",
            f"Names: of {g['faces']} faces of {g['characters']} characters {g['right']:.0%} got the right one, "
            f"{g['wrong']:.0%} a wrong one, {g['unknown']:.0%} none; of rendered strangers {g['strangers_named']:.0%} "
            "got one.",
        ]
    return "\n".join([*lines, ""])


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _figure(value: Mapping[str, float | None]) -> str:
    if value["low"] is None or value["high"] is None:
        return _plain(value["value"])
    return f"{_plain(value['value'])} [{_plain(value['low'])}, {_plain(value['high'])}]"
