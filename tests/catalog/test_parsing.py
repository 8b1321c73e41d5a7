from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.parsing import ParsedName, canonical_name, has_video_extension, parse_folder, parse_name, parse_path

NAMES: list[tuple[str, dict[str, Any]]] = [
    ("S01E05.mkv", {"season": 1, "number": 5}),
    ("s01e05e06.mkv", {"season": 1, "number": 5, "number_end": 6}),
    ("S01E05-E06", {"season": 1, "number": 5, "number_end": 6}),
    ("S01E05-06", {"season": 1, "number": 5, "number_end": 6}),
    ("S01E05E06E07 Three", {"season": 1, "number": 5, "number_end": 7, "title": "Three"}),
    ("S01 E05", {"season": 1, "number": 5}),
    ("1x05", {"season": 1, "number": 5}),
    ("1x05-1x06", {"season": 1, "number": 5, "number_end": 6}),
    ("Show - 1x05 - Title.mp4", {"series": "Show", "season": 1, "number": 5, "title": "Title"}),
    ("Season 1 Episode 5", {"season": 1, "number": 5}),
    ("Season 1, Ep. 5 - Foo", {"season": 1, "number": 5, "title": "Foo"}),
    ("Show S2020E05.mkv", {"series": "Show", "season": 2020, "number": 5}),
    ("Show S999999999999E99999999999.mp4", {"series": "Show", "season": 999999999999, "number": 99999999999}),
    ("Show Episode 99999999999.mp4", {"series": "Show", "number": 99999999999}),
    ("S00E03 Christmas", {"season": 0, "number": 3, "title": "Christmas"}),
    ("Show Special 3.mkv", {"series": "Show", "season": 0, "number": 3}),
    ("005", {"number": 5}),
    ("005 - The Cheese.mkv", {"number": 5, "title": "The Cheese"}),
    ("005 The Cheese", {"number": 5, "title": "The Cheese"}),
    ("12. The Cheese", {"number": 12, "title": "The Cheese"}),
    ("[Group] Show - 05 [1080p].mkv", {"series": "Show", "number": 5}),
    ("Episode 5", {"number": 5}),
    ("Folge 5", {"number": 5}),
    ("E05", {"number": 5}),
    ("#7 The Cat", {"number": 7, "title": "The Cat"}),
    ("第5話 タイトル.mkv", {"number": 5, "title": "タイトル"}),
    ("Том и Джерри S01E02 Кот.mkv", {"series": "Том и Джерри", "season": 1, "number": 2, "title": "Кот"}),
    ("The Cheese (part 2) (1936).mp4", {"title": "The Cheese", "part": 2, "year": 1936}),
    ("The Cheese pt2.mp4", {"title": "The Cheese", "part": 2}),
    ("The Cheese Part Two", {"title": "The Cheese", "part": 2}),
    ("the_cheese_(2).avi", {"title": "The cheese", "part": 2}),
    ("The Cheese (2 of 3)", {"title": "The Cheese", "part": 2}),
    ("part1.mkv", {"part": 1}),
    ("S02E03 part 1 The Cat", {"season": 2, "number": 3, "part": 1, "title": "The Cat"}),
    ("Cinderella [1950].mp4", {"title": "Cinderella", "year": 1950}),
    ("popeye_1936.mp4", {"title": "Popeye", "year": 1936}),
    (
        "Show.Name.S01E05.The.Title.1080p.WEB-DL.x264-GRP.mkv",
        {"series": "Show Name", "season": 1, "number": 5, "title": "The Title"},
    ),
    ("Show S01E05 - 7 Dwarfs.mkv", {"series": "Show", "season": 1, "number": 5, "title": "7 Dwarfs"}),
    ("S01E05-720p.mkv", {"season": 1, "number": 5}),
    ("butterfly_2s_1080p60.mp4", {"title": "Butterfly 2s"}),
    ("-video-with-dash-.mp4", {"title": "Video-with-dash"}),
    ("🐭\n🧀 S01E01.mp4", {"series": "🐭 🧀", "season": 1, "number": 1}),
    # what only looks like a number, a part or noise
    ("101 Dalmatians.mp4", {"title": "101 Dalmatians"}),
    ("Apollo 13.mp4", {"title": "Apollo 13"}),
    ("Blade Runner 2049.mp4", {"title": "Blade Runner 2049"}),
    ("2001 - A Space Odyssey.mp4", {"title": "2001 - A Space Odyssey"}),
    ("1936.mp4", {"title": "1936"}),
    ("1920x1080.mp4", {"title": "1920x1080"}),
    ("1080p.mp4", {"title": "1080p"}),
    ("Charlotte's Web.mp4", {"title": "Charlotte's Web"}),
    ("Mr. Magoo vs. Dr. No.mp4", {"title": "Mr. Magoo vs. Dr. No"}),
    ("", {}),
    ("...", {}),
]


