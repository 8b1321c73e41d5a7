"""Single frames of videos, and picture files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml.data.frames import ImageUnreadable, frame_at, frames_at, load_image, load_images, read_image
from ml.data.records import LabelledImage
from ml.decode_frames import PASS_GAP_MS, passes
from ml.errors import NoFrames, NotAVideo, VideoMissing
from ml.video import Drawing, Limits, read_segment
from tests.ml.films import DATA, film, needs_data, scene


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 frames in a second, each with the head 4 pixels farther to the right."""
    return film(tmp_path_factory.mktemp("film") / "steps.mkv", [scene(4 * i) for i in range(24)])


def head_at(picture: np.ndarray) -> float:
    """Middle of the head, as its shift."""
    red, green, blue = (picture[..., i].astype(int) for i in range(3))
    columns = np.flatnonzero(((red > 200) & (green > 150) & (blue < 120))[40:58].any(axis=0))
    return float(columns.min() + columns.max()) / 2 - 60


def test_the_frame_on_screen_is_the_last_that_began(steps: Path) -> None:
    # Frames begin at 0, 42, 83, 125, ... 958 ms.
    found = {t: round(head_at(p) / 4) for t, p in frames_at(steps, [0, 41, 42, 82, 83, 500, 957, 999])}

    assert found == {0: 0, 41: 0, 42: 1, 82: 1, 83: 2, 500: 12, 957: 22, 999: 23}


def test_frames_come_upright_as_rgb_and_can_be_changed(steps: Path) -> None:
    picture = frame_at(steps, 0)

    assert picture.shape == (144, 192, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_allclose(picture[5, 5], (70, 110, 160), atol=8)
    picture[:] = 0


def test_times_come_once_each_and_ascending_whatever_their_order(steps: Path) -> None:
    assert [t for t, _ in frames_at(steps, [500, 0, 250, 500])] == [0, 250, 500]
    assert list(frames_at(steps, [])) == []


@pytest.mark.parametrize("time_ms", [-1, 1000, 10**7])
def test_a_time_without_a_frame_is_named(steps: Path, time_ms: int) -> None:
    with pytest.raises(NoFrames, match=r"steps\.mkv"):
        frame_at(steps, time_ms)


def test_frames_before_the_missing_one_are_given(steps: Path) -> None:
    found = frames_at(steps, [200, 900, 2000])

    assert [next(found)[0], next(found)[0]] == [200, 900]
    with pytest.raises(NoFrames, match=r"2\.000 s"):
        next(found)


def test_far_times_are_reached_by_seeking_and_show_the_same(tmp_path: Path) -> None:
    times = [0, 40, 20_000, 20_040, 20_080, 60_000, 60_040]
    path = film(tmp_path / "gaps.mkv", [scene(8 * i) for i in range(7)], times, options={"g": "2"})

    found = {t: round(head_at(p) / 8) for t, p in frames_at(path, [60_010, 40, 20_079, 30_000])}

    assert found == {40: 1, 20_079: 3, 30_000: 4, 60_010: 5}


def test_passes_are_split_at_long_gaps_only() -> None:
    gap = PASS_GAP_MS
    assert passes([0, 5, gap + 5, 2 * gap + 6, 2 * gap + 7]) == [[0, 5, gap + 5], [2 * gap + 6, 2 * gap + 7]]
    assert passes([]) == []
    assert passes([3]) == [[3]]


@needs_data
def test_frames_of_a_real_film_are_those_that_one_pass_decodes() -> None:
    path = DATA / "video" / "popeye_1936" / "part2.mkv"
    wanted = {20_625, 20_708, 20_792}
    straight = read_segment(path, 20_600, 20_800, "every-1", thumbs=False)
    truth = {d.pts_ms: d.picture for d in straight if isinstance(d, Drawing) and d.pts_ms in wanted}

    found = dict(frames_at(path, wanted))

    assert truth.keys() == wanted
    for t in wanted:
        np.testing.assert_array_equal(found[t], truth[t])


def test_faults_of_videos_are_those_of_the_decoder(tmp_path: Path) -> None:
    text = tmp_path / "a.mkv"
    text.write_text("no video")
    with pytest.raises(NotAVideo):
        frame_at(text, 0)
    with pytest.raises(VideoMissing):
        frame_at(tmp_path / "none.mkv", 0)


def test_labelled_pictures_load_in_one_go_whatever_they_are(tmp_path: Path, steps: Path) -> None:
    still = tmp_path / "still.png"
    cv2.imwrite(str(still), cv2.cvtColor(scene(), cv2.COLOR_RGB2BGR))
    images = [LabelledImage(still), *(LabelledImage(steps, pts_ms=t) for t in (500, 0, 500)), LabelledImage(still)]

    found = [(i.pts_ms, round(head_at(p) / 4)) for i, p in load_images(images)]

    assert found == [(None, 0), (0, 0), (500, 12), (500, 12), (None, 0)]
    np.testing.assert_array_equal(load_image(images[0]), scene())
    assert round(head_at(load_image(images[1])) / 4) == 12


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp"])
def test_pictures_are_rgb_without_alpha(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    red = np.zeros((20, 30, 4 if suffix == "png" else 3), np.uint8)
    red[..., 2] = 250  # OpenCV's order is BGR
    cv2.imwrite(str(path), red)

    picture = read_image(path)

    assert picture.shape == (20, 30, 3)
    np.testing.assert_allclose(picture[10, 15], (250, 0, 0), atol=8)


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("huge.png", png_of(60_000, 60_000), "60000 x 60000"),
        ("hollow.png", png_of(40, 40)[:40], "damaged"),
        ("text.png", b"no picture at all", "damaged"),
        ("empty.png", b"", "damaged"),
        ("cut.jpg", cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes()[:30], "damaged"),
    ],
)
def test_pictures_that_cannot_or_must_not_be_decoded_are_named(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)

    with pytest.raises(ImageUnreadable, match=words) as caught:
        read_image(path)

    assert name in str(caught.value)


def test_a_picture_that_is_missing_a_folder_or_above_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageUnreadable, match="does not exist"):
        read_image(tmp_path / "none.png")
    with pytest.raises(ImageUnreadable, match="no ordinary file"):
        read_image(tmp_path)
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(ImageUnreadable, match="1599"):
        read_image(tmp_path / "a.png", Limits(max_pixels=1599))
