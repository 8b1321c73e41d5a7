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

from dataclasses import dataclass, field

from analysis.search import clauses as clause_words
from analysis.search import measures
from analysis.search.drafts import Drafts, Unclear, finish
from analysis.search.lexicon import (
    Named,
    NameMatch,
    Registry,
    Token,
    lexicon,
    match_name,
    match_quoted,
    meaning_of,
    meanings,
    phrase_at,
    tokens_of,
)
from analysis.search.query import (
    Clause,
    How,
    InSeries,
    Length,
    Of,
    Op,
    Order,
    Query,
    QueryInvalid,
    Relation,
    Target,
    Words,
    plain_text,
    settled,
)
from analysis.search.refusals import (
    Refusal,
    Refused,
    no_length,
    no_series_called,
    nobody_called,
    not_understood,
    nothing_understood,
)
from ml.types import Emotion

MOST_LETTERS = 1_000
_SUBJECT_FOLLOWS = [("boundaries", "where"), ("boundaries", "when"), *(("relation", str(r)) for r in Relation)]


@dataclass(frozen=True, slots=True)
class Parsed:
    query: Query | None
    unused: tuple[str, ...] = ()
    refusal: Refusal | None = None


@dataclass(slots=True)
class _State:
    tokens: list[Token]
    registry: Registry
    at: int = 0
    target: Target | None = None
    noun: Target | None = None  # the last target word, which a length or a condition belongs to
    order: Order | None = None
    most: bool = False  # "most" or "least" came, and its emotion is still to come
    said_last: str = ""  # emotion or target, whichever came last
    drafts: Drafts = field(default_factory=Drafts)
    clauses: list[Clause] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)  # free words that titles and synopses are searched for

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def before(self) -> str:
        return self.tokens[self.at - 1].norm if self.at else ""

    def said(self, used: int) -> str:
        return " ".join(t.said for t in self.tokens[self.at : self.at + used])


def parse(text: str, registry: Registry) -> Parsed:
    """What ``text`` asks. Exactly one of ``query`` and ``refusal`` is set."""
    if len(text) > MOST_LETTERS:
        return Parsed(None, (), Refusal("query_too_long", f"A question may have {MOST_LETTERS} characters at most."))
    state = _State(tokens_of(text), registry)
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


def _step(state: _State) -> None:
    """Uses at least one token."""
    for take in (_take_measure, _take_clause, _take_quoted, _take_name, _take_phrase, _take_word):
        used = take(state)
        if used:
            state.at += used
            return
    _unknown(state)
    state.at += 1


def _take_measure(state: _State) -> int:
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


def _measure(state: _State, kind: str, found: tuple[Op, int, int]) -> None:
    said = state.said(found[2])
    if kind == "lasts" and (state.drafts.now.emotion is None or state.said_last == "target"):
        raise Refused(not_understood(f"“{said}” there; it follows who shows what"))
    draft = state.drafts.predicate(said, state.noun)
    if getattr(draft, kind) is not None:
        raise Unclear(f"“{said}” beside another such condition")
    setattr(draft, kind, found[:2])


def _take_clause(state: _State) -> int:
    found = clause_words.clause_at(state.tokens, state.at)
    if found is not None:
        if isinstance(found.clause, Length):
            if state.before == "for":
                raise Refused(not_understood(f"“for {state.said(found.used)}”"))
            state.clauses.append(_length(state, found.clause))
        else:
            state.clauses.append(found.clause)
        return found.used
    if meaning_of(state.token.norm) == ("clause", "series") and not state.token.quoted:
        return _take_series(state)
    return 0


def _length(state: _State, clause: Length) -> Length:
    """Belongs to the noun before it; an episode found is an episode."""
    noun = state.noun or next((t for t in _nouns_after(state)), None)
    of = Of.RESULT if noun in (Target.SCENES, Target.MOMENTS) else Of.EPISODE
    return Length(of, clause.op, clause.ms)


def _nouns_after(state: _State) -> list[Target]:
    found = (meaning_of(t.norm) for t in state.tokens[state.at :] if not t.quoted)
    return [Target(m[1]) for m in found if m is not None and m[0] == "target"]


def _take_series(state: _State) -> int:
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


def _series_before(state: _State) -> int:
    """``in the Mice series``: the name came first and is used already."""
    if not any(isinstance(c, InSeries) for c in state.clauses):
        state.unused.append(state.token.said)
    return 1


def _add_series(state: _State, match: NameMatch) -> None:
    if len(match.slugs) > 1:
        raise Refused(Refusal("ambiguous_series", "Several series have that name.", (), match.slugs))
    clause = InSeries(match.slugs[0])
    if any(isinstance(c, InSeries) and c != clause for c in state.clauses):
        raise Refused(not_understood("more than one series"))
    state.clauses.append(clause)


def _take_quoted(state: _State) -> int:
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


def _take_name(state: _State) -> int:
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


def _common(state: _State, match: NameMatch) -> bool:
    """A name that the lexicon has too (a dwarf called Happy, a series called Cartoons) needs quotes."""
    phrase = phrase_at(state.tokens, state.at)
    return (match.length == 1 and state.token.norm in meanings()) or (phrase is not None and phrase[1] >= match.length)


def _add_character(state: _State, match: NameMatch) -> None:
    if len(match.slugs) > 1:
        raise Refused(Refusal("ambiguous_character", "Several characters have that name.", (), match.slugs))
    state.drafts.subject(state.said(match.length), state.noun, character=match.slugs[0])


