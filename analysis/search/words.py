"""Words and phrases of the lexicon in a question, and what each of them does. Pure; raises Refused and Unclear."""

from __future__ import annotations

from analysis.search.clauses import duration_at, unit_ms
from analysis.search.drafts import Unclear
from analysis.search.lexicon import Token, lexicon, meaning_of, meanings, phrase_at
from analysis.search.names import is_name
from analysis.search.query import MOST_MS, How, Op, Order, Relation, Target
from analysis.search.refusals import Refused, length_alone, no_length, nobody_called, not_understood, too_much
from analysis.search.state import VERBS, State
from ml.types import Emotion

_TITLES_FOLLOW = ("a", "about", "an", "in", "the")


def take_phrase(state: State) -> int:
    found = phrase_at(state.tokens, state.at)
    if found is None:
        return 0
    _mean(state, *found[0], state.said(found[1]))
    return found[1]


def take_word(state: State) -> int:
    meaning = None if state.token.quoted else meaning_of(state.token.norm)
    if meaning is None or _is_name(state):
        return 0
    _mean(state, *meaning, state.token.said)
    return 1


def _is_name(state: State) -> bool:
    """A word with a capital within a question is somebody's name, and no word with a typo: Sally is not sadly."""
    said = state.token.said
    return state.at > 0 and said[:1].isupper() and said[1:].islower() and state.token.norm not in meanings()


def _mean(state: State, kind: str, value: str, said: str) -> None:
    """What a word of the lexicon does. Raises Refused and Unclear."""
    drafts, noun = state.drafts, state.noun
    match kind:
        case "filler" | "intensifiers":
            pass
        case "emotion":
            superlative = state.most or said.casefold().endswith(tuple(lexicon()["superlative_endings"]))
            _not_a_name(state, Emotion(value))
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
        case "absence" if _in_a_title(state):
            take_unknown(state)
        case "few" if not _of_a_feeling(state):
            take_unknown(state)
        case "beyond" if not _is_measured_by(state):
            if said.casefold() != "too":  # also
                take_unknown(state)
        case "beyond":
            raise Refused(too_much(said if said.casefold() == "enough" else state.said(2)))
        case "audience":
            take_unknown(state)
        case "unsupported" | "relation" | "absence" | "few":
            raise Refused(not_understood(f"“{said}”", said))
        case _:
            state.unused.append(said)


def _not_a_name(state: State, emotion: Emotion) -> None:
    """``is joy always joyful`` where somebody is called Joy: one of the two is the name. Raises Unclear."""
    now = state.drafts.now
    name = state.token.said if is_name(state) else ""
    doubted = name or state.feeling_named
    if now.emotion is emotion and state.drafts.boundary is None and doubted:
        raise Unclear(f"whether “{doubted}” is a feeling or somebody (a name goes in quotation marks)")
    state.feeling_named = name


def _in_a_title(state: State) -> bool:
    """Whether a word that elsewhere says "without" is one of an episode's: ``in the missing cheese``."""
    return (
        state.before in _TITLES_FOLLOW
        and not any(_feels(t) for t in state.tokens[state.at + 1 : state.at + 2])
        and state.registry.has_text(state.token.norm)
    )


def _of_a_feeling(state: State) -> bool:
    """``low anger``, ``little of the fear``, ``where anger is low``; but not ``a little sad`` nor ``little Pip``."""
    after = next((t for t in state.tokens[state.at + 1 :] if not _empty(t)), None)
    before = next((t for t in reversed(state.tokens[: state.at]) if not _empty(t)), None)
    if state.token.norm == "little" and state.before == "a":
        return False
    return (after is not None and _feels(after)) or (before is not None and _feels(before) and state.before in VERBS)


def _is_measured_by(state: State) -> bool:
    """``too scary``, ``too quiet``, ``scary enough``; but not ``sad too``."""
    after = next((t for t in state.tokens[state.at + 1 :] if not _empty(t)), None)
    before = state.tokens[state.at - 1] if state.at and state.token.norm == "enough" else None
    return any(t is not None and (_feels(t) or meaning_of(t.norm) == ("order", "calmest")) for t in (after, before))


def _feels(token: Token) -> bool:
    return not token.quoted and (meaning_of(token.norm) or ("",))[0] == "emotion"


