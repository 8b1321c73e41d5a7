"""A sentence in the box of the browse page: what it asks of episodes, or where else it leads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from analysis.limits import NO_LIMITS, Limits
from analysis.search.answer import Answer, search, search_query
from analysis.search.chips import Chip, chips_of
from analysis.search.languages import language_of
from analysis.search.lexicon import meaning_of, tokens_of
from analysis.search.query import QueryInvalid, Target, settled

Leads = Literal["here", "search", "words"]


@dataclass(frozen=True, slots=True)
class Asked:
    """``leads``: ``here``, to the episodes of ``answer``; ``search``, since it asks for scenes, moments or characters;
    ``words``, since nothing in it is understood but what may be a title. ``whys``: of each episode why it is here.
    """

    text: str
    leads: Leads
    answer: Answer
    chips: tuple[Chip, ...] = ()

    @property
    def episodes(self) -> list[int]:
        return [r.episode_id for r in self.answer.results]

    @property
    def whys(self) -> dict[int, str]:
        return {r.episode_id: r.why for r in self.answer.results}


def ask(text: str, page: int = 1, limits: Limits = NO_LIMITS) -> Asked:
    """A question that does not say what it looks for is one for episodes."""
    answer = search(text, page, limits=limits)
    if answer.query is None or answer.registry is None:
        return Asked(text, "words", answer)
    if answer.query.target is not Target.EPISODES:
        if says_target(text) or language_of(text, answer.registry) != "en":
            return Asked(text, "search", answer)
        try:
            turned = settled(replace(answer.query, target=Target.EPISODES))
        except QueryInvalid:
            return Asked(text, "search", answer)
        answer = search_query(turned, answer.registry, page, answer.unused, limits=limits)
    if answer.query is None or answer.registry is None:
        return Asked(text, "search", answer)
    return Asked(text, "here", answer, tuple(chips_of(answer.query, answer.registry)))


def says_target(text: str) -> bool:
    """Whether a word of it is one for what is looked for."""
    meanings = (meaning_of(token.norm) for token in tokens_of(text) if not token.quoted)
    return any(meaning is not None and meaning[0] == "target" for meaning in meanings)
