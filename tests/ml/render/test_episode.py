"""Episodes as a viewer and a decoder get them: the truth file says exactly what the video shows."""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from pycocotools import mask as coco

from ml.render import cli
from ml.render.episode import frame_ms, render_episode, truth_path
from ml.render.story import FPS, write_script
from ml.render.truth import Truth, TruthDrawing
from ml.types import Emotion, ShotKind

SIZE = (320, 180)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    path = tmp_path_factory.mktemp("episode") / "S01E01 Ünïcode.mp4"
    return path, render_episode(path, 21, duration_s=12.0, size=SIZE)


def decode(path: Path) -> list[tuple[int, np.ndarray]]:
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            found.append((round(frame.pts * frame.time_base * 1000), frame.to_ndarray(format="rgb24")))
    return found


def test_decoding_gives_the_stated_frames_and_times(rendered: tuple[Path, Truth]) -> None:
    path, truth = rendered
    frames = decode(path)
    assert len(frames) == truth.video.frames == 12 * FPS
    assert [ms for ms, _ in frames] == [frame_ms(k) for k in range(len(frames))]
    assert frames[0][1].shape == (180, 320, 3)
    assert truth.video.duration_ms == 12_000


def test_the_file_is_silent_h264(rendered: tuple[Path, Truth]) -> None:
    with av.open(str(rendered[0])) as container:
        assert len(container.streams) == 1
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == FPS


def test_drawings_and_shots_cover_the_episode_without_gaps(rendered: tuple[Path, Truth]) -> None:
    truth = rendered[1]
    for spans in (
        [(d.pts_ms, d.pts_ms + d.shown_ms) for d in truth.drawings],
        [(s.start_ms, s.end_ms) for s in truth.shots],
    ):
        assert spans[0][0] == 0
        assert spans[-1][1] == truth.video.duration_ms
        assert all(before[1] == after[0] for before, after in pairwise(spans))
        assert all(start < end for start, end in spans)
    assert sum(d.shown_ms for d in truth.drawings) == truth.video.duration_ms


def test_a_drawing_starts_where_the_picture_changes_and_only_there(rendered: tuple[Path, Truth]) -> None:
    path, truth = rendered
    starts = {d.pts_ms for d in truth.drawings}
    frames = decode(path)
    held: list[float] = []
    fresh: list[float] = []
    for (_, before), (ms, after) in pairwise(frames):
        change = float(np.percentile(np.abs(after.astype(int) - before.astype(int)).max(axis=2), 99.9))
        (fresh if ms in starts else held).append(change)
    assert np.median(fresh) > 10 * max(1.0, float(np.median(held)))
    assert max(held) < 30


def faces_of(truth: Truth) -> list[tuple[TruthDrawing, int]]:
    return [(d, k) for d in truth.drawings for k in range(len(d.faces))]


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # inside pycocotools 2.0 with numpy 2
def test_masks_decode_and_fill_their_boxes(rendered: tuple[Path, Truth]) -> None:
    truth = rendered[1]
    assert len(faces_of(truth)) > 20
    for drawing, k in faces_of(truth):
        face = drawing.faces[k]
        mask = coco.decode({"size": list(face.mask.size), "counts": face.mask.counts.encode()}).astype(bool)
        assert mask.shape == (180, 320)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert face.box == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        assert 0 <= face.box[0] < face.box[2] <= 320
        assert 0 <= face.box[1] < face.box[3] <= 180


def test_masks_of_one_drawing_do_not_overlap(rendered: tuple[Path, Truth]) -> None:
    for drawing in rendered[1].drawings:
        rles = [{"size": list(f.mask.size), "counts": f.mask.counts.encode()} for f in drawing.faces]
        if len(rles) > 1:
            assert coco.area(coco.merge(rles)) == sum(coco.area(r) for r in rles)


def test_cards_and_black_frames_hold_no_face(rendered: tuple[Path, Truth]) -> None:
    path, truth = rendered
    kinds = [s.kind for s in truth.shots]
    assert kinds[:2] == [ShotKind.BLACK, ShotKind.TITLE]
    assert kinds[-2:] == [ShotKind.CREDITS, ShotKind.BLACK]
    assert ShotKind.STORY in kinds
    pictures = dict(decode(path))
    for shot in truth.shots:
        inside = [d for d in truth.drawings if shot.start_ms <= d.pts_ms < shot.end_ms]
        if shot.kind is not ShotKind.STORY:
            assert not any(d.faces for d in inside)
        if shot.kind is ShotKind.BLACK:
            assert pictures[shot.start_ms].max() < 20


