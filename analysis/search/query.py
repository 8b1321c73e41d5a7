"""The typed query: what words become and what SQL is made from. ``query_json`` writes and reads it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from analysis.limits import NO_LIMITS, Limits
from ml.types import Emotion

QUERY_VERSION = 2
MOST_MS = 24 * 3_600_000
YEARS = (1880, 2100)
MOST_CONDITIONS = 6
MOST_CLAUSES = 8
MOST_TEXT = 80  # letters of a title or of free words
OVERLAP_MS = 500  # two faces show something at the same time from here on


class QueryInvalid(ValueError):
    """A query is none, or asks for what cannot be; ``str`` says where."""


class Target(StrEnum):
    SCENES = "scenes"
    MOMENTS = "moments"
    EPISODES = "episodes"
    CHARACTERS = "characters"


class Order(StrEnum):
    MOST = "most"
    LEAST = "least"
    CALMEST = "calmest"


class Op(StrEnum):
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"


NEVER_MET = ((Op.LT, 0), (Op.GT, 100))  # of shares, in percent


class Of(StrEnum):
    """Whose length or condition: the episode's, or that of the scene or moment that is found."""

    EPISODE = "episode"
    RESULT = "result"


class How(StrEnum):
    NEVER = "never"
    EVER = "ever"
    ALWAYS = "always"


class Relation(StrEnum):
    WHILE = "while"
    BEFORE = "before"
    AFTER = "after"
    WITHIN = "within"


@dataclass(frozen=True, slots=True)
class Length:
    of: Of
    op: Op
    ms: int


@dataclass(frozen=True, slots=True)
class InSeries:
    slug: str


@dataclass(frozen=True, slots=True)
class Season:
    number: int


@dataclass(frozen=True, slots=True)
class Years:
    """Both ends included; None: open."""

    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True)
class Title:
    """The title contains these words, letter case aside."""

    words: str


@dataclass(frozen=True, slots=True)
class Words:
    """Full text: the episode's title and synopsis have all of these words, endings aside."""

    words: str


Clause: TypeAlias = Length | InSeries | Season | Years | Title | Words
KINDS: dict[type[Clause], str] = {
    Length: "length",
    InSeries: "series",
    Season: "season",
    Years: "year",
    Title: "title",
    Words: "words",
}


@dataclass(frozen=True, slots=True)
class Atom:
    """A character (None: any, or each, as the condition says) and an emotion."""

    character: str | None
    emotion: Emotion


@dataclass(frozen=True, slots=True)
class Shows:
    """Never, ever or always, in the whole episode. Without a character: nobody, somebody, everybody."""

    how: How
    atom: Atom


@dataclass(frozen=True, slots=True)
class ShareOf:
    """The share of the readable time; without a character: of that of the whole cast together."""

    of: Of
    atom: Atom
    op: Op
    percent: int


@dataclass(frozen=True, slots=True)
class Lasts:
    """The longest uninterrupted stretch. Without a character: somebody's for gt and ge, everybody's for lt and le."""

    of: Of
    atom: Atom
    op: Op
    ms: int


@dataclass(frozen=True, slots=True)
class MoreThan:
    """The atom's character shows the emotion for a larger share of the time than ``other``."""

    of: Of
    atom: Atom
    other: str


@dataclass(frozen=True, slots=True)
class Together:
    """A stretch of ``first`` beside one of ``second``.

    While: they overlap for OVERLAP_MS. Before, after: one ends before the other begins, at most ``ms`` apart; where
    ``ms`` is None, both in the scene that is found, or in the episode. Within: at most ``ms`` apart, in any order.
    An atom without a character is somebody other than the one of the other atom.
    """

    of: Of
    first: Atom
    relation: Relation
    second: Atom
    ms: int | None = None


Condition: TypeAlias = Shows | ShareOf | Lasts | MoreThan | Together
_CONDITIONS: tuple[type[Condition], ...] = (Shows, ShareOf, Lasts, MoreThan, Together)


@dataclass(frozen=True, slots=True)
class Query:
    """``clauses`` and ``where`` all hold; both are in canonical order, so that equal questions are equal queries.

    ``limits``: of whoever asks, no part of the question: neither said nor written as JSON.
    """

    target: Target
    order: Order = Order.MOST
    emotion: Emotion | None = None
    character: str | None = None
    clauses: tuple[Clause, ...] = ()
    where: tuple[Condition, ...] = ()
    limits: Limits = NO_LIMITS

    @property
    def finds_scenes(self) -> bool:
        return self.target in (Target.SCENES, Target.MOMENTS)

    @property
    def about_result(self) -> tuple[Condition, ...]:
        """Conditions that a scene must meet."""
        return tuple(c for c in self.where if scope(c) is Of.RESULT)

    @property
    def about_episode(self) -> tuple[Condition, ...]:
        """Conditions with three answers, met by the episode, or by the character where characters are looked for."""
        return tuple(c for c in self.where if scope(c) is Of.EPISODE)


