"""Words -> query. Pure: a text and a registry in, a Parsed out; never raises, never guesses.

    query  := [superlative] target [of character] clauses
    target := scenes | moments | episodes | characters
    clause := length < N min | series NAME | season N | year N | title WORDS

A word is used, or listed in ``unused``, or the question is refused with the reason. Refused is whatever would change
the meaning if it were left out: negation, "never", "while", a second emotion, somebody unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from analysis.search import clauses as clause_words
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
    tokens_of,
)
from analysis.search.query import Clause, InSeries, Length, Of, Order, Query, Target, canonical
from ml.types import Emotion

MOST_LETTERS = 300
LEAST_WORD = 4  # letters of a word of a name that may be meant alone


@dataclass(frozen=True, slots=True)
class Refusal:
    """``code`` is stable; ``nearest``: slugs that may have been meant."""

    code: str
    message: str
    words: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    query: Query | None
    unused: tuple[str, ...] = ()
    refusal: Refusal | None = None


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(slots=True)
class _State:
    tokens: list[Token]
    registry: Registry
    at: int = 0
    target: Target | None = None
    noun: Target | None = None  # the last target word, which a length belongs to
    order: Order | None = None
    emotion: Emotion | None = None
    character: str | None = None
    clauses: list[Clause] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def before(self) -> str:
        return self.tokens[self.at - 1].norm if self.at else ""


def parse(text: str, registry: Registry) -> Parsed:
    """What ``text`` asks. Exactly one of ``query`` and ``refusal`` is set."""
    if len(text) > MOST_LETTERS:
        return Parsed(None, (), Refusal("query_too_long", f"A question may have {MOST_LETTERS} characters at most."))
    state = _State(tokens_of(text), registry)
    try:
        while state.at < len(state.tokens):
            _step(state)
        return Parsed(_finish(state), tuple(state.unused))
    except _Refused as refused:
        words = dict.fromkeys([*state.unused, *refused.refusal.words])
        return Parsed(None, tuple(words), refused.refusal)


def _step(state: _State) -> None:
    """Uses at least one token."""
    for take in (_take_clause, _take_quoted, _take_name, _take_word):
        used = take(state)
        if used:
            state.at += used
            return
    _unknown(state)
    state.at += 1


def _take_clause(state: _State) -> int:
    try:
        found = clause_words.clause_at(state.tokens, state.at)
    except clause_words.Unreadable as said:
        raise _Refused(_no_length(str(said))) from None
    if found is not None:
        if isinstance(found.clause, Length):
            if state.before == "for":
                raise _Refused(_unsupported(f"for {' '.join(t.said for t in state.tokens[state.at :][: found.used])}"))
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
        said = state.tokens[rest].said
        nearest = nearest_names(said, known)
        raise _Refused(Refusal("unknown_series", f"There is no series called “{said}”.", (said,), nearest))
    _add_series(state, match)
    return 1 + match.length


def _series_before(state: _State) -> int:
    """``in the Mice series``: the name came first and is used already."""
    if not any(isinstance(c, InSeries) for c in state.clauses):
        state.unused.append(state.token.said)
    return 1


def _add_series(state: _State, match: NameMatch) -> None:
    if len(match.slugs) > 1:
        raise _Refused(Refusal("ambiguous_series", "Several series have that name.", (), match.slugs))
    clause = InSeries(match.slugs[0])
    if any(isinstance(c, InSeries) and c != clause for c in state.clauses):
        raise _Refused(_unsupported("more than one series"))
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
    raise _Refused(_nobody(state.token.said, state.registry))


def _named_at(tokens: list[Token], at: int, known: tuple[Named, ...]) -> NameMatch | None:
    return match_name(tokens, at, known, typos=False) or match_name(tokens, at, known, typos=True)


def _take_name(state: _State) -> int:
    """Names before words, exact before typos; a word of the lexicon is never read as a mistyped name."""
    characters, series = state.registry.characters, state.registry.series
    who, where = (match_name(state.tokens, state.at, known, typos=False) for known in (characters, series))
    if who is None and where is None and meaning_of(state.token.norm) is None:
        who, where = (match_name(state.tokens, state.at, known, typos=True) for known in (characters, series))
    if where is not None and (who is None or where.length > who.length) and not _common(state, where):
        _add_series(state, where)
        return where.length
    if who is not None and not _common(state, who):
        _add_character(state, who)
        return who.length
    return 0


def _common(state: _State, match: NameMatch) -> bool:
    """A name of one word that the lexicon has too (a dwarf called Happy, a series called Cartoons) needs quotes."""
    return match.length == 1 and state.token.norm in meanings()


def _add_character(state: _State, match: NameMatch) -> None:
    if len(match.slugs) > 1:
        raise _Refused(Refusal("ambiguous_character", "Several characters have that name.", (), match.slugs))
    if state.character not in (None, match.slugs[0]):
        raise _Refused(_unsupported("more than one character"))
    state.character = match.slugs[0]


def _take_word(state: _State) -> int:
    meaning = None if state.token.quoted else meaning_of(state.token.norm)
    match meaning:
        case None:
            return 0
        case ("filler", _):
            pass
        case ("unsupported", _):
            raise _Refused(_unsupported(f"“{state.token.said}”", state.token.said))
        case ("order", value):
            _set_order(state, Order(value))
        case ("target", value):
            _set_target(state, Target(value))
        case ("emotion", value):
            if state.emotion not in (None, Emotion(value)):
                raise _Refused(_unsupported("more than one emotion"))
            state.emotion = Emotion(value)
        case _:
            state.unused.append(state.token.said)
    return 1


def _set_order(state: _State, order: Order) -> None:
    if state.order not in (None, order):
        raise _Refused(_unsupported("both most and least"))
    state.order = order


def _set_target(state: _State, target: Target) -> None:
    state.noun = target
    if state.target is None:
        state.target = target
    elif target is not state.target and not (target is Target.EPISODES or state.target is Target.CHARACTERS):
        state.unused.append(state.token.said)
        state.noun = state.target


def _unknown(state: _State) -> None:
    """A word that nothing explains: refused where a name or an emotion belongs, unused elsewhere."""
    following = state.tokens[state.at + 1] if state.at + 1 < len(state.tokens) else None
    before_target = following is not None and (meaning_of(following.norm) or ("", ""))[0] == "target"
    named = state.before in lexicon()["names_follow"] or state.token.possessive
    capital = state.token.capital and state.at > 0
    word = state.token.said
    if state.token.sign:
        around = "".join(t.said for t in state.tokens[max(0, state.at - 1) : state.at + 2] if t.sign or t is following)
        raise _Refused(_unsupported(f"“{around}”", word))
    if state.token.norm.isalpha() and (before_target or named or capital):
        raise _Refused(_nobody(word.removesuffix("'s").removesuffix("’s"), state.registry))
    if state.token.norm == "%" or state.token.norm.replace(".", "").isdecimal():
        following_norm = following.norm if following else ""
        if "%" in (state.token.norm, following_norm) or following_norm == "percent":
            raise _Refused(_unsupported("a share in percent"))
    state.unused.append(word)


def _nobody(said: str, registry: Registry) -> Refusal:
    nearest = nearest_names(said, registry.characters)
    names = [c.name for slug in nearest if (c := registry.character(slug)) is not None]
    offer = f" The nearest {'is' if len(names) == 1 else 'are'} {', '.join(names)}." if names else ""
    message = f"I know no character and no emotion called “{said}”.{offer}"
    return Refusal("unknown_character", message, (said,), nearest)


def _unsupported(what: str, *words: str) -> Refusal:
    message = f"Search does not understand {what}; ask for one emotion of one character, without it."
    return Refusal("not_understood", message, words)


def _no_length(said: str) -> Refusal:
    message = (
        f"Search cannot read the length “{said}”; write one like 90 seconds, 1.5 minutes or 1 hour 20 minutes, "
        "from 1 ms to 24 hours."
    )
    return Refusal("not_understood", message, (said,))


def nearest_names(said: str, known: tuple[Named, ...], most: int = 3) -> tuple[str, ...]:
    """Slugs, the likeliest first, of names (or their longer words) that are few letters away; the order is total."""
    typed = said.casefold()
    found = []
    for entry in known:
        names = [n.casefold() for n in (entry.name, *entry.aliases)]
        names += [word for n in names for word in n.split() if len(word) >= LEAST_WORD]
        away = [d for n in names if (d := letters_apart(typed, n)) <= _most_apart(max(len(typed), len(n)))]
        if away:
            found.append((min(away), entry.slug))
    return tuple(slug for _, slug in sorted(found)[:most])


def _most_apart(letters: int) -> int:
    return 1 if letters < 5 else 2 if letters < 8 else 3


def letters_apart(a: str, b: str) -> int:
    """Letters to add, leave out or change to make one of the other (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y)))
    return row[-1]


def _finish(state: _State) -> Query:
    if state.emotion is None and state.character is None and not state.clauses:
        unused = f" I could not use {', '.join(f'“{w}”' for w in state.unused)}." if state.unused else ""
        message = f"Say which emotion or which character you are looking for.{unused}"
        raise _Refused(Refusal("nothing_understood", message))
    target = state.target or Target.SCENES
    order = state.order or Order.MOST
    if target is Target.CHARACTERS and (state.emotion is None or state.character is not None):
        raise _Refused(_unsupported("a question about characters that does not name one emotion, and no character"))
    if order is Order.LEAST and (state.emotion is None or target in (Target.SCENES, Target.MOMENTS)):
        raise _Refused(_unsupported("“least” here: it ranks episodes and characters by an emotion"))
    clauses = state.clauses
    if target in (Target.EPISODES, Target.CHARACTERS):
        clauses = [Length(Of.EPISODE, c.op, c.ms) if isinstance(c, Length) else c for c in clauses]
    return Query(target, order, state.emotion, state.character, canonical(clauses))
