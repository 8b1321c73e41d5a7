"""The documented questions find the sample cast as it comes."""

from __future__ import annotations

import pytest

from analysis.search.answer import registry_load
from analysis.search.languages import language_of, understand
from catalog.sample import CAST, sample_cast_create


@pytest.mark.django_db
def test_the_cast_is_known_in_english_and_korean() -> None:
    sample_cast_create()
    registry = registry_load()
    for slug, name, aliases, _ in CAST:
        english = understand(f"happiest scenes of {name}", registry, "en")
        question = f"{aliases[-1]}가 가장 행복한 장면"
        assert language_of(question, registry) == "ko"
        korean = understand(question, registry, "ko")
        assert korean.query == english.query
        assert korean.query is not None
        assert korean.query.character == slug
