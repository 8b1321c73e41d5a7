"""The grammar alone: no database. What is understood is exact; what is not is said or refused, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.search.echo import echo
from analysis.search.lexicon import Named, Registry, meanings, tokens_of
from analysis.search.parse import parse
from analysis.search.query import (
    MOST_MS,
    YEARS,
    Clause,
    InSeries,
    Length,
    Of,
    Op,
    Order,
    Query,
    QueryInvalid,
    Season,
    Target,
    Title,
    Words,
    Years,
    canonical,
)
from analysis.search.query_json import query_from_json, query_to_json
from ml.types import EMOTIONS, Emotion

REGISTRY = Registry(
    characters=(
        Named("tom", "Tom", ("Thomas", "the grey cat")),
        Named("jerry", "Jerry", ("Jerry Mouse",)),
        Named("pip", "Pip"),
        Named("rosa", "Rosa"),
        Named("happy-dwarf", "Happy"),
        Named("jurgen", "Jürgen"),
        Named("neko", "猫"),
        Named("quoted", 'Jack "The Lad" Ray'),
        Named("twin-a", "Twin"),
        Named("twin-b", "Twin"),
    ),
    series=(
        Named("mouse-house", "Mouse House"),
        Named("popeye", "Popeye"),
        Named("tom-and-jerry", "Tom and Jerry"),
        Named("scenes", "Scenes"),
    ),
)
HAPPY, SAD, ANGRY, SURPRISED = Emotion.HAPPY, Emotion.SAD, Emotion.ANGRY, Emotion.SURPRISED
SCENES, MOMENTS, EPISODES, CHARACTERS = Target
MIN = 60_000


def q(
    target: Target,
    emotion: Emotion | None = None,
    character: str | None = None,
    *clauses: Clause,
    least: bool = False,
) -> Query:
    return Query(target, Order.LEAST if least else Order.MOST, emotion, character, canonical(list(clauses)))


def shorter(ms: int, of: Of = Of.EPISODE) -> Length:
    return Length(of, Op.LT, ms)


UNDERSTOOD = [
    ("happiest Jerry scenes", q(SCENES, HAPPY, "jerry")),
    ("Happiest jerry SCENES", q(SCENES, HAPPY, "jerry")),
    ("happy Jerry scenes", q(SCENES, HAPPY, "jerry")),
    ("happiest scenes of Jerry", q(SCENES, HAPPY, "jerry")),
    ("Jerry's happiest scenes", q(SCENES, HAPPY, "jerry")),
    ("Jerry’s happiest scene", q(SCENES, HAPPY, "jerry")),
    ("the happiest scenes with Jerry in it", q(SCENES, HAPPY, "jerry")),
    ("show me the happiest scenes of Jerry", q(SCENES, HAPPY, "jerry")),
    ("most cheerful Jerry scenes", q(SCENES, HAPPY, "jerry")),
    ("scenes where Jerry is happy", q(SCENES, HAPPY, "jerry")),
    ("when is Jerry smiling", q(SCENES, HAPPY, "jerry")),
    ("happiest jery scenes", q(SCENES, HAPPY, "jerry")),
    ("happiest jrery scenes", q(SCENES, HAPPY, "jerry")),
    ("hapiest Jerry scnes", q(SCENES, HAPPY, "jerry")),
    ("happiest scenes of Jerry Mouse", q(SCENES, HAPPY, "jerry")),
    ("saddest Thomas scenes", q(SCENES, SAD, "tom")),
    ("saddest scenes of the grey cat", q(SCENES, SAD, "tom")),
    ("angry scenes with JÜRGEN", q(SCENES, ANGRY, "jurgen")),
    ("happiest scenes of 猫", q(SCENES, HAPPY, "neko")),
    ('sad scenes of "Happy"', q(SCENES, SAD, "happy-dwarf")),
    ('happiest scenes of "twin-a"', q(SCENES, HAPPY, "twin-a")),
    ("angriest moments", q(MOMENTS, ANGRY)),
    ("most surprised moment of Pip", q(MOMENTS, SURPRISED, "pip")),
    ("most scared moments of rosa", q(MOMENTS, Emotion.SCARED, "rosa")),
    ("most disgusted scenes", q(SCENES, Emotion.DISGUSTED)),
    ("deadpan Rosa scenes", q(SCENES, Emotion.NEUTRAL, "rosa")),
    ("scenes with Jerry", q(SCENES, None, "jerry")),
    ("Jerry", q(SCENES, None, "jerry")),
    ("happy", q(SCENES, HAPPY)),
    ("angriest episodes", q(EPISODES, ANGRY)),
    ("angriest Tom episodes", q(EPISODES, ANGRY, "tom")),
    ("episodes where Tom is angry", q(EPISODES, ANGRY, "tom")),
    ("least angry episodes", q(EPISODES, ANGRY, least=True)),
    ("least scared Pip cartoons", q(EPISODES, Emotion.SCARED, "pip", least=True)),
    ("angriest characters", q(CHARACTERS, ANGRY)),
    ("who is the happiest", q(CHARACTERS, HAPPY)),
    ("who is happiest in the series Popeye", q(CHARACTERS, HAPPY, None, InSeries("popeye"))),
    ("least angry characters", q(CHARACTERS, ANGRY, least=True)),
    ("happiest episodes under 8 minutes", q(EPISODES, HAPPY, None, shorter(8 * MIN))),
    ("happiest episodes length < 8 min", q(EPISODES, HAPPY, None, shorter(8 * MIN))),
    ("happiest episodes shorter than 8min", q(EPISODES, HAPPY, None, shorter(8 * MIN))),
    ("happiest episodes of at most 90 seconds", q(EPISODES, HAPPY, None, Length(Of.EPISODE, Op.LE, 90_000))),
    ("happiest episodes over 1.5 hours", q(EPISODES, HAPPY, None, Length(Of.EPISODE, Op.GT, 90 * MIN))),
    ("happiest episodes over 1 hour 20 minutes", q(EPISODES, HAPPY, None, Length(Of.EPISODE, Op.GT, 80 * MIN))),
    ("happiest episodes over 1 hour and 20 minutes", q(EPISODES, HAPPY, None, Length(Of.EPISODE, Op.GT, 80 * MIN))),
    ("happiest episodes over 1h20m", q(EPISODES, HAPPY, None, Length(Of.EPISODE, Op.GT, 80 * MIN))),
    ("happiest episodes under eight minutes", q(EPISODES, HAPPY, None, shorter(8 * MIN))),
    ("happiest episodes under twenty-five minutes", q(EPISODES, HAPPY, None, shorter(25 * MIN))),
    ("happiest episodes under an hour", q(EPISODES, HAPPY, None, shorter(60 * MIN))),
    ("happiest episodes under .5 minutes", q(EPISODES, HAPPY, None, shorter(30_000))),
    (
        "happiest episodes under 8 minutes 1936",
        q(EPISODES, HAPPY, None, shorter(8 * MIN), Years(1936, 1936)),
    ),
    ("scariest scenes!", q(SCENES, Emotion.SCARED)),
    ("frightening moments - Jerry", q(MOMENTS, Emotion.SCARED, "jerry")),
    ("angriest episodes 1936-1939", q(EPISODES, ANGRY, None, Years(1936, 1939))),
    ("angriest episodes from 1936 – 1939", q(EPISODES, ANGRY, None, Years(1936, 1939))),
    ("happiest episodes at least 5 minutes long", q(EPISODES, HAPPY, None, Length(Of.EPISODE, Op.GE, 5 * MIN))),
    ("happiest Jerry scenes under 30 seconds", q(SCENES, HAPPY, "jerry", shorter(30_000, Of.RESULT))),
    ("happiest Jerry scenes in episodes under 8 minutes", q(SCENES, HAPPY, "jerry", shorter(8 * MIN))),
    (
        "episodes over 5 minutes and under 8 minutes with Tom",
        q(EPISODES, None, "tom", Length(Of.EPISODE, Op.GT, 5 * MIN), shorter(8 * MIN)),
    ),
    ("episodes under 8 minutes", q(EPISODES, None, None, shorter(8 * MIN))),
    ("happiest scenes in the series Mouse House", q(SCENES, HAPPY, None, InSeries("mouse-house"))),
    ("happiest Mouse House scenes", q(SCENES, HAPPY, None, InSeries("mouse-house"))),
    ("happiest Tom and Jerry scenes", q(SCENES, HAPPY, None, InSeries("tom-and-jerry"))),
    ("angry scenes in the Popeye series", q(SCENES, ANGRY, None, InSeries("popeye"))),
    ("angry popye episodes", q(EPISODES, ANGRY, None, InSeries("popeye"))),
    ('happiest episodes in the series "Scenes"', q(EPISODES, HAPPY, None, InSeries("scenes"))),
    ("saddest scenes of season 2", q(SCENES, SAD, None, Season(2))),
    ("saddest scenes s02", q(SCENES, SAD, None, Season(2))),
    ("angriest episodes from 1936", q(EPISODES, ANGRY, None, Years(1936, 1936))),
    ("angriest 1936 episodes", q(EPISODES, ANGRY, None, Years(1936, 1936))),
    ("angriest episodes of the 1930s", q(EPISODES, ANGRY, None, Years(1930, 1939))),
    ("angriest episodes before 1940", q(EPISODES, ANGRY, None, Years(None, 1939))),
    ("angriest episodes after 1940", q(EPISODES, ANGRY, None, Years(1941, None))),
    ("angriest episodes from 1939 to 1936", q(EPISODES, ANGRY, None, Years(1936, 1939))),
    ("angriest episodes between 1936 and 1939", q(EPISODES, ANGRY, None, Years(1936, 1939))),
    ('saddest episodes titled "The Missing Cheese"', q(EPISODES, SAD, None, Title("the missing cheese"))),
    ("saddest episodes called cheese", q(EPISODES, SAD, None, Title("cheese"))),
]


@pytest.mark.parametrize(("text", "query"), UNDERSTOOD)
def test_a_question_means_exactly_this(text: str, query: Query) -> None:
    parsed = parse(text, REGISTRY)
    assert parsed.refusal is None
    assert parsed.query == query
    assert parsed.unused == ()


@pytest.mark.parametrize(
    ("text", "unused", "query"),
    [
        ("happiest Jerry scenes in colour", ("colour",), q(SCENES, HAPPY, "jerry")),
        ("happiest ♥ Jerry scenes", ("♥",), q(SCENES, HAPPY, "jerry")),
        ("rather happy Jerry", ("rather",), q(SCENES, HAPPY, "jerry")),
        ("happiest scenes, 7", ("7",), q(SCENES, HAPPY)),
        ("saddest episodes with sad scenes", ("scenes",), q(EPISODES, SAD)),
    ],
)
def test_words_that_are_not_used_are_said(text: str, unused: tuple[str, ...], query: Query) -> None:
    parsed = parse(text, REGISTRY)
    assert (parsed.unused, parsed.query) == (unused, query)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("angry scenes with Butch", "unknown_character"),
        ("happiest Butch scenes", "unknown_character"),
        ("Butch's saddest scenes", "unknown_character"),
        ('happiest scenes of "Butch"', "unknown_character"),
        ("happiest scenes of the series Bosko", "unknown_series"),
        ("scenes where Tom is not happy", "not_understood"),
        ("scenes where Tom isn’t happy", "not_understood"),
        ("happiest scenes without Tom", "not_understood"),
        ("happy and sad scenes", "not_understood"),
        ("happiest Tom or Jerry", "not_understood"),
        ("happiest scenes of Tom with Pip", "not_understood"),
        ("happiest Jerry scenes under -5 minutes", "not_understood"),
        ("happiest Jerry scenes under − 5 minutes", "not_understood"),
        ("happiest scenes under 5-8 minutes", "not_understood"),
        ("happiest scenes, 5-8 minutes", "not_understood"),
        ("happiest scenes under 1:30 minutes", "not_understood"),
        ("happiest scenes under 1,500 seconds", "not_understood"),
        ("happiest scenes under 1 hour 20", "not_understood"),
        ("happiest scenes under 5 minutes and 8 minutes", "not_understood"),
        ("happiest scenes under 0.0001 seconds", "not_understood"),
        ("happiest scenes under 25 hours", "not_understood"),
        ("happiest scenes under 1 hour and a half", "not_understood"),
        ("happiest scenes -Jerry", "not_understood"),
        ("!happy scenes of Jerry", "not_understood"),
        ("happiest scenes of season != 2", "not_understood"),
        ("saddest scenes of season -2", "not_understood"),
        ("scenes before Tom is angry", "not_understood"),
        ("least happy scenes", "not_understood"),
        ("most and least happy episodes", "not_understood"),
        ("characters", "nothing_understood"),
        ("characters in 1936", "not_understood"),
        ("happiest scenes of Twin", "ambiguous_character"),
        ("scenes", "nothing_understood"),
        ("", "nothing_understood"),
        ("?!", "nothing_understood"),
        ("x" * 1_001, "query_too_long"),
    ],
)
def test_what_would_change_the_meaning_is_refused(text: str, code: str) -> None:
    parsed = parse(text, REGISTRY)
    assert parsed.query is None
    assert parsed.refusal is not None
    assert parsed.refusal.code == code


def test_an_unknown_character_is_offered_the_nearest() -> None:
    refusal = parse("angry scenes with Jenny", REGISTRY).refusal
    assert refusal is not None
    assert refusal.nearest[0] == "jerry"
    assert "Jenny" in refusal.message
    assert "Jerry" in refusal.message


def test_names_that_are_far_from_what_was_typed_are_not_offered() -> None:
    refusal = parse("lustigste Jerry Szenen", REGISTRY).refusal
    assert refusal is not None
    assert refusal.nearest == ()
    assert refusal.message == "I know no character and no emotion called “Szenen”."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scenes shorter than 0.0001 seconds", "0.0001 seconds"),
        ("scenes under - 5 minutes", "-5 minutes"),
        ("scenes over 1 hour 20", "1 hour 20"),
    ],
)
def test_a_length_that_is_none_is_quoted(text: str, said: str) -> None:
    refusal = parse(text, REGISTRY).refusal
    assert refusal is not None
    assert f"the length “{said}”" in refusal.message
    assert "from 1 ms to 24 hours" in refusal.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("episodes where Tom is angry more than 100 %", "the share “more than 100 %”"),
        ("episodes where Tom is angry less than 0 percent", "the share “less than 0 percent”"),
        ("episodes where Tom is angry at least 120 %", "the share “at least 120 %”"),
        ("happiest episodes of 8 minutes", "under 8 minutes, over 8 minutes, at least 8 minutes or at most 8 minutes"),
        ("happiest episodes of 1 hour 20 minutes", "under 1 hour 20 minutes"),
        ("happiest episodes of 25 hours", "the length “25 hours”"),
    ],
)
def test_a_share_or_a_length_that_is_refused_is_told_what_it_lacks(text: str, message: str) -> None:
    refusal = parse(text, REGISTRY).refusal
    assert refusal is not None
    assert refusal.code == "not_understood"
    assert message in refusal.message


@pytest.mark.parametrize("query", [query for _, query in UNDERSTOOD])
def test_the_echo_means_the_same(query: Query) -> None:
    assert parse(echo(query, REGISTRY), REGISTRY).query == query


def test_the_echo_reads_like_a_sentence() -> None:
    query = q(SCENES, HAPPY, "jerry", shorter(8 * MIN), InSeries("mouse-house"), Years(1930, 1939))
    expected = "happiest scenes of Jerry in episodes shorter than 8 minutes in the series Mouse House from 1930 to 1939"
    assert echo(query, REGISTRY) == expected


lengths = st.builds(Length, st.sampled_from(Of), st.sampled_from(Op), st.integers(1, MOST_MS))
ends = st.integers(YEARS[0], YEARS[1])
years = st.one_of(
    st.tuples(ends, ends).map(lambda y: Years(min(y), max(y))),
    ends.map(lambda y: Years(y, None)),
    ends.map(lambda y: Years(None, y)),
)
clauses = st.tuples(
    st.lists(lengths, max_size=2),
    st.lists(st.sampled_from([InSeries(s.slug) for s in REGISTRY.series]), max_size=1),
    st.lists(st.integers(0, 999).map(Season), max_size=1),
    st.lists(years, max_size=1),
    st.lists(st.sampled_from([Title("the missing cheese"), Title("never happy"), Title("1936")]), max_size=1),
    st.lists(st.sampled_from([Words("storm cheese"), Words("tom"), Words("season 2")]), max_size=1),
).map(lambda groups: canonical([clause for group in groups for clause in group]))


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Every query that the grammar can say."""
    target = draw(st.sampled_from(Target))
    who = draw(st.sampled_from([None, *(c.slug for c in REGISTRY.characters)]))
    emotion = draw(st.sampled_from([None, *EMOTIONS]))
    order = (
        draw(st.sampled_from([Order.MOST, Order.LEAST])) if target in (EPISODES, CHARACTERS) and emotion else Order.MOST
    )
    found = draw(clauses)
    if target is CHARACTERS:
        who, emotion = None, emotion or HAPPY
    if target in (EPISODES, CHARACTERS):
        found = canonical([Length(Of.EPISODE, c.op, c.ms) if isinstance(c, Length) else c for c in found])
    if who is None and emotion is None and not found:
        emotion = HAPPY
    return Query(target, order, emotion, who, found)


