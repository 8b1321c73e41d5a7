"""Splits that cannot flatter: an episode, or a shot, is never on both sides. Needs no numpy.

Frames of one shot look alike, so frames divided at random put near-copies on both sides and every figure comes out
too high; that is to be had only by saying ``allow_leaky_random_frames``, for printing it beside the honest one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ml.data.records import LabelledImage
from ml.errors import UserError

MAX_PASSES = 20  # of looking for groups that would do better elsewhere
Split = dict[str, tuple[LabelledImage, ...]]


class SplitImpossible(UserError):
    """There are too few groups, or none is said."""

    code = "split_impossible"


class SplitLeaks(UserError):
    """The same group is on both sides."""

    code = "split_leaks"


def split_by_group(images: Sequence[LabelledImage], shares: Mapping[str, float], seed: int) -> Split:
    """Parts named by ``shares`` (train 0.8, test 0.2), each of whole groups, none empty; the same for the same seed.

    Groups are dealt out, those with the rarest words first, so that every part comes close to its share of each
    emotion and character. Raises SplitImpossible where there are fewer groups than parts.
    """
    wanted = _shares(shares)
    groups: dict[str, list[LabelledImage]] = {}
    for image in images:
        if not image.group:
            raise SplitImpossible(
                f"Nothing says to which episode or shot {image.path.name} belongs, so it is not split."
            )
        groups.setdefault(image.group, []).append(image)
    if len(groups) < len(wanted):
        only = ", ".join(sorted(groups)[:3]) or "none"
        raise SplitImpossible(
            f"{len(wanted)} parts need at least {len(wanted)} episodes or shots, and there "
            f"{'is' if len(groups) == 1 else 'are'} {len(groups)} ({only}); label more of them, or say which shot each "
            "frame belongs to."
        )
    counts = {name: _words(members) for name, members in groups.items()}
    total = sum(counts.values(), Counter[str]())
    dealt = _deal(counts, total, wanted, random.Random(seed))  # noqa: S311 - no secret
    return {part: tuple(i for i in images if dealt[i.group] == part) for part in wanted}


def split_random_frames(
    images: Sequence[LabelledImage], shares: Mapping[str, float], seed: int, *, allow_leaky_random_frames: bool
) -> Split:
    """Single frames at random: the flattering split. Raises SplitLeaks unless it is allowed by name."""
    if not allow_leaky_random_frames:
        raise SplitLeaks("A random split of frames puts near-copies on both sides; split by episode or shot.")
    wanted = _shares(shares)
    order = list(range(len(images)))
    random.Random(seed).shuffle(order)  # noqa: S311 - no secret
    parts: dict[str, list[int]] = {}
    start, reached = 0, 0.0
    for part, share in wanted.items():
        reached += share
        end = round(reached * len(order))
        parts[part] = sorted(order[start:end])
        start = end
    return {part: tuple(images[i] for i in chosen) for part, chosen in parts.items()}


def given_split(images: Sequence[LabelledImage]) -> Split:
    """As the data set itself divides its pictures. Raises SplitImpossible where it does not, SplitLeaks where badly."""
    parts: dict[str, list[LabelledImage]] = {}
    for image in images:
        if not image.split:
            raise SplitImpossible(f"The data set does not say to which part {image.path.name} belongs.")
        parts.setdefault(image.split, []).append(image)
    names = sorted(parts)
    for index, name in enumerate(names):
        for other in names[index + 1 :]:
            unsafe_split((i.group for i in parts[name]), (i.group for i in parts[other]))
    return {name: tuple(parts[name]) for name in names}


def unsafe_split(groups_train: Iterable[str], groups_test: Iterable[str]) -> None:
    """Raises SplitLeaks where a group is on both sides."""
    both = sorted(set(groups_train) & set(groups_test))
    if both:
        listed = ", ".join(both[:3]) + (f" and {len(both) - 3} more" if len(both) > 3 else "")
        raise SplitLeaks(f"The same episode or shot is in training and in the test: {listed}.")


def _shares(shares: Mapping[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    if not shares or not all(share > 0 for share in shares.values()) or not 0 < total < float("inf"):
        raise SplitImpossible("Every part of a split needs a share above 0.")
    return {part: share / total for part, share in shares.items()}


def _words(members: Iterable[LabelledImage]) -> Counter[str]:
    """What is to be spread evenly: pictures, and faces by emotion and by character."""
    found: Counter[str] = Counter()
    for image in members:
        found["pictures"] += 1
        for face in image.faces:
            found[f"emotion {face.emotion}"] += 1
            found[f"character {face.character}"] += 1
    return found


def _deal(
    counts: Mapping[str, Counter[str]], total: Counter[str], shares: Mapping[str, float], chance: random.Random
) -> dict[str, str]:
    names = sorted(counts)
    chance.shuffle(names)
    names.sort(key=lambda name: -max(count / total[word] for word, count in counts[name].items()))
    have: dict[str, Counter[str]] = {part: Counter() for part in shares}
    dealt: dict[str, str] = {}
    for index, name in enumerate(names):
        empty = [part for part in shares if part not in dealt.values()]
        open_ = empty if len(names) - index <= len(empty) else list(shares)
        best = min(open_, key=lambda part: _worse(have[part], counts[name], total, shares[part]))
        have[best] += counts[name]
        dealt[name] = best
    _improve(names, dealt, have, counts, total, shares)
    return dealt


def _improve(
    names: Sequence[str],
    dealt: dict[str, str],
    have: dict[str, Counter[str]],
    counts: Mapping[str, Counter[str]],
    total: Counter[str],
    shares: Mapping[str, float],
) -> None:
    """Moves single groups to where they do better until none does; leaves no part empty."""
    members = Counter(dealt.values())
    for _ in range(MAX_PASSES):
        moved = False
        for name in names:
            now, count = dealt[name], counts[name]
            if members[now] == 1:
                continue
            without = have[now] - count
            here = _worse(without, count, total, shares[now])
            best = min(shares, key=lambda p: here if p == now else _worse(have[p], count, total, shares[p]))
            if best == now or _worse(have[best], count, total, shares[best]) > here - 1e-12:
                continue
            have[now], dealt[name], moved = without, best, True
            have[best] += count
            members[now] -= 1
            members[best] += 1
        if not moved:
            return


def _worse(have: Counter[str], more: Counter[str], total: Counter[str], share: float) -> float:
    """By how much the squared distance to the share of every word grows when ``more`` is added."""
    return sum(
        ((have[word] + count) / total[word] - share) ** 2 - (have[word] / total[word] - share) ** 2
        for word, count in more.items()
    )
