"""The one function behind ``manage.py search``, ``/search/`` and ``/api/v1/search/``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.db import connection

from analysis.limits import NO_LIMITS, Limits
from analysis.search.languages import language_of, say, understand
from analysis.search.lexicon import Named, Names, Registry
from analysis.search.parse import MOST_LETTERS
from analysis.search.query import InSeries, Query, characters_of
from analysis.search.query_json import query_to_json
from analysis.search.refusals import Refusal, no_series_called, nobody_called
from analysis.search.results import Result, results_of
from analysis.search.sql import MOST_ROWS, Found, Row, find
from analysis.search.verdicts import Verdict
from analysis.selectors.visible import episodes_visible
from catalog.models import Character, Series
from catalog.selectors import episodes_about

PAGE_SIZE = 20
MOST_OF_AN_EPISODE = 2  # scenes or moments of one episode on the first page


@dataclass(frozen=True, slots=True)
class Answer:
    query: Query | None
    echo: str
    unused: tuple[str, ...]
    refusal: Refusal | None
    suggestions: tuple[str, ...]
    results: tuple[Result, ...]
    page: int
    place: int  # of the first result in the whole answer, from 1
    more: bool
    registry: Registry | None = None  # the names that it was understood with
    counts: dict[Verdict, int] | None = None  # of episodes (characters) by verdict, where conditions ask for one

    @property
    def yes(self) -> int:
        return 0 if self.counts is None else self.counts[Verdict.YES]

    @property
    def unknown(self) -> int:
        return 0 if self.counts is None else self.counts[Verdict.UNKNOWN]

    @property
    def no(self) -> int:
        return 0 if self.counts is None else self.counts[Verdict.NO]

    @property
    def refused(self) -> bool:
        return self.refusal is not None

    @property
    def next_page(self) -> int:
        return self.page + 1

    @property
    def previous_page(self) -> int:
        return self.page - 1

    def to_json(self) -> dict[str, Any]:
        """The documented answer. ``because`` on the answer itself appears in refusals only."""
        data: dict[str, Any] = {
            "query": None if self.query is None else query_to_json(self.query),
            "echo": self.echo,
            "unused": list(self.unused),
            "answer": "refused" if self.refusal else "results",
            "results": [r.to_json() for r in self.results],
        }
        if self.counts is not None:
            data["counts"] = {str(verdict): count for verdict, count in self.counts.items()}
        if self.refusal is not None:
            data["because"] = {"code": self.refusal.code, "nearest": list(self.refusal.nearest)}
        return data


def registry_load(limits: Limits = NO_LIMITS) -> Registry:
    """Every name of the catalogue: one query where no name changed, and one for each free word of a question. Words of
    titles and synopses are those of visible episodes.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT md5(string_agg(ROW(slug, name, aliases)::text, ',' ORDER BY slug)) FROM catalog_character),"
            " (SELECT md5(string_agg(ROW(slug, title)::text, ',' ORDER BY slug)) FROM catalog_series)"
        )
        characters, series = cursor.fetchone()
    return Registry(_characters(characters), _series(series), lambda word: _about_visible(word, limits))


@lru_cache(maxsize=4)
def _characters(digest: str | None) -> Names:
    """Read and put in order once for as long as they stay. ``digest``: of all of them."""
    rows = Character.objects.order_by("slug").values_list("slug", "name", "aliases")
    return Names(Named(slug, name, tuple(aliases)) for slug, name, aliases in rows)


@lru_cache(maxsize=4)
def _series(digest: str | None) -> Names:
    return Names(Named(slug, title) for slug, title in Series.objects.order_by("slug").values_list("slug", "title"))


def _about_visible(word: str, limits: Limits) -> bool:
    found = episodes_about(word)
    return (found.filter(pk__in=episodes_visible(limits).values("pk")) if limits else found).exists()


