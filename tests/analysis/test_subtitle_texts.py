"""What is written down: valid for readers that forgive nothing, whatever a character is called."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import av
import pytest
from django.conf import settings as django_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.subtitles.cues import Cue
from analysis.subtitles.lines import Line
from analysis.subtitles.srt import srt
from analysis.subtitles.text import END_ISOLATE, ISOLATE, isolated, plain, timestamp
from analysis.subtitles.webvtt import BOX_OPACITY, COLOURS, SURE, TEXT, webvtt
from ml.types import EMOTIONS, Emotion
from tests.analysis.strict_subtitles import ReadCue, read_srt, read_vtt

HOSTILE = [
    "Tom & <b>Jerry</b>",
    "--> 00:00:01.000",
    "a\n\nb\r\nNOTE c\td",
    "</v></c><script>",
    "&amp; &lt;v&gt; &#x3c;",
    "STYLE",
    "{\\an8}ASS",
    "  Tom  ",
    "קטן ועצבני",
    "توم (القط)",
    "猫とネズミ",
    "톰과 제리",
    "\u202eevil\u202c\u2069",
    "Ünï\u2028cödé\u0085",
    "👩‍👧 & co",
    ">>> --->",
    "'\"",
]


def cue(start_ms: int, end_ms: int, *who: tuple[str, str, float]) -> Cue:
    return Cue(start_ms, end_ms, tuple(Line(name, mood, start_ms, end_ms, sure) for name, mood, sure in who))


def written(cues: list[Cue], note: tuple[str, ...] = ("About.",)) -> bytes:
    names = {line.who: plain(line.who) for c in cues for line in c.lines}
    return webvtt(cues, names=names, note=note, emotions=EMOTIONS).encode()


def written_srt(cues: list[Cue]) -> bytes:
    return srt(cues, names={line.who: plain(line.who) for c in cues for line in c.lines}).encode()


def test_the_whole_of_a_small_file() -> None:
    text = webvtt(
        [cue(1_003, 2_917, ("tom", "angry", 0.9), ("jerry", "happy", 0.6))],
        names={"tom": "Tom", "jerry": "Jerry"},
        note=["About.", "More --> of it."],
        emotions=[Emotion.HAPPY, Emotion.ANGRY],
    )
    assert text == (
        "WEBVTT\n\nNOTE\nAbout.\nMore -> of it.\n\n"
        "STYLE\n::cue { color: #ffffff; background-color: rgba(0, 0, 0, 0.85); }\n"
        "::cue(.happy) { color: #f2b632; }\n::cue(.angry) { color: #f0705f; }\n\n"
        "00:00:01.003 --> 00:00:02.917\n"
        "<v Tom>Tom: <c.angry><b>angry</b></c></v>\n"
        "<v Jerry>Jerry: <c.happy>happy</c></v>\n"
    )


def test_the_whole_of_a_small_srt_file() -> None:
    text = srt(
        [cue(0, 1_000, ("tom", "angry", 0.9)), cue(1_000, 2_500, ("tom", "sad", 0.5), ("jerry", "happy", 0.6))],
        names={"tom": "Tom", "jerry": "Jerry"},
    )
    assert text == (
        "1\n00:00:00,000 --> 00:00:01,000\nTom: angry\n\n"
        "2\n00:00:01,000 --> 00:00:02,500\nTom: sad\nJerry: happy\n"
    )  # fmt: skip


def test_a_file_without_cues_is_valid() -> None:
    found = read_vtt(written([]))
    assert (found.cues, found.notes) == ([], ["About."])
    assert written_srt([]) == b""


def test_the_word_is_always_there_and_bold_where_the_reading_is_sure() -> None:
    (read,) = read_vtt(written([cue(0, 900, *((e, str(e), SURE) for e in EMOTIONS))])).cues
    assert [line.text for line in read.lines] == [f"{e}: {e}" for e in EMOTIONS]
    assert [line.marks[-1] for line in read.lines] == [(str(e), frozenset({"v", "c", str(e), "b"})) for e in EMOTIONS]
    (unsure,) = read_vtt(written([cue(0, 900, ("tom", "sad", SURE - 0.01))])).cues
    assert unsure.lines[0].marks == [("tom: ", frozenset({"v"})), ("sad", frozenset({"v", "c", "sad"}))]


def luminance(grey_or_colour: tuple[int, int, int]) -> float:
    parts = [v / 255 for v in grey_or_colour]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour: str, ground: int) -> float:
    """After WCAG 2; ``ground``: a grey from 0 to 255."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    one, other = luminance((red, green, blue)), luminance((ground, ground, ground))
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def test_contrast_is_computed_as_the_guidelines_do() -> None:
    assert contrast("#ffffff", 0) == pytest.approx(21)
    assert contrast("#777777", 255) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_every_colour_can_be_read_on_black_and_on_a_white_picture_behind_the_box(emotion: Emotion) -> None:
    for colour in (COLOURS[emotion], TEXT):
        assert contrast(colour, 0) >= 4.5
        assert contrast(colour, round(255 * (1 - BOX_OPACITY))) >= 4.5


