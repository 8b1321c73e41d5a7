"""The shipped bundle, through the worker and through the pipeline alone: the same numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from analysis.models import FaceDetection, RunStatus
from analysis.services.finalise import run_finalise
from analysis.services.runs import run_request
from ml.bundle import BUNDLES_DIR, DEFAULT_BUNDLE
from ml.pipeline import AnalyseConfig, analyse
from ml.render.episode import render_episode
from ml.runtime import load_models
from ml.types import EMOTIONS
from tests.analysis.runs_helpers import make_episode
from workers import runtime
from workers.bundles import bundles_sync
from workers.runner import Outcome, segment_run

SECONDS = 8
CONFIG: dict[str, Any] = {"sampling": "every-8", "segment_ms": 5000}


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine make small pictures slower, not faster."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("one_thread")
def test_the_worker_stores_what_the_pipeline_alone_finds(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    settings.TOONEMO_DEVICE = "cpu"
    runtime._loaded.clear()
    video = tmp_path / "episode.mp4"
    render_episode(video, seed=4711, duration_s=SECONDS, size=(480, 270))
    alone = analyse(video, load_models(BUNDLES_DIR / DEFAULT_BUNDLE, "cpu"), AnalyseConfig(**CONFIG))

    assert str(bundles_sync()[0]) == DEFAULT_BUNDLE
    episode = make_episode(alone.video.duration_ms, video.name)
    run = run_request(episode=episode, bundle_name=DEFAULT_BUNDLE, config=CONFIG)
    assert [segment_run(s.pk, "worker") for s in run.segments.all()] == [Outcome.DONE, Outcome.DONE]
    ended = run_finalise(run.pk)
    assert ended is not None
    assert (ended.status, ended.frames) == (RunStatus.SUCCEEDED, alone.video.frames)
    assert [(s.start_ms, s.end_ms, s.kind) for s in ended.shots.all()] == [
        (s.start_ms, s.end_ms, str(s.kind)) for s in alone.shots
    ]

    rows = FaceDetection.objects.filter(run=run).order_by("segment__index", "index").select_related("character")
    assert [_row(r) for r in rows] == [
        (
            *(d.pts_ms, d.shown_ms, d.character, d.box, d.score, "" if d.emotion is None else str(d.emotion)),
            [d.emotions.get(e) for e in EMOTIONS],
        )
        for d in alone.detections
    ]
    assert len(rows) > 10
    found = {p.character.slug: p for p in ended.profiles.select_related("character")}
    assert set(found) == set(alone.profiles)
    for slug, profile in alone.profiles.items():
        assert found[slug].visible_ms == profile.visible_ms
        shares = {e: v["raw"] for e, v in found[slug].shares.items()}
        assert shares == pytest.approx({str(e): x for e, x in profile.shares.items()}, abs=1e-6)


def _row(row: FaceDetection) -> tuple[Any, ...]:
    return (
        row.pts_ms,
        row.shown_ms,
        None if row.character is None else row.character.slug,
        (row.box_x1, row.box_y1, row.box_x2, row.box_y2),
        row.score,
        row.emotion,
        [getattr(row, str(e)) for e in EMOTIONS],
    )
