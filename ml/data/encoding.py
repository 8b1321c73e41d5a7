"""In which encoding a file of labels is written: as its first bytes show, else as its XML declaration says, else UTF-8.

The first bytes are those of appendix F of XML 1.0 (www.w3.org/TR/xml): a byte order mark, or a zero beside the first
character. Only encodings of whole texts that people write are read, none that hide text in other text (UTF-7, IDNA).
"""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_DECLARED = re.compile(r"<\?xml[^<>]{0,200}?\sencoding\s*=\s*[\"']([^\"'<>]{0,100})[\"']")
_READ = re.compile(
    r"utf-8(-sig)?|ascii|iso8859-\d+|cp\d+|koi8-\w|mac-\w+|tis-620|gb2312|gbk|gb18030|big5\w*|shift_jis\w*|euc_\w+|johab"
)
_ONE_BYTE = re.compile(r"iso8859-\d+|cp125\d")
_WIDE = ("utf-16", "utf-32", "ucs-2", "ucs-4", "iso-10646-ucs-2", "iso-10646-ucs-4")


class EncodingUnknown(ValueError):
    """The XML declaration names an encoding that is not read."""


def encoding_of(raw: bytes) -> tuple[str, str]:
    """The encoding to decode a whole file with, and what somebody should know about it. Raises EncodingUnknown.

    Where the bytes show that the declaration is wrong, they count: a byte order mark, a text that can be no UTF-16
    because its declaration was read byte by byte, or UTF-8 that calls itself an encoding of one byte per character.
    """
    found = next((name for mark, name in _MARKS if raw.startswith(mark)), None)
    if found is None and raw[:1] != raw[1:2] and b"\0" in raw[:2]:
        found = "utf-16-be" if raw[:1] == b"\0" else "utf-16-le"
    head = _DECLARED.match(raw[:2048].decode(found or "utf-8", "replace"))
    if head is None:
        return found or "utf-8", ""
    declared = head[1]
    if found:
        family = found.removesuffix("-sig").removesuffix("-le").removesuffix("-be")
        agrees = _is_wide(declared) if family != "utf-8" else _codec(declared) in ("utf-8", "ascii")
        return found, "" if agrees else f"the declaration says {declared}, but the text is {family}"
    if _is_wide(declared):
        return "utf-8", f"the declaration says {declared}, but the text is utf-8"
    codec = _codec(declared)
    if codec is None:
        raise EncodingUnknown(f"the encoding {declared!r} is not known")
    if _ONE_BYTE.fullmatch(codec) and not raw.isascii() and _is_utf8(raw):
        return "utf-8", f"the declaration says {declared}, but the text is utf-8"
    return codec, ""


def text_of(raw: bytes) -> str:
    """The beginning of a file as text, well enough to tell what it is."""
    try:
        encoding, _ = encoding_of(raw)
    except EncodingUnknown:
        encoding = "utf-8"
    return raw.decode(encoding, "replace")


def _codec(declared: str) -> str | None:
    """Python's name of an encoding that is read, None for every other."""
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        return None
    return name if _READ.fullmatch(name) else None


def _is_wide(declared: str) -> bool:
    return declared.lower().replace("_", "-").startswith(_WIDE)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
