"""Names as plain text, and times as subtitles write them."""

from __future__ import annotations

import re
import unicodedata

# Characters that turn the direction of all text after them; a name has no use for them.
_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
ISOLATE, END_ISOLATE = "\u2068", "\u2069"


def plain(text: str) -> str:
    """One line without control characters; any script stays as it is. May be empty."""
    kept = "".join(_kept(c) for c in text)
    return re.sub(r"\s+", " ", kept).strip()


def _kept(character: str) -> str:
    if character in _TURNS or unicodedata.category(character) == "Cs":
        return ""
    return " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character


def isolated(name: str) -> str:
    """A name that is written from right to left, kept apart so that what follows it stays behind it."""
    if any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in name):
        return f"{ISOLATE}{name}{END_ISOLATE}"
    return name


def timestamp(ms: int, point: str) -> str:
    """``01:02:03.004``: hours have two digits, or as many as they need. ``point`` stands before the milliseconds."""
    seconds, rest = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{rest:03d}"
