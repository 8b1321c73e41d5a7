"""Prints the table of finished recipes from their run folders: ``python -m ml.train.results RUNS...``

Classifiers: figures on the test faces, with intervals by episode or shot. Detectors: as ``evaluation.json`` has them.
Markdown; the same folders give the same text.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ml.errors import UserError
from ml.evaluate import bootstrap, metrics
from ml.evaluate.summary import number, shown
from ml.train.classifier_run import PREDICTIONS
from ml.train.settings import SettingsInvalid

ROUNDS = 1000
HEAD = (
    "recipe",
    "run",
    "test faces",
    "accuracy [95 %]",
    "macro-F1 [95 %]",
    "weighted P / R / F1",
    "mean one-against-rest (flatters)",
    "always the commonest",
    "steps",
    "s",
)
DETECTOR_HEAD = ("recipe", "run", "test pictures", "faces", "box AP50", "mask AP50", "mask AP50-95", "steps", "s")


@dataclass(frozen=True, slots=True)
class Finished:
    """``facts``: ``run.json``. ``document``: ``evaluation.json``."""

    folder: Path
    name: str
    facts: dict[str, Any]
    document: dict[str, Any]

    @property
    def is_classifier(self) -> bool:
        return bool(self.facts["part"] == "classifier")


def finished_runs(places: Sequence[Path]) -> list[Finished]:
    """Every finished run in or below ``places``, in the order of their names. Raises SettingsInvalid for none."""
    found = []
    for place in places:
        for file in sorted(place.rglob("run.json")):
            if (file.parent / "evaluation.json").exists():
                name = str(file.parent.relative_to(place)) if file.parent != place else ""
                found.append(Finished(file.parent, name, _json(file), _json(file.parent / "evaluation.json")))
    if not found:
        raise SettingsInvalid(f"There is no finished run in {', '.join(str(p) for p in places)}.")
    return found


def _json(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def lines(runs: Sequence[Finished]) -> Iterator[str]:
    classifiers = [run for run in runs if run.is_classifier and run.document["test"]["faces"]]
    detectors = [run for run in runs if not run.is_classifier and "detection" in run.document]
    if classifiers:
        yield from _table(HEAD, [_classifier_row(run) for run in classifiers])
        if told := list(differences(classifiers)):
            yield from ("", *told)
    if classifiers and detectors:
        yield ""
    if detectors:
        yield from _table(DETECTOR_HEAD, [_detector_row(run) for run in detectors])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(row)} |"


# ------------------------------------------------------------------------------------------------ classifiers


@dataclass(frozen=True, slots=True)
class Answers:
    """``truth`` and ``said``: classes of the test faces. ``groups``, ``keys``: the episode or shot, and the picture."""

    truth: bootstrap.Ints
    said: bootstrap.Ints
    groups: tuple[str, ...]
    keys: tuple[str, ...]
    classes: int

    def table(self, weights: bootstrap.Ints) -> bootstrap.Ints:
        return metrics.confusion(self.truth, self.said, self.classes, 0, weights)

    def same_faces(self, other: Answers) -> bool:
        return self.keys == other.keys and np.array_equal(self.truth, other.truth) and self.classes == other.classes


def answers(folder: Path) -> Answers:
    """Of a classifier's run folder. Raises SettingsInvalid."""
    try:
        with np.load(folder / PREDICTIONS) as kept:
            groups, keys = (tuple(kept[name].tolist()) for name in ("groups", "keys"))
            return Answers(kept["truth"], kept["logits"].argmax(1), groups, keys, len(kept["labels"]))
    except (OSError, ValueError, KeyError) as error:
        raise SettingsInvalid(f"{folder / PREDICTIONS} cannot be read: {error}.") from error


def _classifier_row(run: Finished) -> list[str]:
    test, own = run.document["test"], answers(run.folder)
    weights = bootstrap.frame_weights(own.groups, ROUNDS)
    return [
        run.facts["recipe"],
        _variant(run),
        f"{test['faces']} of {len(set(own.groups))} groups",
        shown(bootstrap.figure(lambda w: metrics.accuracy(own.table(w)), weights)),
        shown(bootstrap.figure(lambda w: metrics.macro_f1(own.table(w)), weights)),
        " / ".join(number(test["weighted"][name]) for name in ("precision", "recall", "f1")),
        number(test["mean_one_against_rest_accuracy"]),
        number(test["baselines"]["majority"]["accuracy"]),
        *_cost(run),
    ]


def differences(runs: Sequence[Finished]) -> Iterator[str]:
    """For a recipe with two runs on the same faces: accuracy of the first less that of the second, with interval."""
    recipes: dict[str, list[Finished]] = {}
    for run in runs:
        recipes.setdefault(run.facts["recipe"], []).append(run)
    for name, pair in recipes.items():
        if len(pair) != 2:
            continue
        a, b = answers(pair[0].folder), answers(pair[1].folder)
        if not a.same_faces(b):
            continue
        found = bootstrap.figure(partial(_less, a, b), bootstrap.frame_weights(a.groups, ROUNDS))
        yield f"- {name}: accuracy of {pair[0].name} less that of {pair[1].name}: {shown(found)}"


def _less(a: Answers, b: Answers, weights: bootstrap.Ints) -> float | None:
    ours, theirs = metrics.accuracy(a.table(weights)), metrics.accuracy(b.table(weights))
    return None if ours is None or theirs is None else ours - theirs


# ------------------------------------------------------------------------------------------------ detectors


def _detector_row(run: Finished) -> list[str]:
    labels, found = run.document["labels"], run.document["detection"]
    masks = found["masks"] or {}
    return [
        run.facts["recipe"],
        _variant(run),
        f"{labels['pictures']} of {labels['groups']} groups",
        str(labels["faces"]),
        shown(found["boxes"]["ap50"]),
        shown(masks.get("ap50")),
        shown(masks.get("ap50_95")),
        *_cost(run),
    ]


def _variant(run: Finished) -> str:
    return run.name or run.facts["scale"]


def _cost(run: Finished) -> tuple[str, str]:
    return str(run.facts["steps"]), f"{run.facts['seconds']:.0f}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ml.train.results", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUNS", help="run folders, or folders of them")
    args = parser.parse_args(arguments)
    try:
        runs = [run for place in args.runs for run in finished_runs([place])]
        text = "\n".join(lines(runs))
    except UserError as error:
        sys.stderr.write(f"error [{error.code}]: {error}\n")
        return 2
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
