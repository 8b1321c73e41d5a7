"""Tells the catalogue what a video is, in its own words. Imports no torch: decoding needs none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from catalog.errors import MediaRejected
from catalog.probing import VideoFacts
from ml.errors import ToonemoError
from ml.video import DEFAULT_LIMITS, probe_kinds

CONTAINERS = {"mov,mp4,m4a,3gp,3g2,mj2": "mp4", "matroska,webm": "matroska"}
WEBM_CODECS = ("vp8", "vp9", "av1", "libdav1d")


def probe_video(path: Path, *, max_duration_ms: int, on_progress: Callable[[int], None] | None = None) -> VideoFacts:
    """Decodes the whole video in a process of its own. ``on_progress(pts_ms)`` about twice a second.

    Raises MediaRejected with the pipeline's code and sentence.
    """
    limits = replace(DEFAULT_LIMITS, max_duration_ms=max_duration_ms)
    try:
        probed = probe_kinds(path, limits, None if on_progress is None else lambda _, pts_ms: on_progress(pts_ms))
    except ToonemoError as error:
        raise MediaRejected(error.code, str(error)) from error
    info = probed.info
    return VideoFacts(
        container=container_name(probed.container, probed.codec),
        codec=probed.codec,
        width=info.width,
        height=info.height,
        duration_ms=info.duration_ms,
        frames=info.frames,
        sha256=info.sha256,
    )


def container_name(demuxer: str, codec: str) -> str:
    """One word for FFmpeg's demuxer. It reads Matroska and WebM alike; WebM is the one with a WebM codec."""
    name = CONTAINERS.get(demuxer, demuxer)
    return "webm" if name == "matroska" and codec in WEBM_CODECS else name
