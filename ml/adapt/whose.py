"""A gallery out of a show's labelled faces: which examples it keeps, and how alike a face must be to get a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.adapt.heads import folds_of
from ml.classify.network import WHO
from ml.gallery import Gallery

MOST_EXAMPLES = 60  # of one character
MARGIN = 0.03
FALSE_NAMES = 0.05  # share of characters' and of drawn strangers' faces that may get a wrong name
THRESHOLDS = tuple(round(0.2 + 0.025 * n, 3) for n in range(31))
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Look:
    """What a gallery says of a face: the likeliest character, how like, and how much more than the next. ``truth``
    None: the face is of nobody in that gallery.
    """

    truth: str | None
    nearest: str
    like: float
    lead: float

    def name(self, threshold: float) -> str | None:
        return self.nearest if self.like >= threshold and self.lead >= MARGIN else None


@dataclass(frozen=True, slots=True)
class FittedGallery:
    """``rows``: (N, EMBEDDING_SIZE). ``right``, ``wrong``, ``unknown``: shares of the ``judged`` faces of the show,
    each by a gallery and a threshold without its own shot; None where nothing could be left out. ``strangers``: share
    of rendered strangers that got a name; ``others``: of the show's own, None where none is labelled.
    """

    rows: Floats
    settings: dict[str, Any]
    judged: int
    right: float | None
    wrong: float | None
    unknown: float | None
    strangers: float | None
    others: float | None


def fit_gallery(
    embeddings: Floats,
    characters: Sequence[str],
    groups: Sequence[str],
    strangers: Floats,
    others: Floats | None = None,
) -> FittedGallery:
    """``embeddings``: (N, V, E) of V views of each face; ``strangers``: (M, E) faces of nobody in the show, ``others``:
    (K, E) those of the show whose label says that they are none of the characters.

    The threshold is one from which wrong names of characters and of drawn strangers stay under FALSE_NAMES: the lowest,
    or, where the show has strangers of its own, the one that best tells its characters from them.
    """
    folds = folds_of(groups)
    said = _judged_by_the_rest(embeddings, characters, folds)
    whole = gallery_of(embeddings, characters)
    drawn = [look(whole, None, row) for row in strangers]
    own = [look(whole, None, row) for row in others] if others is not None else []
    threshold = chosen_threshold([s for _, s in said], drawn, own)
    names: list[tuple[str, str | None]] = []
    for fold in sorted({fold for fold, _ in said}):
        without = chosen_threshold([s for f, s in said if f != fold], drawn, own)
        names += [(s.truth, s.name(without)) for f, s in said if f == fold and s.truth is not None]
    rows, owners = examples(embeddings, characters)
    return FittedGallery(
        rows,
        {"characters": owners, "threshold": threshold, "margin": MARGIN, "size": WHO},
        judged=len(names),
        right=share([name == truth for truth, name in names]),
        wrong=share([name is not None and name != truth for truth, name in names]),
        unknown=share([name is None for _, name in names]),
        strangers=share([s.name(threshold) is not None for s in drawn]),
        others=share([s.name(threshold) is not None for s in own]),
    )


def _judged_by_the_rest(
    embeddings: Floats, characters: Sequence[str], folds: NDArray[np.int64]
) -> list[tuple[int, Look]]:
    """(fold, what the gallery of the other folds says) of every face. Who is in one fold alone is a stranger there."""
    said = []
    for fold in sorted(set(folds.tolist())):
        rest, own = [int(i) for i in np.flatnonzero(folds != fold)], [int(i) for i in np.flatnonzero(folds == fold)]
        if not rest:
            continue
        gallery = gallery_of(embeddings[rest], [characters[i] for i in rest])
        for i in own:
            truth = characters[i] if characters[i] in gallery.names else None
            said.append((fold, look(gallery, truth, embeddings[i, 0])))
    return said


def chosen_threshold(said: Sequence[Look], drawn: Sequence[Look], own: Sequence[Look]) -> float:
    """``said``: of the show's faces, those of nobody in their gallery among them; ``drawn``, ``own``: of strangers."""
    own = [*own, *(s for s in said if s.truth is None)]
    named = [s for s in said if s.truth is not None]
    least = next((t for t in THRESHOLDS if max(_wrong(named, t), _wrong(drawn, t)) <= FALSE_NAMES), THRESHOLDS[-1])
    if not named or not own:
        return least
    return max((t for t in THRESHOLDS if t >= least), key=lambda t: (_right(named, t) - _wrong(own, t), -t))


def _wrong(side: Sequence[Look], threshold: float) -> float:
    return share([s.name(threshold) not in (None, s.truth) for s in side]) or 0.0


def _right(side: Sequence[Look], threshold: float) -> float:
    return share([s.name(threshold) == s.truth for s in side]) or 0.0


def gallery_of(embeddings: Floats, characters: Sequence[str]) -> Gallery:
    rows, owners = examples(embeddings, characters)
    return Gallery.of(rows, {"characters": owners, "threshold": -1.0, "margin": 0.0, "size": WHO})


def examples(embeddings: Floats, characters: Sequence[str]) -> tuple[Floats, list[str]]:
    """At most MOST_EXAMPLES rows of each character, spread over its faces; two views of each."""
    rows, owners = [], []
    for name in dict.fromkeys(characters):
        own = embeddings[[c == name for c in characters]]
        ordered = own.transpose(1, 0, 2).reshape(-1, own.shape[2])[: len(own) * 2]
        step = max(1, -(-len(ordered) // MOST_EXAMPLES))
        rows.append(ordered[::step])
        owners += [name] * len(rows[-1])
    return np.concatenate(rows), owners


def look(gallery: Gallery, truth: str | None, embedding: Floats) -> Look:
    like = gallery.likeness(embedding[None])[0]
    order = np.argsort(-like, kind="stable")
    lead = float(like[order[0]] - like[order[1]]) if len(like) > 1 else 2.0
    return Look(truth, gallery.names[int(order[0])], float(like[order[0]]), lead)


def share(flags: Sequence[bool]) -> float | None:
    return round(float(np.mean(flags)), 4) if len(flags) else None