def test_a_colour_means_the_same_as_on_the_site_in_the_dark() -> None:
    sheet = (django_settings.BASE_DIR / "toonemo_site/static/toonemo/app.css").read_text()
    dark = sheet[sheet.index("prefers-color-scheme: dark") :]
    for emotion, colour in COLOURS.items():
        assert re.search(rf"--{emotion}: (#[0-9a-f]{{6}});", dark)[1] == colour  # type: ignore[index]
    assert len(set(COLOURS.values())) == len(EMOTIONS)


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_is_only_text(name: str) -> None:
    cues = [cue(0, 900, (name, "sad", 0.9)), cue(900, 2_000, (name, "sad", 0.9), ("tom", "happy", 0.4))]
    found = read_vtt(written(cues))
    assert [line.voice for c in found.cues for line in c.lines] == [plain(name), plain(name), "tom"]
    assert found.cues[0].text == f"{isolated(plain(name))}: sad"
    subrip = read_srt(written_srt(cues))
    assert [len(c.lines) for c in subrip] == [1, 2]
    assert subrip[0].text.endswith(": sad")
    if not re.search("[<>{}]", name):
        assert subrip[0].text == found.cues[0].text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_note_holds_any_text(name: str) -> None:
    (note,) = read_vtt(written([cue(0, 900, ("tom", "sad", 0.9))], (name, "", "Last."))).notes
    assert note.endswith("Last.")
    assert "\n\n" not in note


def test_names_keep_their_script_and_lose_what_breaks_lines_or_turns_text() -> None:
    assert plain(" a\n\tb\x00\u2028c\x85d ") == "a b c d"
    assert plain("\u202eevil\u2069") == "evil"
    assert plain("\u202e\n ") == ""
    assert plain("👩‍👧 猫 קטן") == "👩‍👧 猫 קטן"


def test_a_name_from_right_to_left_stays_before_its_word() -> None:
    assert isolated("קטן") == f"{ISOLATE}קטן{END_ISOLATE}"
    assert isolated("Tom") == "Tom"
    (read,) = read_vtt(written([cue(0, 900, ("קטן", "sad", 0.4))])).cues
    assert read.text == f"{ISOLATE}קטן{END_ISOLATE}: sad"
    assert read.lines[0].voice == "קטן"


@pytest.mark.parametrize(
    ("ms", "expected"),
    [(0, "00:00:00.000"), (59_999, "00:00:59.999"), (3_600_000, "01:00:00.000"), (360_000_001, "100:00:00.001")],
)
def test_times_are_exact_and_hours_beyond_99_keep_their_digits(ms: int, expected: str) -> None:
    assert timestamp(ms, ".") == expected
    late = [cue(ms, ms + 3_723_004, ("tom", "sad", 0.9))]
    for found in (read_vtt(written(late)).cues, read_srt(written_srt(late))):
        assert [(c.start_ms, c.end_ms) for c in found] == [(ms, ms + 3_723_004)]


