"""Titles in a question that are told by their capitals: ``scenes in The Flying Kite``. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.search.lexicon import Token, match_name, meaning_of
from analysis.search.state import State

MOST_WORDS = 12
_ARTICLES = ("a", "an", "the")
_WITHIN = ("a", "an", "and", "at", "for", "from", "in", "of", "on", "the", "to", "with")  # small words of titles


def take_title(state: State) -> int:
    """Words that begin with capitals, all of which some episode's title or synopsis has. They are searched for
    as without capitals; what may be a name is no title: ``scenes of Butch``."""
    if not _may_begin(state):
        return 0
    for end in _ends(state):
        tokens = state.tokens[state.at : end]
        words = [t for t in tokens if (meaning_of(t.norm) or ("",))[0] != "filler"]
        unknown = any(meaning_of(t.norm) is None for t in words)
        if unknown and state.registry.has_text(" ".join(t.said for t in tokens)):
            state.texts += [t.norm for t in words]
            return end - state.at
    return 0


def _may_begin(state: State) -> bool:
    """After "in"; after "of" with an article, since a name goes without."""
    before, token = state.before, state.token
    if token.quoted or not token.capital or token.possessive or _is_named(state, state.at):
        return False
    if before in _ARTICLES:
        return state.at > 1 and state.tokens[state.at - 2].norm in ("in", "of")
    if token.norm in _ARTICLES and state.at + 1 < len(state.tokens) and _is_named(state, state.at + 1):
        return False
    return before == "in" or (before == "of" and token.norm in _ARTICLES)


def _ends(state: State) -> Iterator[int]:
    """Where the title may end, the longest first: small words join what has capitals."""
    ends, at = [], state.at
    while at < min(len(state.tokens), state.at + MOST_WORDS) and _belongs(state, at):
        at += 1
        if state.tokens[at - 1].capital and not (at < len(state.tokens) and state.tokens[at].capital):
            ends.append(at)
    yield from reversed(ends)


def _belongs(state: State, at: int) -> bool:
    token = state.tokens[at]
    if token.quoted or token.sign:
        return False
    small = state.tokens[at - 1].norm in _WITHIN and not state.tokens[at - 1].capital
    if token.capital:
        return not (small and at > state.at and _is_named(state, at))
    return token.norm in _WITHIN and _some_capital(state.tokens[at + 1 :])


def _some_capital(tokens: list[Token]) -> bool:
    """Whether a capital comes next, small words aside."""
    following = next((t for t in tokens if t.quoted or t.norm not in _WITHIN or t.capital), None)
    return following is not None and not following.quoted and following.capital


def _is_named(state: State, at: int) -> bool:
    known = (state.registry.characters, state.registry.series)
    return any(match_name(state.tokens, at, names, typos=False) is not None for names in known)