def scope(condition: Condition) -> Of:
    return Of.EPISODE if isinstance(condition, Shows) else condition.of


def atoms_of(condition: Condition) -> tuple[Atom, ...]:
    match condition:
        case Together(_, first, _, second, _):
            return first, second
        case MoreThan(_, atom, other):
            return atom, Atom(other, atom.emotion)
        case _:
            return (condition.atom,)


def characters_of(query: Query) -> set[str]:
    """Slugs of everybody whom the query names."""
    named = {a.character for c in query.where for a in atoms_of(c)} | {query.character}
    return {slug for slug in named if slug is not None}


def canonical(clauses: Iterable[Clause]) -> tuple[Clause, ...]:
    """Without repetitions, in one order."""
    kinds = list(KINDS)
    return tuple(sorted(dict.fromkeys(clauses), key=lambda c: (kinds.index(type(c)), repr(c))))


def settled(query: Query) -> Query:
    """The same question in its one form. Raises QueryInvalid where it cannot be asked."""
    where = tuple(sorted(dict.fromkeys(query.where), key=lambda c: (_CONDITIONS.index(type(c)), repr(c))))
    query = replace(query, clauses=canonical(query.clauses), where=where)
    own = query.about_result if query.finds_scenes else query.about_episode
    if query.emotion is None and query.order is Order.MOST and query.character in {
        a.character for c in own for a in atoms_of(c)
    }:  # fmt: skip
        query = replace(query, character=None)  # whoever is in a condition is there anyway
    fault = _fault(query)
    if fault:
        raise QueryInvalid(fault)
    return query


def _fault(query: Query) -> str:
    """Why the query cannot be asked; empty where it can."""
    if len(query.where) > MOST_CONDITIONS or len(query.clauses) > MOST_CLAUSES:
        return f"A query has at most {MOST_CONDITIONS} conditions and {MOST_CLAUSES} clauses."
    if query.order is Order.LEAST and (query.emotion is None or query.finds_scenes):
        return "“least” ranks episodes and characters by an emotion"
    if query.order is Order.CALMEST and (query.emotion is not None or query.target is not Target.EPISODES):
        return "“calm” ranks episodes, and takes no emotion"
    if query.target is Target.CHARACTERS:
        return _characters_fault(query)
    if not query.finds_scenes and any(isinstance(c, Length) and c.of is Of.RESULT for c in query.clauses):
        return "only scenes and moments have a length of their own; of must be episode"
    if len({c for c in query.clauses if isinstance(c, InSeries)}) > 1:
        return "an episode is of one series"
    if query == Query(query.target):
        return "a query needs an emotion, a character, a condition or a clause"
    return next((f for c in query.where if (f := _condition_fault(query, c))), "")


def _characters_fault(query: Query) -> str:
    if query.character is not None or (query.emotion is None and not query.where):
        return "a question about characters names an emotion, and no character"
    if any(isinstance(c, MoreThan | Together) or c.atom.character is not None for c in query.where):
        return "a condition on characters is about each of them, and names none"
    if any(isinstance(c, Length) and c.of is Of.RESULT for c in query.clauses):
        return "only scenes and moments have a length of their own; of must be episode"
    return next((f for c in query.where if (f := _condition_fault(query, c))), "")


def _condition_fault(query: Query, condition: Condition) -> str:
    if scope(condition) is Of.RESULT:
        if not query.finds_scenes:
            return "only scenes and moments can meet a condition of their own; of must be episode"
        if isinstance(condition, ShareOf | Lasts) and condition.op not in (Op.GT, Op.GE):
            return "a scene is found for what shows in it for more than, or at least, so long"
    if isinstance(condition, ShareOf) and (condition.op, condition.percent) in NEVER_MET:
        return "no share is under 0 % or over 100 %; op or percent must be another"
    match condition:
        case MoreThan(_, atom, other) if atom.character is None or atom.character == other:
            return "“more than” compares two characters"
        case Together(_, first, relation, second, ms):
            if first == second:
                return f"“{relation}” needs two different things"
            if (relation is Relation.WITHIN and ms is None) or (relation is Relation.WHILE and ms is not None):
                return "“within” needs a time, and “while” takes none"
    return ""


def plain_text(text: str) -> str:
    """Words of a title as a question in quotation marks gives them. Raises QueryInvalid where none would."""
    for _ in range(3):
        text = unicodedata.normalize("NFKC", text).strip().casefold()
    if not 0 < len(text) <= MOST_TEXT or set(text) & set('"“”\x00'):
        raise QueryInvalid(f"words must be a text of 1 to {MOST_TEXT} characters without quotation marks.")
    return text