@pytest.mark.parametrize(("name", "expected"), NAMES, ids=[n for n, _ in NAMES])
def test_names(name: str, expected: dict[str, Any]) -> None:
    assert parse_name(name) == ParsedName(**expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("popeye_1936", {"series": "Popeye", "series_year": 1936}),
        ("Tom and Jerry (1975)", {"series": "Tom and Jerry", "series_year": 1975}),
        ("big_buck_bunny", {"series": "Big Buck Bunny"}),
        ("Season 1", {"season": 1}),
        ("S02", {"season": 2}),
        ("Specials", {"season": 0}),
        ("Tom and Jerry Season 2", {"series": "Tom and Jerry", "season": 2}),
        ("Show.Name.S01.1080p.WEB-DL", {"series": "Show Name", "season": 1}),
        ("Downloads", {}),
        ("/", {}),
    ],
)
def test_folders(name: str, expected: dict[str, Any]) -> None:
    assert parse_folder(name) == ParsedName(**expected)


@pytest.mark.parametrize(
    ("path", "series", "identity", "title"),
    [
        ("video/popeye_1936/part1.mkv", "Popeye (1936)", "popeye-1936.P1", "Popeye, part 1"),
        ("x/Tom and Jerry/Season 1/E05.mkv", "Tom and Jerry", "S01E05", "Episode 5"),
        ("x/Tom and Jerry/Season 1/T&J - 05 - Foo.mkv", "Tom and Jerry", "S01E05", "Foo"),
        ("x/Tom and Jerry/Specials/01.mkv", "Tom and Jerry", "S00E01", "Special 1"),
        ("misc/Betty S01E02.mkv", "Betty", "S01E02", "Episode 2"),
        ("Popeye/Popeye - The Sailor.mp4", "Popeye", "the-sailor", "The Sailor"),
        ("Popeye/S01E01E02.mp4", "Popeye", "S01E01-E02", "Episodes 1 to 2"),
        ("downloads/The Cat.mp4", None, "the-cat", "The Cat"),
        ("big_buck_bunny/first_30s_720p24.webm", "Big Buck Bunny", "first-30s", "First 30s"),
    ],
)
def test_folders_complete_what_a_name_leaves_out(path: str, series: str | None, identity: str, title: str) -> None:
    name = parse_path(path.split("/"))
    assert (name.series, name.identity, name.shown_title) == (series, identity, title)


def test_remakes_of_one_title_are_two_episodes() -> None:
    first, second = parse_name("The Ugly Duckling (1931).mkv"), parse_name("The Ugly Duckling (1939).mkv")
    assert first.identity != second.identity


@pytest.mark.parametrize(
    ("name", "is_video"), [("a.MP4", True), ("a.mkv", True), (".mp4", False), ("mp4", False), ("a.mp4.txt", False)]
)
def test_video_extensions(name: str, *, is_video: bool) -> None:
    assert has_video_extension(name) is is_video


ANY_NAME = st.text(st.characters(), max_size=120)
PIECES = (
    "S01E05 1x05 - . _ (2) [x] part pt2 E06 1936 (1936) 005 é 1080p x264 Show Special 3 🐭 .mkv # 第5話 ٣ ( ) Season II"
)
LIKELY = st.lists(st.sampled_from([*PIECES.split(" "), " ", "\n"])).map("".join)


@given(ANY_NAME | LIKELY, st.lists(ANY_NAME | LIKELY, max_size=4))
def test_no_name_is_too_odd(name: str, folders: list[str]) -> None:
    for parsed in (parse_name(name), parse_folder(name), parse_path([*folders, name])):
        assert parsed.season is None or 0 <= parsed.season <= 99
        assert parsed.number is None or parsed.number >= 0
        assert parsed.number_end is None or (parsed.number is not None and parsed.number_end > parsed.number)
        assert parsed.part is None or 1 <= parsed.part <= 99
        assert len(parsed.title) <= 300
        assert 0 < len(parsed.shown_title) <= 300
        assert len(parsed.identity) <= 200
        assert "\n" not in parsed.title + (parsed.series or "")


VOCABULARY = "Apple Brave Cat Dog Été Fish Кот Hat タイトル Jam"
WORDS = st.lists(st.sampled_from(VOCABULARY.split()), min_size=1, max_size=4).map(" ".join)
NUMBERED = st.builds(
    lambda series, season, number, more, part, year, title: ParsedName(
        series, season, number, number + more if more else None, part, year, title
    ),
    series=st.none() | WORDS,
    season=st.none() | st.integers(0, 99),
    number=st.integers(0, 999),
    more=st.none() | st.integers(1, 20),
    part=st.none() | st.integers(1, 99),
    year=st.none() | st.integers(1890, 2099),
    title=st.just("") | WORDS,
)
TITLED = st.builds(
    lambda part, year, title: ParsedName(part=part, year=year, title=title),
    part=st.none() | st.integers(1, 99),
    year=st.none() | st.integers(1890, 2099),
    title=WORDS,
)


@given(NUMBERED | TITLED, st.sampled_from(["", ".mkv", ".MP4"]))
def test_the_canonical_spelling_is_read_back(name: ParsedName, extension: str) -> None:
    assert parse_name(canonical_name(name) + extension) == name


@given(NUMBERED | TITLED)
def test_dots_and_underscores_say_the_same_as_spaces(name: ParsedName) -> None:
    spelt = canonical_name(name)
    assert parse_name(spelt.replace(" ", "_")) == name
    assert parse_name(spelt.replace(" ", ".") + ".mkv") == name


@given(NUMBERED)
def test_an_identity_is_read_back_as_itself(name: ParsedName) -> None:
    assert parse_name(name.identity.partition(".P")[0]).identity == name.identity.partition(".P")[0]
