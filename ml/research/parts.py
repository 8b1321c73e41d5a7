"""Parts before emotions: the network's numbers for brows, lids and mouth, and emotions read from those."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ml.render.parts import PARTS
from ml.research.features import Head
from ml.research.heads import STRENGTH, Base, Floats, fit_head, from_scratch, with_prior
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

LABELS = (10, 20, 40, 100)
_STRENGTH = 1.0


def parts_base(base: Base, parts: Floats) -> Base:
    """A reader of emotions from parts, fitted to rendered faces: ``parts`` are those of base's faces."""
    nothing = Base(Head(np.zeros((7, parts.shape[1])), np.zeros(7)), 1.0, parts, base.emotion)
    return replace(nothing, head=fit_head(nothing, parts, base.emotion, None, _STRENGTH))


def correlations(found: Measured) -> dict[str, float]:
    """Of predicted with true parts, over the faces where the truth is known; parts that hardly vary are left out."""
    said: dict[str, float] = {}
    for number, name in enumerate(PARTS):
        truth, guess = found.faces.parts[:, number], found.seen.parts[:, number]
        known = np.isfinite(truth)
        if known.sum() > 50 and truth[known].std() > 0.02:
            said[name] = float(np.corrcoef(truth[known], guess[known])[0, 1])
    return said


def true_parts(found: Measured) -> NDArray[np.float64]:
    """The truth, 0 where a part does not exist."""
    return np.nan_to_num(found.faces.parts.astype(np.float64))


def rows_of(study: Study, found: Measured, labels: Sequence[int] = LABELS) -> list[list[object]]:
    sizes = [n for n in labels if n <= most_labels(found)]
    few = len(study.base.emotion)
    base = parts_base(study.base, study.replay.seen.parts[:few])
    parts = found.seen.parts

    def score(by: Base, learner: object, x: Floats, n: int, shuffled: bool = False) -> Score:
        logits = cross_fitted(by, found, learner, n, x, shuffled)  # type: ignore[arg-type]
        return scores(found.faces, logits.argmax(2))["macro-F1"]

    features = found.seen.features
    mixed = Base(study.base.head, study.base.temperature, study.base.features, study.base.emotion)
    shipped = scores(found.faces, mixed.head(features).argmax(1))["macro-F1"]
    unlabelled = scores(found.faces, base.head(parts).argmax(1))["macro-F1"]
    rng = np.random.default_rng(3)
    lots = np.concatenate([rng.permutation(which) for which in found.shows()])
    order = np.empty(len(lots), np.int64)
    order[np.concatenate(found.shows())] = lots
    chance = scores(found.faces, base.head(parts[order]).argmax(1))["macro-F1"]
    rows: list[list[object]] = [["emotion head", shipped], ["parts", unlabelled]]
    rows.append(["parts less emotion head", (unlabelled - shipped).signed])
    rows.append(["parts of another face of the show", chance])
    if np.isfinite(found.faces.parts).any():
        truth = parts_base(study.base, true_parts(study.replay)[:few])
        rows.append(["true parts", scores(found.faces, truth.head(true_parts(found)).argmax(1))["macro-F1"]])
    rows = [[*row, *([""] * len(sizes))] for row in rows]
    pairs = {
        "parts from scratch": (base, from_scratch(_STRENGTH), parts),
        "parts, prior": (base, with_prior(_STRENGTH), parts),
        "all features from scratch": (mixed, from_scratch(3.0), features),
        "all features, prior": (mixed, with_prior(STRENGTH, 0.5), features),
    }
    of = {name: [score(*how, n) for n in sizes] for name, how in pairs.items()}
    rows += [[name, "", *values] for name, values in of.items()]
    less = zip(of["parts, prior"], of["all features, prior"], strict=True)
    rows.append(["parts less all features, both prior", "", *((p - a).signed for p, a in less)])
    dealt = [score(base, with_prior(_STRENGTH), parts, n, True) for n in sizes]
    rows.append(["parts, prior, labels dealt out anew", "", *dealt])
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser_of("Reads emotions from the parts of an expression.", "parts").parse_args(arguments)
    study = study_of(options)
    say(f"{study.reader.name}\n{counted(study)}")
    figures: dict[str, object] = {}
    if not study.replay.seen.parts.shape[1]:
        say("This bundle's network has no head for parts.")
        return 0
    told = correlations(study.sets[0])
    say(markdown(["part", "correlation"], [[k, f"{v:.2f}"] for k, v in sorted(told.items(), key=lambda t: -t[1])]))
    say(f"mean correlation {np.mean(list(told.values())):.3f}\n")
    for found in study.sets:
        sizes = [n for n in LABELS if n <= most_labels(found)]
        text = markdown([found.name, "no labels", *(f"{n} labels" for n in sizes)], rows_of(study, found))
        figures[found.name] = text
        say(text)
    write_figures(options.out, {"correlations": told, **figures})
    return 0


if __name__ == "__main__":
    sys.exit(main())
