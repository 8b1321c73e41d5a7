"""Names in a question: characters and series, in quotation marks or not, mistyped or not. Pure."""

from __future__ import annotations

from analysis.search.drafts import Unclear
from analysis.search.lexicon import (
    Named,
    NameMatch,
    Token,
    lexicon,
    match_name,
    match_quoted,
    meaning_of,
    meanings,
    phrase_at,
)
from analysis.search.query import InSeries, Relation
from analysis.search.refusals import Refusal, Refused, no_series_called, nobody_called, not_understood
from analysis.search.state import VERBS, State

_SUBJECT_FOLLOWS = [("boundaries", "where"), ("boundaries", "when"), *(("relation", str(r)) for r in Relation)]
_ASKED = [("boundaries", "when"), ("boundaries", "where")]
_AFTER_NAMES = ("how", "negations", "relation")


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
    if who is not None and (not _common(state, who) or (who.length == 1 and _stands_as_name(state))):
        _add_character(state, who)
        return who.length
    return 0


def _common(state: State, match: NameMatch) -> bool:
    """A name that the lexicon has too (a dwarf called Happy, a series called Cartoons) needs quotes, unless it
    is a character's and written as one."""
    phrase = phrase_at(state.tokens, state.at)
    return (match.length == 1 and state.token.norm in meanings()) or (phrase is not None and phrase[1] >= match.length)


def _stands_as_name(state: State) -> bool:
    """Whether a word of the lexicon is written as a name, where a name belongs: ``scenes of Joy``, ``is Joy sad``."""
    kind = meanings().get(state.token.norm, ("", ""))[0]
    if phrase_at(state.tokens, state.at) is not None:
        return False
    capitals_tell = state.token.capital and any(t.said[:1].islower() for t in state.tokens)
    if not capitals_tell or (state.at == 0 and kind not in ("emotion", "filler")):
        return False
    if state.token.possessive:
        return True
    before = state.tokens[state.at - 1] if state.at else None
    if before is not None and (before.possessive or _of_a_word(state)):
        return False
    after = state.tokens[state.at + 1] if state.at + 1 < len(state.tokens) else None
    meaning = None if after is None or after.quoted else meaning_of(after.norm)
    if after is not None and (after.norm in VERBS or (meaning is not None and meaning[0] in _AFTER_NAMES)):
        return True
    if before is None:
        return False
    opens = state.at == 1 or meaning_of(state.tokens[state.at - 2].norm) in _ASKED
    asked = opens and before.norm in VERBS
    return asked or before.norm in lexicon()["names_follow"] or (meaning is not None and meaning[0] == "target")


def _of_a_word(state: State) -> bool:
    """``free of Fear``, ``full of Joy``: a feeling, whoever is called so."""
    return state.before == "of" and state.at > 1 and state.tokens[state.at - 2].norm in ("free", "full")


def is_name(state: State) -> bool:
    """Whether the word is exactly a character's name, whatever else it means."""
    found = match_name(state.tokens, state.at, state.registry.characters, typos=False)
    return found is not None and found.length == 1


def _add_character(state: State, match: NameMatch) -> None:
    if len(match.slugs) > 1:
        raise Refused(Refusal("ambiguous_character", "Several characters have that name.", (), match.slugs))
    state.drafts.subject(state.said(match.length), state.noun, character=match.slugs[0])
