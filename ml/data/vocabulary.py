"""Words that label sets use for emotions, and the canonical emotion of each: one explicit table. Needs no numpy.

Sources of the words: FERG-DB (anger, disgust, fear, joy, neutral, sadness, surprise); Hill 2017 (happy, angry,
surprise, sad, fear, disgust); Jain et al. 2021 (happy, sad, angry, surprise); Wang and Zhang (angry, crying,
embarrassed, happy, pleased, sad, shock); the Korean words of the Inside Out project and of AI Hub's set of emotions.
A word with None is an emotion that none of the seven stands for: it stays unmapped, and whoever reads is told once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ml.types import Emotion

_WORDS: Mapping[Emotion, str] = {
    Emotion.HAPPY: "happy happiness joy joyful pleased glad cheerful delight delighted smile smiling 기쁨 행복 즐거움",
    Emotion.SAD: "sad sadness crying cry sorrow unhappy unhappiness tearful 슬픔 우울",
    Emotion.ANGRY: "angry anger rage furious mad 분노 화남 버럭",
    Emotion.SURPRISED: "surprise surprised surprising shock shocked astonished astonishment amazed 놀람 놀라움",
    Emotion.SCARED: "fear fearful scared afraid frightened fright terrified terror 공포 두려움 소심",
    Emotion.DISGUSTED: "disgust disgusted 혐오 까칠",
    Emotion.NEUTRAL: "neutral calm 중립 무표정",
}
_WITHOUT = "embarrassed embarrassment contempt contemptuous confused bored anxious anxiety tired 당황 상처 불안"

TABLE: Mapping[str, Emotion | None] = {
    **{word: emotion for emotion, words in _WORDS.items() for word in words.split()},
    **dict.fromkeys(_WITHOUT.split()),
}
# Classes that say that there is a face and nothing about it.
_ANYBODY = frozenset({"face", "faces", "head", "heads", "object", "objects", "cartoon", "character", "characters"})


@dataclass(frozen=True, slots=True)
class Words:
    """``mapping``: each word of a data set that has a canonical emotion; ``unmapped``: the others, sorted, once."""

    mapping: Mapping[str, Emotion]
    unmapped: tuple[str, ...]


def canonical(word: str, overrides: Mapping[str, Emotion] | None = None) -> Emotion | None:
    """The canonical emotion of a label's own word, None where none of the seven stands for it.

    Case, spaces around, a plural s and the word "face" behind it do not matter. ``overrides``: words that mean
    something else in this bundle (``Bundle.emotion_mapping`` fits); they are looked up first.
    """
    plain = plain_word(word)
    for own, emotion in (overrides or {}).items():
        if own == word or plain_word(own) == plain:
            return emotion
    return TABLE.get(_known(plain) or "")


def is_emotion(word: str) -> bool:
    """Whether the table knows the word, with a canonical emotion or without."""
    return _known(plain_word(word)) is not None


def map_words(words: Iterable[str], overrides: Mapping[str, Emotion] | None = None) -> Words:
    found = {word: canonical(word, overrides) for word in sorted(set(words))}
    return Words({w: e for w, e in found.items() if e is not None}, tuple(w for w, e in found.items() if e is None))


def character_and_emotion(name: str, classes: str = "auto") -> tuple[str | None, str | None]:
    """What the name of a class says: ("Tom", None), (None, "happy") or ("jerry", "happy") for "happy_jerry".

    ``classes``: "character" or "emotion" where every class is one; it must be said where characters are called Joy or
    Sadness. A class such as "face" says neither.
    """
    name = name.strip()
    if not name:
        return None, None
    if classes == "character":
        return name, None
    if classes == "emotion":
        return None, name
    if plain_word(name) in _ANYBODY:
        return None, None
    if is_emotion(name):
        return None, name
    parts = [p for p in re.split(r"[\s_\-/|:]+", name) if p]
    emotional = [p for p in parts if is_emotion(p)]
    if len(parts) > 1 and len(emotional) == 1 and emotional[0] in (parts[0], parts[-1]):
        rest = [p for p in parts if p != emotional[0] and p.lower() not in _ANYBODY]
        return " ".join(rest) or None, emotional[0]
    return name, None


def plain_word(word: str) -> str:
    text = unicodedata.normalize("NFKC", word).casefold().replace("_", " ").replace("-", " ")
    return " ".join(text.split()).removesuffix(" face").removesuffix(" faces")


def _known(plain: str) -> str | None:
    for form in (plain, plain.removesuffix("s"), plain.removesuffix("es")):
        if form in TABLE:
            return form
    return None
