"""Files that were sent, looked at by the real probe: real videos, and those that break parsers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from catalog.models import Episode, Upload, UploadStatus
from catalog.services.plan_carry import plan_carry_out
from catalog.services.plans import plan_confirm, plan_items, plan_of_uploads
from tests.catalog.incoming_helpers import editor, looked, sent
from tests.workers.clips import write_clip
from workers.tasks import upload_check

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


def checked(path: Path) -> Upload:
    upload = sent(editor(), path.name, path.read_bytes(), check=False)
    upload_check(upload.pk)
    upload.refresh_from_db()
    return upload


def test_a_clip_becomes_an_episode_and_a_text_does_not(tmp_path: Path, media: Path) -> None:
    clip = tmp_path / "Popeye S01E05.mp4"
    write_clip(clip, 1)
    (tmp_path / "essay.mp4").write_text("words")
    good, bad = checked(clip), checked(tmp_path / "essay.mp4")
    assert (good.status, bad.status, bad.error_code) == (UploadStatus.READY, UploadStatus.REFUSED, "not_a_video")
    assert "“essay.mp4”" in bad.error_detail
    plan = plan_of_uploads(owner=editor(), tokens=[good.token, bad.token])
    assert [i.finding for i in looked(plan)] == ["new", "refused"]
    plan_confirm(plan=plan, digest=plan.digest, choices={}, actor=editor())
    plan_carry_out(plan.pk, lambda *_: None)
    assert [i.outcome for i in plan_items(plan)] == ["imported", "left_out"]
    source = Episode.objects.get().source
    assert source is not None
    assert (source.frames, source.sha256) == (24, hashlib.sha256(clip.read_bytes()).hexdigest())


@pytest.mark.slow
def test_real_films_and_files_that_break_parsers(test_data: Path, media: Path) -> None:
    for path in sorted(
        p for p in (test_data / "video").rglob("*") if p.is_file() and p.suffix in (".mkv", ".mp4", ".webm")
    ):
        assert checked(path).status == UploadStatus.READY, path.name
    found = sorted(p for p in (test_data / "bad_media").rglob("*") if p.is_file() and p.stat().st_size)
    assert len(found) > 40
    Upload.objects.all().delete()
    for path in found:
        upload = checked(path)
        assert upload.status in (UploadStatus.READY, UploadStatus.REFUSED), path.name
        assert upload.error_code not in ("check_failed", "internal"), path.name
        assert (media / "uploads" / f"{upload.token}.upload").exists() == (upload.status == UploadStatus.READY)
        assert upload.status == UploadStatus.READY or path.name in upload.error_detail, upload.error_detail
        Upload.objects.filter(pk=upload.pk).delete()
