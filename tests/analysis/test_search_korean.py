"""Korean: superlatives, never, always, while, lengths and the emotions, each with its echo. No database."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.search.echo import echo
from analysis.search.languages import language_of, say, understand
from analysis.search.lexicon import Named, Registry
from analysis.search.parse import parse
from analysis.search.query import Atom, How, Length, Of, Op, Order, Query, Relation, Shows, Target, Together, settled
from ml.types import EMOTIONS

REGISTRY = Registry(
    (
        Named("tom", "Tom", ("톰",)),
        Named("jerry", "Jerry", ("제리",)),
        Named("pip", "Pip"),
        Named("rosa", "Rosa", ("로사",)),
    ),
    (Named("mouse-house", "Mouse House"),),
)

SAME = [
    ("가장 행복한 제리 장면", "happiest Jerry scenes"),
    ("제리가 가장 행복한 장면을 보여줘", "happiest Jerry scenes"),
    ("제일 슬픈 장면", "saddest scenes"),
    ("톰이 화난 장면", "scenes where Tom is angry"),
    ("Tom이 화가 난 장면", "scenes where Tom is angry"),
    ("제리가 나오는 장면", "scenes with Jerry"),
    ("가장 놀란 순간", "most surprised moments"),
    ("가장 무서워하는 캐릭터", "most scared characters"),
    ("누가 가장 행복해?", "who is the happiest"),
    ("역겨운 장면", "disgusted scenes"),
    ("무표정한 로사 장면", "neutral Rosa scenes"),
    ("가장 화난 에피소드", "angriest episodes"),
    ("가장 덜 화난 에피소드", "least angry episodes"),
    ("8분 미만의 차분한 에피소드", "calm episodes under 8 minutes"),
    ("톰이 절대 화내지 않는 에피소드", "episodes where Tom is never angry"),
    ("톰이 한 번도 화내지 않는 에피소드", "episodes where Tom is never angry"),
    ("톰이 전혀 무서워하지 않는 만화", "episodes where Tom is never scared"),
    ("Pip이 절대 울지 않는 에피소드", "episodes where Pip is never sad"),
    ("아무도 화내지 않는 에피소드", "episodes where nobody is angry"),
    ("분노 없는 에피소드", "episodes without anger"),
    ("제리가 항상 행복한 에피소드", "episodes where Jerry is always happy"),
    ("제리가 대부분 행복한 에피소드", "episodes where Jerry is mostly happy"),
    ("톰이 슬픈 동안 제리가 행복한 장면", "scenes where Tom is sad while Jerry is happy"),
    ("톰이 화내는 동안 제리가 웃는 장면", "scenes where Tom is angry while Jerry laughs"),
    ("8분 미만의 무서운 에피소드", "most scared episodes under 8 minutes"),
    ("8분 미만 슬픔 없는 에피소드", "episodes under 8 minutes without sadness"),
    ("8분 미만 가장 무서운 에피소드", "most scared episodes under 8 minutes"),
    ("톰이 10초 이상 화난 장면", "scenes where Tom is angry for at least 10 s"),
    ("톰이 절대 5초 이상 화내지 않는 에피소드", "episodes where Tom is never angry for at least 5 s"),
    ("아무도 5초 이상 화내지 않는 에피소드", "episodes where nobody is angry for at least 5 s"),
    ("8분 미만의 아무도 화내지 않는 에피소드", "episodes under 8 minutes where nobody is angry"),
    ("8분 미만 에피소드", "episodes under 8 minutes"),
    ("가장 행복한 8분 이하 에피소드", "happiest episodes of at most 8 minutes"),
    ("1시간 20분 이상 에피소드", "episodes of at least 1 hour 20 minutes"),
    ("8분보다 짧은 에피소드", "episodes shorter than 8 minutes"),
    ("30초 미만의 가장 행복한 제리 장면", "happiest Jerry scenes under 30 seconds"),
    ("1936년 가장 슬픈 에피소드", "saddest episodes from 1936"),
    ("시즌 2 에피소드", "season 2 episodes"),
]


@pytest.mark.parametrize(("korean", "english"), SAME, ids=[english for _, english in SAME])
def test_a_question_means_what_it_means_in_english(korean: str, english: str) -> None:
    assert language_of(korean, REGISTRY) == "ko"
    parsed, wanted = understand(korean, REGISTRY, "ko"), parse(english, REGISTRY)
    assert parsed.refusal is None, parsed.refusal
    assert parsed.query == wanted.query
    assert parsed.unused == ()


@pytest.mark.parametrize(
    "text",
    [
        "톰이 화내지 않는 에피소드",
        "톰이 자주 화난 에피소드",
        "톰이 슬프기 전에 행복한 장면",
        "톰이 10초 미만 화난 장면",
        "톰이 5초 이상 화내지 않는 에피소드",
        "톰이 8분 미만의 화난 장면",
        "8초 이상 화난 장면",
        "8분 미만 무서운 에피소드",
        "10초 이상 제리가 행복한 장면",
        "5초 이상 화내지 않는 에피소드",
        "10초 넘게 화내는 톰",
        "행복한 또는 슬픈 장면",
        "톰이 절대 화내지 않는 장면",
        "톰이 절대 화내지 않는 에피소드의 가장 행복한 제리 장면",
        "8분 에피소드",
        "에피소드",
    ],
)
def test_what_has_no_one_meaning_is_refused_in_korean(text: str) -> None:
    parsed = understand(text, REGISTRY, language_of(text, REGISTRY))
    assert parsed.query is None
    assert parsed.refusal is not None
    assert any("가" <= c <= "힣" for c in parsed.refusal.message), parsed.refusal.message


def test_english_stays_english_whatever_the_names() -> None:
    assert language_of("happiest 톰 scenes", REGISTRY) == "en"
    assert language_of('scenes titled "행복한 날"', REGISTRY) == "en"
    assert understand("happiest 톰 scenes", REGISTRY, "en").query == parse("happiest Tom scenes", REGISTRY).query


def test_the_echo_is_korean_where_korean_has_the_words() -> None:
    query = parse("episodes where Tom is never angry", REGISTRY).query
    assert query is not None
    assert say(query, REGISTRY, "ko") == "톰이 절대 화내지 않는 에피소드"
    rare = parse("episodes where Tom is angrier than Jerry", REGISTRY).query
    assert rare is not None
    assert say(rare, REGISTRY, "ko") == echo(rare, REGISTRY)


emotions, people = st.sampled_from(EMOTIONS), st.sampled_from(["tom", "jerry", "pip", "rosa"])
conditions = st.one_of(
    st.builds(Shows, st.just(How.NEVER), st.builds(Atom, st.one_of(st.none(), people), emotions)),
    st.builds(Shows, st.just(How.ALWAYS), st.builds(Atom, people, emotions)),
)


@st.composite
def said_in_korean(draw: st.DrawFn) -> Query:
    """What the Korean lexicon has words for."""
    kind = draw(st.sampled_from(["scenes", "episodes", "never", "while"]))
    minutes = Length(Of.EPISODE, draw(st.sampled_from(Op)), draw(st.integers(1, 120)) * 60_000)
    emotion = draw(emotions)
    if kind == "scenes":
        return settled(Query(draw(st.sampled_from([Target.SCENES, Target.MOMENTS])), Order.MOST, emotion, draw(people)))
    if kind == "episodes":
        return settled(
            Query(Target.EPISODES, draw(st.sampled_from([Order.MOST, Order.LEAST])), emotion, None, (minutes,))
        )
    if kind == "never":
        return settled(
            Query(Target.EPISODES, where=(draw(conditions),), clauses=draw(st.sampled_from([(), (minutes,)])))
        )
    first, second = draw(st.permutations(["tom", "jerry", "pip", "rosa"]))[:2]
    pair = Together(Of.RESULT, Atom(first, emotion), Relation.WHILE, Atom(second, draw(emotions)))
    return settled(Query(Target.SCENES, where=(pair,)))


@given(said_in_korean())
@settings(max_examples=200, deadline=None)
def test_a_korean_echo_means_the_same(query: Query) -> None:
    sentence = say(query, REGISTRY, "ko")
    assert any("가" <= c <= "힣" for c in sentence), sentence
    assert understand(sentence, REGISTRY, language_of(sentence, REGISTRY)).query == query, sentence


@pytest.mark.parametrize(
    "question",
    [
        "제리가 없는 행복한 장면",  # without Jerry
        "덜 무서운 에피소드",  # less scary
        "톰이 제리보다 화난 에피소드",  # angrier than Jerry
        "톰이 행복하거나 슬픈 장면",  # happy or sad
        "뽀로로가 절대 울지 않는 에피소드",  # somebody unknown
        "둘리가 슬픈 장면",
    ],
)
def test_no_korean_word_that_may_turn_the_question_round_is_left_out(question: str) -> None:
    parsed = understand(question, REGISTRY, "ko")
    assert parsed.query is None
    assert parsed.refusal is not None
    assert any("가" <= letter <= "힣" for letter in parsed.refusal.message)
