"""Pictures of strangers: what can be decoded is, upright and on paper; everything else is refused in a sentence."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ml.errors import PictureUnreadable
from ml.pictures import decode_picture, drawn_box, overlap, read_drawing
from tests.workers.fake_models import load


def written(path: Path, picture: Any, suffix: str) -> Path:
    worked, data = cv2.imencode(suffix, picture)
    assert worked
    path.write_bytes(data.tobytes())
    return path


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp"])
def test_a_picture_comes_out_as_rgb(tmp_path: Path, suffix: str) -> None:
    picture = np.full((40, 60, 3), (200, 30, 20), np.uint8)  # blue, as OpenCV writes it
    found = decode_picture(written(tmp_path / "named.txt", picture, suffix))
    assert found.shape == (40, 60, 3)
    assert np.abs(found[20, 30].astype(int) - (20, 30, 200)).max() < 12


def test_a_transparent_drawing_lies_on_white_paper(tmp_path: Path) -> None:
    drawing = np.zeros((40, 40, 4), np.uint8)
    drawing[10:30, 10:30, 3] = 255  # a black square
    found = decode_picture(written(tmp_path / "drawing", drawing, ".png"))
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[20, 20].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.7 hello", "none of PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 3, "none of PNG"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 8, "none of PNG"),
        (png_that_claims(60_000, 60_000), "60000 x 60000 pixels; the limit"),
        (png_that_claims(4, 900), "at least 16"),
        (png_that_claims(100, 100)[:60], "cannot be decoded"),
    ],
)
def test_what_is_no_sound_picture_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "sent"
    path.write_bytes(data)
    with pytest.raises(PictureUnreadable, match=reason):
        decode_picture(path)


def test_a_large_file_is_refused_undecoded(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    path.write_bytes(png_that_claims(100, 100) + b"\0" * (9 << 20))
    with pytest.raises(PictureUnreadable, match="larger than 8 MB"):
        decode_picture(path)


def test_the_drawn_part_is_what_differs_from_the_paper() -> None:
    paper = np.full((100, 120, 3), 250, np.uint8)
    with pytest.raises(PictureUnreadable, match="nothing drawn"):
        drawn_box(paper)
    paper[20:60, 30:90] = 10
    assert drawn_box(paper) == (30.0, 20.0, 90.0, 60.0)


def test_overlap_is_intersection_over_union() -> None:
    assert overlap((0, 0, 10, 10), (0, 0, 10, 10)) == 1.0
    assert overlap((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10, 10), (10, 0, 20, 10)) == 0.0


def test_faces_are_found_or_given_or_else_the_whole_drawing_is_one(tmp_path: Path) -> None:
    models = load(tmp_path, "cpu")
    picture = np.full((120, 160, 3), 20, np.uint8)
    picture[30:70, 40:90] = (250, 20, 20)  # the fake detector's Tom
    (found,) = read_drawing(models, picture)
    assert (found.how, found.face.character) == ("found", "tom")
    (given,) = read_drawing(models, picture, (35.0, 25.0, 95.0, 75.0))
    assert (given.how, given.face.box) == ("given", found.face.box), "the detector agrees, and knows the edge better"
    (other,) = read_drawing(models, picture, (100.0, 80.0, 150.0, 110.0))
    assert other.face.box == (100.0, 80.0, 150.0, 110.0)
    grey = np.full((120, 160, 3), 200, np.uint8)
    grey[30:70, 40:90] = 90
    (whole,) = read_drawing(models, grey)
    assert (whole.how, whole.face.box) == ("whole", (40.0, 30.0, 90.0, 70.0))
    with pytest.raises(PictureUnreadable, match="outside the picture of 160 x 120"):
        read_drawing(models, picture, (500.0, 500.0, 600.0, 600.0))