def _take_phrase(state: _State) -> int:
    found = phrase_at(state.tokens, state.at)
    if found is None:
        return 0
    _mean(state, *found[0], state.said(found[1]))
    return found[1]


def _take_word(state: _State) -> int:
    meaning = None if state.token.quoted else meaning_of(state.token.norm)
    if meaning is None:
        return 0
    _mean(state, *meaning, state.token.said)
    return 1


def _mean(state: _State, kind: str, value: str, said: str) -> None:
    """What a word of the lexicon does. Raises Refused and Unclear."""
    drafts, noun = state.drafts, state.noun
    match kind:
        case "filler" | "intensifiers":
            pass
        case "emotion":
            superlative = state.most or said.casefold().endswith(tuple(lexicon()["superlative_endings"]))
            drafts.emotion(said, Emotion(value), noun, superlative=superlative)
            state.most, state.said_last = False, "emotion"
        case "target":
            _set_target(state, Target(value))
        case "order":
            _set_order(state, Order(value))
        case "how":
            _set_how(state, value, said)
        case "subject":
            _set_subject(state, value, said)
        case "negations":
            drafts.predicate(said, noun).negated = True
        case "without":
            draft = drafts.begin(noun)
            draft.how, draft.noun = How.NEVER, noun
            draft.said.append(said)
            drafts.boundary = None
        case "free" if state.before in lexicon()["nouns"]:
            drafts.how(said, How.NEVER, noun)
        case "comparison":
            _compare(state, value, said)
        case "relation" if value != Relation.WITHIN:
            drafts.relate(said, Relation(value), None, noun)
        case "joints":
            _join(state, value, said)
        case "boundaries":
            _bound(state, value, said)
        case "unsupported" | "relation":
            raise Refused(not_understood(f"“{said}”", said))
        case _:
            state.unused.append(said)


def _set_how(state: _State, value: str, said: str) -> None:
    if value != "mostly":
        state.drafts.how(said, How(value), state.noun)
        return
    draft = state.drafts.predicate(said, state.noun)
    if draft.share is not None:
        raise Unclear(f"“{said}” beside another such condition")
    draft.share = (Op.GT, 50)


def _set_subject(state: _State, value: str, said: str) -> None:
    if value == "pronoun":
        named = [d.character for d in state.drafts.found if d.character]
        if named:
            state.drafts.subject(said, state.noun, character=named[-1])
        return
    state.drafts.subject(said, state.noun, word=value)


def _compare(state: _State, value: str, said: str) -> None:
    if value == "than":
        if state.drafts.now.emotion is None:
            raise Unclear(f"“{said}” without an emotion before it")
        state.drafts.expect_than = True
    else:
        state.drafts.predicate(said, state.noun).degree = value


def _join(state: _State, value: str, said: str) -> None:
    """``or`` joins what never happens; elsewhere it would offer a choice."""
    now = state.drafts.now
    if value == "or" and not (now.emotion and (now.how is How.NEVER or now.subject == "nobody")):
        raise Refused(not_understood(f"“{said}”", said))
    state.drafts.boundary = "or" if value == "or" else "and"


def _bound(state: _State, value: str, said: str) -> None:
    """``where`` and the like. ``who`` may ask for characters, and ``when`` may mean while."""
    now = state.drafts.now
    if value == "who" and state.target is None and now.empty:
        _set_target(state, Target.CHARACTERS)
    elif value == "when" and now.emotion and now.character and not (now.modified or now.superlative or now.link):
        state.drafts.relate(said, Relation.WHILE, None, state.noun)
    else:
        state.drafts.boundary = "where"


def _set_order(state: _State, order: Order) -> None:
    if state.order not in (None, order) and not (state.order is Order.MOST and order is Order.CALMEST):
        raise Refused(not_understood("both most and least"))
    state.order = order
    state.most = order is not Order.CALMEST


def _set_target(state: _State, target: Target) -> None:
    state.noun, state.said_last = target, "target"
    if state.target is None:
        state.target = target
    elif target is not state.target and not (target is Target.EPISODES or state.target is Target.CHARACTERS):
        state.noun = state.target
        if state.drafts.now.how is not How.NEVER:  # "no angry scenes" is no anger
            state.unused.append(state.token.said)


def _unknown(state: _State) -> None:
    """A word that nothing explains: refused where a name or an emotion belongs; elsewhere titles and synopses are
    searched for it, and where none has it, it is unused."""
    following = state.tokens[state.at + 1] if state.at + 1 < len(state.tokens) else None
    noun = None if following is None else meaning_of(following.norm)
    before_target = noun is not None and noun[0] == "target"
    named = state.before in lexicon()["names_follow"] or state.token.possessive
    capital = state.token.capital and state.at > 0
    word = state.token.said
    if state.token.sign:
        around = "".join(t.said for t in state.tokens[max(0, state.at - 1) : state.at + 2] if t.sign or t is following)
        raise Refused(not_understood(f"“{around}”", word))
    free = state.token.norm.isalpha() and not (named or capital or state.drafts.expect_than)
    if free and (not before_target or noun == ("target", "episodes")) and state.registry.has_text(word):
        state.texts.append(state.token.norm)
        return
    if state.token.norm.isalpha() and (before_target or named or capital or state.drafts.expect_than):
        raise Refused(nobody_called(word.removesuffix("'s").removesuffix("’s"), state.registry))
    state.unused.append(word)


def _about(texts: list[str]) -> Words:
    try:
        return Words(plain_text(" ".join(dict.fromkeys(texts))))
    except QueryInvalid as fault:
        raise Refused(not_understood(f"so many free words: {fault}")) from None


def _finish(state: _State) -> Query:
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
