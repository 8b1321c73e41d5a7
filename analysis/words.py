"""What several people say of one face: which of it counts, and whether it is settled. Pure: no database, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.layer import Says


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a face, whoever says it. ``character``: a slug with Says.CHARACTER, else None. ``emotion``: one
    of the seven, ``unclear``, or empty: as read.
    """

    says: Says
    character: str | None
    emotion: str

    def label(self, subject: str) -> str:
        """In one word, to compare people by: what it shows, or ``no_face``, ``nobody``, ``is:SLUG``.

        ``subject``: whom the face is read as.
        """
        if self.says is Says.CHARACTER and self.character != subject:
            return f"is:{self.character}"
        return self.emotion if self.says is Says.CHARACTER else str(self.says)


@dataclass(frozen=True, slots=True)
class Word:
    """``number``: rises with time. ``settles``: said by somebody who knew what the others had said."""

    number: int
    person: int
    said: Said
    settles: bool = False


def counting(words: Sequence[Word]) -> Word | None:
    """The word that counts: the last that settles the matter; else one of what most people say, the first said so. Of
    as many, what was said first stays: an answer that nobody confirms takes nothing away.
    """
    settled = [w for w in words if w.settles]
    if settled:
        return max(settled, key=lambda w: w.number)
    counts = Counter(w.said for w in words)
    return min(words, key=lambda w: (-counts[w.said], w.number), default=None)


def disputed(words: Sequence[Word]) -> bool:
    """Whether people say different things, and nobody has settled it."""
    return len({w.said for w in words}) > 1 and not any(w.settles for w in words)
