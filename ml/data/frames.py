"""Pictures as pixels: single frames of videos, decoded in the limited process of ml/video.py, and image files.

Everything comes out as RGB uint8, height x width x 3.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.data.records import LabelledImage
from ml.errors import NoFrames, UserError
from ml.video import DEFAULT_LIMITS, Drawing, Limits, VideoFile, opened, read_segment, shown_name

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
MAX_IMAGE_BYTES = 64 << 20
Picture = NDArray[np.uint8]


class ImageUnreadable(UserError):
    """A picture file is missing, too large, or not one that can be read."""

    code = "image_unreadable"


def frame_at(video: str | os.PathLike[str] | VideoFile, pts_ms: int, limits: Limits = DEFAULT_LIMITS) -> Picture:
    """The frame that is on screen ``pts_ms`` after the video's first. Raises the UserErrors of videos.

    NoFrames where the video has ended by then.
    """
    return next(iter(frames_at(video, [pts_ms], limits)))[1]


def frames_at(
    video: str | os.PathLike[str] | VideoFile, times_ms: Iterable[int], limits: Limits = DEFAULT_LIMITS
) -> Iterator[tuple[int, Picture]]:
    """``(time, frame on screen then)`` for each time, in the order given. Errors as those of ``frame_at``."""
    with opened(video) as file:
        for time_ms in times_ms:
            yield time_ms, _standing(file, time_ms, limits)


def _standing(file: VideoFile, time_ms: int, limits: Limits) -> Picture:
    if time_ms < 0:
        raise NoFrames(f"The file {file.name} has no frame at {time_ms} ms.")
    for item in read_segment(file, time_ms, time_ms + 1, "every-1", limits, thumbs=False):
        if isinstance(item, Drawing):
            return item.picture
    raise NoFrames(f"The file {file.name} has no frame at {time_ms / 1000:.3f} s: it ends before.")


def load_image(image: LabelledImage) -> Picture:
    """The pixels of a labelled picture, a file's or a frame's. Raises ImageUnreadable or the UserErrors of videos."""
    return read_image(image.path) if image.pts_ms is None else frame_at(image.path, image.pts_ms)


def read_image(path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> Picture:
    """A picture file, upright by its EXIF data, an alpha channel left out. Raises ImageUnreadable."""
    path, name = Path(path), shown_name(path)
    try:
        if not path.is_file():
            raise ImageUnreadable(f"The picture {name} does not exist.")
        if path.stat().st_size > MAX_IMAGE_BYTES:
            raise ImageUnreadable(f"The picture {name} is larger than {MAX_IMAGE_BYTES >> 20} MB.")
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise ImageUnreadable(f"The picture {name} cannot be read: {error.strerror}.") from error
    try:
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except cv2.error:
        decoded = None
    if decoded is None:
        raise ImageUnreadable(f"The picture {name} is damaged, or of a kind that is not read.")
    if decoded.shape[0] * decoded.shape[1] > limits.max_pixels:
        raise ImageUnreadable(f"The picture {name} has more than {limits.max_pixels} pixels.")
    return np.ascontiguousarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)).astype(np.uint8, copy=False)
