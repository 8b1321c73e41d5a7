"""What all ideas share: the faces, what a network says of them, and fits that never see a shot they are tested on."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.evaluate.sources import NothingToMeasure
from ml.research.faces import Faces, labelled_faces, read_faces
from ml.research.features import Features, Reader, bundle_reader, imagenet_reader, read_all
from ml.research.heads import Base, Floats, Ints, Learner

FOLDS = 4
DEVELOPMENT = 5  # the first shows choose settings
REPLAYED = 800  # rendered faces that are replayed
RENDERED = "rendered shows"


@dataclass(frozen=True, slots=True)
class Measured:
    """A set of faces and what a network says of them; ``runs``: how often fits are repeated with other labels."""

    name: str
    faces: Faces
    seen: Features
    runs: int = 1

    def only(self, which: NDArray[np.bool_] | Ints) -> Measured:
        return Measured(self.name, self.faces.chosen(which), self.seen.chosen(which), self.runs)

    def shows(self) -> list[NDArray[np.int64]]:
        """The numbers of each show's faces."""
        return [np.flatnonzero(self.faces.show == s) for s in sorted(set(self.faces.show.tolist()))]


@dataclass(frozen=True, slots=True)
class Study:
    """``sets``: rendered shows (those that are measured) and sets that people labelled. ``development``: the shows that
    choose settings. ``replay``: rendered faces of the training distribution.
    """

    reader: Reader
    base: Base
    replay: Measured
    development: Measured
    sets: tuple[Measured, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--shows", type=Path, required=True, help="the folder that python -m ml.research.shows wrote")
    parser.add_argument("--labels", type=Path, help="faces that somebody labelled, in any format that is read")
    parser.add_argument("--second", type=Path, help="the same pictures labelled by somebody else")
    parser.add_argument("--images", type=Path, help="where the pictures or videos are")
    parser.add_argument("--imagenet", type=Path, help="torchvision's MobileNetV2: read its features, not the bundle's")
    parser.add_argument("--out", type=Path, help="where the figures are written as JSON")


def parser_of(what: str, module: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m ml.research.{module}", description=what)
    add_arguments(parser)
    return parser


def study_of(options: argparse.Namespace) -> Study:
    """Raises the UserErrors of bundles, labels and pictures; NothingToMeasure where a file of faces is missing."""
    reader = imagenet_reader(options.imagenet) if options.imagenet else bundle_reader(options.bundle)
    folder: Path = options.shows

    def measured(name: str, faces: Faces, runs: int = 1) -> Measured:
        cache = folder / f"features-{reader.name}-{name.replace(' ', '-')}.npz"
        return Measured(name, faces, read_all(reader, faces.crops, cache), runs)

    replay = measured("replay", read_faces(folder / "replay.npz"))
    shows = measured("shows", read_faces(folder / "shows.npz"))
    names = sorted(set(shows.faces.show.tolist()))
    early = np.isin(shows.faces.show, names[:DEVELOPMENT])
    rendered = shows.only(~early)
    sets = [Measured(RENDERED, rendered.faces, rendered.seen)]
    for name, faces in people_labelled(options).items():
        sets.append(Measured(name, faces, read_all(reader, faces.crops), 3))
    few = slice(0, REPLAYED)
    base = Base(reader.head, reader.temperature, replay.seen.features[few], replay.faces.emotion[few])
    return Study(reader, base, replay, shows.only(early), tuple(sets))


def people_labelled(options: argparse.Namespace) -> dict[str, Faces]:
    """Faces of which both annotators say the same, then each one's own."""
    if options.labels is None:
        return {}
    found = {}
    if options.second is not None:
        found["both agree"] = labelled_faces(options.labels, options.images, options.second)
    for path in (options.labels, options.second):
        if path is not None:
            found[f"annotator {path.stem.upper()}"] = labelled_faces(path, options.images)
    return found


def folds_of(shots: Sequence[str], seed: int, folds: int = FOLDS) -> Ints:
    """The fold of each face; a shot lies in one. Larger shots are dealt first, each to the fold with the fewest faces.

    Raises NothingToMeasure where there are fewer shots than folds.
    """
    names, index, counts = np.unique(np.asarray(shots), return_inverse=True, return_counts=True)
    if len(names) < folds:
        raise NothingToMeasure(f"{len(names)} shots are too few for {folds} parts.")
    rng = np.random.default_rng([seed, 31])
    filled, fold = np.zeros(folds), np.zeros(len(names), np.int64)
    for shot in sorted(rng.permutation(len(names)), key=lambda s: -counts[s]):
        fold[shot] = int(filled.argmin())
        filled[fold[shot]] += counts[shot]
    return np.asarray(fold[index], np.int64)


def spread_out(shots: Sequence[str], rng: np.random.Generator) -> Ints:
    """All faces in the order in which somebody labels who wants variety: one of each shot, then a second of each."""
    shuffled = rng.permutation(len(shots))
    turn: dict[str, int] = {}
    rounds = np.zeros(len(shots), np.int64)
    for face in shuffled:
        rounds[face] = turn.get(str(shots[face]), 0)
        turn[str(shots[face])] = int(rounds[face]) + 1
    return np.asarray(shuffled[np.argsort(rounds[shuffled], kind="stable")], np.int64)


def cross_fitted(
    base: Base, found: Measured, learner: Learner, labels: int, features: Floats | None = None, shuffled: bool = False
) -> Floats:
    """(runs, N, 7) logits: each face read by a head that was fitted to ``labels`` faces of the same show's other shots.

    ``features`` in place of the network's own. ``shuffled``: the labels fitted to are dealt out anew between shots.
    """
    x = found.seen.features if features is None else features
    said = np.zeros((found.runs, len(found.faces), base.head.weight.shape[0]))
    for which in found.shows():
        shots, truth = found.faces.shot[which], found.faces.emotion[which]
        for run in range(found.runs):
            rng = np.random.default_rng([run, 32])
            fold = folds_of(shots.tolist(), run)
            told = dealt_anew(truth, shots.tolist(), rng) if shuffled else truth
            for part in range(FOLDS):
                pool = np.flatnonzero(fold != part)
                chosen = pool[spread_out(shots[pool].tolist(), rng)[:labels]]
                reader = learner(base, x[which[chosen]], told[chosen])
                said[run, which[fold == part]] = reader(x[which[fold == part]])
    return said


def dealt_anew(truth: Ints, shots: Sequence[str], rng: np.random.Generator) -> Ints:
    """Each shot's labels replaced by those of another shot, repeated or cut to its length."""
    names, index = np.unique(np.asarray(shots), return_inverse=True)
    partner = rng.permutation(len(names))
    out = np.empty_like(truth)
    for shot in range(len(names)):
        mine, theirs = np.flatnonzero(index == shot), np.flatnonzero(index == partner[shot])
        out[mine] = np.resize(truth[theirs], len(mine))
    return out


def most_labels(found: Measured) -> int:
    """How many labels every fit can have: what the smallest training part of any show holds."""
    least = []
    for which in found.shows():
        fold = folds_of(found.faces.shot[which].tolist(), 0)
        least.append(min(int((fold != part).sum()) for part in range(FOLDS)))
    return min(least)


def counted(study: Study) -> str:
    lines = []
    for s in study.sets:
        shots, shows = len(set(s.faces.shot.tolist())), len(set(s.faces.show.tolist()))
        often = np.bincount(s.faces.emotion, minlength=7).tolist()
        lines.append(f"{s.name}: {len(s.faces)} faces, {shots} shots, {shows} shows; per emotion {often}")
    return "\n".join(lines) + "\n"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def write_figures(path: Path | None, figures: Mapping[str, object]) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
