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
FALSE_NAMES = 0.05  # share of strangers' and others' faces that may get a wrong name
THRESHOLDS = tuple(round(0.2 + 0.025 * n, 3) for n in range(31))
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FittedGallery:
    """``rows``: (N, EMBEDDING_SIZE). ``right``, ``wrong``, ``unknown``: of the show's faces, each judged by a gallery
    without its own shot; ``strangers``: share of strangers that got a name.
    """

    rows: Floats
    settings: dict[str, Any]
    right: float
    wrong: float
    unknown: float
    strangers: float


def fit_gallery(
    embeddings: Floats, characters: Sequence[str], groups: Sequence[str], strangers: Floats
) -> FittedGallery:
    """``embeddings``: (N, V, E) of V views of each face; ``strangers``: (M, E) faces of nobody in the show.

    The threshold is the lowest from which wrong names stay under FALSE_NAMES, the highest tried where none does.
    """
    folds = folds_of(groups)
    said: list[tuple[str, str | None, float, float]] = []  # truth, nearest, likeness, lead over the next
    for fold in sorted(set(folds.tolist())):
        rest, own = [int(i) for i in np.flatnonzero(folds != fold)], [int(i) for i in np.flatnonzero(folds == fold)]
        if not rest:
            continue
        gallery = gallery_of(embeddings[rest], [characters[i] for i in rest], -1.0)
        said += [(characters[i], *nearest(gallery, embeddings[i, 0])) for i in own]
    whole = gallery_of(embeddings, characters, -1.0)
    others = [nearest(whole, row) for row in strangers]
    for threshold in THRESHOLDS:
        names = [(truth, name if like >= threshold and lead >= MARGIN else None) for truth, name, like, lead in said]
        false = [like >= threshold and lead >= MARGIN for _, like, lead in others]
        wrong = share([name is not None and name != truth for truth, name in names])
        if wrong <= FALSE_NAMES and share(false) <= FALSE_NAMES:
            break
    rows, owners = examples(embeddings, characters)
    settings = {"characters": owners, "threshold": threshold, "margin": MARGIN, "size": WHO}
    return FittedGallery(
        rows,
        settings,
        right=share([name == truth for truth, name in names]),
        wrong=wrong,
        unknown=share([name is None for _, name in names]),
        strangers=share(false),
    )


def gallery_of(embeddings: Floats, characters: Sequence[str], threshold: float) -> Gallery:
    rows, owners = examples(embeddings, characters)
    return Gallery.of(rows, {"characters": owners, "threshold": threshold, "margin": 0.0, "size": WHO})


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


def nearest(gallery: Gallery, embedding: Floats) -> tuple[str, float, float]:
    """The likeliest character, how like, and how much more than the next."""
    like = np.sort(gallery.likeness(embedding[None])[0])
    best = gallery.names[int(gallery.likeness(embedding[None])[0].argmax())]
    return best, float(like[-1]), float(like[-1] - like[-2]) if len(like) > 1 else 2.0


def share(flags: Sequence[bool]) -> float:
    return round(float(np.mean(flags)), 4) if len(flags) else 0.0
