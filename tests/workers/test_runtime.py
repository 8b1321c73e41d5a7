from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ml.errors import BundleInvalid, DeviceMissing
from tests.workers import fake_models as fakes
from workers import runtime
from workers.runtime import models_for

pytestmark = pytest.mark.usefixtures("fake_models")


def test_models_are_loaded_once_per_bundle_and_device(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[tuple[str, str]] = []

    def load(bundle_dir: Path, device: str) -> Any:
        loaded.append((bundle_dir.name, device))
        return fakes.load(bundle_dir, device)

    monkeypatch.setattr(runtime, "import_string", lambda path: load)
    assert models_for("fake", "1", fakes.DIGEST) is models_for("fake", "1", fakes.DIGEST)
    assert loaded == [("fake-1", "cpu")]


def test_a_folder_with_another_bundle_is_refused() -> None:
    with pytest.raises(BundleInvalid, match="digest differs"):
        models_for("fake", "1", "0" * 64)


def test_a_gpu_that_was_asked_for_is_not_replaced_by_the_cpu(settings: Any) -> None:
    settings.TOONEMO_DEVICE = "cuda:0"
    with pytest.raises(DeviceMissing, match="although cuda:0 was asked for"):
        models_for("fake", "1", fakes.DIGEST)
