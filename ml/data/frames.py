"""Pictures as pixels: single frames of videos, decoded in the limited process of ml/video.py, and image files.

Everything comes out upright, as RGB uint8, height x width x 3.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.data.headers import picture_size
from ml.data.records import LabelledImage
from ml.errors import NoFrames, UserError
from ml.video import DEFAULT_LIMITS, Decoder, Limits, VideoFile, opened, shown_name

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"})
MAX_IMAGE_BYTES = 64 << 20
AT_ONCE = 1000  # times given to one decoding process
Picture = NDArray[np.uint8]


class ImageUnreadable(UserError):
    """A picture file is missing, too large, or not one that can be read."""

    code = "image_unreadable"


def frame_at(video: str | os.PathLike[str] | VideoFile, pts_ms: int, limits: Limits = DEFAULT_LIMITS) -> Picture:
    """The frame that is on screen ``pts_ms`` after the video's first.

    A process is started for it: for many frames ``frames_at`` costs far less. Raises the UserErrors of videos;
    NoFrames where the video has ended by then.
    """
    return next(picture for _, picture in frames_at(video, [pts_ms], limits))


def frames_at(
    video: str | os.PathLike[str] | VideoFile, times_ms: Iterable[int], limits: Limits = DEFAULT_LIMITS
) -> Iterator[tuple[int, Picture]]:
    """``(time, frame on screen then)`` for each time, once each and ascending. Errors as those of ``frame_at``.

    Decoding runs ahead in its process by what a pipe holds; a picture is one's own to keep or change.
    """
    wanted = sorted(set(times_ms))
    with opened(video) as file:
        if wanted and wanted[0] < 0:
            raise NoFrames(f"The file {file.name} has no frame at {wanted[0]} ms.")
        for first in range(0, len(wanted), AT_ONCE):
            yield from _pass(file, wanted[first : first + AT_ONCE], limits)


def _pass(file: VideoFile, wanted: Sequence[int], limits: Limits) -> Iterator[tuple[int, Picture]]:
    left = list(wanted)
    with Decoder(file, "frames", {"threads": 1, "times_ms": left}, limits, None) as decoder:
        for kind, head, payload in decoder.messages():
            if kind == "D":
                if head["t"] != left[0]:
                    break
                yield left.pop(0), np.frombuffer(payload, np.uint8).reshape(head["height"], head["width"], 3)
            elif kind == "E":
                break
        else:
            raise decoder.lost()
    if left:
        raise NoFrames(f"The file {file.name} has no frame at {left[0] / 1000:.3f} s.")


def load_image(image: LabelledImage) -> Picture:
    """The pixels of a labelled picture, a file's or a frame's. Raises ImageUnreadable or the UserErrors of videos."""
    return read_image(image.path) if image.pts_ms is None else frame_at(image.path, image.pts_ms)


def load_images(images: Iterable[LabelledImage]) -> Iterator[tuple[LabelledImage, Picture]]:
    """Each with its pixels; neighbours that are frames of one video are decoded together, in order of time.

    So they come in the order given only where that is ascending within each video. Errors as those of ``load_image``.
    """
    for (path, is_frame), of in itertools.groupby(images, key=lambda i: (i.path, i.pts_ms is not None)):
        if not is_frame:
            yield from ((image, read_image(path)) for image in of)
            continue
        together = sorted(of, key=lambda i: i.pts_ms or 0)
        stream = frames_at(path, (i.pts_ms or 0 for i in together))
        for (_, at_once), (_, picture) in zip(itertools.groupby(together, lambda i: i.pts_ms), stream, strict=True):
            yield from ((image, picture) for image in at_once)


def read_image(path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> Picture:
    """A picture file (PNG, JPEG, WebP, BMP, GIF's first picture), turned by its Exif data, without an alpha channel.

    Its size is read from its first bytes and held against the limits before anything is decoded. Raises
    ImageUnreadable.
    """
    path, name = Path(path), shown_name(path)
    try:
        if not path.is_file():
            raise ImageUnreadable(f"The picture {name} does not exist, or is no ordinary file.")
        if path.stat().st_size > MAX_IMAGE_BYTES:
            raise ImageUnreadable(f"The picture {name} is larger than {MAX_IMAGE_BYTES >> 20} MB.")
        size = picture_size(path)
        if size is None:
            raise ImageUnreadable(f"The picture {name} is damaged, or none of PNG, JPEG, WebP, BMP and GIF.")
        if size[0] * size[1] > limits.max_pixels:
            raise ImageUnreadable(
                f"The picture {name} has {size[0]} x {size[1]} pixels; the limit is {limits.max_pixels} in all."
            )
        data = path.read_bytes()
    except OSError as error:
        raise ImageUnreadable(f"The picture {name} cannot be read: {error.strerror}.") from error
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise ImageUnreadable(f"The picture {name} is damaged: its pixels cannot be decoded.")
    return np.ascontiguousarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)).astype(np.uint8, copy=False)
