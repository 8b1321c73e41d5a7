from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ml.errors import Cancelled, DecodeLimit, VideoMissing
from ml.video import Drawing, FrameSeen, Limits, SegmentEnd, VideoFile, check, probe, read_segment, shown_name
from tests.ml.films import DATA, film, needs_data, scene


def held(count: int, every: int) -> list[np.ndarray]:
    """A head that moves to a new place each ``every`` frames."""
    return [scene(shift=6 * (i // every % 8)) for i in range(count)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
def test_frames_and_length_are_exact_in_every_container(tmp_path: Path, suffix: str) -> None:
    path = film(tmp_path / f"a{suffix}", held(36, 2), codec="mpeg4" if suffix == ".avi" else "libx264")

    info = probe(path)

    assert (info.width, info.height, info.frames, info.duration_ms) == (192, 144, 36, 1500)


def test_frames_of_uneven_length_and_a_late_start_keep_their_own_times(tmp_path: Path) -> None:
    times = [5000, 5040, 5500, 5540, 7000]
    path = film(tmp_path / "vfr.mkv", held(5, 1), times)

    seen = [x.pts_ms for x in read_segment(path, 0, 10_000) if isinstance(x, FrameSeen)]

    assert seen == [0, 40, 500, 540, 2000]


@needs_data
@pytest.mark.parametrize("part", [1, 2, 3])
def test_the_film_of_1936_has_1440_frames_whatever_its_container_claims(part: int) -> None:
    info = probe(DATA / "video" / "popeye_1936" / f"part{part}.mkv")

    assert (info.frames, info.duration_ms) == (1440, 60_000)


def test_drawings_that_are_held_come_once_and_stand_until_the_next(tmp_path: Path) -> None:
    path = film(tmp_path / "threes.mp4", held(24, 3))

    times = [x.pts_ms for x in read_segment(path, 0, 1000) if isinstance(x, Drawing)]

    assert times == [0, 125, 250, 375, 500, 625, 750, 875]


def test_a_small_mouth_is_a_new_drawing_and_grain_is_not(tmp_path: Path) -> None:
    noise = np.random.default_rng(1)
    pictures = [
        np.clip(scene(mouth=8 if i // 12 % 2 else 0) + noise.normal(0, 3, (144, 192, 3)), 0, 255).astype(np.uint8)
        for i in range(72)
    ]
    path = film(tmp_path / "grain.mp4", pictures, options={"crf": "20"})

    times = [x.pts_ms for x in read_segment(path, 0, 3000) if isinstance(x, Drawing)]

    assert times == [0, 500, 1000, 1500, 2000, 2500]


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [("every-15", [0, 625, 1250]), ("per-second", [0, 1000]), ("every-1", [round(i * 125 / 3) for i in range(36)])],
)
def test_other_samplings_take_what_they_say(tmp_path: Path, sampling: str, expected: list[int]) -> None:
    path = film(tmp_path / "a.mp4", held(36, 2))

    times = [x.pts_ms for x in read_segment(path, 0, 1500, sampling) if isinstance(x, Drawing)]

    assert times == expected


def test_segments_cut_anywhere_hold_each_frame_once_and_the_same_pixels(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", held(96, 1), options={"g": "40", "bf": "2"})
    whole = {x.pts_ms: x.picture for x in read_segment(path, 0, 4000, "every-1") if isinstance(x, Drawing)}

    frames = 0
    for start in range(0, 4000, 500):
        items = list(read_segment(path, start, start + 500, "every-1"))
        end = items[-1]
        assert isinstance(end, SegmentEnd)
        frames += end.frames
        for item in items:
            if isinstance(item, Drawing) and item.pts_ms in whole:
                assert np.array_equal(item.picture, whole[item.pts_ms])

    assert frames == len(whole) == 96


def test_the_picture_that_stands_at_the_start_of_a_segment_counts_from_there(tmp_path: Path) -> None:
    path = film(tmp_path / "slow.mkv", held(3, 1), [0, 400, 2600])

    items = list(read_segment(path, 1000, 2000))

    assert [x.pts_ms for x in items if isinstance(x, Drawing)] == [1000]
    assert items[-1] == SegmentEnd(frames=0, end_ms=2000, is_last=False, errors=0)


def test_a_turned_picture_comes_upright(tmp_path: Path) -> None:
    import av

    plain = film(tmp_path / "plain.mp4", [scene()] * 3)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(plain.read_bytes())
    data = bytearray(turned.read_bytes())
    unity = b"".join(v.to_bytes(4, "big") for v in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
    clockwise = b"".join((v & 0xFFFFFFFF).to_bytes(4, "big") for v in (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000))
    at = data.rindex(unity)  # the track's matrix; the first is the film's
    data[at : at + 36] = clockwise
    turned.write_bytes(bytes(data))

    first = next(x for x in read_segment(turned, 0, 1000) if isinstance(x, Drawing))

    assert check(turned) == (144, 192)
    with av.open(str(plain)) as container:
        stored = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert np.array_equal(first.picture, np.rot90(stored, -1))


def test_a_file_that_loses_its_name_stays_readable_and_cannot_be_opened_again(tmp_path: Path) -> None:
    path = film(tmp_path / "gone.mp4", held(24, 2))
    with VideoFile(path) as file:
        path.unlink()

        assert probe(file).frames == 24
        assert any(isinstance(x, Drawing) for x in read_segment(file, 500, 1000))
    with pytest.raises(VideoMissing, match=r"gone\.mp4"):
        probe(path)


@pytest.mark.parametrize("name", ["-dash.mp4", "a\nb.mp4", "😺 ñ 映画.mp4", "concat:a|b.mp4", "http:x.mp4", "%03d.mp4"])
def test_any_name_is_only_a_name(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    film(tmp_path / "plain.mp4", held(3, 1)).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)

    assert probe(name).frames == 3
    assert shown_name(name).isprintable()


def test_stopping_ends_the_decoding_process_at_once(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", held(48, 1))
    before = children()
    begun = time.monotonic()

    with pytest.raises(Cancelled):
        probe(path, should_stop=lambda: True)

    assert time.monotonic() - begun < 2
    assert children() <= before


def test_a_reader_that_turns_away_leaves_no_process(tmp_path: Path) -> None:
    before = children()
    items = read_segment(film(tmp_path / "a.mp4", held(48, 1)), 0, 2000, "every-1")
    next(items)
    items.close()

    assert children() <= before


def test_silence_and_memory_have_limits(tmp_path: Path) -> None:
    before = children()
    path = film(tmp_path / "large.mp4", [np.zeros((2160, 3840, 3), np.uint8)] * 4)

    with pytest.raises(DecodeLimit, match="too long to decode"):
        probe(path, Limits(silence_s=0.01))
    with pytest.raises(DecodeLimit, match="200 MB of memory"):
        probe(path, Limits(memory_mb=200))
    assert children() <= before


@needs_data
def test_processor_time_has_a_limit() -> None:
    with pytest.raises(DecodeLimit, match="processor time"):
        probe(DATA / "video" / "popeye_1936" / "part1.mkv", Limits(cpu_s=1))


def test_the_decoding_process_imports_no_torch_and_no_django() -> None:
    code = "import sys, ml.decode_child; sys.exit(any(m in sys.modules for m in ('torch', 'django', 'cv2')))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def children() -> set[int]:
    """Processes whose parent this one is, dead ones that nobody waited for included."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(stat.parent.name))
    return found
