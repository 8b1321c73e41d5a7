"""Words -> query. Pure: a text and a registry in, a Parsed out; never raises, never guesses.

    query  := [superlative] target [of character] clauses [where atom [and where atom]]
    target := scenes | moments | episodes | characters
    atom   := character emotion [ever|never|always|mostly|at least N %|for more than N s|more than CHARACTER]
            | atom while|before|after|within N s of atom
    clause := length < N min | series NAME | season N | year N | title WORDS

A word is used, or listed in ``unused``, or the question is refused with the reason. Refused is whatever would change
the meaning if it were left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.search import clauses as clause_words
from analysis.search import measures
from analysis.search.drafts import Unclear, finish
from analysis.search.lexicon import Registry, meaning_of, tokens_of
from analysis.search.names import take_name, take_quoted, take_series
from analysis.search.query import Length, Of, Op, Order, Query, QueryInvalid, Target, Words, plain_text, settled
from analysis.search.refusals import Refusal, Refused, no_length, not_understood, nothing_understood
from analysis.search.state import VERBS, State
from analysis.search.titles import take_title
from analysis.search.words import take_phrase, take_unknown, take_word

MOST_LETTERS = 1_000


@dataclass(frozen=True, slots=True)
class Parsed:
    query: Query | None
    unused: tuple[str, ...] = ()
    refusal: Refusal | None = None


def parse(text: str, registry: Registry) -> Parsed:
    """What ``text`` asks. Exactly one of ``query`` and ``refusal`` is set."""
    if len(text) > MOST_LETTERS:
        return Parsed(None, (), Refusal("query_too_long", f"A question may have {MOST_LETTERS} characters at most."))
    state = State(tokens_of(text), registry)
    try:
        while state.at < len(state.tokens):
            _step(state)
        return Parsed(_finish(state), tuple(state.unused))
    except Refused as refused:
        refusal = refused.refusal
    except clause_words.Unreadable as said:
        refusal = no_length(str(said))
    except Unclear as said:
        refusal = not_understood(str(said))
    return Parsed(None, tuple(dict.fromkeys([*state.unused, *refusal.words])), refusal)


def _step(state: State) -> None:
    """Uses at least one token."""
    for take in (_take_measure, _take_clause, take_quoted, take_name, take_title, take_phrase, take_word):
        used = take(state)
        if used:
            state.at += used
            return
    take_unknown(state)
    state.at += 1


def _take_measure(state: State) -> int:
    """``within 5 s of``, ``for more than 10 s``, ``at least 20 %``."""
    if state.token.quoted:
        return 0
    near = measures.near_at(state.tokens, state.at)
    if near is not None:
        relation, ms, used = near
        state.drafts.relate(state.said(used), relation, ms, state.noun)
        return used
    for kind, found in (
        ("lasts", measures.lasts_at(state.tokens, state.at)),
        ("share", measures.share_at(state.tokens, state.at)),
    ):
        if found is not None:
            _measure(state, kind, found)
            return found[2]
    return 0


def _measure(state: State, kind: str, found: tuple[Op, int, int]) -> None:
    said = state.said(found[2])
    if kind == "lasts" and (state.drafts.now.emotion is None or state.said_last == "target"):
        raise Refused(not_understood(f"“{said}” there; it follows who shows what"))
    draft = state.drafts.predicate(said, state.noun)
    if getattr(draft, kind) is not None:
        raise Unclear(f"“{said}” beside another such condition")
    setattr(draft, kind, found[:2])


def _take_clause(state: State) -> int:
    found = clause_words.clause_at(state.tokens, state.at)
    if found is not None:
        if isinstance(found.clause, Length):
            if state.before == "for":
                raise Refused(not_understood(f"“for {state.said(found.used)}”"))
            if _after_feeling(state):
                raise Refused(
                    not_understood(f"whether “{state.said(found.used)}” is how long it shows or an episode is")
                )
            state.clauses.append(_length(state, found.clause))
        else:
            state.clauses.append(found.clause)
        return found.used
    if meaning_of(state.token.norm) == ("clause", "series") and not state.token.quoted:
        return take_series(state)
    return 0


def _after_feeling(state: State) -> bool:
    """Whether the words before say who shows what, as in ``Tom is angry less than 5 s``."""
    verb, feeling = state.tokens[max(0, state.at - 2) : state.at] if state.at > 1 else (state.token, state.token)
    meaning = None if feeling.quoted else meaning_of(feeling.norm)
    return verb.norm in VERBS and meaning is not None and meaning[0] == "emotion" and not state.drafts.now.how


def _length(state: State, clause: Length) -> Length:
    """Belongs to the noun before it; an episode found is an episode."""
    noun = state.noun or next((t for t in _nouns_after(state)), None)
    of = Of.RESULT if noun in (Target.SCENES, Target.MOMENTS) else Of.EPISODE
    return Length(of, clause.op, clause.ms)


def _nouns_after(state: State) -> list[Target]:
    found = (meaning_of(t.norm) for t in state.tokens[state.at :] if not t.quoted)
    return [Target(m[1]) for m in found if m is not None and m[0] == "target"]


def _about(texts: list[str]) -> Words:
    try:
        return Words(plain_text(" ".join(dict.fromkeys(texts))))
    except QueryInvalid as fault:
        raise Refused(not_understood(f"so many free words: {fault}")) from None


def _finish(state: State) -> Query:
    drafts = state.drafts.found
    if state.drafts.expect_than:
        raise Unclear("“than” without somebody after it")
    if state.texts:
        state.clauses.append(_about(state.texts))
    if all(d.empty and d.link is None for d in drafts) and not state.clauses and state.order is not Order.CALMEST:
        raise Refused(nothing_understood(tuple(state.unused)))
    whole = any(d.modified and (d.how or not d.lasts) for d in drafts) or state.order is Order.CALMEST
    target = state.target or (Target.EPISODES if whole else Target.SCENES)
    said = finish(drafts, target)
    clauses = state.clauses
    if target in (Target.EPISODES, Target.CHARACTERS):
        clauses = [Length(Of.EPISODE, c.op, c.ms) if isinstance(c, Length) else c for c in clauses]
    order = state.order or Order.MOST
    try:
        return settled(Query(target, order, said.emotion, said.character, tuple(clauses), said.where))
    except QueryInvalid as fault:
        raise Refused(not_understood(f"this: {str(fault).rstrip('.')}")) from None
