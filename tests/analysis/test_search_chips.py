"""The parts of a question on the page: taking one away, or changing it, is a question of its own. No database."""

from __future__ import annotations

from hypothesis import given, settings

from analysis.search.chips import chips_of
from analysis.search.parse import parse
from analysis.search.query import Query
from tests.analysis.test_search_conditions import questions
from tests.analysis.test_search_grammar import REGISTRY


def understood(text: str) -> Query:
    query = parse(text, REGISTRY).query
    assert query is not None
    return query


def test_every_part_has_a_chip_and_can_be_taken_away() -> None:
    query = understood("happiest scenes of Jerry in episodes under 8 minutes where Tom is never angry since 1936")
    chips = {c.label: c for c in chips_of(query, REGISTRY)}
    assert list(chips) == [
        "happiest",
        "scenes",
        "of Jerry",
        "in episodes where Tom is never angry",
        "in episodes shorter than 8 minutes",
        "since 1936",
    ]
    assert chips["scenes"].without is None
    assert chips["of Jerry"].without == (
        "happiest scenes in episodes shorter than 8 minutes where Tom is never angry since 1936"
    )
    assert chips["since 1936"].without == (
        "happiest scenes of Jerry in episodes shorter than 8 minutes where Tom is never angry"
    )
    assert [c.label for c in chips["in episodes where Tom is never angry"].changes] == ["ever", "always"]


def test_what_is_found_and_its_order_can_be_changed() -> None:
    chips = {c.label: c for c in chips_of(understood("happiest episodes of Tom"), REGISTRY)}
    assert {c.label: c.question for c in chips["happiest"].changes} == {"least happy": "least happy episodes of Tom"}
    assert {c.label: c.question for c in chips["episodes"].changes} == {
        "scenes": "happiest scenes of Tom",
        "moments": "happiest moments of Tom",
    }


def test_the_last_part_cannot_be_taken_away() -> None:
    assert [c.without for c in chips_of(understood("happiest scenes"), REGISTRY)] == [None, None]


@given(questions())
@settings(max_examples=60, deadline=None)
def test_every_link_is_a_question_that_is_understood(query: Query) -> None:
    for chip in chips_of(query, REGISTRY):
        links = [chip.without, *(c.question for c in chip.changes)]
        for link in links:
            if link is not None:
                parsed = parse(link, REGISTRY)
                assert parsed.refusal is None, link
                assert parsed.unused == (), link
                assert parsed.query != query, link
