"""``python -m ml compare RUN.json... --out OUT.html``: runs on the same pictures, and how sure their differences are.

All runs are measured on the pictures that all of them have, and resampled together: a replicate draws the same shots
for each. So what is hard for every run cancels out of a difference, and its interval is the narrower.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.errors import UserError
from ml.evaluate import calibration, metrics
from ml.evaluate.bootstrap import ROUNDS, figure, frame_weights
from ml.evaluate.detection_ap import at, average_precision, recall_at
from ml.evaluate.labels import MISSED
from ml.evaluate.matching import Matches
from ml.outputs import add_json_arguments, check_json, check_writable, whole_file, write_json
from ml.types import EMOTIONS

Ints = NDArray[np.int64]
Measure = Callable[[Ints], float | None]
LOWER_IS_BETTER = frozenset({"ece"})
FIGURES = {
    "recall30": "face recall, IoU 0.3, 1 unmatched per picture",
    "recall50": "face recall, IoU 0.5, 1 unmatched per picture",
    "box_ap50": "box AP50",
    "mask_ap50": "mask AP50",
    "accuracy": "emotion accuracy, true boxes",
    "macro_f1": "emotion macro-F1, true boxes",
    "ece": "calibration error (ECE), true boxes",
    "found_accuracy": "emotion accuracy, missed faces counted as wrong",
}


class RunInvalid(UserError):
    """A file is no result of ``evaluate --labels``, or shares no picture with the others."""

    code = "run_file_invalid"


@dataclass(frozen=True, slots=True)
class Faces:
    """Emotions of one run: (N,) numbers, and (N, 7) probabilities."""

    frame: Ints
    truth: Ints
    said: Ints
    probabilities: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Run:
    """One result file. ``groups``: of each picture in ``keys``."""

    name: str
    document: Mapping[str, Any]
    keys: tuple[str, ...]
    groups: tuple[str, ...]
    boxes: Matches
    masks: Matches | None
    true_boxes: Faces
    found_boxes: Faces


def read_run(path: Path) -> Run:
    """Raises RunInvalid, naming file and reason."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != 1 or document["kind"] != "evaluation":
            raise ValueError("it is another kind of result")
        raw = document["raw"]
        return Run(
            path.stem,
            document,
            tuple(str(p["key"]) for p in raw["pictures"]),
            tuple(str(p["group"]) for p in raw["pictures"]),
            Matches.from_json(raw["boxes"]),
            None if raw["masks"] is None else Matches.from_json(raw["masks"]),
            _faces(raw["true_boxes"]),
            _faces(raw["found_boxes"]),
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise RunInvalid(f"{path} is no result of evaluate --labels that can be compared: {error}.") from error


def _faces(table: Mapping[str, Any]) -> Faces:
    frame, truth, said = (np.asarray(table[n], np.int64) for n in ("frame", "truth", "said"))
    return Faces(frame, truth, said, np.asarray(table["probabilities"], np.float64).reshape(-1, len(EMOTIONS)))


def only(run: Run, keys: Sequence[str]) -> Run:
    """The run on these pictures alone, in this order."""
    place = {key: n for n, key in enumerate(run.keys)}
    chosen = [place[key] for key in keys]
    new = np.full(len(run.keys), -1, np.int64)
    new[chosen] = np.arange(len(chosen))
    return Run(
        run.name,
        run.document,
        tuple(keys),
        tuple(run.groups[n] for n in chosen),
        _only_matches(run.boxes, new, chosen),
        None if run.masks is None else _only_matches(run.masks, new, chosen),
        _only_faces(run.true_boxes, new),
        _only_faces(run.found_boxes, new),
    )


def _only_matches(m: Matches, new: Ints, chosen: Sequence[int]) -> Matches:
    keep = np.flatnonzero(new[m.frame] >= 0)
    keep = keep[np.argsort(new[m.frame[keep]], kind="stable")]
    return Matches(m.scores[keep], new[m.frame[keep]], m.matched[:, keep], m.ignored[:, keep], m.truths[list(chosen)])


def _only_faces(f: Faces, new: Ints) -> Faces:
    keep = np.flatnonzero(new[f.frame] >= 0)
    keep = keep[np.argsort(new[f.frame[keep]], kind="stable")]
    return Faces(new[f.frame[keep]], f.truth[keep], f.said[keep], f.probabilities[keep])


def measures(run: Run) -> dict[str, Measure]:
    """What can be measured of a run, as functions of picture weights."""
    found: dict[str, Measure] = {
        "recall30": lambda w: recall_at(run.boxes, at(0.3), 1.0, w)[0],
        "recall50": lambda w: recall_at(run.boxes, at(0.5), 1.0, w)[0],
        "box_ap50": lambda w: average_precision(run.boxes, at(0.5), w),
    }
    if run.masks is not None:
        masks = run.masks
        found["mask_ap50"] = lambda w: average_precision(masks, at(0.5), w)
    if len(run.true_boxes.truth):
        faces, every = run.true_boxes, run.found_boxes
        top = faces.probabilities.argmax(1)
        hit = (every.probabilities.argmax(1) == every.truth) & (every.said != MISSED)

        def table(w: Ints) -> Ints:
            return metrics.confusion(faces.truth, top, len(EMOTIONS), 0, w[faces.frame])

        def found_accuracy(w: Ints) -> float | None:
            each = w[every.frame]
            return float(each @ hit / each.sum()) if each.sum() else None

        found["accuracy"] = lambda w: metrics.accuracy(table(w))
        found["macro_f1"] = lambda w: metrics.macro_f1(table(w))
        found["ece"] = lambda w: calibration.ece(faces.probabilities, faces.truth, weights=w[faces.frame])
        found["found_accuracy"] = found_accuracy
    return found


def compare(runs: Sequence[Run], rounds: int = ROUNDS) -> dict[str, Any]:
    """Figures of each run, and differences from the first, on the pictures that all have. Raises RunInvalid."""
    if len(runs) < 2:
        raise RunInvalid("A comparison needs the results of two runs or more.")
    keys = [key for key in runs[0].keys if all(key in run.keys for run in runs)]
    if not keys:
        raise RunInvalid(f"{runs[0].name} and {runs[1].name} have no picture in common, so nothing can be compared.")
    runs = [only(run, keys) for run in runs]
    for run in runs[1:]:
        if not same_labels(run, runs[0]):
            raise RunInvalid(f"{run.name} was measured with other labels of the same pictures than {runs[0].name}.")
    weights = frame_weights(runs[0].groups, rounds)
    each = [measures(run) for run in runs]
    figures: dict[str, Any] = {}
    for name in FIGURES:
        if not any(name in m for m in each):
            continue
        rows = []
        for run, known in zip(runs, each, strict=True):
            row: dict[str, Any] = {"run": run.name, "figure": None, "difference": None, "verdict": None}
            if name in known:
                row["figure"] = figure(known[name], weights)
                if run is not runs[0] and name in each[0]:
                    row["difference"] = figure(_less(known[name], each[0][name]), weights)
                    row["verdict"] = verdict(row["difference"], name in LOWER_IS_BETTER)
            rows.append(row)
        figures[name] = rows
    return {
        "format": 1,
        "kind": "comparison",
        "runs": [{"name": r.name, "bundle": r.document["bundle"], "labels": r.document["labels"]} for r in runs],
        "pictures": len(keys),
        "groups": len(set(runs[0].groups)),
        "rounds": rounds,
        "figures": figures,
    }


def same_labels(a: Run, b: Run) -> bool:
    """Whether two runs on the same pictures were held against the same true faces and emotions."""
    emotions = [f.true_boxes.truth.tolist() for f in (a, b) if len(f.true_boxes.truth)]
    return np.array_equal(a.boxes.truths, b.boxes.truths) and (len(emotions) < 2 or emotions[0] == emotions[1])


def _less(ours: Measure, theirs: Measure) -> Measure:
    def difference(w: Ints) -> float | None:
        a, b = ours(w), theirs(w)
        return None if a is None or b is None else a - b

    return difference


def verdict(difference: Mapping[str, float | None], lower_is_better: bool) -> str:
    """``better`` or ``worse`` only where the whole interval is on one side of zero."""
    low, high = difference["low"], difference["high"]
    if low is None or high is None or low <= 0 <= high:
        return "cannot be told apart"
    return "better" if (low > 0) != lower_is_better else "worse"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN.json", help="results of evaluate --labels --json")
    parser.add_argument("--out", type=Path, metavar="OUT.html", help="one page that compares them")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="resamplings for the intervals")
    add_json_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from ml.evaluate.compare_report import comparison_report, lines

    check_json(args.json, force=args.force)
    if args.out is not None:
        check_writable(args.out, None)
    runs = [read_run(path) for path in args.runs]
    document = compare(runs, args.rounds)
    stream = sys.stderr if args.json == "-" else sys.stdout
    for line in lines(document):
        stream.write(line + "\n")
    if args.json:
        write_json(args.json, document, indent=1)
    if args.out is not None:
        with whole_file(args.out) as temporary:
            temporary.write_text(comparison_report(document, runs), encoding="utf-8")
    return 0
