"""A track decides: what the drawings of one character within one shot show together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ml.evaluate.calibration import softmax
from ml.research.heads import STRENGTH, Floats, with_prior
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
SMALLEST = 1e-4
Track = NDArray[np.int64]
# Probabilities (T, 7) and features (T, D) of a track to one row of 7 numbers, the largest of which is said.
Joined = Callable[[Floats, Floats], Floats]


def tracks(found: Measured) -> list[Track]:
    """The faces of one character in one shot, in order of time."""
    names = np.char.add(np.char.add(found.faces.shot, "|"), found.faces.character)
    of = [np.flatnonzero(names == name) for name in sorted(set(names.tolist()))]
    return [t[np.argsort(found.faces.time[t], kind="stable")] for t in of]


def of_probabilities(p: Floats, x: Floats) -> Floats:
    return np.asarray(p.mean(0), np.float64)


def of_logarithms(p: Floats, x: Floats) -> Floats:
    return np.asarray(np.log(p + SMALLEST).mean(0), np.float64)


def by_confidence(p: Floats, x: Floats) -> Floats:
    return np.asarray(np.average(p, 0, p.max(1)), np.float64)


def by_distance(p: Floats, x: Floats) -> Floats:
    """Weighted by the features' distance from those of the drawing that is most neutral: the apex counts most."""
    far = np.linalg.norm(x - x[int(p[:, NEUTRAL].argmax())], axis=1)
    return np.asarray(np.average(p, 0, far + 0.2 * max(float(far.max()), 1e-9)), np.float64)


def strongest(p: Floats, x: Floats) -> Floats:
    """The drawing that is least neutral alone."""
    return np.asarray(p[int(p[:, NEUTRAL].argmin())], np.float64)


def surest(p: Floats, x: Floats) -> Floats:
    return np.asarray(p[int(p.max(1).argmax())], np.float64)


WAYS: Mapping[str, Joined] = {
    "mean of probabilities": of_probabilities,
    "mean of logarithms": of_logarithms,
    "weighted by confidence": by_confidence,
    "weighted by distance from the calmest": by_distance,
    "the strongest drawing": strongest,
    "the surest drawing": surest,
}


def joined(found: Measured, p: Floats, way: Joined, of: Sequence[Track] | None = None) -> NDArray[np.int64]:
    """What is said of each face: the same for all of a track. ``p``: (N, 7)."""
    said = np.zeros(len(p), np.int64)
    for track in tracks(found) if of is None else of:
        said[track] = way(p[track], found.seen.features[track]).argmax()
    return said


def smoothed(found: Measured, p: Floats) -> NDArray[np.int64]:
    """Each face by itself and its neighbours in the track, the nearer the more."""
    said = np.zeros(len(p), np.int64)
    for track in tracks(found):
        order = np.arange(len(track))
        weights = np.exp(-0.5 * ((order[:, None] - order[None, :]) / 1.0) ** 2)
        said[track] = (weights @ np.log(p[track] + SMALLEST)).argmax(1)
    return said


def elsewhere(found: Measured, p: Floats, seed: int = 5) -> NDArray[np.int64]:
    """The control: each face with as many faces of its character from other shots as its own track has."""
    rng = np.random.default_rng(seed)
    names = np.char.add(np.char.add(found.faces.show, "|"), found.faces.character)
    said = p.argmax(1)
    for track in tracks(found):
        others = np.flatnonzero((names == names[track[0]]) & (found.faces.shot != found.faces.shot[track[0]]))
        for face in track:
            if len(track) > 1 and len(others):
                chosen = rng.choice(others, min(len(track) - 1, len(others)), replace=False)
                said[face] = np.log(p[[face, *chosen]] + SMALLEST).mean(0).argmax()
    return np.asarray(said, np.int64)


def table(study: Study, found: Measured) -> str:
    labels = min(40, most_labels(found))
    shipped = softmax(found.seen.logits, study.base.temperature)[None]
    fitted = softmax(cross_fitted(study.base, found, with_prior(STRENGTH, 0.5), labels))
    rows: list[list[object]] = []
    before: dict[str, Score] = {}
    ways: dict[str, Callable[[Floats], NDArray[np.int64]]] = {"each drawing by itself": lambda p: p.argmax(1)}
    for name, way in WAYS.items():
        ways[name] = lambda p, way=way: joined(found, p, way)  # type: ignore[misc]
    ways["neighbours in the track"] = lambda p: smoothed(found, p)
    ways["as many from other shots"] = lambda p: elsewhere(found, p)
    for name, way_of in ways.items():
        row: list[object] = [name]
        for kind, runs in (("shipped", shipped), ("fitted", fitted)):
            score = scores(found.faces, np.stack([way_of(p) for p in runs]))["macro-F1"]
            before.setdefault(kind, score)
            row += [score, (score - before[kind]).signed]
        rows.append(row)
    lengths = [len(t) for t in tracks(found)]
    head = [f"{found.name}, {np.mean(lengths):.1f} faces per track", "shipped head", "gain", f"{labels} labels", "gain"]
    return markdown(head, rows)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser_of("Lets the drawings of a track decide together.", "context").parse_args(arguments)
    study = study_of(options)
    say(f"{study.reader.name}\n{counted(study)}")
    tables = {found.name: table(study, found) for found in study.sets}
    for text in tables.values():
        say(text)
    write_figures(options.out, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
