"""Contrast: what a drawing shows, told by comparing it with the character's other drawings."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.research.heads import STRENGTH, Floats, with_prior
from ml.research.measure import markdown, scores
from ml.research.neutral import groups
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

LEAST = 4  # faces; smaller groups are compared with the whole show
Groups = list[NDArray[np.int64]]


def usual(study: Study) -> tuple[Floats, Floats]:
    """Mean and spread of each emotion's logit over rendered faces: what standing out is measured against."""
    logits = study.replay.seen.logits
    return np.asarray(logits.mean(0), np.float64), np.asarray(logits.std(0), np.float64)


def standardised(logits: Floats, of: Groups, usual_mean: Floats, usual_spread: Floats) -> Floats:
    """Each group's logits with the mean and spread that rendered faces have."""
    out = logits.copy()
    for group in of:
        rows = logits[group]
        spread = np.maximum(rows.std(0), 0.25 * usual_spread)
        out[group] = (rows - rows.mean(0)) / spread * usual_spread + usual_mean
    return out


def centred(logits: Floats, of: Groups, usual_mean: Floats) -> Floats:
    out = logits.copy()
    for group in of:
        out[group] = logits[group] - logits[group].mean(0) + usual_mean
    return out


def ranked(logits: Floats, of: Groups, replay: Floats) -> Floats:
    """Each logit replaced by what rendered faces of the same rank have (quantile matching)."""
    out = logits.copy()
    order = np.sort(replay, axis=0)
    for group in of:
        ranks = logits[group].argsort(0).argsort(0)
        places = (ranks + 0.5) / len(group)
        for k in range(logits.shape[1]):
            out[group, k] = np.interp(places[:, k], (np.arange(len(order)) + 0.5) / len(order), order[:, k])
    return out


def large_enough(found: Measured) -> Groups:
    """The faces of each character; characters with few drawings together, as one group of their show."""
    kept: Groups = []
    for show in groups(found, by_show=True):
        own = [g for g in groups(found) if np.isin(g[0], show)]
        kept += [g for g in own if len(g) >= LEAST]
        few = [g for g in own if len(g) < LEAST]
        if few:
            kept.append(np.concatenate(few))
    return kept


def dealt(found: Measured, of: Groups, seed: int = 7) -> Groups:
    """The control: groups of the same sizes, of faces of the same show dealt out at random."""
    rng = np.random.default_rng(seed)
    out: Groups = []
    for show in groups(found, by_show=True):
        faces = rng.permutation(show)
        for group in (g for g in of if np.isin(g[0], show)):
            out.append(faces[: len(group)])
            faces = faces[len(group) :]
    return out


def table(study: Study, found: Measured) -> str:
    labels = min(40, most_labels(found))
    logits, (mean, spread) = found.seen.logits, usual(study)
    own, show = large_enough(found), groups(found, by_show=True)
    fitted = cross_fitted(study.base, found, with_prior(STRENGTH, 0.5), labels)

    def refit(of: Groups) -> Floats:
        x = found.seen.features.copy()
        for group in of:
            x[group] -= x[group].mean(0) - study.base.middle
        return cross_fitted(study.base, found, with_prior(STRENGTH, 0.5), labels, x)

    ways: dict[str, Floats] = {
        "plain": logits,
        "less the character's mean": centred(logits, own, mean),
        "standardised per character": standardised(logits, own, mean, spread),
        "ranked per character": ranked(logits, own, study.replay.seen.logits),
        "standardised per show": standardised(logits, show, mean, spread),
        "standardised per random group": standardised(logits, dealt(found, own), mean, spread),
        f"fitted to {labels} labels": fitted,
        f"fitted to {labels} labels, features less the character's mean": refit(own),
    }
    plain = scores(found.faces, logits.argmax(1))["macro-F1"]
    rows: list[list[object]] = []
    for name, said in ways.items():
        score = scores(found.faces, said.argmax(-1))
        rows.append([name, score["accuracy"], score["macro-F1"], (score["macro-F1"] - plain).signed])
    return markdown([found.name, "accuracy", "macro-F1", "gain"], rows)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser_of("Compares each drawing with the character's others.", "contrast").parse_args(arguments)
    study = study_of(options)
    say(f"{study.reader.name}\n{counted(study)}")
    tables = {found.name: table(study, found) for found in study.sets}
    for text in tables.values():
        say(text)
    write_figures(options.out, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
