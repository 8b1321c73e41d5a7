from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.models import ModelBundle
from analysis.services.bundles import bundle_register
from ml.types import EMOTIONS, BundleRef
from tests.workers.clips import write_clip
from tests.workers.fake_models import CHARACTERS, DIGEST
from workers import going_home, runtime

CLIP_MS = 6000


@pytest.fixture(scope="session")
def clip_media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A media folder with ``clip.mp4`` in it."""
    media = tmp_path_factory.mktemp("media")
    write_clip(media / "clip.mp4", CLIP_MS // 1000)
    return media


@pytest.fixture
def fake_models(settings: Any, clip_media: Path) -> Iterator[Path]:
    """Workers load the models of the tests; gives the media folder."""
    settings.MEDIA_ROOT = clip_media
    settings.TOONEMO_MODEL_LOADER = "tests.workers.fake_models.load"
    settings.TOONEMO_DEVICE = "cpu"
    runtime._loaded.clear()
    going_home.stay()
    yield clip_media
    runtime._loaded.clear()
    going_home.stay()


def make_fake_bundle() -> ModelBundle:
    return bundle_register(ref=BundleRef("fake", "1", DIGEST), characters=CHARACTERS, emotions=EMOTIONS, card={})
