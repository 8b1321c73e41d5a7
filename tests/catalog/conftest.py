from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import MediaRejected
from catalog.naming import shown
from catalog.probing import VideoFacts

Make = Callable[..., Path]


class FakeProbe:
    """Takes what begins with VIDEO. ``seen``: the names of the files it was asked about."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.duration_ms = 2_000
        self.then: Callable[[Path], object] = lambda path: None

    def __call__(
        self, path: Path, *, max_duration_ms: int, on_progress: Callable[[int], None] | None = None
    ) -> VideoFacts:
        self.seen.append(path.name)
        content = path.read_bytes()
        if not content.startswith(b"VIDEO"):
            raise MediaRejected("not_a_video", f"The file {shown(path.name)} is a text file, not a video.")
        self.then(path)
        return VideoFacts("mp4", "h264", 320, 180, self.duration_ms, 48, hashlib.sha256(content).hexdigest())


probe = FakeProbe()


@pytest.fixture
def fake_probe(settings: Any) -> FakeProbe:
    probe.__init__()  # type: ignore[misc]
    settings.TOONEMO_VIDEO_PROBE = "tests.catalog.conftest.probe"
    return probe


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    """An empty MEDIA_ROOT of this test alone."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """``make(name, content)`` writes a file that the fake probe takes, in a folder of this test; gives its path."""

    def write(name: str, content: str | bytes = "", *, video: bool = True) -> Path:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes((b"VIDEO " if video else b"") + (data or name.encode(errors="surrogateescape")))
        return path

    return write


def stored(media: Path) -> list[str]:
    """Every file under MEDIA_ROOT."""
    return sorted(str(p.relative_to(media)) for p in media.rglob("*") if p.is_file())
