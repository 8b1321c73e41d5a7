from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.errors import MediaRejected
from tests.workers.clips import FPS, HEIGHT, WIDTH, write_clip
from workers.probe import container_name, probe_video

HOUR = 3_600_000


def test_a_video_is_described_in_the_catalogues_words(tmp_path: Path) -> None:
    path = tmp_path / "-odd\n🐭.mp4"
    write_clip(path, 1)
    facts = probe_video(path, max_duration_ms=HOUR)
    assert (facts.container, facts.codec, facts.width, facts.height) == ("mp4", "h264", WIDTH, HEIGHT)
    assert (facts.frames, facts.duration_ms) == (FPS, 1_000)
    assert facts.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_pipelines_refusals_keep_code_and_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("dear diary")
    write_clip(tmp_path / "long.mp4", 2)
    for name, code in (("notes.mp4", "not_a_video"), ("long.mp4", "video_too_long"), ("gone.mp4", "video_missing")):
        with pytest.raises(MediaRejected) as caught:
            probe_video(tmp_path / name, max_duration_ms=1_000)
        assert caught.value.code == code
        assert name in caught.value.reason


def test_webm_and_matroska_are_told_apart() -> None:
    assert container_name("matroska,webm", "vp9") == "webm"
    assert container_name("matroska,webm", "h264") == "matroska"
    assert container_name("mov,mp4,m4a,3gp,3g2,mj2", "h264") == "mp4"
    assert container_name("avi", "mpeg4") == "avi"


def test_looking_at_videos_needs_no_torch() -> None:
    code = "import sys, workers.probe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
