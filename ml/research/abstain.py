"""Saying nothing where unsure: which score tells right from wrong, and sets of emotions that keep a promise."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ml.evaluate.bootstrap import frame_weights
from ml.evaluate.calibration import softmax
from ml.research.heads import STRENGTH, Base, Floats, Ints, with_prior
from ml.research.measure import Score, markdown, mean_over_shows, weighted_mean
from ml.research.study import (
    FOLDS,
    Measured,
    Study,
    counted,
    cross_fitted,
    folds_of,
    most_labels,
    parser_of,
    say,
    spread_out,
    study_of,
    write_figures,
)

PROMISE = 0.8  # the share of faces whose set must hold the truth
NEIGHBOURS = 5
Bools = NDArray[np.bool_]


def novelty(base: Base, x: Floats) -> Floats:
    """Mean distance to the nearest rendered training faces, on features of spread 1."""
    known = (base.features - base.middle) / base.scale
    asked = (x - base.middle) / base.scale
    squared = (asked**2).sum(1)[:, None] + (known**2).sum(1)[None, :] - 2 * asked @ known.T
    nearest = np.partition(np.maximum(squared, 0.0), NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return np.asarray(np.sqrt(nearest).mean(1), np.float64)


def orders(base: Base, x: Floats, p: Floats) -> dict[str, Floats]:
    """Scores of how sure an answer is: larger is surer. ``p``: (N, 7)."""
    best = np.sort(p, axis=1)
    far = novelty(base, x)
    known = novelty(base, base.features)  # each is its own neighbour: too small, but only the spread is used
    standard = (far - far.mean()) / max(float(known.std()), 1e-9)
    return {
        "probability": best[:, -1],
        "margin": best[:, -1] - best[:, -2],
        "entropy": (p * np.log(p + 1e-12)).sum(1),
        "novelty": -far,
        "probability and novelty": np.log(best[:, -1]) - 0.1 * standard,
        "at random": np.random.default_rng(9).random(len(p)),
    }


def auroc(score: Floats, right: Bools, weights: Ints | None = None) -> float | None:
    """The chance that a right answer has a larger score than a wrong one; None where there are not both."""
    weight = np.ones(len(right)) if weights is None else weights.astype(np.float64)
    order = np.argsort(score, kind="stable")
    good, bad = (weight * right)[order], (weight * ~right)[order]
    if good.sum() == 0 or bad.sum() == 0:
        return None
    _, first = np.unique(score[order], return_inverse=True)  # equal scores count half
    good_at, bad_at = np.bincount(first, good), np.bincount(first, bad)
    below = np.cumsum(bad_at) - bad_at
    return float((good_at * (below + 0.5 * bad_at)).sum() / (good.sum() * bad.sum()))


def surest_half(score: Floats, right: Bools, share: float = 0.5) -> float:
    """Accuracy of the surest ``share`` of answers."""
    kept = np.argsort(-score, kind="stable")[: max(1, round(share * len(score)))]
    return float(right[kept].mean())


def area(score: Floats, right: Bools) -> float:
    """Under the risk-coverage curve: the mean risk over all shares answered; 0 is best."""
    wrong = ~right[np.argsort(-score, kind="stable")]
    return float((np.cumsum(wrong) / np.arange(1, len(wrong) + 1)).mean())


def order_rows(base: Base, found: Measured, p: Floats) -> list[list[object]]:
    """``p``: (N, 7). A row per score: AUROC, accuracy of all and of the surest half, area."""
    right = p.argmax(1) == found.faces.emotion
    x = found.seen.features
    shows = found.shows()
    rows: list[list[object]] = []
    for name, score in orders(base, x, p).items():
        of = [
            (auroc(score[w], right[w]) or 0.5, surest_half(score[w], right[w]), area(score[w], right[w])) for w in shows
        ]
        if len(shows) > 1:
            told = mean_over_shows([a for a, _, _ in of])
        else:
            weights = frame_weights(found.faces.shot.tolist())
            again = [auroc(score, right, w) for w in weights]
            told = Score(of[0][0], np.array([np.nan if a is None else a for a in again]))
        mean_half, mean_area = (float(np.mean([o[k] for o in of])) for k in (1, 2))
        rows.append([name, told, f"{right.mean():.3f}", f"{mean_half:.3f}", f"{mean_area:.3f}"])
    return rows


# ------------------------------------------------------------------------------------------------ sets


def threshold(p: Floats, truth: Ints, promise: float = PROMISE) -> float:
    """Split conformal (Vovk; Romano et al. 2020's simplest score): one minus the truth's probability; its quantile."""
    scores = np.sort(1.0 - p[np.arange(len(truth)), truth])
    rank = int(np.ceil((len(scores) + 1) * promise))
    return 1.0 if rank > len(scores) else float(scores[rank - 1])


def sets(p: Floats, limit: float) -> Bools:
    """(N, 7): which emotions are named."""
    return np.asarray(1.0 - p <= limit + 1e-12, np.bool_)


def set_rows(study: Study, found: Measured, labels: int) -> list[list[object]]:
    """Coverage and size of sets calibrated on ``labels`` faces of the show's other shots; of the control; of a fitted
    head, half of whose labels calibrate.
    """
    base, faces = study.base, found.faces
    shipped = softmax(found.seen.logits, base.temperature)
    rendered = softmax(study.replay.seen.logits, base.temperature)
    elsewhere = threshold(rendered, study.replay.faces.emotion)
    own = np.zeros((found.runs, len(faces), 7), bool)
    fitted = np.zeros_like(own)
    for which in found.shows():
        shots, truth = faces.shot[which], faces.emotion[which]
        for run in range(found.runs):
            rng = np.random.default_rng([run, 33])
            fold = folds_of(shots.tolist(), run)
            for part in range(FOLDS):
                pool, test = np.flatnonzero(fold != part), which[fold == part]
                chosen = pool[spread_out(shots[pool].tolist(), rng)[:labels]]
                own[run, test] = sets(shipped[test], threshold(shipped[which[chosen]], truth[chosen]))
                learn, calibrate = halves(chosen, shots, rng)
                reader = with_prior(STRENGTH, 0.5)(base, found.seen.features[which[learn]], truth[learn])
                p = softmax(reader(found.seen.features[which[calibrate]]))
                limit = threshold(p, truth[calibrate])
                fitted[run, test] = sets(softmax(reader(found.seen.features[test])), limit)
    rows: list[list[object]] = []
    for name, named in {
        "rendered faces": sets(shipped, elsewhere)[None],
        f"{labels} faces of the show": own,
        f"head fitted to half of {labels}, sets to the rest": fitted,
    }.items():
        holds = named[:, np.arange(len(faces)), faces.emotion].mean(0)
        size = named.sum(2).mean(0).astype(np.float64)
        single = (named.sum(2) == 1).mean()
        rows.append([name, per_face(found, holds), per_face(found, size), f"{single:.2f}"])
    return rows


def halves(chosen: Ints, shots: NDArray[np.str_], rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Two parts of about the same size that share no shot."""
    names = rng.permutation(sorted(set(shots[chosen].tolist())))
    first = np.isin(shots[chosen], names[: max(1, len(names) // 2)])
    return chosen[first], chosen[~first]


def per_face(found: Measured, values: Floats) -> Score:
    shows = found.shows()
    if len(shows) > 1:
        return mean_over_shows([float(values[w].mean()) for w in shows])
    return weighted_mean(values, found.faces.shot.tolist())


def tables(study: Study, found: Measured) -> Mapping[str, str]:
    labels = min(40, most_labels(found))
    head = ["AUROC of right against wrong", "accuracy of all", "of the surest half", "area under risk-coverage"]
    shipped = softmax(found.seen.logits, study.base.temperature)
    fitted = softmax(cross_fitted(study.base, found, with_prior(STRENGTH, 0.5), labels))[0]
    return {
        f"{found.name}, shipped head": markdown(
            [f"{found.name}, shipped head", *head], order_rows(study.base, found, shipped)
        ),
        f"{found.name}, fitted head": markdown(
            [f"{found.name}, {labels} labels", *head], order_rows(study.base, found, fitted)
        ),
        f"{found.name}, sets": markdown(
            [f"{found.name}: sets calibrated on", "hold the truth", "emotions in a set", "sets of one"],
            set_rows(study, found, labels),
        ),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser_of("Measures what abstaining is worth.", "abstain").parse_args(arguments)
    study = study_of(options)
    say(f"{study.reader.name}\n{counted(study)}")
    said: dict[str, str] = {}
    for found in study.sets:
        said |= tables(study, found)
    for text in said.values():
        say(text)
    write_figures(options.out, said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
