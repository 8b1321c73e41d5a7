"""What the catalogue wants to know of a video. Who can tell is named by a setting; nothing is decoded here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """``width``, ``height``: of the picture as it is shown. ``frames``: those that decode. ``duration_ms``: until the
    last one ends. ``sha256``: of the content that was looked at."""

    container: str
    codec: str
    width: int
    height: int
    duration_ms: int
    frames: int
    sha256: str


class VideoProbe(Protocol):
    def __call__(
        self, path: Path, *, max_duration_ms: int, on_progress: Callable[[int], None] | None = None
    ) -> VideoFacts:
        """Looks at a whole video. ``on_progress(pts_ms)`` now and then. Raises catalog.errors.MediaRejected."""


def video_probe() -> VideoProbe:
    return cast(VideoProbe, import_string(settings.TOONEMO_VIDEO_PROBE))


def max_duration_ms() -> int:
    return int(settings.TOONEMO_MAX_DURATION_MINUTES) * 60_000


def max_bytes() -> int:
    return int(float(settings.TOONEMO_MAX_FILE_GB) * 1e9)
