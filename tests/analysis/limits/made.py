"""Random limits, and what an episode of plain values is to them: worked out apart from the database."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import strategies as st

from analysis.limits import Limit, Limits
from ml.types import EMOTIONS, Emotion
from tests.analysis.search_world import ALL, Show

SLUGS = ("tom", "jerry", "pip", "rosa")


def limit_strategy() -> st.SearchStrategy[Limit]:
    shares = st.integers(0, 10_000).map(lambda n: n / 10_000)
    longest = st.integers(0, 86_400_000)
    who = st.sampled_from(["", *SLUGS, "猫", "tom-2", "a_b"])
    numbers = st.one_of(
        st.tuples(shares, st.none()), st.tuples(st.none(), longest), st.tuples(shares, longest)
    )  # fmt: skip
    return st.builds(lambda e, n, w: Limit(e, n[0], n[1], w), st.sampled_from(EMOTIONS), numbers, who)


def limits_strategy() -> st.SearchStrategy[Limits]:
    one_each = st.lists(limit_strategy(), max_size=12, unique_by=lambda x: x.key)
    length = st.none() | st.integers(1, 86_400_000)
    return st.builds(lambda found, ms: Limits(tuple(found), ms), one_each, length)


def limits_random(rng: random.Random, characters: Sequence[str] = SLUGS) -> Limits:
    """Often loose enough that something stays, with numbers on the very edges that random worlds have."""
    found: dict[tuple[str, Emotion], Limit] = {}
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        most = rng.choice([None, 0.0, 0.1, 0.105, 0.2, 0.3, 0.6, 1.0])
        longest = rng.choice([None, 0, 500, 1_000, 5_000]) if most is not None else rng.choice([0, 500, 1_000, 5_000])
        limit = Limit(rng.choice(EMOTIONS), most, longest, rng.choice(["", "", *characters]))
        found[limit.key] = limit
    return Limits(tuple(found.values()), rng.choice([None, None, None, 59_999, 60_000]))


def shows_it(show: Show, limits: Limits) -> bool:
    """Whether the limits leave the episode, by the words of docs/limits.md."""
    if limits.closed:
        return False
    if limits.longest_episode_ms is not None and show.duration_ms > limits.longest_episode_ms:
        return False
    return all(_keeps(show, limit) for limit in limits.limits)


def _keeps(show: Show, limit: Limit) -> bool:
    if not show.published or show.partial or show.strangers or not show.profiles:
        # A character of that name who was seen, seen enough, and keeps the limit, is sure among strangers too.
        named = limit.character in show.profiles and show.published and not show.partial
        return named and _character_keeps(show, limit, limit.character)
    if limit.character:
        return limit.character not in show.profiles or _character_keeps(show, limit, limit.character)
    return all(_character_keeps(show, limit, who) for who in show.profiles)


def _character_keeps(show: Show, limit: Limit, who: str) -> bool:
    profile, emotion = show.profiles[who], str(limit.emotion)
    if not profile.enough or emotion not in profile.shares or emotion not in ALL:
        return False
    high = round(profile.shares[emotion][2], 6)
    if limit.most is not None and high > limit.most:
        return False
    return limit.longest_ms is None or show.longest_ms(who, emotion) <= limit.longest_ms
