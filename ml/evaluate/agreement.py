"""How far annotators agree: pure functions over what each of them said of the same things. Needs nothing but Python.

A label is anything that can be compared and hashed. Where an agreement is not defined (nothing was labelled, or all
labels are the same, so that chance alone explains everything), the answer is NaN.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence


def percentage_agreement(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Share in [0, 1] of things that both label alike. ``first[i]`` and ``second[i]`` are about the same thing."""
    _same_length(first, second)
    if not first:
        return math.nan
    return sum(a == b for a, b in zip(first, second, strict=True)) / len(first)


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Agreement of two annotators beyond chance: 1 full, 0 as chance would have it, negative below.

    (p_o - p_e) / (1 - p_e), where p_e is the agreement of two who use each label as often as these do, at random.
    J. Cohen, A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20 (1960).
    """
    observed = percentage_agreement(first, second)
    if math.isnan(observed):
        return math.nan
    n = len(first)
    ours, theirs = Counter(first), Counter(second)
    agreed_by_chance = sum(ours[label] * theirs[label] for label in ours)  # times n * n
    if agreed_by_chance == n * n:
        return math.nan
    expected = agreed_by_chance / (n * n)
    return (observed - expected) / (1 - expected)


def krippendorff_alpha(units: Sequence[Sequence[Hashable | None]]) -> float:
    """Agreement of any number of annotators beyond chance, on labels without order. ``None``: not labelled.

    ``units[i]``: what the annotators said of thing i; things that fewer than two labelled do not count.
    1 - D_o / D_e from the matrix of coincidences. K. Krippendorff, Computing Krippendorff's alpha-reliability (2011),
    University of Pennsylvania, sections C and D (nominal data, any number of observers, missing data).
    """
    coincidences: dict[tuple[Hashable, Hashable], float] = {}
    for unit in units:
        said = Counter(label for label in unit if label is not None)
        total = said.total()
        if total < 2:
            continue
        for a, count in said.items():
            for b, other in said.items():
                together = count * (other - (a == b)) / (total - 1)
                coincidences[a, b] = coincidences.get((a, b), 0.0) + together
    used: dict[Hashable, float] = {}
    for (a, _), value in coincidences.items():
        used[a] = used.get(a, 0.0) + value
    n = sum(used.values())
    expected = n * n - sum(v * v for v in used.values())
    if n < 2 or len(used) < 2:
        return math.nan
    disagreed = sum(value for (a, b), value in coincidences.items() if a != b)
    return 1 - (n - 1) * disagreed / expected


def rolling_consistency(common: int, first: int, second: int) -> float:
    """Inter-indexer consistency in [0, 1]: 2 C / (A + B).

    ``common``: labels that both gave; ``first``, ``second``: labels that each gave.
    L. Rolling, Indexing consistency, quality and efficiency, Information Processing and Management 17 (1981).
    The same number is known as Dice's coefficient, and as F1 where one of the two counts as the truth.
    """
    _fits(common, first, second)
    return 2 * common / (first + second) if first + second else math.nan


def hooper_consistency(common: int, first: int, second: int) -> float:
    """Inter-indexer consistency in [0, 1]: C / (A + B - C), so never above Rolling's. Arguments as there.

    R. S. Hooper, Indexer consistency tests: origin, measurements, results and utilization, IBM (1965).
    """
    _fits(common, first, second)
    return common / (first + second - common) if first + second else math.nan


def _same_length(first: Sequence[Hashable], second: Sequence[Hashable]) -> None:
    if len(first) != len(second):
        raise ValueError(f"two annotators label the same things, but here are {len(first)} and {len(second)} labels")


def _fits(common: int, first: int, second: int) -> None:
    if not 0 <= common <= min(first, second):
        raise ValueError(f"{common} labels cannot be common to {first} and {second}")
