"""Korean questions: ``lexicons/ko.json`` says them in the words of the English grammar, and queries in Korean. Pure.

Korean puts endings on names (Tom-i), measures before what they compare (8 minutes under), and two negations where
English has one (never angry not). So words are taken from their endings, phrases turned round, and then the one grammar
reads them; what it means is decided in one place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from analysis.search.lexicon import LEXICON_VERSION, Registry, Token, match_quoted, starts_with, tokens_of
from analysis.search.parse import Parsed, parse
from analysis.search.query import How, Length, Of, Op, Order, Query, Relation, Shows, Target, Together
from analysis.search.refusals import Refusal, not_understood
from ml.types import EMOTIONS

_MEASURED = re.compile(r"(\d+(?:\.\d+)?)(시간|분|초)(.*)")
_YEAR = re.compile(r"(\d{4})년도?(?:에|의)?\Z")
_HANGUL = re.compile(r"[가-힣]")


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    path = Path(__file__).with_name("lexicons") / "ko.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if data["version"] != LEXICON_VERSION:
        raise ValueError(f"{path.name} is of version {data['version']!r}; this reads version {LEXICON_VERSION}.")
    return data


@lru_cache(maxsize=1)
def _phrases() -> list[tuple[tuple[str, ...], str]]:
    """Korean words -> the English one, the longest first."""
    found = [(tuple(phrase.split()), word) for word, phrases in _data()["means"].items() for phrase in phrases]
    return sorted(found, key=lambda item: -len(item[0]))


def is_korean(text: str, registry: Registry) -> bool:
    """Whether words that are no names, nor in quotation marks, are in Hangul."""
    return any(
        _HANGUL.search(t.norm) and not t.quoted and _name(t, registry) is None and t.norm for t in tokens_of(text)
    )


def parse_korean(text: str, registry: Registry) -> Parsed:
    """As ``parse``, and refused where a Korean word cannot be used; it is said as it was written."""
    tokens = tokens_of(text)
    refused = next((t for t in tokens if not t.quoted and t.norm in _data()["unsupported"]), None)
    if refused is not None:
        return Parsed(None, (refused.said,), _in_korean(not_understood(f"“{refused.said}”", refused.said), registry))
    english, fault = _english(tokens, registry)
    if fault is not None:
        return Parsed(None, fault.words, fault)
    parsed = parse(english, registry)
    left = next((word for word in parsed.unused if _HANGUL.search(word)), None)
    if parsed.refusal is None and left is not None:  # an ending may turn the question round, so nothing is left out
        return Parsed(None, parsed.unused, _in_korean(not_understood(f"“{left}”", left), registry))
    if parsed.refusal is None:
        return parsed
    return Parsed(None, parsed.unused, _in_korean(parsed.refusal, registry))


def _english(tokens: Sequence[Token], registry: Registry) -> tuple[str, Refusal | None]:
    """The question in the words of the English grammar; or why it has no one meaning."""
    reader = _Reader(tokens, registry)
    while reader.at < len(tokens):
        measured = _length(tokens, reader.at)
        if measured is None:
            reader.step()
        elif (fault := reader.length(*measured)) is not None:
            return "", fault
    if len(reader.nouns) > 1:
        said = " ".join(t.said for t in tokens)
        return "", _in_korean(not_understood(f"“{said}”", said), registry)
    return " ".join(word for word in reader.out if word), None


@dataclass(slots=True)
class _Reader:
    """``subject``: somebody, or nobody, was said to do what comes next; ``lasting``: for how long, once that comes."""

    tokens: Sequence[Token]
    registry: Registry
    at: int = 0
    out: list[str] = field(default_factory=list)
    nouns: set[str] = field(default_factory=set)
    nobody: bool = False
    subject: bool = False
    lasting: str = ""

    def step(self) -> None:
        """A word that is no length."""
        token = self.tokens[self.at]
        name = _name(token, self.registry)
        found = None if token.quoted or name is not None else _word(self.tokens, self.at)
        if found is not None:
            self._word(*found)
            return
        if token.norm in _data()["without"] and self.out and self.out[-1] in EMOTIONS:
            self.out.insert(len(self.out) - 1, "without")
        else:
            year = _YEAR.match(token.norm)
            said = f'"{name or token.said}"' if name or token.quoted else token.said
            self.out.append(f"from {year.group(1)}" if year else said)
        self.at += 1
        particles = tuple(_data()["subject_particles"])
        self.subject = self.subject or (name is not None and token.norm != name and token.norm.endswith(particles))

    def _word(self, word: str, used: int) -> None:
        if word in _data()["echo"]["targets"]:
            self.nouns.add(word)
            self.subject = False
        if word == "nobody":
            self.nobody = self.subject = True
        elif word == "not" and self.nobody:
            self.nobody, word = False, ""  # nobody is not: nobody is
        self.out.append(word)
        if word in EMOTIONS:
            self.out += [self.lasting] if self.lasting else []
            self.subject, self.lasting = False, ""
        self.at += used

    def length(self, english: str | None, used: int, attributive: bool) -> Refusal | None:
        """Of what is found; of a feeling where somebody is said to have it. Else it may be either."""
        said = " ".join(t.said for t in self.tokens[self.at : self.at + used])
        if english is None:
            return _in_korean(not_understood(f"“{said}”", said), self.registry)
        after = _word(self.tokens, self.at + used)
        if attributive and self.subject and after is not None and after[0] in EMOTIONS:
            return _length_or_lasting(said)
        if not attributive and self._feels(self.at + used):
            if not self.subject:
                return _length_or_lasting(said)
            self.lasting = f"for {english}"
        else:
            self.out.append(english)
        self.at += used
        return None

    def _feels(self, at: int) -> bool:
        """Whether what comes next, names aside, is a feeling; not one that is lacking, nor the most of it."""
        while at < len(self.tokens):
            if _name(self.tokens[at], self.registry) is not None:
                at += 1
                continue
            word, used = _word(self.tokens, at) or (None, 1)
            at += used
            if word in EMOTIONS:
                return at >= len(self.tokens) or self.tokens[at].norm not in _data()["without"]
            if word not in ("", "ever", "always", "mostly", "nobody"):
                return False
        return False


def _length_or_lasting(said: str) -> Refusal:
    return Refusal("not_understood", _data()["refusals"]["length_or_lasting"].format(said), (said,))


def _stems(word: str) -> list[str]:
    """The word, and what is left of it without an ending, the longest ending first."""
    endings = sorted(_data()["particles"], key=len, reverse=True)
    return [word, *(word[: -len(e)] for e in endings if word.endswith(e) and len(word) > len(e))]


def _name(token: Token, registry: Registry) -> str | None:
    """What names a character, or a series, without its ending."""
    if token.quoted:
        return None
    known = (registry.characters, registry.series)
    return next((stem for stem in _stems(token.norm) if any(match_quoted(stem, names) for names in known)), None)


def _word(tokens: Sequence[Token], at: int) -> tuple[str, int] | None:
    """The English word for what begins at ``at``, and its tokens."""
    if at >= len(tokens):
        return None
    for phrase, word in _phrases():
        if starts_with(tokens, at, phrase):
            return word, len(phrase)
    for stem in _stems(tokens[at].norm)[1:]:
        for phrase, word in _phrases():
            if phrase == (stem,):
                return word, 1
    return None


def _length(tokens: Sequence[Token], at: int) -> tuple[str | None, int, bool] | None:
    """``8분 미만``: ("under 8 minutes", tokens, whether it can only be said of a noun); None first where a time is not
    compared.
    """
    parts, end, rest = [], at, ""
    while end < len(tokens) and not rest and (match := _MEASURED.fullmatch(tokens[end].norm)):
        number, unit, rest = match.groups()
        parts.append(f"{number} {_data()['units'][unit]}")
        end += 1
    if not parts:
        return None
    for english, phrases in _data()["length"].items():
        for phrase in phrases:
            words, noun = phrase.split(), phrase.endswith(("의", "은", "긴", "는"))
            if rest and rest == words[0] and starts_with(tokens, end, words[1:]):
                return f"{english} {' '.join(parts)}", end + len(words) - 1 - at, noun
            if not rest and starts_with(tokens, end, words):
                return f"{english} {' '.join(parts)}", end + len(words) - at, noun
    return None, end - at, False


def _in_korean(refusal: Refusal, registry: Registry) -> Refusal:
    """The same reason in Korean, where there are words for it."""
    said = _data()["refusals"].get(refusal.code)
    if said is None:
        return refusal
    if refusal.code == "not_understood" and not refusal.words:
        said = _data()["refusals"]["unclear"]
    names = [c.name for slug in refusal.nearest if (c := registry.character(slug)) is not None]
    offer = _data()["refusals"]["nearest"].format(", ".join(names)) if names else ""
    word = refusal.words[0] if refusal.words else refusal.message
    return Refusal(refusal.code, said.format(word, offer), refusal.words, refusal.nearest)


def echo_korean(query: Query, registry: Registry) -> str | None:
    """The query as a Korean sentence that means it; None where Korean has no words for a part of it."""
    sentence = _sentence(query, registry)
    return sentence if sentence is not None and parse_korean(sentence, registry).query == query else None


def _sentence(query: Query, registry: Registry) -> str | None:
    said = _data()["echo"]
    parts: list[str | None] = [_condition(c, registry) for c in query.where]
    for clause in query.clauses:
        parts.append(_length_words(clause) if isinstance(clause, Length) and clause.of is _own(query) else None)
    if query.order is Order.CALMEST:
        parts.append("가장 차분한")
    if query.emotion is not None:
        parts.append(f"{'가장 덜' if query.order is Order.LEAST else '가장'} {said['emotions'][query.emotion]}")
    if query.character is not None:
        parts.append(_called(query.character, registry))
    parts.append(said["targets"][query.target])
    return None if None in parts else " ".join(p for p in parts if p)


def _own(query: Query) -> Of:
    return Of.RESULT if query.target in (Target.SCENES, Target.MOMENTS) else Of.EPISODE


def _condition(condition: object, registry: Registry) -> str | None:
    said = _data()["echo"]
    match condition:
        case Shows(How.NEVER, atom):
            who = "아무도" if atom.character is None else f"{_subject(atom.character, registry)} 절대"
            return f"{who} {said['negated'][atom.emotion]} 않는"
        case Shows(How.ALWAYS, atom) if atom.character is not None:
            return f"{_subject(atom.character, registry)} 항상 {said['emotions'][atom.emotion]}"
        case Together(_, first, Relation.WHILE, second) if first.character and second.character:
            one, two = (
                f"{_subject(a.character or '', registry)} {said['emotions'][a.emotion]}" for a in (first, second)
            )
            return f"{one} 동안 {two}"
    return None


def _length_words(clause: Length) -> str | None:
    op = {Op.LT: "미만", Op.LE: "이하", Op.GT: "초과", Op.GE: "이상"}[clause.op]
    for unit, ms in (("분", 60_000), ("초", 1_000)):
        if clause.ms % ms == 0:
            return f"{clause.ms // ms}{unit} {op}의"
    return None


def _subject(slug: str, registry: Registry) -> str:
    """The name with the ending of a subject, which depends on whether its last syllable ends in a consonant."""
    name = _called(slug, registry)
    if not _HANGUL.match(name[-1]):
        return name
    return name + ("이" if (ord(name[-1]) - ord("가")) % 28 else "가")


def _called(slug: str, registry: Registry) -> str:
    named = registry.character(slug)
    spoken = [n for n in (named.aliases if named else ()) if _HANGUL.search(n)]
    name = spoken[0] if spoken else named.name if named else slug
    return name if " " not in name and match_quoted(name, registry.characters) else f'"{slug}"'
