"""What it means that two faces are alike. Pure: cards and vectors in, expressions and vectors out.

A classifier whose embedding has halves says in the first half whose face it is and in the second what it shows, each
of equal length; the cosine of the whole is then the mean of both. Without halves only the whole can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from ml.types import EMBEDDING_SIZE

HALF = EMBEDDING_SIZE // 2


class Alike(StrEnum):
    EXPRESSION = "expression"
    CHARACTER = "character"
    BOTH = "both"

    @property
    def words(self) -> str:
        return {
            Alike.EXPRESSION: _("in expression"),
            Alike.CHARACTER: _("the same character"),
            Alike.BOTH: _("in expression and character"),
        }[self]


# The column as the graphs of the migration index it, letter by letter: otherwise the planner does not see them.
COLUMNS: Mapping[Alike, str] = {
    Alike.BOTH: "embedding",
    Alike.CHARACTER: f"(subvector(embedding, 1, {HALF})::halfvec({HALF}))",
    Alike.EXPRESSION: f"(subvector(embedding, {HALF + 1}, {HALF})::halfvec({HALF}))",
}


def part_of(embedding: Sequence[float], alike: Alike) -> list[float]:
    """The numbers that are compared."""
    whole = list(embedding)
    return {Alike.BOTH: whole, Alike.CHARACTER: whole[:HALF], Alike.EXPRESSION: whole[HALF:]}[alike]


def literal(numbers: Sequence[float]) -> str:
    """As pgvector reads it."""
    return "[" + ",".join(f"{x:.6g}" for x in numbers) + "]"


def ways_of(card: Mapping[str, Any]) -> tuple[Alike, ...]:
    """In what senses a bundle's faces can be compared, the most useful first; none where it has no classifier."""
    classifier = card.get("classifier", {})
    if classifier is None:
        return ()
    if (classifier.get("settings") or {}).get("halves"):
        return (Alike.BOTH, Alike.EXPRESSION, Alike.CHARACTER)
    return (Alike.BOTH,)


def signature_of(card: Mapping[str, Any], digest: str) -> str:
    """Equal for bundles whose embeddings can be compared: the same classifier reads the same kind of crops.

    A card that does not say which file its classifier is stands for itself alone: by the bundle's ``digest``.
    """
    name = (card.get("classifier") or {}).get("file", "")
    sha256 = ((card.get("files") or {}).get(name) or {}).get("sha256", "")
    crop = (card.get("preprocessing") or {}).get("crop")
    return f"{sha256} {sorted(crop.items())}" if sha256 and isinstance(crop, dict) else digest
