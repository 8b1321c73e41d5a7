from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from catalog.naming import natural_key, plain_text, shown, slug_of

ANY_NAME = st.text(st.characters(), max_size=80)  # surrogates too, as names that are no UTF-8 have them


@given(ANY_NAME)
def test_plain_text_is_one_line_that_a_database_takes(raw: str) -> None:
    text = plain_text(raw)
    text.encode()
    assert text == unicodedata.normalize("NFC", text) == text.strip()
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in text)
    assert plain_text(text) == text


def test_plain_text_keeps_what_people_see() -> None:
    assert plain_text("Cafe\u0301\nnoir\t🧑‍🍳") == "Café noir 🧑‍🍳"
    assert plain_text("a\u202eb\u200bc\x00d") == "abc d"
    assert plain_text(b"caf\xe9.mp4".decode("utf-8", "surrogateescape")) == "caf\ufffd.mp4"


@given(ANY_NAME)
def test_shown_names_cannot_play_tricks(raw: str) -> None:
    text = shown(raw)
    assert text[0] == "“"
    assert text[-1] == "”"
    assert "\n" not in text
    assert "\x1b" not in text
    text.encode()


def test_shown_escapes_what_cannot_be_seen() -> None:
    assert shown("a\nb\x1b[31m🐭") == "“a\\nb\\x1b[31m🐭”"
    assert shown("\udce9") == "“\\udce9”"
    assert shown("moc\u202e.exe") == "“moc\\u202e.exe”"


@given(ANY_NAME)
def test_slugs_are_short_stable_and_never_empty(raw: str) -> None:
    slug = slug_of(raw)
    assert slug
    assert len(slug) <= 120
    assert slug == slug_of(plain_text(raw)) == slug_of(f"  {plain_text(raw)}\n")
    assert all(c.isalnum() or c == "-" for c in slug)


def test_slugs_bring_spellings_together_and_keep_titles_apart() -> None:
    assert slug_of("Tom & Jerry!") == slug_of("tom  JERRY") == "tom-jerry"
    assert slug_of("ＴＯＭ") == "tom"
    assert slug_of("Том и Джерри") == "том-и-джерри"
    assert slug_of("🐭") != slug_of("🐱")
    assert slug_of("कि") != slug_of("की")  # told apart by vowel signs alone
    assert slug_of("x" * 200) != slug_of("x" * 201)


def test_natural_order() -> None:
    names = ["part10.mkv", "Part2.mkv", "part1.mkv", "a", "10", "9"]
    assert sorted(names, key=natural_key) == ["9", "10", "a", "part1.mkv", "Part2.mkv", "part10.mkv"]


@given(st.lists(ANY_NAME))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)