def search(
    text: str, page: int = 1, *, explain: bool = False, language: str | None = None, limits: Limits = NO_LIMITS
) -> Answer:
    """``page`` counts from 1. ``explain``: with the parts of each score. ``language``: None for that of the words.
    ``limits``: only what they leave is looked at.
    """
    registry = registry_load(limits)
    language = language or language_of(text, registry)
    parsed = understand(text, registry, language)
    if parsed.query is None:
        refusal = parsed.refusal or Refusal("nothing_understood", "Say what you are looking for.")
        return _refused(refusal, parsed.unused, _suggestions(text, refusal, registry))
    return search_query(parsed.query, registry, page, parsed.unused, explain=explain, language=language, limits=limits)


def search_query(
    query: Query,
    registry: Registry,
    page: int = 1,
    unused: tuple[str, ...] = (),
    *,
    explain: bool = False,
    language: str = "en",
    limits: Limits = NO_LIMITS,
) -> Answer:
    """The same for a query that is JSON already."""
    sentence = say(query, registry, language)
    refusal = _unanswerable(query, sentence, registry)
    if refusal is not None:
        return _refused(refusal, unused)
    most = MOST_OF_AN_EPISODE if query.finds_scenes else None
    found, (rows, place, more) = _page_found(replace(query, limits=limits), page, most)
    results = tuple(results_of(query, rows, registry, explain=explain))
    return Answer(query, sentence, unused, None, (), results, page, place, more, registry, found.counts)


Page = tuple[list[Row], int, bool]


def _page_found(query: Query, page: int, most: int | None) -> tuple[Found, Page]:
    """No more rows are looked for than the page needs, unless a few episodes have all of the first."""
    enough = PAGE_SIZE * (page + 1) + 1
    found = find(query, min(enough, MOST_ROWS))
    while len(found.rows) == enough < MOST_ROWS and len(page_of(found.rows, 1, PAGE_SIZE, most)[0]) < PAGE_SIZE:
        enough = min(4 * enough, MOST_ROWS)
        found = find(query, enough)
    return found, page_of(found.rows, page, PAGE_SIZE, most)


def _refused(refusal: Refusal, unused: tuple[str, ...], offers: tuple[str, ...] = ()) -> Answer:
    return Answer(None, refusal.message, unused, refusal, offers, (), 1, 1, False)


def _unanswerable(query: Query, sentence: str, registry: Registry) -> Refusal | None:
    """A query that names somebody unknown, or that no question could say."""
    for slug in sorted(characters_of(query)):
        if registry.character(slug) is None:
            return nobody_called(slug, registry)
    for clause in query.clauses:
        if isinstance(clause, InSeries) and registry.series_named(clause.slug) is None:
            return no_series_called(clause.slug, registry)
    if len(sentence) > MOST_LETTERS:
        return Refusal("query_too_long", f"Said in words, the query has more than {MOST_LETTERS} characters.")
    return None


def page_of(rows: Sequence[Row], page: int, size: int, most: int | None) -> tuple[list[Row], int, bool]:
    """One page of rows, the place of its first, and whether more follow. Every row is on exactly one page.

    ``most``: of one episode on the first page; the others come later, in their order.
    """
    first: list[int] = []
    count: Counter[int] = Counter()
    for i, row in enumerate(rows):
        if len(first) == size:
            break
        if most is None or count[row.episode_id] < most:
            count[row.episode_id] += 1
            first.append(i)
    if page == 1:
        return [rows[i] for i in first], 1, len(first) < len(rows)
    chosen = set(first)
    rest = [row for i, row in enumerate(rows) if i not in chosen]
    start = (page - 2) * size
    return rest[start : start + size], len(first) + start + 1, len(rest) > start + size


def _suggestions(text: str, refusal: Refusal, registry: Registry) -> tuple[str, ...]:
    """The same question with the nearest names."""
    if refusal.code != "unknown_character" or not refusal.words:
        return ()
    names = (registry.character(slug) for slug in refusal.nearest)
    said = refusal.words[0]
    return tuple(
        text.replace(f'"{said}"', said).replace(said, n.name, 1) for n in names if n is not None and said in text
    )
