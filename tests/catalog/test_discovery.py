from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from catalog.discovery import Candidate, Found, Refusal, Skipped, discover
from tests.catalog.conftest import Make


def _names(found: list[Found], kind: type[Found]) -> list[str]:
    return [f.path.name for f in found if isinstance(f, kind)]


def _refusals(found: list[Found]) -> list[tuple[int | None, str]]:
    return [(f.line, f.error.code) for f in found if isinstance(f, Refusal)]


def test_a_folder_is_walked_in_the_order_of_numbers_files_before_folders(make: Make, tmp_path: Path) -> None:
    for name in (
        "S/Season 10/1.mkv",
        "S/Season 2/1.mkv",
        "S/part10.mkv",
        "S/part2.MKV",
        "S/notes.txt",
        "S/.hidden.mkv",
    ):
        make(name)
    found = list(discover(tmp_path / "in" / "S"))
    paths = [str(f.path.relative_to(tmp_path / "in" / "S")) for f in found if isinstance(f, Candidate)]
    assert paths == ["part2.MKV", "part10.mkv", "Season 2/1.mkv", "Season 10/1.mkv"]
    assert _names(found, Skipped) == [".hidden.mkv", "notes.txt"]
    assert [f.name.identity for f in found if isinstance(f, Candidate)] == ["s.P2", "s.P10", "S02E01", "S10E01"]


def test_a_series_that_is_named_wins(make: Make) -> None:
    path = make("Betty/Betty S01E01.mkv")
    (found,) = discover(path, "Popeye")
    assert isinstance(found, Candidate)
    assert found.name.series == "Popeye"


def test_links_are_taken_only_where_a_person_names_them(make: Make, tmp_path: Path) -> None:
    target = make("S/S01E01.mkv")
    folder = tmp_path / "in" / "links"
    folder.mkdir()
    (folder / "S01E02.mkv").symlink_to(target)
    (folder / "dangling.mkv").symlink_to(tmp_path / "nothing")
    (folder / "loop.mkv").symlink_to(folder / "loop.mkv")
    (folder / "around").symlink_to(folder)
    found = list(discover(folder))
    assert _refusals(found) == [(None, "not_a_file")] * 4
    assert _names(list(discover(folder / "S01E02.mkv")), Candidate) == ["S01E01.mkv"]
    assert _refusals(list(discover(folder / "dangling.mkv"))) == [(None, "video_missing")]
    assert _refusals(list(discover(folder / "loop.mkv"))) == [(None, "video_missing")]


def test_what_is_no_file_is_left_to_the_import_which_says_so(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.mp4"))
        (tmp_path / "folder.mp4").mkdir()
        found = list(discover(tmp_path))
    assert _names(found, Candidate) == ["pipe.mp4", "socket.mp4"]
    assert _refusals(found) == [(None, "not_a_file")]


def test_nothing_there(tmp_path: Path) -> None:
    assert _refusals(list(discover(tmp_path / "none"))) == [(None, "video_missing")]
    assert list(discover(tmp_path)) == []


def test_very_deep_folders_are_walked(tmp_path: Path) -> None:
    path = tmp_path.joinpath(*["d"] * 400)
    path.mkdir(parents=True)
    (path / "S01E01.mkv").write_bytes(b"x")
    assert _names(list(discover(tmp_path)), Candidate) == ["S01E01.mkv"]


# ------------------------------------------------------------------------------------------------ lists


def _list(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "in" / "list.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_list_says_more_than_names(make: Make, tmp_path: Path) -> None:
    make("a.mkv")
    make("S09E09 b.mkv")
    text = (
        "path,series,season,number,part,title,year,synopsis\n"
        'a.mkv,Popeye,1,2,,"The ""Cat"", again",1936,"Two\nlines"\n'
        "S09E09 b.mkv,Popeye,,,,,,\n"
    )
    first, second = discover(_list(tmp_path, "\ufeff" + text))
    assert isinstance(first, Candidate)
    assert isinstance(second, Candidate)
    assert (first.name.identity, first.name.title, first.name.year) == ("S01E02", 'The "Cat", again', 1936)
    assert first.synopsis == "Two lines"
    assert (second.name.series, second.name.identity, second.name.title) == ("Popeye", "S09E09", "B")


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_lists_as_office_programs_write_them(make: Make, tmp_path: Path, delimiter: str) -> None:
    make("a.mkv")
    (found,) = discover(_list(tmp_path, f"Path{delimiter}Series\r\na.mkv{delimiter}Kater, Maus\r\n"))
    assert isinstance(found, Candidate)
    assert found.name.series == "Kater, Maus"


def test_bad_lines_are_named_and_the_rest_goes_on(make: Make, tmp_path: Path) -> None:
    make("a.mkv")
    text = "path,season,number\na.mkv,one,1\ngone.mkv,1,2\n,1,3\na.mkv,1\na.mkv,1,2,3\na.mkv,1,-4\na.mkv,1,9\n"
    found = list(discover(_list(tmp_path, text)))
    codes = [(2, "list_invalid"), (3, "video_missing"), (4, "list_invalid"), (5, "list_invalid"), (6, "list_invalid")]
    assert _refusals(found) == [*codes, (7, "list_invalid")]
    assert "Line 2" in str(next(f.error for f in found if isinstance(f, Refusal)))
    assert [f.name.number for f in found if isinstance(f, Candidate)] == [9]


@pytest.mark.parametrize(
    ("column", "most"),
    [("season", 32_767), ("part", 32_767), ("year", 32_767), ("number", 2_147_483_647), ("number_end", 2_147_483_647)],
)
def test_a_number_in_a_list_that_cannot_be_kept_is_refused_with_the_largest(
    make: Make, tmp_path: Path, column: str, most: int
) -> None:
    make("a.mkv")
    kept, larger, huge = discover(
        _list(tmp_path, f"path,{column}\na.mkv,00{most}\na.mkv,{most + 1}\na.mkv,{'9' * 5000}\n")
    )
    assert isinstance(kept, Candidate)
    assert getattr(kept.name, column) == most
    assert isinstance(larger, Refusal)
    assert str(larger.error).endswith(f"has “{most + 1}” as {column}; at most {most} can be kept.")
    assert isinstance(huge, Refusal)
    assert str(huge.error).endswith(f"99…” as {column}; at most {most} can be kept.")
    assert len(str(huge.error)) < 200


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "path"),
        (b"file,series\na,b\n", "path"),
        (b"path,colour\na,b\n", "colour"),
        (b"path,path\na,b\n", "twice"),
        (b"path\n\xff\xfe\n", "UTF-8"),
        (b'path,title\n"a', "line 2"),
        (b"path\n" + b"x" * 200_000, "line 2"),
    ],
)
def test_lists_that_cannot_be_read(tmp_path: Path, content: bytes, word: str) -> None:
    (found,) = discover(_list(tmp_path, content))
    assert isinstance(found, Refusal)
    assert found.error.code == "list_invalid"
    assert word in str(found.error)