def test_profiles_are_the_drawings_added_up(rendered: tuple[Path, Truth]) -> None:
    truth = rendered[1]
    assert truth.profiles
    for name, profile in truth.profiles.items():
        mine = [(d.shown_ms, f) for d in truth.drawings for f in d.faces if f.character == name and f.readable]
        assert profile.visible_ms == sum(ms for ms, _ in mine)
        for emotion in Emotion:
            share = sum(ms for ms, f in mine if f.emotion is emotion) / profile.visible_ms
            assert profile.shares[emotion] == pytest.approx(share)
        assert sum(profile.shares.values()) == pytest.approx(1.0)


def test_the_truth_file_says_the_same_as_the_object(rendered: tuple[Path, Truth]) -> None:
    path, truth = rendered
    data = json.loads(truth_path(path).read_text(encoding="utf-8"))
    assert data == json.loads(json.dumps(truth.to_json()))
    assert data["format"] == 1
    assert data["video"]["frames"] == truth.video.frames


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    one = render_episode(tmp_path / "a.mp4", 5, duration_s=3.0, size=SIZE)
    two = render_episode(tmp_path / "b.mp4", 5, duration_s=3.0, size=SIZE)
    other = render_episode(tmp_path / "c.mp4", 6, duration_s=3.0, size=SIZE)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert one == two
    assert other.video.sha256 != one.video.sha256
    assert other.drawings != one.drawings


def test_the_size_in_pixels_does_not_change_the_story(tmp_path: Path) -> None:
    small = render_episode(tmp_path / "s.mp4", 8, duration_s=3.0, size=(160, 90))
    large = render_episode(tmp_path / "l.mp4", 8, duration_s=3.0, size=(320, 180))
    assert small.shots == large.shots
    assert small.title == large.title


@pytest.mark.parametrize(
    ("size", "style", "duration"), [((321, 180), "modern", 3.0), (SIZE, "velvet", 3.0), (SIZE, "modern", 0.2)]
)
def test_what_makes_no_episode_is_refused_and_leaves_no_file(
    tmp_path: Path, size: tuple[int, int], style: str, duration: float
) -> None:
    with pytest.raises(ValueError, match=r"even|style|second"):
        render_episode(tmp_path / "x.mp4", 1, duration_s=duration, size=size, style=style)
    assert list(tmp_path.iterdir()) == []


def test_scripts_follow_from_their_seed_and_fill_any_length() -> None:
    for seed in range(40):
        for duration in (1.0, 2.0, 7.3, 40.0):
            script = write_script(seed, duration)
            assert script == write_script(seed, duration)
            assert sum(s.frames for s in script.shots) == script.frames == round(duration * FPS)
            at = 0
            for shot in script.shots:
                assert shot.start == at
                at += shot.frames
                assert all(beat.start < shot.frames for actor in shot.actors for beat in actor.beats)


def test_a_season_of_scripts_shows_every_emotion_of_every_character() -> None:
    shown = {
        (actor.character, beat.emotion)
        for seed in range(30)
        for shot in write_script(seed, 40.0).shots
        for actor in shot.actors
        for beat in actor.beats
    }
    for name in ("tom", "jerry", "pip", "rosa"):
        assert {e for who, e in shown if who == name} == set(Emotion)
    assert any(who is None for who, _ in shown)


def test_the_command_writes_named_episodes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    args = parser.parse_args(
        ["--episodes", "2", "--seed", "3", "--out", str(tmp_path / "new"), "--duration", "1.5", "--size", "160x90"]
    )
    assert cli.run(args) == 0
    names = sorted(p.name for p in (tmp_path / "new").iterdir())
    assert [n[:7] for n in names] == ["S01E01 ", "S01E01 ", "S01E02 ", "S01E02 "]
    assert [n.split(".", 1)[1] for n in names] == ["mp4", "truth.json", "mp4", "truth.json"]
    assert "drawings" in capsys.readouterr().out


def test_the_command_refuses_nonsense(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    assert cli.run(parser.parse_args(["--episodes", "0", "--out", str(tmp_path)])) == 2
    assert cli.run(parser.parse_args(["--size", "161x90", "--out", str(tmp_path)])) == 2
    assert "even" in capsys.readouterr().err
    (tmp_path / "file").write_text("in the way")
    assert cli.run(parser.parse_args(["--duration", "1", "--out", str(tmp_path / "file" / "season")])) == 1
    assert "cannot be written" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parser.parse_args(["--size", "large", "--out", str(tmp_path)])