NAMES = st.text(max_size=12) | st.sampled_from(HOSTILE)
LINES = st.tuples(NAMES.filter(lambda name: bool(plain(name))), st.sampled_from(EMOTIONS), st.floats(0, 1))
FILES = st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 9**9), st.lists(LINES, min_size=1, max_size=3)),
                 max_size=4)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(FILES)
def test_what_is_written_is_what_is_read(rows: list[tuple[int, int, list[tuple[str, Emotion, float]]]]) -> None:
    at, cues = 0, []
    for gap, length, lines in rows:
        cues.append(cue(at + gap, at + gap + length, *((name, str(e), sure) for name, e, sure in lines)))
        at += gap + length
    found = read_vtt(written(cues))
    assert [facts(c) for c in found.cues] == [
        (c.start_ms, c.end_ms, [(plain(line.who), line.emotion, line.sure >= SURE) for line in c.lines]) for c in cues
    ]
    assert [(c.start_ms, c.end_ms, len(c.lines)) for c in read_srt(written_srt(cues))] == [
        (c.start_ms, c.end_ms, len(c.lines)) for c in cues
    ]


def facts(read: ReadCue) -> tuple[int, int, list[tuple[str, str, bool]]]:
    lines = []
    for line in read.lines:
        word, around = line.marks[-1]
        assert word in around, "the class is the word"
        assert line.text == f"{isolated(line.voice)}: {word}"
        lines.append((line.voice, word, "b" in around))
    return read.start_ms, read.end_ms, lines


@pytest.mark.parametrize("form", ["vtt", "srt"])
def test_ffmpeg_reads_the_same_times(form: str, tmp_path: Path) -> None:
    """A reader that is not ours: the one in most players."""
    cues = [cue(1_003, 2_917, ("<i>Tom</i> & co", "angry", 0.9)), cue(2_917, 360_000_041, ("קטן", "sad", 0.2)),
            cue(360_000_041, 360_001_000, ("tom", "happy", 0.9), ("jerry", "sad", 0.9))]  # fmt: skip
    file = tmp_path / f"emotions.{form}"
    file.write_bytes(written(cues) if form == "vtt" else written_srt(cues))
    with av.open(str(file)) as container:
        packets: list[Any] = [p for p in container.demux() if p.pts is not None and p.duration]
        times = [(int(p.pts * p.time_base * 1000), int((p.pts + p.duration) * p.time_base * 1000)) for p in packets]
        texts = [bytes(p).decode() for p in packets]
    assert times == [(c.start_ms, c.end_ms) for c in cues]
    assert texts[2].count("\n") == 1


BROKEN = {
    "no signature": "WEBVT\n\n00:00.000 --> 00:01.000\na\n",
    "an arrow in the text": "WEBVTT\n\n00:00.000 --> 00:01.000\na --> b\n",
    "an arrow in a note": "WEBVTT\n\nNOTE a --> b\n",
    "an open tag": "WEBVTT\n\n00:00.000 --> 00:01.000\n<v Tom>a\n",
    "tags that cross": "WEBVTT\n\n00:00.000 --> 00:01.000\n<c.a><b>x</c></b>\n",
    "a voice without a name": "WEBVTT\n\n00:00.000 --> 00:01.000\n<v>a</v>\n",
    "a stray ampersand": "WEBVTT\n\n00:00.000 --> 00:01.000\nTom & Jerry\n",
    "a stray tag": "WEBVTT\n\n00:00.000 --> 00:01.000\na < b\n",
    "a style after a cue": "WEBVTT\n\n00:00.000 --> 00:01.000\na\n\nSTYLE\n::cue { color: #ffffff; }\n",
    "sixty seconds": "WEBVTT\n\n00:00.000 --> 00:60.000\na\n",
    "an end before the start": "WEBVTT\n\n00:02.000 --> 00:01.000\na\n",
    "cues out of order": "WEBVTT\n\n00:02.000 --> 00:03.000\na\n\n00:01.000 --> 00:02.000\nb\n",
    "an empty line in a cue": "WEBVTT\n\n00:00.000 --> 00:01.000\na\n\nb\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_the_strict_reader_refuses(text: str) -> None:
    with pytest.raises(AssertionError):
        read_vtt(text.encode())
