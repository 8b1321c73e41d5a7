"""Names as they can be kept, shown, compared and put into addresses. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata

SLUG_LENGTH = 120
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"  # needed inside emoji and some scripts; harmless when shown


def plain_text(raw: str) -> str:
    """``raw`` as one line of NFC text that a database can hold: no control, format or broken characters.

    Never raises. Joiners inside emoji stay; a byte that was no UTF-8 becomes U+FFFD.
    """
    text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if _broken(raw) else raw
    kept = (c if c in _JOINERS or unicodedata.category(c) not in _UNSEEN else _in_place_of(c) for c in text)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def _in_place_of(c: str) -> str:
    return " " if c.isspace() or unicodedata.category(c) in ("Cc", "Zl", "Zp") else ""


def _broken(raw: str) -> bool:
    """Whether ``raw`` came from bytes that are no UTF-8 (lone surrogates U+DC80 to U+DCFF, as the os module makes)."""
    surrogates = [c for c in raw if "\ud800" <= c <= "\udfff"]
    return bool(surrogates) and all("\udc80" <= c <= "\udcff" for c in surrogates)


def shown(name: str) -> str:
    """A file's name or path on one line, quoted, that no terminal or page misreads: what cannot be seen is escaped."""
    safe = "".join(
        c if c.isprintable() or c in _JOINERS else c.encode("unicode_escape", "backslashreplace").decode() for c in name
    )
    return f"“{safe}”"


def slug_of(text: str, length: int = SLUG_LENGTH) -> str:
    """Letters, digits and dashes, equal for spellings that differ in case, width or punctuation only; never empty.

    Where letters' marks, symbols or length were lost, a few digits of a digest keep different texts apart.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain_text(text)).casefold())
    slug = re.sub(r"[\W_]+", "-", re.sub(r"['’`]", "", folded)).strip("-")
    lost = any(unicodedata.category(c) in _DISTINCT and not re.match(r"\w", c) for c in folded)
    if slug and not lost and len(slug) <= length:
        return slug
    mark = hashlib.sha256(folded.encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return f"{slug[: length - 9].strip('-')}-{mark}".strip("-")


_DISTINCT = frozenset({"Mn", "Mc", "So", "Sm", "Sc"})


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """For sorting names as people do: ``part 2`` before ``part 10``."""
    pieces = re.split(r"([0-9]{1,18})", unicodedata.normalize("NFC", name).casefold())
    return (*((0, int(p), "") if p.isdigit() and p.isascii() else (1, 0, p) for p in pieces), (2, 0, name))
