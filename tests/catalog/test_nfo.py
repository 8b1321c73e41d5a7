"""Notes of Kodi and Jellyfin: what is read of them, and that no note is ever an error."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.discovery import Candidate, discover
from catalog.nfo import NOTE_BYTES, Note, episode_note, show_note
from catalog.notes import noted

EPISODE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<episodedetails>
  <title>The Cat &amp; the Ship</title><showtitle>Popeye</showtitle><season>1</season><episode>5</episode>
  <plot>A cat,\n a ship.</plot><aired>1936-11-27</aired><runtime>7</runtime><uniqueid type="tvdb">1</uniqueid>
</episodedetails>"""
SECOND = "<episodedetails><title>More</title><season>1</season><episode>6</episode><plot>More.</plot></episodedetails>"
SHOW = "<tvshow><title>Popeye the Sailor</title><premiered>1933-07-14</premiered><plot>Spinach.</plot></tvshow>"


def test_an_episode_of_jellyfin_and_kodi() -> None:
    note = episode_note(EPISODE.encode(), "a.nfo")
    assert note.warnings == ()
    assert (note.name.series, note.name.season, note.name.number) == ("Popeye", 1, 5)
    assert (note.name.title, note.name.year, note.synopsis) == ("The Cat & the Ship", 1936, "A cat, a ship.")


def test_a_show() -> None:
    note = show_note(SHOW.encode(), "tvshow.nfo")
    assert (note.name.series, note.name.series_year, note.synopsis) == ("Popeye the Sailor", 1933, "Spinach.")


def test_several_episodes_in_one_file_are_a_range() -> None:
    note = episode_note(f"{EPISODE}\n{SECOND}\nhttps://example.org/1".encode(), "a.nfo")
    assert note.warnings == ()
    assert note.name.identity == "S01E05-E06"
    assert note.name.title == "The Cat & the Ship / More"
    assert note.synopsis == "A cat, a ship.\n\nMore."


def test_several_episodes_that_are_no_range_are_the_first() -> None:
    note = episode_note((EPISODE + SECOND.replace("<episode>6", "<episode>9")).encode(), "a.nfo")
    assert note.name.identity == "S01E05"
    assert "“a.nfo”" in note.warnings[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "cp1252"])
def test_encodings(encoding: str) -> None:
    declared = "utf-8" if encoding.startswith("utf") else encoding.replace("cp1252", "windows-1252")
    text = f'<?xml version="1.0" encoding="{declared}"?><episodedetails><title>Käse</title></episodedetails>'
    assert episode_note(text.encode(encoding), "a.nfo").name.title == "Käse"


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + EPISODE.partition("?>")[2].replace("Cat", "&b;")
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + EPISODE.partition("?>")[2].replace("Cat", "&a;")


@pytest.mark.parametrize(
    "data",
    [
        b"https://www.thetvdb.com/series/popeye\n",
        b"",
        b"\x00\x01\x02",
        EPISODE[:-20].encode(),
        EPISODE.replace("</title>", "</titel>").encode(),
        LAUGHS.encode(),
        OUTSIDE.encode(),
        b"<movie><title>x</title></movie>",
        b'<?xml version="1.0" encoding="rot13"?>' + SECOND.encode(),
        b"\xff\xfe\x00",
        b"<episodedetails>" + b"&nbsp;" + b"</episodedetails>",
        b"x" * (NOTE_BYTES + 1),
    ],
)
def test_what_cannot_be_used_is_a_warning_that_names_the_file(data: bytes) -> None:
    note = episode_note(data, "part 1.nfo")
    assert note.name == Note().name
    assert len(note.warnings) == 1
    assert "“part 1.nfo”" in note.warnings[0]
    assert "\n" not in note.warnings[0]


def test_numbers_that_cannot_be_kept_are_not_said() -> None:
    text = EPISODE.replace("<season>1", "<season>-1").replace("<episode>5", "<episode>99999999999")
    name = episode_note(text.encode(), "a.nfo").name
    assert (name.season, name.number) == (None, None)


def test_a_note_made_to_take_long_does_not() -> None:
    began = time.process_time()
    episode_note(b"<episodedetails " * 60_000, "a.nfo")
    episode_note(b"<episodedetails>" + b"<a>" * 100_000 + b"</episodedetails>", "a.nfo")
    assert time.process_time() - began < 3


@given(st.binary(max_size=300), st.sampled_from([b"", b"<episodedetails>", b"\xef\xbb\xbf<tvshow>"]))
def test_no_bytes_make_it_fail(data: bytes, before: bytes) -> None:
    for read in (episode_note, show_note):
        note = read(before + data + b"</episodedetails></tvshow>", "a.nfo")
        assert all("a.nfo" in w for w in note.warnings)


def folder(tmp_path: Path, *notes: tuple[str, str], video: str = "Popeye/Season 1/Popeye S01E05.mkv") -> Candidate:
    path = tmp_path / video
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"VIDEO")
    for name, text in notes:
        (tmp_path / name).write_text(text)
    (found,) = (f for f in noted(discover(tmp_path)) if isinstance(f, Candidate))
    return found


def test_notes_win_over_names_and_their_show_over_both(tmp_path: Path) -> None:
    found = folder(
        tmp_path, ("Popeye/tvshow.nfo", SHOW), ("Popeye/Season 1/Popeye S01E05.nfo", EPISODE.replace(">5<", ">7<"))
    )
    assert (found.name.series, found.name.series_year) == ("Popeye the Sailor", 1933)
    assert found.name.identity == "S01E07"
    assert found.name.title == "The Cat & the Ship"
    assert (found.synopsis, found.series_synopsis) == ("A cat, a ship.", "Spinach.")
    assert "S01E07" in found.warnings[0]
    assert "S01E05" in found.warnings[0]


def test_a_year_in_the_folder_keeps_two_shows_of_one_title_apart(tmp_path: Path) -> None:
    show = "<tvshow><title>Tom and Jerry</title><year>1975</year></tvshow>"
    found = folder(tmp_path, ("Tom and Jerry (1975)/tvshow.nfo", show), video="Tom and Jerry (1975)/S01E01.mkv")
    assert found.name.series == "Tom and Jerry (1975)"


def test_a_broken_note_and_a_link_leave_the_names(tmp_path: Path) -> None:
    found = folder(tmp_path, ("Popeye/tvshow.nfo", "<tvshow><title>"))
    assert (found.name.series, found.name.identity) == ("Popeye", "S01E05")
    assert "“tvshow.nfo”" in found.warnings[0]
    (tmp_path / "Popeye/tvshow.nfo").unlink()
    (tmp_path / "secret").write_text(SHOW)
    (tmp_path / "Popeye/tvshow.nfo").symlink_to(tmp_path / "secret")
    assert folder(tmp_path).name.series == "Popeye"
