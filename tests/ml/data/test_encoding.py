"""Pascal VOC as programs of other countries and decades write it: read rightly, or reported with file and line."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from ml.data.labels import read_labels
from ml.data.reading import LabelInvalid
from ml.data.records import Dataset
from tests.ml.data.sets import picture, reasons

BOX = "<bndbox><xmin>10</xmin><ymin>12</ymin><xmax>60</xmax><ymax>58</ymax></bndbox>"


def xml(declared: str | None, name: str, before: str = "") -> str:
    declaration = "" if declared is None else f'<?xml version="1.0" encoding="{declared}"?>\n'
    named = f"<filename>a.png</filename>\n<object><name>{name}</name>{BOX}</object>"
    return f"{declaration}{before}<annotation>\n{named}\n</annotation>"


def read(tmp_path: Path, raw: bytes) -> Dataset:
    picture(tmp_path / "a.png")
    (tmp_path / "a.xml").write_bytes(raw)
    return read_labels(tmp_path)


@pytest.mark.parametrize(
    ("declared", "codec", "name"),
    [
        ("ISO-8859-1", "latin-1", "Jürgen"),
        ("iso-8859-15", "iso-8859-15", "Œdipe"),
        ("windows-1252", "cp1252", "Obélix’s"),
        ("windows-1251", "cp1251", "Волк"),
        ("Shift_JIS", "shift_jis", "ドラえもん"),
        ("EUC-KR", "euc_kr", "둘리"),
        ("GB2312", "gb2312", "喜羊羊"),
        ("US-ASCII", "ascii", "Tom"),
        ("utf-8", "utf-8", "둘리"),
        ("utf-8", "utf-8-sig", "Jürgen"),
        ("utf-16", "utf-16", "Jürgen"),
        ("UTF-16", "utf-16-le", "둘리"),
        ("UTF-16BE", "utf-16-be", "둘리"),
        (None, "utf-16", "Jürgen"),
        (None, "utf-16-le", "둘리"),
        (None, "utf-8-sig", "둘리"),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_every_encoding_that_is_declared_or_marked(
    tmp_path: Path, declared: str | None, codec: str, name: str, ending: str
) -> None:
    dataset = read(tmp_path, xml(declared, name).replace("\n", ending).encode(codec))

    assert dataset.format == "voc"
    assert dataset.characters == (name,)
    assert not dataset.problems


@pytest.mark.parametrize(
    ("raw", "doubt"),
    [
        (xml("utf-16", "Jürgen").encode(), "the declaration says utf-16, but the text is utf-8"),
        (xml("iso-8859-1", "Jürgen").encode(), "the declaration says iso-8859-1, but the text is utf-8"),
        (xml("utf-8", "Jürgen").encode("utf-16"), "the declaration says utf-8, but the text is utf-16"),
        (xml("windows-1252", "Jürgen").encode("utf-8-sig"), "the declaration says windows-1252, but the text is utf-8"),
    ],
)
def test_bytes_that_contradict_the_declaration_count_and_are_told(tmp_path: Path, raw: bytes, doubt: str) -> None:
    dataset = read(tmp_path, raw)

    assert dataset.characters == ("Jürgen",)
    assert [(p.line, p.kept, p.reason) for p in dataset.problems] == [(1, True, doubt)]


@pytest.mark.parametrize(
    ("raw", "line", "reason"),
    [
        (xml("x-toon", "Tom").encode(), 1, "the encoding 'x-toon' is not known"),
        (xml("", "Tom").encode(), 1, "the encoding '' is not known"),
        (xml("rot13", "Tom").encode(), 1, "the encoding 'rot13' is not known"),
        (xml("utf-7", "Tom").encode(), 1, "the encoding 'utf-7' is not known"),
        (xml("punycode", "Tom").encode(), 1, "the encoding 'punycode' is not known"),
        (xml("../../x", "Tom").encode(), 1, "the encoding '../../x' is not known"),
        (xml("utf-8", "Jürgen").encode("latin-1"), 4, "the text is not utf-8"),
        (xml(None, "Jürgen").encode("latin-1"), 3, "the text is not utf-8"),
        (xml("us-ascii", "Jürgen").encode(), 4, "the text is not ascii"),
        (xml("windows-1252", "J").encode().replace(b"J", b"\x81"), 4, "the text is not cp1252"),
        (xml("euc-kr", "J").encode().replace(b"J", b"\xff"), 4, "the text is not euc_kr"),
        (codecs.BOM_UTF16_LE + xml(None, "Tom").encode("utf-16-le") + b"\x00\xd8", 4, "the text is not utf-16"),
    ],
)
def test_an_encoding_that_is_wrong_or_unknown_is_a_bad_label(
    tmp_path: Path, raw: bytes, line: int, reason: str
) -> None:
    picture(tmp_path / "b.png")
    (tmp_path / "b.xml").write_text(xml(None, "Jerry").replace("a.png", "b.png"))

    dataset = read(tmp_path, raw)

    assert dataset.characters == ("Jerry",)
    assert [(p.file.name, p.line, p.kept) for p in dataset.problems] == [("a.xml", line, False)]
    assert reason in reasons(dataset)[0]


@pytest.mark.parametrize("codec", ["latin-1", "utf-16", "utf-16-be", "cp1252"])
def test_no_encoding_hides_an_entity(tmp_path: Path, codec: str) -> None:
    hidden = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>\n"

    with pytest.raises(LabelInvalid, match=r"a\.xml:2: defines an entity"):
        read(tmp_path, xml(codec.removesuffix("-be"), "&x;", hidden).encode(codec))
