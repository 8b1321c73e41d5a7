"""Every bad input gets one clear sentence with the file's name, and a stable code."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ml.errors import UserError
from ml.video import Limits, check, probe
from tests.ml.bad_media_table import rows
from tests.ml.films import DATA, film, needs_data, scene, sound_only

DOC = Path(__file__).parents[2] / "docs" / "bad-media.md"
HOUR = 3600_000


def written(data: bytes) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return make


def truncated(path: Path) -> Path:
    whole = film(path.with_name("whole.mp4"), [scene(i) for i in range(24)])
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])  # the index is at the end
    return path


def without_permission(path: Path) -> Path:
    film(path, [scene()])
    path.chmod(0)
    return path


def fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def missing(path: Path) -> Path:
    return path


PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
BAD: list[tuple[str, Callable[[Path], Path], str]] = [
    ("absent.mp4", missing, "video_missing"),
    ("x" * 300 + ".mp4", missing, "video_missing"),
    ("folder.mp4", folder, "not_a_video"),
    ("fifo.mp4", fifo, "not_a_video"),
    ("empty.mp4", written(b""), "video_empty"),
    ("text.mp4", written(b"This is a text.\n"), "not_a_video"),
    ("one-letter.mp4", written(b"a"), "not_a_video"),
    ("page.mp4", written(b"<!DOCTYPE html><title>x</title>"), "not_a_video"),
    ("playlist.mp4", written(b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n"), "not_a_video"),
    ("concat.mp4", written(b"ffconcat version 1.0\nfile /etc/passwd\n"), "not_a_video"),
    ("dash.mp4", written(b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'></MPD>"), "not_a_video"),
    ("picture.mp4", written(PNG), "not_a_video"),
    ("zip.mp4", written(b"PK\x03\x04" + bytes(60)), "not_a_video"),
    ("noise.mp4", written(random.Random(7).randbytes(5000)), "not_a_video"),
    ("zeros.mp4", written(bytes(5000)), "not_a_video"),
    ("heic.mp4", written(b"\x00\x00\x00\x18ftypheic" + bytes(60)), "not_a_video"),
    ("sound.mp4", sound_only, "no_video_stream"),
    ("sound.wav", written(b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40)), "no_video_stream"),
    ("head-only.mp4", written(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42"), "video_damaged"),
    ("half.mp4", truncated, "video_damaged"),
    ("one-pixel.mp4", lambda p: film(p, [scene(width=2, height=2)]), "video_too_small"),
    ("wide.mp4", lambda p: film(p, [np.zeros((16, 2048, 3), np.uint8)]), "video_too_large"),
    ("long.mp4", lambda p: film(p, [scene(i) for i in range(4)], [0, HOUR, 2 * HOUR, 3 * HOUR]), "video_too_long"),
    ("long.mkv", lambda p: film(p, [scene(i) for i in range(4)], [0, HOUR, 2 * HOUR, 3 * HOUR]), "video_too_long"),
]
LIMITS = Limits(max_duration_ms=HOUR, max_pixels=200 * 150)


@pytest.mark.parametrize(("name", "make", "code"), BAD, ids=[f"{c}-{n[:20]}" for n, _, c in BAD])
def test_each_bad_file_is_refused_with_one_sentence(
    tmp_path: Path, name: str, make: Callable[[Path], Path], code: str
) -> None:
    path = make(tmp_path / name)

    with pytest.raises(UserError) as raised:
        probe(path, LIMITS)

    assert raised.value.code == code
    sentence = str(raised.value)
    assert path.name in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "Error" not in sentence


def test_a_folder_that_must_not_be_read_is_said_to_be_forbidden(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    closed = tmp_path / "closed"
    closed.mkdir()
    film(closed / "a.mp4", [scene()])
    closed.chmod(0)
    code = (
        "import os, sys\n"
        "from ml.errors import VideoForbidden\n"
        "from ml.video import VideoFile\n"
        "if os.getuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: VideoFile(sys.argv[1])\n"
        "except VideoForbidden as error: print(error.code, error)\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(closed / "a.mp4")], capture_output=True, text=True, check=False
        )
    finally:
        closed.chmod(0o755)

    assert done.stdout == "video_forbidden The file “a.mp4” cannot be read: permission is denied.\n", done.stderr


def test_a_film_just_within_the_limit_is_taken_and_a_false_claim_is_no_reason(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", [scene(i) for i in range(3)], [0, 500, 1000])
    data = path.read_bytes()
    at = data.index(b"\x44\x89") + 3  # the duration in the header of Matroska, a double
    path.write_bytes(data[:at] + bytes.fromhex("41e0000000000000") + data[at + 8 :])

    assert probe(path, LIMITS).frames == 3
    assert check(path, LIMITS) == (192, 144)


def test_a_few_broken_pictures_are_forgiven_and_many_are_not(tmp_path: Path) -> None:
    path = film(tmp_path / "a.ts", [scene(3 * (i % 9)) for i in range(72)], codec="mpeg2video")
    data = bytearray(path.read_bytes())
    noise = random.Random(3)
    for at in range(len(data) // 2, len(data) // 2 + 400):
        data[at] = noise.randrange(256)
    path.write_bytes(bytes(data))

    assert 30 <= probe(path).frames <= 72


def test_a_quick_look_finds_what_is_wrong_at_the_start(tmp_path: Path) -> None:
    good = film(tmp_path / "good.mp4", [scene()] * 3)

    assert check(good) == (192, 144)
    with pytest.raises(UserError, match="text file"):
        check(written(b"hello")(tmp_path / "text.mp4"))


@needs_data
def test_the_table_of_bad_files_in_the_docs_is_what_happens() -> None:
    text = DOC.read_text(encoding="utf-8")
    for folder_ in sorted((DATA / "bad_media").iterdir()):
        section = re.search(rf"^## {folder_.name}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
        assert section, f"docs/bad-media.md has no section {folder_.name}"
        documented = [line for line in section[1].splitlines() if line.startswith("| `")]
        assert documented == rows(folder_)
