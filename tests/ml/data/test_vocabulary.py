"""Words of other people's label sets, and how pictures say their size and their episode."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml.data.headers import picture_size
from ml.data.reading import name_start
from ml.data.vocabulary import TABLE, canonical, character_and_emotion, map_words
from ml.types import EMOTIONS, Emotion

FERG = ["anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"]
HILL = ["happy", "angry", "surprise", "sad", "fear", "disgust"]
JAIN = ["happy", "sad", "angry", "surprise"]
WANG_ZHANG = ["angry", "crying", "embarrassed", "happy", "pleased", "sad", "shock"]


def test_the_published_sets() -> None:
    assert set(map_words(FERG).mapping.values()) == set(EMOTIONS)
    assert not map_words(FERG + HILL + JAIN).unmapped
    assert map_words(JAIN).mapping == {
        "happy": Emotion.HAPPY,
        "sad": Emotion.SAD,
        "angry": Emotion.ANGRY,
        "surprise": Emotion.SURPRISED,
    }
    found = map_words([*WANG_ZHANG, *WANG_ZHANG])
    assert found.unmapped == ("embarrassed",)
    assert found.mapping["crying"] is Emotion.SAD
    assert found.mapping["pleased"] is Emotion.HAPPY
    assert found.mapping["shock"] is Emotion.SURPRISED


def test_every_canonical_name_means_itself() -> None:
    assert [canonical(str(e)) for e in EMOTIONS] == list(EMOTIONS)
    assert not set(TABLE) - {word.casefold() for word in TABLE}


@pytest.mark.parametrize("word", ["Happy", " HAPPY ", "happy_face", "Happy-Face", "ｈａｐｐｙ", "joys", "기쁨"])
def test_case_plural_and_width_do_not_matter(word: str) -> None:
    assert canonical(word) is Emotion.HAPPY


def test_unknown_words_stay_unmapped_and_a_bundle_may_override() -> None:
    assert canonical("grumpy") is None
    assert canonical("embarrassed") is None
    assert canonical("기쁨이") is None, "Joy, the character, is not joy"
    overrides = {"grumpy": Emotion.ANGRY, "shock": Emotion.SCARED}
    assert canonical("Grumpy", overrides) is Emotion.ANGRY
    assert map_words(["shock", "happy"], overrides).mapping == {"happy": Emotion.HAPPY, "shock": Emotion.SCARED}


@pytest.mark.parametrize(
    ("name", "classes", "expected"),
    [
        ("Tom", "auto", ("Tom", None)),
        ("happy", "auto", (None, "happy")),
        ("Joy", "auto", (None, "Joy")),
        ("Joy", "character", ("Joy", None)),
        ("Tom", "emotion", (None, "Tom")),
        ("happy_jerry", "auto", ("jerry", "happy")),
        ("Jerry Mouse sad", "auto", ("Jerry Mouse", "sad")),
        ("face", "auto", (None, None)),
        ("happy face", "auto", (None, "happy face")),
        ("tom_face", "auto", ("tom_face", None)),
        ("happy sad", "auto", ("happy sad", None)),
        ("  ", "auto", (None, None)),
    ],
)
def test_names_of_classes(name: str, classes: str, expected: tuple[str | None, str | None]) -> None:
    assert character_and_emotion(name, classes) == expected


@pytest.mark.parametrize(
    ("stem", "start"),
    [
        ("0012", ""),
        ("frame_0012", ""),
        ("tom_ep3_frame_0012", "tom_ep3"),
        ("tom_ep3-0012", "tom_ep3"),
        ("IMG 12", ""),
        ("movie_mp4-123_jpg.rf.3bcf45cf91d3", "movie_mp4"),
        ("face (7)", ""),
        ("portrait", ""),
        ("Ep 1 t44000", "Ep 1"),
    ],
)
def test_what_a_name_says_of_the_episode(stem: str, start: str) -> None:
    assert name_start(stem) == start


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".gif"])
def test_sizes_from_headers(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".gif":
        path.write_bytes(b"GIF89a" + struct.pack("<HH", 37, 21) + b"\0" * 20)
    else:
        assert cv2.imwrite(str(path), np.full((21, 37, 3), 90, np.uint8))

    assert picture_size(path) == (37, 21)
    raw = path.read_bytes()
    for cut in (0, 3, 8):
        path.write_bytes(raw[:cut])
        assert picture_size(path) is None


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_turned_jpeg_is_as_large_as_opencv_decodes_it(tmp_path: Path, orientation: int, order: str) -> None:
    ok, encoded = cv2.imencode(".jpg", np.full((21, 37, 3), 90, np.uint8))
    assert ok
    mark = b"II*\0" if order == "<" else b"MM\0*"
    tiff = mark + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0" + tiff
    raw = encoded.tobytes()
    path = tmp_path / "a.jpg"
    path.write_bytes(raw[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + raw[2:])

    shown = cv2.imread(str(path))

    assert shown is not None
    assert picture_size(path) == (shown.shape[1], shown.shape[0])


def test_a_webp_without_loss_and_with_alpha(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    for channels in (3, 4):
        pixels = np.zeros((21, 37, channels), np.uint8)
        assert cv2.imwrite(str(path), pixels, [cv2.IMWRITE_WEBP_QUALITY, 101])
        assert picture_size(path) == (37, 21)


def test_a_header_that_promises_everything(tmp_path: Path) -> None:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)))

    assert picture_size(path) == (2**31 - 1, 2**31 - 1)
