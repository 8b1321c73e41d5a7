"""Lists as people's programs write them."""

from __future__ import annotations

import pytest

from catalog.errors import ListInvalid
from catalog.lists import BadLine, Line, lines_of, text_of

TEXT = 'path;series;number;title\r\na.mkv;Käse;5;"Eins; zwei\nund ""drei"""\r\nb.mkv;;x;\r\n'


@pytest.mark.parametrize(
    ("encoding", "lenient"), [("utf-8", False), ("utf-8-sig", False), ("utf-16", True), ("cp1252", True)]
)
def test_encodings_separators_quotes_and_line_ends(encoding: str, lenient: bool) -> None:
    text, guessed = text_of(TEXT.encode(encoding), "a.csv", lenient=lenient)
    first, second = lines_of(text, "a.csv")
    assert isinstance(first, Line)
    assert (first.path, first.numbers) == ("a.mkv", {"number": 5})
    assert (first.texts["series"], first.texts["title"]) == ("Käse", 'Eins; zwei und "drei"')
    assert isinstance(second, BadLine)
    assert "“x”" in str(second.error)
    assert bool(guessed) == (encoding == "cp1252")


@pytest.mark.parametrize("data", [TEXT.encode("cp1252"), TEXT.encode("utf-16"), b"path\n\xff\x00\n"])
def test_a_command_reads_utf_8_only_and_nobody_reads_nonsense(data: bytes) -> None:
    with pytest.raises(ListInvalid, match="UTF-8"):
        text_of(data, "a.csv")
    if b"\xff\x00" in data:
        with pytest.raises(ListInvalid):
            text_of(data, "a.csv", lenient=True)
