from __future__ import annotations

import dataclasses
from pathlib import Path

import av
import numpy as np
import pytest

from ml.errors import OutputUnwritable
from ml.masks import decode_mask
from ml.overlay import Ink, write_overlay
from ml.pipeline import analyse
from ml.types import Detection, EpisodeResult
from ml.video import probe
from tests.ml.films import film, scene, stand_in_models


def analysed(path: Path) -> EpisodeResult:
    return analyse(path, stand_in_models())


def times(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [round(1000 * (f.time or 0.0)) for f in container.decode(video=0)]


def test_every_frame_keeps_its_time_also_where_frames_are_of_uneven_length(tmp_path: Path) -> None:
    stamps = [0, 40, 500, 540, 2000]
    path = film(tmp_path / "a.mkv", [scene(shift=9 * i) for i in range(5)], stamps)
    result = analysed(path)

    assert write_overlay(path, result, tmp_path / "out.mp4") == 5

    assert times(tmp_path / "out.mp4") == stamps
    info = probe(tmp_path / "out.mp4")
    assert (info.frames, info.duration_ms) == (5, result.video.duration_ms)


def test_faces_are_tinted_and_framed_and_the_rest_is_left_alone(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [scene()] * 6)
    result = analysed(path)
    plain = scene()

    drawn = Ink(result.detections, {"pip": "Pip"}).on(plain, 0)

    face = result.detections[0]
    assert face.mask is not None
    inside = decode_mask(face.mask)
    assert np.abs(drawn.astype(int) - plain)[inside].mean() > 10
    assert np.array_equal(drawn[-20:], plain[-20:])
    assert Ink(result.detections, {}).on(plain, 10_000) is plain


def test_the_caption_says_who_and_what(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [scene(mouth=14)] * 3)
    face = analysed(path).detections[0]
    ink = Ink([face], {"pip": "Pip"})

    assert ink.caption(face) == "Pip: surprised 88%"
    assert ink.caption(dataclasses.replace(face, character=None, emotion=None)) == "unknown: unclear"
    assert Ink([face], {"pip": "ひよこ"}).caption(face) == "pip: surprised 88%"


def test_an_odd_picture_gains_one_pixel(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [scene()] * 3)
    result = analysed(path)
    odd = dataclasses.replace(result, video=dataclasses.replace(result.video, width=191, height=143))
    ink = Ink([Detection(**{f: getattr(d, f) for f in Detection.__dataclass_fields__}) for d in result.detections], {})

    assert ink.on(scene(width=191, height=143), 0).shape == (143, 191, 3)
    write_overlay(film(tmp_path / "b.mkv", [scene()] * 3), odd, tmp_path / "out.mp4")
    assert (probe(tmp_path / "out.mp4").width, probe(tmp_path / "out.mp4").height) == (192, 144)


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", [scene()] * 3)
    result = analysed(path)

    with pytest.raises(OutputUnwritable, match="nowhere"):
        write_overlay(path, result, tmp_path / "nowhere" / "out.mp4")
    with pytest.raises(RuntimeError):
        write_overlay(path, result, tmp_path / "out.mp4", on_progress=_fail)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


def _fail(done_ms: int, total_ms: int) -> None:
    raise RuntimeError("stopped")
