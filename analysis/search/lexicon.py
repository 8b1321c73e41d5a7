"""The words that search knows (``lexicons/en.json``) and the names that it is given, both found despite a typo."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

LEXICON_VERSION = 2
LEAST_TYPO_LETTERS = 5
_TOKEN = re.compile(
    r'"([^"]*)"|“([^”]*)”|('
    r"\d+(?:[.,]\d+)+|(?<![^\s(<>=])[.,]\d+|[^\W_]+(?:['’][^\W_]+)*|<=|>=|[<>%≤≥]"
    r"|(?<![^\W\d_])[-–](?=\s*[.,]?\d)"  # a number below zero, a range; but not "season-2"
    r"|(?<=\d)\s*[—/:](?=\s*\d)"  # 5/8, 1:30
    r"|(?<![^\s(])[-–](?=[^\W_]|[\"“])"  # -Jerry: without Jerry
    r"|!(?==)|(?<![^\W_])!+(?=[^\W_]|[\"“])"  # != and !happy; but not "happy!"
    r")|([^\w\s])"
)
_MEANING_SIGNS = frozenset("−¬≠~≈±×÷⁄")
_EMPTY_SIGNS = frozenset("&+`´^")  # and all punctuation: left out, since they change no meaning


@dataclass(frozen=True, slots=True)
class Token:
    """``norm``: for comparing; ``said``: as the person wrote it; ``quoted``: the text between quotation marks."""

    norm: str
    said: str
    quoted: bool = False
    possessive: bool = False

    @property
    def sign(self) -> bool:
        """Whether it is a minus, a "not" or the like, which would change the meaning if it were left out."""
        return not self.quoted and (self.norm[0] in _MEANING_SIGNS or self.norm.strip("-–—/:!") == "")

    @property
    def capital(self) -> bool:
        return self.said[:1].isupper() and not self.said.isupper()


def tokens_of(text: str) -> list[Token]:
    """Words, numbers, signs and quoted texts; left out is punctuation that changes no meaning. Never raises."""
    found = []
    for match in _TOKEN.finditer(unicodedata.normalize("NFKC", text)):
        quoted = match.group(1) if match.group(1) is not None else match.group(2)
        if quoted is not None:
            if quoted.strip():
                found.append(Token(quoted.strip().casefold(), quoted.strip(), quoted=True))
            continue
        said = (match.group(3) or match.group(4)).strip()
        if match.group(3) is None and (said in _EMPTY_SIGNS or unicodedata.category(said)[0] not in "S"):
            continue
        norm = said.casefold().replace("’", "'").replace("≤", "<=").replace("≥", ">=")
        possessive = norm.endswith("'s") and len(norm) > 2
        found.append(Token(norm[:-2] if possessive else norm, said, possessive=possessive))
    return found


def words_of(text: str) -> tuple[str, ...]:
    """A name as the words that a person would type, quotation marks set aside."""
    return tuple(t.norm for t in tokens_of(re.sub('["“”]', " ", text)))


@dataclass(frozen=True, slots=True)
class Named:
    """A character or a series of the catalogue."""

    slug: str
    name: str
    aliases: tuple[str, ...] = ()

    def spellings(self) -> list[tuple[str, ...]]:
        """As words, with the signs in a name and without."""
        return _spellings(self)


@lru_cache(maxsize=50_000)
def _spellings(named: Named) -> list[tuple[str, ...]]:
    full = [words_of(s) for s in (named.name, *named.aliases, named.slug)]
    bare = [tuple(w for w in words if any(c.isalnum() for c in w)) for words in full]
    return [w for w in dict.fromkeys([*full, *bare]) if w]


Placed = tuple[int, tuple[str, ...]]  # the place of a name among all, and one of its spellings


class Names(tuple[Named, ...]):
    """A tuple of names, each found by how it begins: a word is compared with few of them, however many there are."""

    @cached_property
    def by_slug(self) -> dict[str, Named]:
        return {entry.slug: entry for entry in reversed(self)}

    @cached_property
    def by_folded_slug(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = defaultdict(list)
        for entry in self:
            found[entry.slug.casefold()].append(entry.slug)
        return {folded: tuple(slugs) for folded, slugs in found.items()}

    @cached_property
    def _by_word(self) -> dict[str, list[Placed]]:
        found: dict[str, list[Placed]] = defaultdict(list)
        for place, entry in enumerate(self):
            for spelling in entry.spellings():
                found[spelling[0]].append((place, spelling))
        return dict(found)

    @cached_property
    def _words(self) -> dict[tuple[str, int], list[str]]:
        """By first letter and length: what a typo leaves alone, and changes by one at most."""
        found: dict[tuple[str, int], list[str]] = defaultdict(list)
        for word in self._by_word:
            found[word[0], len(word)].append(word)
        return dict(found)

    def beginning(self, word: str, typos: bool) -> list[Placed]:
        """Spellings whose first word is this one, in the order of the names."""
        words = [word]
        if typos and word:
            near = (w for n in (-1, 0, 1) for w in self._words.get((word[0], len(word) + n), ()))
            words += [w for w in near if one_typo(word, w)]
        return sorted(placed for w in words for placed in self._by_word.get(w, ()))


@dataclass(frozen=True, slots=True)
class Registry:
    """``has_text``: whether the title or synopsis of some episode has a word."""

    characters: tuple[Named, ...] = ()
    series: tuple[Named, ...] = ()
    has_text: Callable[[str], bool] = field(default=lambda word: False, compare=False)

    def character(self, slug: str) -> Named | None:
        return _names(self.characters).by_slug.get(slug)

    def series_named(self, slug: str) -> Named | None:
        return _names(self.series).by_slug.get(slug)


def _names(known: tuple[Named, ...]) -> Names:
    return known if isinstance(known, Names) else Names(known)


@lru_cache(maxsize=1)
def lexicon() -> dict[str, Any]:
    path = Path(__file__).with_name("lexicons") / "en.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if data["version"] != LEXICON_VERSION:
        raise ValueError(f"{path.name} is of version {data['version']!r}; this reads version {LEXICON_VERSION}.")
    return data


@lru_cache(maxsize=1)
def _entries() -> dict[tuple[str, ...], tuple[str, str]]:
    """Words and phrases -> (kind, value): ("target", "scenes"), ("emotion", "happy"), ("how", "never")...

    Later kinds win where a word is in several.
    """
    data = lexicon()
    found: list[tuple[str, tuple[str, str]]] = [(word, ("filler", word)) for word in data["filler"]]
    found += [(word, ("filler", word)) for word in data["of_the_time"]]
    for kind, groups in (
        ("unsupported", data["unsupported"]),
        ("clause", data["clauses"]),
        ("how", data["how"]),
        ("subject", data["subjects"]),
        ("relation", data["relations"]),
        ("comparison", data["comparisons"]),
        ("target", data["targets"]),
        ("emotion", {emotion: entry["words"] for emotion, entry in data["emotions"].items()}),
    ):
        found += [(word, (kind, group)) for group, words in groups.items() for word in words]
    for kind in (
        "intensifiers",
        "absence",
        "few",
        "beyond",
        "without",
        "free",
        "negations",
        "joints",
        "boundaries",
        "audience",
    ):
        found += [(word, (kind, word)) for word in data[kind]]
    found += [(word, ("order", order)) for order in ("most", "least", "calmest") for word in data[order]]
    return {tuple(word.split()): meaning for word, meaning in found}


@lru_cache(maxsize=1)
def meanings() -> dict[str, tuple[str, str]]:
    """What single words mean."""
    return {words[0]: meaning for words, meaning in _entries().items() if len(words) == 1}


@lru_cache(maxsize=1)
def _phrases() -> dict[str, list[tuple[tuple[str, ...], tuple[str, str]]]]:
    """Of two words and more, by the first of them; the longest first."""
    found: dict[str, list[tuple[tuple[str, ...], tuple[str, str]]]] = defaultdict(list)
    for words, meaning in sorted(_entries().items(), key=lambda item: -len(item[0])):
        if len(words) > 1:
            found[words[0]].append((words, meaning))
    return dict(found)


def phrase_at(tokens: Sequence[Token], at: int) -> tuple[tuple[str, str], int] | None:
    """The meaning of the longest phrase that begins at ``at``, and its tokens."""
    for words, meaning in _phrases().get(tokens[at].norm, ()) if at < len(tokens) else ():
        if starts_with(tokens, at, words):
            return meaning, len(words)
    return None


def starts_with(tokens: Sequence[Token], at: int, words: Sequence[str]) -> bool:
    here = tokens[at : at + len(words)]
    return len(here) == len(words) and all(t.norm == w and not t.quoted for t, w in zip(here, words, strict=True))


@lru_cache(maxsize=2048)
def meaning_of(word: str) -> tuple[str, str] | None:
    """The meaning of a word of the lexicon, one typo forgiven from five letters on; None where there is none or where
    the typo could stand for words of different meanings."""
    known = meanings()
    if word in known:
        return known[word]
    near = {meaning for other, meaning in known.items() if meaning[0] != "filler" and one_typo(word, other)}
    return near.pop() if len(near) == 1 else None


@lru_cache(maxsize=1)
def _real_words() -> frozenset[str]:
    return frozenset(lexicon()["not_typos"])


def one_typo(typed: str, word: str) -> bool:
    """Whether one letter added, left out, changed or swapped with its neighbour makes ``typed`` of ``word``.

    ``word`` has at least five letters, and its first one is right: Jerry is not merry. Digits are never a typo, nor are
    words that mean something else (a fight is no fright).
    """
    if len(word) < LEAST_TYPO_LETTERS or abs(len(typed) - len(word)) > 1 or typed == word or not typed.isalpha():
        return False
    if typed[0] != word[0]:
        return False
    if typed in _real_words():
        return False
    start = next((i for i, (a, b) in enumerate(zip(typed, word, strict=False)) if a != b), min(len(typed), len(word)))
    a, b = typed[start:], word[start:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (len(a) > 1 and a[0] == b[1] and a[1] == b[0] and a[2:] == b[2:])
    return a[1:] == b if len(a) > len(b) else a == b[1:]


@dataclass(frozen=True, slots=True)
class NameMatch:
    slugs: tuple[str, ...]  # more than one: the name is ambiguous
    length: int  # tokens


def match_name(tokens: Sequence[Token], at: int, named: tuple[Named, ...], typos: bool) -> NameMatch | None:
    """The longest name that begins at ``at``; an exact one before one with a typo."""
    names = _names(named)
    slugs: dict[int, list[str]] = {}
    for place, spelling in names.beginning(tokens[at].norm, typos):
        here = tokens[at : at + len(spelling)]
        if len(here) < len(spelling) or any(t.quoted for t in here):
            continue
        if all(t.norm == w or (typos and one_typo(t.norm, w)) for t, w in zip(here, spelling, strict=True)):
            slug = names[place].slug
            if slug not in slugs.setdefault(len(spelling), []):
                slugs[len(spelling)].append(slug)
    if not slugs:
        return None
    longest = max(slugs)
    return NameMatch(tuple(slugs[longest]), longest)


def match_quoted(text: str, named: tuple[Named, ...]) -> NameMatch | None:
    """A quoted text: the slug itself before a name or alias."""
    names = _names(named)
    if slugs := names.by_folded_slug.get(text.casefold()):
        return NameMatch(slugs, 1)
    words = words_of(text)
    placed = names.beginning(words[0], typos=False) if words else []
    found = dict.fromkeys(names[place].slug for place, spelling in placed if spelling == words)
    return NameMatch(tuple(found), 1) if found else None
