"""In which language a question is asked, and said again. English is the grammar; others are said in its words. Pure."""

from __future__ import annotations

from analysis.search.echo import echo
from analysis.search.korean import echo_korean, is_korean, parse_korean
from analysis.search.lexicon import Registry
from analysis.search.parse import MOST_LETTERS, Parsed, parse
from analysis.search.query import Query

LANGUAGES = ("en", "ko")


def language_of(text: str, registry: Registry) -> str:
    """By what the words are in; names do not count."""
    return "ko" if len(text) <= MOST_LETTERS and is_korean(text, registry) else "en"


def understand(text: str, registry: Registry, language: str) -> Parsed:
    """``language``: one of LANGUAGES."""
    if language == "ko" and len(text) <= MOST_LETTERS:
        return parse_korean(text, registry)
    return parse(text, registry)


def say(query: Query, registry: Registry, language: str) -> str:
    """In that language; in English where it has no words for a part of the query."""
    return (echo_korean(query, registry) if language == "ko" else None) or echo(query, registry)