def _empty(token: Token) -> bool:
    return not token.quoted and (meaning_of(token.norm) or ("",))[0] in ("filler", "intensifiers")


def _set_how(state: State, value: str, said: str) -> None:
    if value != "mostly":
        state.drafts.how(said, How(value), state.noun)
        return
    draft = state.drafts.predicate(said, state.noun)
    if draft.share is not None:
        raise Unclear(f"“{said}” beside another such condition")
    draft.share = (Op.GT, 50)


def _set_subject(state: State, value: str, said: str) -> None:
    if value == "pronoun":
        named = [d.character for d in state.drafts.found if d.character]
        if named:
            state.drafts.subject(said, state.noun, character=named[-1])
        return
    state.drafts.subject(said, state.noun, word=value)


def _compare(state: State, value: str, said: str) -> None:
    if value == "than":
        if state.drafts.now.emotion is None:
            raise Unclear(f"“{said}” without an emotion before it")
        state.drafts.expect_than = True
    else:
        state.drafts.predicate(said, state.noun).degree = value


def _join(state: State, value: str, said: str) -> None:
    """``or`` joins what never happens; elsewhere it would offer a choice."""
    now = state.drafts.now
    if value == "or" and not (now.emotion and (now.how is How.NEVER or now.subject == "nobody")):
        raise Refused(not_understood(f"“{said}”", said))
    state.drafts.boundary = "or" if value == "or" else "and"


def _bound(state: State, value: str, said: str) -> None:
    """``where`` and the like. ``who`` may ask for characters, and ``when`` may mean while."""
    now = state.drafts.now
    if value == "who" and state.target is None and now.empty:
        _set_target(state, Target.CHARACTERS)
    elif value == "when" and now.emotion and now.character and not (now.modified or now.superlative or now.link):
        state.drafts.relate(said, Relation.WHILE, None, state.noun)
    else:
        state.drafts.boundary = "where"


def _set_order(state: State, order: Order) -> None:
    if state.order not in (None, order) and not (state.order is Order.MOST and order is Order.CALMEST):
        raise Refused(not_understood("both most and least"))
    state.order = order
    state.most = order is not Order.CALMEST


def _set_target(state: State, target: Target) -> None:
    state.noun, state.said_last = target, "target"
    if state.target is None:
        state.target = target
    elif target is not state.target and not (target is Target.EPISODES or state.target is Target.CHARACTERS):
        state.noun = state.target
        if state.drafts.now.how is not How.NEVER:  # "no angry scenes" is no anger
            state.unused.append(state.token.said)


def take_unknown(state: State) -> None:
    """A word that nothing explains: refused where a name or an emotion belongs; elsewhere titles and synopses are
    searched for it, and where none has it, it is unused."""
    following = state.tokens[state.at + 1] if state.at + 1 < len(state.tokens) else None
    noun = None if following is None else meaning_of(following.norm)
    beside = [m for m in (noun, meaning_of(state.before)) if m is not None and m[0] == "how"]
    if beside and not state.token.sign:  # almost never, never stops: the answer would be another one
        raise Refused(not_understood(f"“{state.token.said}” beside “never” or “always”", state.token.said))
    before_target = noun is not None and noun[0] == "target"
    named = state.before in lexicon()["names_follow"] or state.token.possessive
    capital = state.token.capital and state.at > 0
    word = state.token.said
    if state.token.sign:
        around = "".join(t.said for t in state.tokens[max(0, state.at - 1) : state.at + 2] if t.sign or t is following)
        raise Refused(not_understood(f"“{around}”", word))
    if state.token.norm[:1].isdecimal() and following is not None and unit_ms(following.norm) is not None:
        ms, used = duration_at(state.tokens, state.at) or (0, 2)
        raise Refused((length_alone if 1 <= ms <= MOST_MS else no_length)(state.said(used)))
    free = state.token.norm.isalpha() and not (named or capital or state.drafts.expect_than)
    if free and (not before_target or noun == ("target", "episodes")) and state.registry.has_text(word):
        state.texts.append(state.token.norm)
        return
    before_target = before_target and (meaning_of(state.token.norm) or ("",))[0] != "audience"
    if state.token.norm.isalpha() and (before_target or named or capital or state.drafts.expect_than):
        raise Refused(nobody_called(word.removesuffix("'s").removesuffix("’s"), state.registry))
    state.unused.append(word)
