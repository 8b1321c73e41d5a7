"""From what a model says to what was drawn: the correction by a confusion matrix, and how well that matrix is known.

A model that takes every eighth sad face for a neutral one overstates neutral in sad episodes and understates it in
others, so counting what it says is biased by what there is to see. With ``M[t, s]`` the chance that a face that shows
t is said to show s, what is said has the shares ``M' p``; solved for p that is the *adjusted count*, brought to the
nearest point of the simplex where noise led outside it (Forman 2008; Hopkins and King 2010).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.types import UNCLEAR, Emotion

PRIOR_FACES = 1.0  # what is thought of each emotion before any face of it was tested, in faces
SINGULAR = 1e-9  # singular values below this part of the largest carry nothing

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Of held-out faces. ``counts``: (k, k), rows what was drawn, columns what was said, *unclear* left out.

    ``groups``: number of shots (or films) that the faces come from, 0 where that is not known. Faces of one shot share
    their errors, so the matrix is only as sure as so many single faces.
    """

    counts: Floats
    groups: int = 0

    @property
    def evidence(self) -> Floats:
        """(k, k) parameters of a Dirichlet distribution per row.

        The prior is one face per emotion, told right as often as the others are on average: a row without any face
        then says little, and says so by its spread.
        """
        total = float(self.counts.sum())
        k = len(self.counts)
        scale = min(1.0, self.groups / total) if self.groups and total else 1.0
        right = (float(np.trace(self.counts)) + 1.0) / (total + k)
        prior = np.full((k, k), (1.0 - right) / max(1, k - 1))
        np.fill_diagonal(prior, right)
        return self.counts * scale + PRIOR_FACES * prior

    def mean(self) -> Floats:
        """(k, k), rows sum to 1."""
        evidence = self.evidence
        rows: Floats = evidence / evidence.sum(axis=1, keepdims=True)
        return rows

    def draw(self, rng: np.random.Generator, draws: int) -> Floats:
        """(draws, k, k) matrices as they may be, given the faces that were tested."""
        gammas = rng.standard_gamma(np.broadcast_to(self.evidence, (draws, *self.counts.shape)))
        gammas = np.maximum(gammas, 1e-300)
        drawn: Floats = gammas / gammas.sum(axis=2, keepdims=True)
        return drawn


def correct(said: Floats, matrix: Floats) -> Floats:
    """(..., k) shares of what was said, (..., k, k) matrices -> (..., k) shares of what was drawn, on the simplex."""
    inverse = np.linalg.pinv(matrix, rcond=SINGULAR)
    return to_simplex(np.einsum("...s,...st->...t", said, inverse))


def to_simplex(points: Floats) -> Floats:
    """The nearest points with no entry below 0 and sum 1. (..., k) in and out (Duchi et al. 2008)."""
    k = points.shape[-1]
    ordered = -np.sort(-points, axis=-1)
    over = (np.cumsum(ordered, axis=-1) - 1.0) / np.arange(1, k + 1)
    last = (ordered > over).sum(axis=-1, keepdims=True) - 1
    moved: Floats = np.maximum(points - np.take_along_axis(over, last, axis=-1), 0.0)
    return moved


def confusion_of_card(card: Mapping[str, Any], emotions: Sequence[Emotion]) -> Confusion | None:
    """The matrix in a bundle's description, over ``emotions`` in their order; None where there is none to use.

    ``card["confusion"]``: ``labels`` (of the rows; more labels than rows name further columns), ``columns`` where they
    differ, ``counts``, and ``groups`` where known (docs/formats.md). Labels are canonical emotions or the bundle's own.
    Not usable, so None: no numbers, a negative one, an emotion of the bundle that has no row or no column, no face.
    """
    table = card.get("confusion")
    if not isinstance(table, Mapping):
        return None
    labels, counts = table.get("labels"), table.get("counts")
    columns = table.get("columns") or labels
    if not isinstance(labels, list) or not isinstance(columns, list) or not isinstance(counts, list):
        return None
    try:
        numbers = np.array(counts, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    if numbers.ndim != 2 or numbers.shape[0] > len(labels) or numbers.shape[1] != len(columns):
        return None
    if not np.isfinite(numbers).all() or (numbers < 0).any():
        return None
    canonical = _canonical(card)
    rows = [canonical.get(str(name), str(name)) for name in labels[: len(numbers)]]
    said = [canonical.get(str(name), str(name)) for name in columns]
    if not set(emotions) <= set(rows) & set(said) or not set(said) <= {*emotions, UNCLEAR}:
        return None
    merged = np.array(
        [[numbers[np.ix_(_at(rows, drawn), _at(said, name))].sum() for name in emotions] for drawn in emotions]
    )
    groups = table.get("groups", 0)
    known = isinstance(groups, int) and not isinstance(groups, bool) and groups > 0
    return Confusion(merged, groups if known else 0) if merged.sum() > 0 else None


def _canonical(card: Mapping[str, Any]) -> Mapping[str, str]:
    found = card.get("emotions")
    names = found.get("canonical") if isinstance(found, Mapping) else None
    return names if isinstance(names, Mapping) else {}


def _at(names: Sequence[str], wanted: Emotion) -> list[int]:
    return [i for i, name in enumerate(names) if name == wanted]
