"""Names in a question: characters and series, in quotation marks or not, mistyped or not. Pure."""

from __future__ import annotations

from analysis.search.drafts import Unclear
from analysis.search.lexicon import (
    Named,
    NameMatch,
    Token,
    match_name,
    match_quoted,
    meaning_of,
    meanings,
    phrase_at,
)
from analysis.search.query import InSeries, Relation
from analysis.search.refusals import Refusal, Refused, no_series_called, nobody_called, not_understood
from analysis.search.state import State

_SUBJECT_FOLLOWS = [("boundaries", "where"), ("boundaries", "when"), *(("relation", str(r)) for r in Relation)]


def take_series(state: State) -> int:
    rest = state.at + 1
    if rest >= len(state.tokens):
        return _series_before(state)
    quoted = state.tokens[rest].quoted
    known = state.registry.series
    match = match_quoted(state.tokens[rest].said, known) if quoted else _named_at(state.tokens, rest, known)
    if match is None:
        if not quoted and meaning_of(state.tokens[rest].norm) is not None:
            return _series_before(state)
        raise Refused(no_series_called(state.tokens[rest].said, state.registry))
    _add_series(state, match)
    return 1 + match.length


def _series_before(state: State) -> int:
    """``in the Mice series``: the name came first and is used already."""
    if not any(isinstance(c, InSeries) for c in state.clauses):
        state.unused.append(state.token.said)
    return 1


def _add_series(state: State, match: NameMatch) -> None:
    if len(match.slugs) > 1:
        raise Refused(Refusal("ambiguous_series", "Several series have that name.", (), match.slugs))
    clause = InSeries(match.slugs[0])
    if any(isinstance(c, InSeries) and c != clause for c in state.clauses):
        raise Refused(not_understood("more than one series"))
    state.clauses.append(clause)


def take_quoted(state: State) -> int:
    if not state.token.quoted:
        return 0
    who = match_quoted(state.token.said, state.registry.characters)
    if who is not None:
        _add_character(state, who)
        return 1
    series = match_quoted(state.token.said, state.registry.series)
    if series is not None:
        _add_series(state, series)
        return 1
    raise Refused(nobody_called(state.token.said, state.registry))


def _named_at(tokens: list[Token], at: int, known: tuple[Named, ...]) -> NameMatch | None:
    return match_name(tokens, at, known, typos=False) or match_name(tokens, at, known, typos=True)


def take_name(state: State) -> int:
    """Names before words, exact before typos; a word of the lexicon is never read as a mistyped name."""
    characters, series = state.registry.characters, state.registry.series
    who, where = (match_name(state.tokens, state.at, known, typos=False) for known in (characters, series))
    if who is None and where is None and meaning_of(state.token.norm) is None:
        who, where = (match_name(state.tokens, state.at, known, typos=True) for known in (characters, series))
    if where is not None and (who is None or where.length > who.length) and not _common(state, where):
        if meaning_of(state.before) in _SUBJECT_FOLLOWS:  # "where Tom and Jerry are happy" is about the two
            raise Unclear("more than one character")
        _add_series(state, where)
        return where.length
    if who is not None and not _common(state, who):
        _add_character(state, who)
        return who.length
    return 0


def _common(state: State, match: NameMatch) -> bool:
    """A name that the lexicon has too (a dwarf called Happy, a series called Cartoons) needs quotes."""
    phrase = phrase_at(state.tokens, state.at)
    return (match.length == 1 and state.token.norm in meanings()) or (phrase is not None and phrase[1] >= match.length)


def _add_character(state: State, match: NameMatch) -> None:
    if len(match.slugs) > 1:
        raise Refused(Refusal("ambiguous_character", "Several characters have that name.", (), match.slugs))
    state.drafts.subject(state.said(match.length), state.noun, character=match.slugs[0])
