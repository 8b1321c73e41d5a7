"""Against the character's own neutral face: features less what is common to a character's faces."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ml.evaluate.calibration import softmax
from ml.research.heads import STRENGTH, Base, Floats, with_prior
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
from ml.types import EMOTIONS, Emotion

NEUTRAL = EMOTIONS.index(Emotion.NEUTRAL)
SHRINK = 4.0  # how many faces the show's own mean is worth where a character has few
CALMEST = 0.2  # the share of a character's faces that the head finds most neutral
Middles = Callable[[Study, Measured], Floats]  # for each face, what is taken for the middle of its character


def groups(found: Measured, by_show: bool = False) -> list[NDArray[np.int64]]:
    """The numbers of the faces of each character, or of each show."""
    names = found.faces.show if by_show else np.char.add(np.char.add(found.faces.show, "/"), found.faces.character)
    return [np.flatnonzero(names == name) for name in sorted(set(names.tolist()))]


def means(found: Measured, which: list[NDArray[np.int64]], counts: NDArray[np.bool_] | None = None) -> Floats:
    """Each group's mean, of those of its faces that ``counts`` selects, drawn towards the mean of the whole show."""
    x = found.seen.features
    out = np.zeros_like(x)
    for show in groups(found, by_show=True):
        counted_here = show if counts is None else show[counts[show]]
        whole = x[counted_here].mean(0) if len(counted_here) else x[show].mean(0)
        for group in which:
            if found.faces.show[group[0]] != found.faces.show[show[0]]:
                continue
            used = group if counts is None else group[counts[group]]
            out[group] = (SHRINK * whole + x[used].sum(0)) / (SHRINK + len(used))
    return out


def calm(study: Study, found: Measured) -> NDArray[np.bool_]:
    """The faces that the shipped head finds most neutral, of each character."""
    says = softmax(found.seen.logits, study.base.temperature)[:, NEUTRAL]
    chosen = np.zeros(len(says), bool)
    for group in groups(found):
        best = group[np.argsort(-says[group])]
        chosen[best[: max(1, round(CALMEST * len(group)))]] = True
    return chosen


def of_another(study: Study, found: Measured) -> Floats:
    """The control: the mean of another character of the same show."""
    own = means(found, groups(found))
    out = own.copy()
    for show in groups(found, by_show=True):
        inside = [g for g in groups(found) if found.faces.show[g[0]] == found.faces.show[show[0]]]
        for here, there in zip(inside, [*inside[1:], *inside[:1]], strict=True):
            out[here] = own[there[0]]
    return out


def moved(study: Study, found: Measured, middles: Floats, to: Floats) -> Floats:
    """The features with their middles put where rendered faces' lie."""
    return np.asarray(found.seen.features - middles + to, np.float64)


WAYS: Mapping[str, Middles] = {
    "the character's mean": lambda study, found: means(found, groups(found)),
    "the show's mean": lambda study, found: means(found, groups(found, by_show=True)),
    "the mean of another character": of_another,
}
NEUTRAL_WAYS: Mapping[str, Middles] = {
    "the mean of its neutral faces": lambda s, f: means(f, groups(f), f.faces.emotion == NEUTRAL),
    "the mean of the faces found most neutral": lambda s, f: means(f, groups(f), calm(s, f)),
}


def read_against(study: Study, found: Measured) -> dict[str, Floats]:
    """The features that each way gives, for every face."""
    x, y = study.replay.seen.features, study.replay.faces.emotion
    middle, neutral = x.mean(0), x[y == NEUTRAL].mean(0)
    said = {"plain": found.seen.features}
    said |= {name: moved(study, found, way(study, found), middle) for name, way in WAYS.items()}
    said |= {name: moved(study, found, way(study, found), neutral) for name, way in NEUTRAL_WAYS.items()}
    return said


def table(study: Study, found: Measured) -> str:
    labels = min(40, most_labels(found))
    base: Base = study.base
    rows: list[list[object]] = []
    before: dict[str, Score] = {}
    for name, x in read_against(study, found).items():
        plain = scores(found.faces, base.head(x).argmax(1))
        fitted = scores(found.faces, cross_fitted(base, found, with_prior(STRENGTH, 0.5), labels, x).argmax(2))[
            "macro-F1"
        ]
        if name == "plain":
            before = {"shipped": plain["macro-F1"], "fitted": fitted}
        gains = [(plain["macro-F1"] - before["shipped"]).signed, (fitted - before["fitted"]).signed]
        rows.append([name, plain["accuracy"], plain["macro-F1"], gains[0], fitted, gains[1]])
    head = ["accuracy, shipped head", "macro-F1, shipped head", "gain", f"macro-F1, {labels} labels", "gain"]
    return markdown([found.name, *head], rows)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser_of("Reads faces against the character's own middle.", "neutral").parse_args(arguments)
    study = study_of(options)
    say(f"{study.reader.name}\n{counted(study)}")
    tables = {found.name: table(study, found) for found in study.sets}
    for text in tables.values():
        say(text)
    write_figures(options.out, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
