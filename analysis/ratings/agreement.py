"""How far people agree beyond chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """``same`` of ``of`` items; ``kappa``: Cohen's (1960): 1 where they always agree, 0 where as often as by chance.

    None where chance alone would always agree: both gave one and the same label throughout.
    """

    same: int
    of: int
    kappa: float | None


def agreement(first: Sequence[str], second: Sequence[str]) -> Agreement:
    """Labels of the same items in the same order. Raises ValueError where there are not as many, or none."""
    if len(first) != len(second) or not first:
        raise ValueError("Two people are compared by the labels of the same items, at least one.")
    of = len(first)
    same = sum(a == b for a, b in zip(first, second, strict=True))
    one, other = Counter(first), Counter(second)
    chance = sum(one[label] * other[label] for label in one) / of**2
    return Agreement(same, of, None if chance >= 1.0 else (same / of - chance) / (1.0 - chance))


def alpha(units: Iterable[Sequence[str]]) -> float | None:
    """Krippendorff's alpha for names (2004, chapter 11): any number of people, none of whom has to say everything.

    ``units``: the labels that each face or shot was given; those with fewer than two have no part in it. 1 where people
    always agree, 0 where as often as by chance. None where nobody was asked twice, or all gave one and the same label.
    """
    apart = 0.0
    total: Counter[str] = Counter()
    for unit in units:
        if len(unit) < 2:
            continue
        counts = Counter(unit)
        for one, n in counts.items():
            total[one] += n
            apart += n * (len(unit) - n) / (len(unit) - 1)
    said = sum(total.values())
    by_chance = said * said - sum(x * x for x in total.values())
    return None if by_chance == 0 else 1.0 - (said - 1) * apart / by_chance
