"""A comparison of runs as one page, and as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ml.evaluate.compare import FIGURES, Run
from ml.evaluate.report_html import heading, number, page, pair, paragraph, table, with_bounds
from ml.evaluate.report_svg import Axis, whiskers
from ml.evaluate.summary import shown


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"{document['pictures']} pictures in common, {document['groups']} groups"
    for name, rows in document["figures"].items():
        yield FIGURES[name]
        for row in rows:
            more = "" if row["difference"] is None else f"  difference {shown(row['difference'])}: {row['verdict']}"
            yield f"  {row['run']}: {shown(row['figure'])}{more}"


def comparison_report(document: Mapping[str, Any], runs: Sequence[Run]) -> str:
    return page(" against ".join(r["name"] for r in document["runs"]), _parts(document, runs))


def _parts(document: Mapping[str, Any], runs: Sequence[Run]) -> Iterator[str]:
    first = document["runs"][0]["name"]
    yield paragraph(
        f"Measured on the {document['pictures']} pictures that all runs have, {document['groups']} shots or episodes. "
        f"Differences are from {first}; the same shots are drawn for every run, {document['rounds']} times, so their "
        "intervals (95 %) are those of the difference itself. Where an interval holds 0 the runs cannot be told apart. "
        "One in twenty such intervals misses the truth: the more figures and runs, the more of them."
    )
    if document["groups"] < 10:
        yield paragraph(f"Only {document['groups']} groups: the intervals themselves are rough.", "warn")
    yield table(("run", "bundle", "digest", "parameters", "MB", "drawings per second"), [_about(run) for run in runs])
    for name, rows in document["figures"].items():
        yield from _figure(name, rows)
    yield from _classes(runs)


def _about(run: Run) -> tuple[object, ...]:
    bundle, cost = run.document["bundle"], run.document.get("cost") or {}
    parts = cost.get("parts", [])
    count = sum(p["parameters"] or 0 for p in parts)
    size = round(sum(p["megabytes"] for p in parts), 1) if parts else None
    name = f"{bundle['name']} {bundle['version']}"
    return run.name, name, bundle["digest"][:12], f"{count:,}" if count else None, size, cost.get("drawings_per_second")


def _figure(name: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    known = [r for r in rows if r["figure"] is not None]
    differences = [r for r in known if r["difference"] is not None]
    yield heading(FIGURES[name])
    values = [(r["run"], *(r["figure"][k] for k in ("value", "low", "high"))) for r in known]
    parts = [whiskers(FIGURES[name], Axis("value and 95 % interval"), values)]
    if differences:
        reach = max([0.05, *(abs(r["difference"][k] or 0.0) for r in differences for k in ("value", "low", "high"))])
        apart = [(r["run"], *(r["difference"][k] for k in ("value", "low", "high"))) for r in differences]
        axis = Axis("difference from the first run", -1.05 * reach, 1.05 * reach)
        parts.append(whiskers(f"{FIGURES[name]}: differences", axis, apart))
    yield pair(*parts)
    yield table(
        ("run", "verdict", "value", "difference"),
        [
            (
                r["run"],
                r["verdict"] or "first run",
                with_bounds(r["figure"]),
                with_bounds(r["difference"]),
            )
            for r in known
        ],
    )


def _classes(runs: Sequence[Run]) -> Iterator[str]:
    """F1 by class, of each run's own pictures."""
    known = [r for r in runs if r.document["emotions"] and r.document["emotions"]["true_boxes"]["faces"]]
    if not known:
        return
    parts = {r.name: r.document["emotions"]["true_boxes"] for r in known}
    labels = next(iter(parts.values()))["likeliest"]["classes"]
    yield heading("Emotions by class")
    yield table(
        ("F1 on true boxes", *parts),
        [(label, *(number(p["likeliest"]["classes"][label]["f1"]) for p in parts.values())) for label in labels],
        "Of each run's own pictures",
    )
    yield table(
        ("majority baseline", *parts),
        [
            (what, *(number(p["baselines"]["majority"][key]) for p in parts.values()))
            for what, key in (("accuracy", "accuracy"), ("macro-F1", "macro_f1"))
        ]
        + [("this bundle's accuracy", *(with_bounds(p["headline"]["accuracy"]) for p in parts.values()))],
    )