@given(queries())
@settings(max_examples=300, deadline=None)
def test_any_query_survives_its_echo_and_its_json(query: Query) -> None:
    assert query_from_json(query_to_json(query)) == query
    sentence = echo(query, REGISTRY)
    parsed = parse(sentence, REGISTRY)
    assert (parsed.query, parsed.unused) == (query, ()), sentence


words = st.sampled_from(
    [
        *meanings(),
        *(c.name for c in REGISTRY.characters),
        "8",
        "1936",
        "%",
        "<",
        "-",
        "-8",
        "8-9",
        "!",
        "1h",
        "eight",
        '"',
        "min",
        "than",
        "jery",
    ]
)


@given(st.one_of(st.text(max_size=320), st.lists(words, max_size=14).map(" ".join)))
@settings(max_examples=400, deadline=None)
def test_no_text_raises_and_no_word_vanishes(text: str) -> None:
    parsed = parse(text, REGISTRY)
    assert (parsed.query is None) == (parsed.refusal is not None)
    if parsed.query is not None:
        assert parse(echo(parsed.query, REGISTRY), REGISTRY).query == parsed.query
        said = {t.said for t in tokens_of(text)}
        assert set(parsed.unused) <= said


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "happiest",
        {},
        {"version": 3, "target": "scenes", "emotion": "happy"},
        {"version": True, "target": "scenes", "emotion": "happy"},
        {"version": 1, "target": "scenes", "emotion": "happy", "where": []},
        {"version": 2, "target": "scenes"},
        {"version": 1},
        {"version": 1, "target": "everything"},
        {"version": 1, "target": ["scenes"]},
        {"version": 1, "target": "scenes", "emotion": "calm"},
        {"version": 1, "target": "scenes", "character": 3},
        {"version": 1, "target": "scenes", "sql": "drop"},
        {"version": 1, "target": "scenes", "clauses": {}},
        {"version": 1, "target": "scenes", "clauses": [1]},
        {"version": 1, "target": "scenes", "clauses": [{"kind": "limit"}]},
        {"version": 1, "target": "scenes", "clauses": [{"kind": "length", "of": "episode", "op": "lt", "ms": 0}]},
        {"version": 1, "target": "scenes", "clauses": [{"kind": "length", "of": "episode", "op": "lt", "ms": True}]},
        {"version": 1, "target": "scenes", "clauses": [{"kind": "year", "first": None, "last": None}]},
        {"version": 1, "target": "scenes", "clauses": [{"kind": "title", "words": "a\x00b"}]},
    ],
)
def test_a_json_query_that_is_none_is_refused(data: object) -> None:
    with pytest.raises(QueryInvalid):
        query_from_json(data)
