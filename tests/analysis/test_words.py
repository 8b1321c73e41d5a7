"""Which of several people's words counts. Pure."""

from __future__ import annotations

from analysis.layer import Says
from analysis.words import Said, Word, counting, disputed


def said(emotion: str, character: str = "tom") -> Said:
    return Said(Says.CHARACTER, character, emotion)


def words(*emotions: str, settles: int | None = None) -> list[Word]:
    return [Word(i, i, said(e), settles=i == settles) for i, e in enumerate(emotions)]


def test_most_people_decide_and_of_as_many_who_was_first() -> None:
    assert counting([]) is None
    for emotions, wanted in (
        (["sad"], 0),
        (["sad", "happy"], 0),
        (["sad", "happy", "happy"], 1),
        (["a", "b", "b", "a"], 0),
    ):
        found = counting(words(*emotions))
        assert found is not None
        assert found.number == wanted


def test_whoever_settles_decides_and_ends_the_matter() -> None:
    found = counting(words("sad", "sad", "happy", settles=2))
    assert found is not None
    assert found.said.emotion == "happy"
    assert not disputed(words("sad", "sad", "happy", settles=2))
    assert disputed(words("sad", "happy"))
    assert not disputed(words("sad", "sad"))


def test_labels() -> None:
    assert said("sad").label("tom") == "sad"
    assert said("").label("jerry") == "is:tom"
    assert Said(Says.NO_FACE, None, "").label("tom") == "no_face"
