"""A picture goes through the worker: read, kept as numbers, forgotten. The shipped bundle finds its moment."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from analysis.finding.alike import Alike
from analysis.models import AnalysisRun, FaceVector, Find, FindStatus
from analysis.selectors.finds import Filters, comparable, find_by_picture
from analysis.services.finalise import run_finalise
from analysis.services.find_index import find_index_update
from analysis.services.finds import find_request
from analysis.services.runs import run_request
from ml.bundle import DEFAULT_BUNDLE
from ml.data.frames import frame_at
from ml.face import cut
from ml.render.episode import render_episode
from tests.analysis.runs_helpers import make_episode
from tests.workers.conftest import CLIP_MS, make_fake_bundle
from workers import runtime
from workers.bundles import bundles_sync
from workers.finding import find_read
from workers.runner import Outcome, segment_run
from workers.sweep import runs_sweep
from workers.thumbnails import moment_write

pytestmark = pytest.mark.django_db(transaction=True)


def png(picture: Any) -> bytes:
    worked, data = cv2.imencode(".png", picture[:, :, ::-1])
    assert worked
    return bytes(data.tobytes())


def drawing() -> Any:
    picture = np.full((120, 160, 3), 20, np.uint8)
    picture[30:70, 40:90] = (250, 20, 20)
    return picture


@pytest.fixture
def analysed(fake_models: Path) -> AnalysisRun:
    make_fake_bundle()
    run = run_request(episode=make_episode(CLIP_MS, "clip.mp4"), bundle_name="fake-1")
    assert {segment_run(s.pk, "worker") for s in run.segments.all()} == {Outcome.DONE}
    ended = run_finalise(run.pk)
    assert ended is not None
    return ended


def test_a_picture_is_read_once_and_forgotten(analysed: AnalysisRun) -> None:
    assert find_index_update(analysed.pk)
    find = find_request(picture=png(drawing()), bundle=comparable().bundle)
    assert find_read(find.pk)
    assert not find_read(find.pk), "a message that comes twice does nothing"
    find.refresh_from_db()
    assert (find.status, find.picture) == (FindStatus.READ, None)
    (face,) = find.faces
    assert (face["how"], face["character"], len(face["embedding"])) == ("found", "tom", 128)
    assert find.crop is not None
    assert bytes(find.crop).startswith(b"\x89PNG")
    assert find_by_picture(find, Filters()).moments


def test_what_cannot_be_read_fails_with_a_sentence(analysed: AnalysisRun, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = comparable().bundle
    broken = find_request(picture=png(drawing())[:60], bundle=bundle)
    outside = find_request(picture=png(drawing()), bundle=bundle, box=[900, 900, 950, 950])
    assert find_read(broken.pk)
    assert find_read(outside.pk)
    broken.refresh_from_db()
    outside.refresh_from_db()
    assert (broken.error_code, broken.picture) == ("picture_unreadable", None)
    assert broken.error_detail.startswith("The file you sent is damaged")
    assert "outside the picture" in outside.error_detail
    monkeypatch.setattr("ml.pictures.read_drawing", lambda *_: 1 / 0)
    ours = find_request(picture=png(drawing()), bundle=bundle)
    assert find_read(ours.pk)
    ours.refresh_from_db()
    assert ours.error_code == "internal"
    assert "ZeroDivisionError" in ours.error_detail


def test_the_sweep_makes_findable_what_a_lost_message_left_out(
    analysed: AnalysisRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("workers.sweep.find_index_send", asked.append)
    runs_sweep(depth=lambda queue: 0)
    assert asked == [analysed.pk]
    find_index_update(analysed.pk)
    runs_sweep(depth=lambda queue: 0)
    assert asked == [analysed.pk]


def test_a_moment_gets_its_picture_while_its_run_is_shown(analysed: AnalysisRun, fake_models: Path) -> None:
    find_index_update(analysed.pk)
    face = FaceVector.objects.order_by("pk")[2]
    target = fake_models / "moments" / str(analysed.pk) / f"{face.pk}.jpg"
    assert moment_write(face.pk) is (analysed.episode.source is not None)
    assert target.read_bytes().startswith(b"\xff\xd8")
    analysed.publications.all().delete()
    target.unlink()
    assert not moment_write(face.pk)


def test_the_command_finds_without_a_worker(analysed: AnalysisRun, tmp_path: Path) -> None:
    find_index_update(analysed.pk)
    path = tmp_path / "tom.png"
    path.write_bytes(png(drawing()))
    out = io.StringIO()
    call_command("find", str(path), "--character", "tom", "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert answer["results"]
    assert {r["character"] for r in answer["results"]} == {"tom"}
    plain = io.StringIO()
    call_command("find", str(path), stdout=plain)
    assert "Episode" in plain.getvalue()
    with pytest.raises(CommandError, match=r"\[find_refused\]"):
        call_command("find", str(path), "--character", "nobody")
    with pytest.raises(CommandError, match=r"cannot be read.*\[picture_unreadable\]"):
        call_command("find", str(tmp_path / "gone.png"))
    path.write_bytes(b"text")
    with pytest.raises(CommandError, match=r"none of PNG.*\[picture_unreadable\]"):
        call_command("find", str(path))


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_the_shipped_bundle_finds_the_moment_that_a_crop_was_cut_from(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.TOONEMO_DEVICE = "cpu"
    runtime._loaded.clear()
    video = tmp_path / "episode.mp4"
    render_episode(video, seed=4711, duration_s=12, size=(480, 270))
    bundles_sync()
    config = {"sampling": "every-8", "segment_ms": 12_000}
    run = run_request(episode=make_episode(12_000, video.name), bundle_name=DEFAULT_BUNDLE, config=config)
    assert {segment_run(s.pk, "worker") for s in run.segments.all()} == {Outcome.DONE}
    run_finalise(run.pk)
    find_index_update(run.pk)
    faces = FaceVector.objects.filter(run=run, character__isnull=False).exclude(emotion="")
    known = list(faces.order_by("-face__score", "pk").select_related("face")[:40:10])
    assert known
    better, chance = 0.0, 0.0
    for vector in known:
        face = vector.face
        margin = 0.25 * max(face.box_x2 - face.box_x1, face.box_y2 - face.box_y1)
        edges = (face.box_x1 - margin, face.box_y1 - margin, face.box_x2 + margin, face.box_y2 + margin)
        crop = cut(frame_at(video, face.pts_ms), *(round(v) for v in edges))
        find = find_request(picture=png(crop), bundle=run.bundle)
        assert find_read(find.pk)
        find.refresh_from_db()
        assert find.status == FindStatus.READ, find.error_detail
        found = find_by_picture(find, Filters())
        first = found.moments[0]
        assert abs(first.pts_ms - face.pts_ms) < 1_500, "the moment itself comes first"
        assert first.character is not None
        assert first.character.pk == vector.character_id
        ranked = find_by_picture(find, Filters(alike=Alike.BOTH), most=400).moments
        same = [
            i
            for i, m in enumerate(ranked[1:])
            if m.character and (m.character.pk, m.emotion) == (vector.character_id, vector.emotion)
        ]
        if same:
            better += sum(same) / len(same)
            chance += (len(ranked) - 2) / 2
    assert better <= chance, "another drawing of the same character and feeling ranks better than by chance"
    assert Find.objects.filter(picture__isnull=False).count() == 0
