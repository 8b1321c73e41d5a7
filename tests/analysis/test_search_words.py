"""Words, names and titles of a question: what a word stands for where it could be several things. No database."""

from __future__ import annotations

import pytest

from analysis.search.echo import echo
from analysis.search.lexicon import Named, Registry, lexicon, meanings, one_typo, tokens_of
from analysis.search.parse import parse
from analysis.search.query import Query, Words
from ml.types import EMOTIONS
from tests.analysis.test_search_grammar import EPISODES, HAPPY, REGISTRY, SCENES, q


def test_free_words_are_searched_for_in_texts_that_have_them() -> None:
    registry = Registry(REGISTRY.characters, REGISTRY.series, lambda word: word in ("lighthouse", "storm", "Butch"))

    def parsed(text: str) -> tuple[Query | None, tuple[str, ...]]:
        found = parse(text, registry)
        return found.query, found.unused

    about = q(SCENES, HAPPY, None, Words("lighthouse storm"))
    assert parsed("happiest lighthouse things in a storm, tonight") == (about, ("things", "tonight"))
    assert echo(about, registry) == 'happiest scenes about "lighthouse storm"'
    assert parsed('happiest scenes about "Lighthouse Storm"') == (about, ())
    assert parsed("storm episodes") == (q(EPISODES, None, None, Words("storm")), ())
    for text in ("storm scenes", "scenes with Butch", "angriest Butch episodes", "angriest scenes of storm"):
        assert parsed(text)[0] is None, text


TITLES = ("the flying kite", "the missing cheese", "never kick a woman", "butch goes fishing", "tom and the kite")


def _in_a_title(text: str) -> bool:
    """As full text does: every word but the small ones, in one title."""
    words = {t.norm for t in tokens_of(text)} - {"the", "a", "of", "and", "with"}
    return bool(words) and any(words <= set(title.split()) for title in TITLES)


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("angriest scenes in the flying kite", 'angriest scenes about "flying kite"'),
        ("angriest scenes in The Flying Kite", 'angriest scenes about "flying kite"'),
        ("angriest scenes in the Flying Kite", 'angriest scenes about "flying kite"'),
        ("angriest scenes of The Flying Kite", 'angriest scenes about "flying kite"'),
        ("angriest scenes in Flying Kite", 'angriest scenes about "flying kite"'),
        ("angriest scenes of Tom in The Missing Cheese", 'angriest scenes of Tom about "missing cheese"'),
        ("angriest scenes in the missing cheese", 'angriest scenes about "missing cheese"'),
        ("happiest scenes in The Flying Kite with Tom", 'happiest scenes of Tom about "flying kite"'),
        ("happiest scenes in Never Kick a Woman", 'happiest scenes about "never kick woman"'),
        ("happiest scenes in Mouse House", "happiest scenes in the series Mouse House"),
        ("angriest scenes in The Flying Butch", None),
        ("angriest scenes in The Flying Cheese", None),
        ("angriest scenes of Flying Kite", None),
        ("angriest scenes of Butch", None),
        ("angriest scenes with Butch", None),
    ],
)
def test_a_title_in_capitals_is_read_as_without(text: str, understood: str | None) -> None:
    registry = Registry(REGISTRY.characters, REGISTRY.series, _in_a_title)
    parsed = parse(text, registry)
    if understood is None:
        assert parsed.refusal is not None
        assert parsed.refusal.code == "unknown_character"
    else:
        assert parsed.query is not None
        assert (echo(parsed.query, registry), parsed.unused) == (understood, ())


@pytest.mark.parametrize(
    ("typed", "word", "is_typo"),
    [
        ("jery", "jerry", True),
        ("jrery", "jerry", True),
        ("jerrry", "jerry", True),
        ("jexry", "jerry", True),
        ("jerry", "jerry", False),
        ("jey", "jerry", False),
        ("tm", "tom", False),
        ("ton", "tom", False),
        ("roza", "rosa", False),
        ("yerrj", "jerry", False),
    ],
)
def test_one_typo_from_five_letters_on(typed: str, word: str, is_typo: bool) -> None:
    assert one_typo(typed, word) is is_typo


def test_every_emotion_has_words_and_a_superlative_that_means_it() -> None:
    for emotion in EMOTIONS:
        superlative = lexicon()["emotions"][emotion]["superlative"]
        assert parse(f"{superlative} scenes", REGISTRY).query == q(SCENES, emotion)
        for word in lexicon()["emotions"][emotion]["words"]:
            assert meanings()[word] == ("emotion", str(emotion))


@pytest.mark.parametrize(
    "question",
    ["happiest Jerry scenes", "scenes with Jerry", "Perry scenes", "saddest scenes with Sally", "Sally scenes"],
)
def test_a_name_that_nobody_has_is_no_emotion_with_a_typo(question: str) -> None:
    parsed = parse(question, Registry((Named("pip", "Pip"), Named("rosa", "Rosa")), ()))
    assert parsed.refusal is not None
    assert parsed.refusal.code == "unknown_character"


FEELINGS = Registry(
    (Named("joy", "Joy"), Named("anger", "Anger"), Named("fear", "Fear"), Named("will", "Will"), Named("tom", "Tom")),
    (),
)


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("is Joy always joyful", "episodes where Joy is always happy"),
        ("episodes where Anger is never angry", "episodes where Anger is never angry"),
        ("episodes where Joy isn't ever sad", "episodes where Joy is never sad"),
        ("Joy is sad while Anger is happy", "scenes where Joy is sad while Anger is happy"),
        ("Is Anger always angry", "episodes where Anger is always angry"),
        ("when is Joy sad", "saddest scenes of Joy"),
        ("Joy's happiest scenes", "happiest scenes of Joy"),
        ("happiest Joy scenes", "happiest scenes of Joy"),
        ("saddest scenes with Fear", "saddest scenes of Fear"),
        ("episodes where Tom is angrier than Anger", "episodes where Tom is more angry than Anger"),
        ("episodes where Will is never angry", "episodes where Will is never angry"),
        ("scenes of joy", "happiest scenes"),
        ("joy scenes", "happiest scenes"),
        ("Anger", "angriest scenes"),
        ("Tom's Anger", "angriest scenes of Tom"),
        ("episodes full of Joy", "happiest episodes"),
        ("episodes free of Fear", "episodes where nobody is ever scared"),
        ("will Tom be happy", "happiest scenes of Tom"),
    ],
)
def test_a_name_that_is_a_feeling_too_is_told_by_its_capital_and_its_place(text: str, understood: str) -> None:
    query = parse(text, FEELINGS).query
    assert query is not None
    assert echo(query, FEELINGS) == understood
    assert parse(understood, FEELINGS).query == query


@pytest.mark.parametrize(
    "text",
    ["is joy always joyful", "episodes where anger is never angry", "joy's happiest scenes", "Happiest Scenes Of Joy"],
)
def test_a_name_that_may_be_a_feeling_is_never_dropped(text: str) -> None:
    refusal = parse(text, FEELINGS).refusal
    assert refusal is not None
    assert refusal.code == "not_understood"
    assert "is a feeling or somebody" in refusal.message
