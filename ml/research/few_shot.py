"""Few-shot heads: what 5 to 100 labelled faces of a show bring, by recipe."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import numpy as np

from ml.evaluate.calibration import ece, softmax
from ml.research.heads import LEARNERS, Floats, Learner, moved, with_prior
from ml.research.measure import Score, markdown, scores
from ml.research.study import (
    Measured,
    Study,
    counted,
    cross_fitted,
    most_labels,
    parser_of,
    say,
    study_of,
    write_figures,
)

LABELS = (5, 10, 20, 40, 100)
STRENGTHS = (3.0, 10.0, 30.0, 100.0)
CHOOSING = (10, 40)
COMPARED = ("head, prior, replay", "moved")  # with the shipped head, and with labels dealt out anew


def curve(study: Study, found: Measured, learner: Learner, sizes: Sequence[int], shuffled: bool = False) -> list[Score]:
    """Macro-F1 for each number of labels."""
    return [
        scores(found.faces, cross_fitted(study.base, found, learner, n, None, shuffled).argmax(2))["macro-F1"]
        for n in sizes
    ]


def strengths(study: Study) -> str:
    """Macro-F1 on the shows that choose settings, by the strength of the prior."""
    rows = []
    for replay in (0.0, 0.5):
        for strength in STRENGTHS:
            learner = with_prior(strength, replay)
            of = [s.value for way in (learner, moved(learner)) for s in curve(study, study.development, way, CHOOSING)]
            rows.append([f"{replay:g}", f"{strength:g}", *(f"{value:.3f}" for value in of)])
    sizes = [f"{n} labels{how}" for how in ("", ", moved") for n in CHOOSING]
    return markdown(["replay", "strength", *sizes], rows)


def table(study: Study, found: Measured, learners: Mapping[str, Learner] = LEARNERS) -> str:
    """A row per recipe; the first, as shipped, needs no labels."""
    sizes = [n for n in LABELS if n <= most_labels(found)]
    shipped = scores(found.faces, study.base.head(found.seen.features).argmax(1))["macro-F1"]
    rows: list[list[object]] = []
    for name, learner in learners.items():
        if name == "as shipped":
            rows.append([name, *([shipped] + [""] * (len(sizes) - 1))])
            continue
        of = curve(study, found, learner, sizes)
        rows.append([name, *of])
        if name in COMPARED:
            rows.append(["gain of that over as shipped", *((s - shipped).signed for s in of)])
            shuffled = curve(study, found, learner, sizes, shuffled=True)
            rows.append(["the same, labels dealt out anew", *shuffled])
    return markdown([found.name, *(f"{n} labels" for n in sizes)], rows)


def calibration(study: Study, found: Measured, learner: Learner, labels: int) -> tuple[float, float]:
    """ECE as shipped, and of the fitted head at temperature 1."""
    truth = found.faces.emotion
    before = ece(softmax(study.base.head(found.seen.features), study.base.temperature), truth)
    logits: Floats = cross_fitted(study.base, found, learner, labels)
    after = np.mean([ece(softmax(run), truth) or 0.0 for run in logits])
    return before or 0.0, float(after)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of("Measures heads fitted to a few labelled faces of a show.", "few_shot")
    parser.add_argument("--choose", action="store_true", help="try strengths of the prior on the development shows")
    parser.add_argument("--only", action="append", choices=list(LEARNERS), help="this recipe; may be repeated")
    options = parser.parse_args(arguments)
    learners = {name: LEARNERS[name] for name in options.only or LEARNERS}
    study = study_of(options)
    say(f"{study.reader.name}\n{counted(study)}")
    if options.choose:
        say(strengths(study))
    tables = {s.name: table(study, s, learners) for s in study.sets}
    for text in tables.values():
        say(text)
    for found in study.sets:
        labels = min(40, most_labels(found))
        before, after = calibration(study, found, LEARNERS["head, prior, replay"], labels)
        say(f"{found.name}: ECE {before:.3f} as shipped, {after:.3f} with prior and replay, {labels} labels")
    write_figures(options.out, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
