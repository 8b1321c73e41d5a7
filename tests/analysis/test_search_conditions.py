"""Never, always, while and the like: what they mean as a query, and what they must not be taken for. No database."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.search.echo import echo
from analysis.search.parse import parse
from analysis.search.query import (
    MOST_MS,
    Atom,
    Condition,
    How,
    Lasts,
    MoreThan,
    Of,
    Op,
    Order,
    Query,
    QueryInvalid,
    Relation,
    ShareOf,
    Shows,
    Target,
    Together,
    settled,
)
from analysis.search.query_json import query_from_json, query_to_json
from ml.types import EMOTIONS, Emotion
from tests.analysis.test_search_grammar import ANGRY, HAPPY, REGISTRY, SAD, clauses, shorter

SCARED = Emotion.SCARED
SCENES, MOMENTS, EPISODES, CHARACTERS = Target
EPISODE, RESULT = Of.EPISODE, Of.RESULT
TOM_ANGRY, TOM_SAD, JERRY_HAPPY = Atom("tom", ANGRY), Atom("tom", SAD), Atom("jerry", HAPPY)
NEVER_ANGRY = Shows(How.NEVER, TOM_ANGRY)


def episodes(*where: Condition, emotion: Emotion | None = None, character: str | None = None) -> Query:
    return settled(Query(EPISODES, Order.MOST, emotion, character, (), where))


def scenes(*where: Condition, emotion: Emotion | None = None, character: str | None = None) -> Query:
    return settled(Query(SCENES, Order.MOST, emotion, character, (), where))


def together(relation: Relation, ms: int | None = None, of: Of = RESULT) -> Together:
    return Together(of, TOM_SAD, relation, JERRY_HAPPY, ms)


UNDERSTOOD = [
    ("episodes where Tom is never angry", episodes(NEVER_ANGRY)),
    ("Tom is never angry", episodes(NEVER_ANGRY)),
    ("episodes where Tom never gets angry", episodes(NEVER_ANGRY)),
    ("episodes with Tom where he is never angry", episodes(NEVER_ANGRY)),
    ("episodes where Tom is not angry at all", episodes(NEVER_ANGRY)),
    ("episodes where Tom isn't ever angry", episodes(NEVER_ANGRY)),
    ("episodes where Tom does not get angry even once", episodes(NEVER_ANGRY)),
    ("never angry Tom episodes", episodes(NEVER_ANGRY)),
    ("episods where tom is nevr angri", episodes(NEVER_ANGRY)),
    ("episodes where nobody is angry", episodes(Shows(How.NEVER, Atom(None, ANGRY)))),
    ("episodes where no one is ever angry", episodes(Shows(How.NEVER, Atom(None, ANGRY)))),
    ("episodes without anger", episodes(Shows(How.NEVER, Atom(None, ANGRY)))),
    ("episodes with no angry scenes", episodes(Shows(How.NEVER, Atom(None, ANGRY)))),
    ("anger-free episodes", episodes(Shows(How.NEVER, Atom(None, ANGRY)))),
    (
        "episodes where nobody is angry or scared",
        episodes(Shows(How.NEVER, Atom(None, ANGRY)), Shows(How.NEVER, Atom(None, SCARED))),
    ),
    (
        "episodes where Tom is never angry or scared",
        episodes(NEVER_ANGRY, Shows(How.NEVER, Atom("tom", SCARED))),
    ),
    ("episodes without anger or fear", episodes(
        Shows(How.NEVER, Atom(None, ANGRY)), Shows(How.NEVER, Atom(None, SCARED)))),
    ("episodes where Tom is ever angry", episodes(Shows(How.EVER, TOM_ANGRY))),
    ("episodes where Tom is sometimes angry", episodes(Shows(How.EVER, TOM_ANGRY))),
    ("episodes where someone is scared at some point", episodes(Shows(How.EVER, Atom(None, SCARED)))),
    ("episodes where Jerry is always happy", episodes(Shows(How.ALWAYS, JERRY_HAPPY))),
    ("episodes where everybody is happy all the time", episodes(Shows(How.ALWAYS, Atom(None, HAPPY)))),
    ("episodes where Jerry is mostly happy", episodes(ShareOf(EPISODE, JERRY_HAPPY, Op.GT, 50))),
    ("episodes where Jerry is happy most of the time", episodes(ShareOf(EPISODE, JERRY_HAPPY, Op.GT, 50))),
    ("episodes where Jerry is happy more than half of the time", episodes(ShareOf(EPISODE, JERRY_HAPPY, Op.GT, 50))),
    ("episodes where Tom is angry at most 10 %", episodes(ShareOf(EPISODE, TOM_ANGRY, Op.LE, 10))),
    ("episodes where Tom is sad at least 20 percent of his time", episodes(ShareOf(EPISODE, TOM_SAD, Op.GE, 20))),
    ("episodes under 10% angry", episodes(ShareOf(EPISODE, Atom(None, ANGRY), Op.LT, 10))),
    ("scenes where Jerry is happy at least half of the time", scenes(ShareOf(RESULT, JERRY_HAPPY, Op.GE, 50))),
    ("scenes where Tom is sad for more than 10 seconds", scenes(Lasts(RESULT, TOM_SAD, Op.GT, 10_000))),
    ("scenes where Tom is sad for 10 seconds", scenes(Lasts(RESULT, TOM_SAD, Op.GE, 10_000))),
    ("episodes where Tom is angry for over 1 minute", episodes(Lasts(EPISODE, TOM_ANGRY, Op.GT, 60_000))),
    ("episodes where Tom is never angry for more than 5s", episodes(Lasts(EPISODE, TOM_ANGRY, Op.LE, 5_000))),
    ("episodes where nobody is angry for at least 5 s", episodes(Lasts(EPISODE, Atom(None, ANGRY), Op.LT, 5_000))),
    ("episodes where Tom is angrier than Jerry", episodes(MoreThan(EPISODE, TOM_ANGRY, "jerry"))),
    ("scenes where Tom is more angry than Jerry", scenes(MoreThan(RESULT, TOM_ANGRY, "jerry"))),
    ("episodes where Jerry is less angry than Tom", episodes(MoreThan(EPISODE, TOM_ANGRY, "jerry"))),
    ("scenes where Tom is sad while Jerry is happy", scenes(together(Relation.WHILE))),
    ("Tom sad while Jerry laughs", scenes(together(Relation.WHILE))),
    ("scenes where Tom is sad when Jerry is happy", scenes(together(Relation.WHILE))),
    ("scenes where Tom cries before Jerry is happy", scenes(together(Relation.BEFORE))),
    ("scenes where Tom is sad after Jerry is happy", scenes(together(Relation.AFTER))),
    ("scenes where Tom is sad within 5 seconds of Jerry being happy", scenes(together(Relation.WITHIN, 5_000))),
    ("scenes where Tom is sad less than 5s after Jerry is happy", scenes(together(Relation.AFTER, 5_000))),
    ("episodes where Tom is sad within 1 minute before Jerry is happy",
     episodes(together(Relation.BEFORE, 60_000, EPISODE))),
    ("happiest Jerry episodes where Tom is never angry", episodes(NEVER_ANGRY, emotion=HAPPY, character="jerry")),
    ("happiest Jerry scenes in episodes where Tom is never angry",
     scenes(NEVER_ANGRY, emotion=HAPPY, character="jerry")),
    ("episodes where Tom is never angry and Jerry is always happy",
     episodes(NEVER_ANGRY, Shows(How.ALWAYS, JERRY_HAPPY))),
    ("episodes where Tom is happy and never angry", episodes(NEVER_ANGRY, emotion=HAPPY, character="tom")),
    ("who is never angry", settled(Query(CHARACTERS, where=(Shows(How.NEVER, Atom(None, ANGRY)),)))),
    ("happiest characters who are never sad",
     settled(Query(CHARACTERS, Order.MOST, HAPPY, where=(Shows(How.NEVER, Atom(None, SAD)),)))),
    ("calm episodes under 8 minutes",
     settled(Query(EPISODES, Order.CALMEST, clauses=(shorter(480_000),)))),
    ("calmest episodes with Tom", settled(Query(EPISODES, Order.CALMEST, character="tom"))),
    ("happiest scenes ever", scenes(emotion=HAPPY)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "query"), UNDERSTOOD, ids=[text for text, _ in UNDERSTOOD])
def test_a_question_means_exactly_this(text: str, query: Query) -> None:
    parsed = parse(text, REGISTRY)
    assert parsed.refusal is None
    assert parsed.query == query
    assert parsed.unused == ()


@pytest.mark.parametrize(
    "text",
    [
        "scenes where Tom is never angry",
        "happiest never angry Tom episodes",
        "episodes where Tom is not always happy",
        "episodes where Tom is not angry",
        "episodes where nobody is always happy",
        "episodes where somebody is never angry",
        "episodes where everybody is happy",
        "episodes where Tom is never angry and sad",
        "episodes where nobody is angry and sad",
        "episodes where Tom is happy or sad",
        "episodes where Tom is never angry or Jerry is sad",
        "episodes where Tom is never",
        "episodes without Tom",
        "episodes where Tom is often angry",
        "episodes where Tom is rarely angry",
        "episodes where Tom is more angry",
        "episodes where Tom is angrier than",
        "episodes where Tom is angrier than everybody",
        "who is angrier than Tom",
        "episodes where Tom is angry at least 120 %",
        "episodes where Tom is angry 20 % of the time",
        "episodes where Tom is angry at least 12.5 %",
        "episodes where Tom is angry for less than 10 seconds",
        "scenes where Tom is angry for more than 1 minute 30",
        "happy episodes for at least 8 minutes",
        "happy episodes for under 8 minutes",
        "scenes where Tom is sad while Jerry is happy while Pip is scared",
        "scenes where Tom is never sad while Jerry is happy",
        "scenes where Tom is sad while Jerry",
        "scenes where Tom is sad while happy",
        "scenes of Tom while Jerry is happy",
        "while Jerry is happy",
        "scenes where Tom is sad 5 seconds after Jerry is happy",
        "scenes where Tom is sad more than 5 seconds after Jerry is happy",
        "scenes where Tom and Pip are happy",
        "scenes where Tom and Jerry are happy",
        "scenes in episodes where Tom is angry",
        "calm scenes",
        "calm happy episodes",
        "least calm episodes",
        "characters who are happier than Tom",
        "happiest characters who are never sad while Tom is angry",
        "scenes where Tom is happy at most 10 % of the time",
    ],
)
def test_what_has_no_one_meaning_is_refused(text: str) -> None:
    parsed = parse(text, REGISTRY)
    assert parsed.query is None
    assert parsed.refusal is not None
    assert parsed.refusal.code == "not_understood", parsed.refusal


def test_somebody_unknown_after_than_is_named() -> None:
    refusal = parse("episodes where Tom is angrier than Butch", REGISTRY).refusal
    assert refusal is not None
    assert (refusal.code, refusal.words) == ("unknown_character", ("Butch",))


@pytest.mark.parametrize(
    "text",
    ["episodes with a fight", "scenes with bright colours", "black and white episodes", "bunny scenes", "whale scenes"],
)
def test_words_that_are_near_a_feeling_are_not_read_as_one(text: str) -> None:
    query = parse(text, REGISTRY).query
    assert query is None or (query.emotion, query.where, query.order) == (None, (), Order.MOST)


emotions = st.sampled_from(EMOTIONS)
somebody = st.sampled_from([c.slug for c in REGISTRY.characters])
atoms = st.builds(Atom, st.one_of(st.none(), somebody), emotions)
named = st.builds(Atom, somebody, emotions)
scopes = st.sampled_from(Of)
percents, times = st.integers(0, 100), st.integers(1, MOST_MS)
conditions = st.one_of(
    st.builds(Shows, st.sampled_from(How), atoms),
    st.builds(ShareOf, scopes, atoms, st.sampled_from(Op), percents),
    st.builds(Lasts, scopes, atoms, st.sampled_from(Op), times),
    st.builds(MoreThan, scopes, named, somebody),
    st.builds(Together, scopes, atoms, st.sampled_from(Relation), atoms, st.one_of(st.none(), times)),
)


@st.composite
def questions(draw: st.DrawFn) -> Query:
    """Queries with conditions; those that cannot be asked are drawn anew."""
    query = Query(
        draw(st.sampled_from(Target)),
        draw(st.sampled_from(Order)),
        draw(st.one_of(st.none(), emotions)),
        draw(st.one_of(st.none(), somebody)),
        draw(clauses),
        tuple(draw(st.lists(conditions, max_size=3))),
    )
    try:
        return settled(query)
    except QueryInvalid:
        again: Query = draw(questions())
        return again


@given(questions())
@settings(max_examples=300, deadline=None)
def test_any_query_survives_its_echo_and_its_json(query: Query) -> None:
    assert query_from_json(query_to_json(query)) == query
    sentence = echo(query, REGISTRY)
    parsed = parse(sentence, REGISTRY)
    assert (parsed.query, parsed.unused) == (query, ()), sentence


@pytest.mark.parametrize(
    ("condition", "named_in_the_reason"),
    [
        ({"kind": "sometimes", "character": "tom", "emotion": "angry"}, "sometimes"),
        ({"kind": "never", "character": "tom", "emotion": "angry", "of": "episode"}, "of"),
        ({"kind": "never", "character": "tom", "emotion": "calm"}, "calm"),
        ({"kind": "never", "character": 3, "emotion": "angry"}, "character"),
        ({"kind": "share", "character": "tom", "emotion": "angry", "op": "ge", "percent": 101}, "percent"),
        ({"kind": "share", "character": "tom", "emotion": "angry", "op": "gt", "percent": 100}, "percent"),
        ({"kind": "share", "character": "tom", "emotion": "angry", "op": "lt", "percent": 0}, "percent"),
        ({"kind": "share", "character": "tom", "emotion": "angry", "op": "eq", "percent": 10}, "op"),
        ({"kind": "lasts", "character": "tom", "emotion": "angry", "op": "gt", "seconds": 10}, "seconds"),
        ({"kind": "more_than", "character": None, "emotion": "angry", "than": "tom"}, "two characters"),
        ({"kind": "while", "first": {"character": "tom", "emotion": "sad"}, "second": [], "ms": None}, "second"),
        ({"kind": "within", "first": {"character": "tom", "emotion": "sad"},
          "second": {"character": "tom", "emotion": "happy"}}, "within"),
        ({"kind": "lasts", "of": "result", "character": "tom", "emotion": "angry", "op": "gt", "ms": 5}, "of must be"),
        (7, "object"),
    ],
)  # fmt: skip
def test_a_condition_that_is_none_is_refused_by_name(condition: object, named_in_the_reason: str) -> None:
    with pytest.raises(QueryInvalid, match=named_in_the_reason):
        query_from_json({"version": 2, "target": "episodes", "where": [condition]})
