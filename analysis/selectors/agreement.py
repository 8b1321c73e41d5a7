"""How far people agree who said something of the same face, or checked the same shots."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations

from django.contrib.auth.models import User

from analysis.models import Certification
from analysis.ratings import Agreement, agreement, alpha
from analysis.samples import main_label
from analysis.selectors.asking import disputes_count, is_disputed, said_of, words_by_face
from analysis.selectors.layer import finished_by

LEAST_OF_PAIR = 2  # faces; two people are compared from here on
MOST_MIXED = 10


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Of two people, by name, in the order of the alphabet."""

    first: str
    second: str
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Mixed:
    """Two labels that people gave the same face; ``times``: how often two people did."""

    first: str
    second: str
    times: int


@dataclass(frozen=True, slots=True)
class AgreementFound:
    """``alpha``: Krippendorff's over faces that two or more spoke of, what was said to settle a matter left out, since
    whoever settles knows what the others said. ``shots``: the same over shots of samples.
    """

    faces: int
    alpha: float | None
    pairs: tuple[PairAgreement, ...]
    mixed: tuple[Mixed, ...]
    differing: int
    open: int
    shots: int
    shots_alpha: float | None
    shot_pairs: tuple[PairAgreement, ...]


def agreement_of() -> AgreementFound:
    by_face = words_by_face()
    units: list[dict[str, str]] = []
    for words in by_face.values():
        own = [w for w in words if not w.settles]
        if len(own) > 1:
            units.append({w.made_by.get_username(): said_of(w).label(w.face.subject.slug) for w in own})
    shots = _shots()
    return AgreementFound(
        faces=len(units),
        alpha=alpha([list(unit.values()) for unit in units]),
        pairs=_pairs(units),
        mixed=_mixed(units),
        differing=sum(is_disputed(words) or any(w.settles for w in words) for words in by_face.values()),
        open=disputes_count(),
        shots=len(shots),
        shots_alpha=alpha([list(unit.values()) for unit in shots]),
        shot_pairs=_pairs(shots),
    )


def _pairs(units: list[dict[str, str]]) -> tuple[PairAgreement, ...]:
    both: dict[tuple[str, str], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for unit in units:
        for one, other in combinations(sorted(unit), 2):
            both[one, other][0].append(unit[one])
            both[one, other][1].append(unit[other])
    return tuple(
        PairAgreement(one, other, agreement(a, b))
        for (one, other), (a, b) in sorted(both.items())
        if len(a) >= LEAST_OF_PAIR
    )


def _mixed(units: list[dict[str, str]]) -> tuple[Mixed, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    for unit in units:
        for one, other in combinations(sorted(unit.values()), 2):
            if one != other:
                counts[one, other] += 1
    return tuple(Mixed(a, b, n) for (a, b), n in sorted(counts.items(), key=lambda x: (-x[1], x[0]))[:MOST_MIXED])


def _shots() -> list[dict[str, str]]:
    """Per shot of a sample that several people answered wholly, each person's main label."""
    found = []
    for row in Certification.objects.filter(withdrawn_at__isnull=True):
        people = finished_by(row)
        if len(people) > 1:
            names = dict(User.objects.filter(pk__in=[pk for pk, _ in people]).values_list("pk", "username"))
            found += [{names[pk]: main_label(answers[place]) for pk, answers in people} for place in row.picked]
    return found
