"""The words of a label in the fields that people give them, and the notes that make writing lossless.

An attribute is text. A value that is none (a checkbox, a list) is kept as JSON under ``json:NAME``. What a format
cannot say of a face stands in one field, ``toonemo``, as JSON: the box where it is not that of the outline, the mask,
and which regions are parts of one face. What it says counts only while the drawn shape is still the one it was
written for, so that an edit in another program wins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ml.data.reading import Bad

CHARACTER = "Character"
EMOTION = "Emotion"
EXTRAS = "toonemo"
JSON = "json:"
_CHARACTER_KEYS = ("character", "characters", "charactername", "name", "who", "person", "캐릭터")
_EMOTION_KEYS = ("emotion", "emotions", "emotionlabel", "expression", "expressions", "facialexpression", "mood", "감정")
_NOTHING = ("", "undefined")


def take_words(values: Mapping[str, Any]) -> tuple[str | None, str | None, dict[str, str], list[str]]:
    """Character, emotion, everything else as attributes, and notes on what is doubtful. Raises Bad.

    ``Character`` and ``Emotion`` spelled so win over every other spelling.
    """
    notes: list[str] = []
    found: dict[str, str | None] = {}
    used: set[str] = set()
    for exact, keys in ((CHARACTER, _CHARACTER_KEYS), (EMOTION, _EMOTION_KEYS)):
        key = _find(values, exact, keys)
        if key is None:
            continue
        word, doubt = _word(values[key], key)
        found[exact] = word
        notes += doubt
        if not doubt:
            used.add(key)
    rest = {k: v for k, v in values.items() if k not in used and k != EXTRAS}
    return found.get(CHARACTER), found.get(EMOTION), texts(rest), notes


def give_words(character: str | None, emotion: str | None, attributes: Mapping[str, str]) -> dict[str, Any]:
    """The other way round: the fields to write, which ``take_words`` reads as the same."""
    values = values_of(attributes)
    head: dict[str, Any] = {}
    if character is not None or _find(values, CHARACTER, _CHARACTER_KEYS) is not None:
        head[CHARACTER] = character or ""
    if emotion is not None or _find(values, EMOTION, _EMOTION_KEYS) is not None:
        head[EMOTION] = emotion or ""
    return {**head, **values}


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {k if isinstance(v, str) else JSON + k: v if isinstance(v, str) else dump(v) for k, v in values.items()}


def values_of(attributes: Mapping[str, str], skip: tuple[str, ...] = ()) -> dict[str, Any]:
    """Attributes as JSON values; those with a prefix in ``skip`` are somebody else's."""
    found: dict[str, Any] = {}
    for key, text in attributes.items():
        if skip and key.startswith(skip):
            continue
        if key.startswith(JSON):
            found[key.removeprefix(JSON)] = json.loads(text)
        else:
            found[key] = text
    return found


def dump(value: Any) -> str:
    """Raises Bad for what no JSON can hold."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise Bad("an attribute holds a number that is not finite, or is nested too deeply") from error


def extras_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a former writing of ours left in the field ``toonemo``; nothing where somebody changed it into no JSON."""
    text = values.get(EXTRAS)
    if isinstance(text, dict):
        return text
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _find(values: Mapping[str, Any], exact: str, keys: tuple[str, ...]) -> str | None:
    if exact in values:
        return exact
    plain = {re.sub(r"[\s_\-]", "", key).casefold(): key for key in reversed(list(values))}
    return next((plain[key] for key in keys if key in plain), None)


def _word(value: Any, key: str) -> tuple[str | None, list[str]]:
    """The text of a field; of a checkbox the one that is ticked."""
    if isinstance(value, dict):
        ticked = [k for k, on in value.items() if on is True or on == "true"]
        if len(ticked) > 1:
            return None, [f"{key} names several: {', '.join(ticked[:5])}"]
        value = ticked[0] if ticked else ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None:
        return None, []
    if not isinstance(value, str):
        raise Bad(f"{key} is no text")
    text = value.strip()
    if len(text) > 200:
        raise Bad(f"{key} has more than 200 characters")
    return (None if text.lower() in _NOTHING else text), []
