"""A still picture of a stranger, in the decoding process: PNG, JPEG, WebP, BMP or GIF, told by its first bytes."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.data.headers import size_in
from ml.decode_segment import Pipe
from ml.decode_source import Handle, Refused

PAPER = 255  # what shows through where a drawing is transparent


def picture(pipe: Pipe, request: dict[str, Any]) -> None:
    """One ``D`` with the whole picture, upright, RGB. Its size is held against the limits before it is decoded."""
    handle = Handle(request["fd"])
    if handle.length > request["max_bytes"]:
        raise Refused("picture_unreadable", f"is larger than {request['max_bytes'] >> 20} MB")
    data = handle.read()
    size = size_in(io.BytesIO(data))
    if size is None:
        raise Refused("picture_unreadable", "is damaged, or none of PNG, JPEG, WebP, BMP and GIF")
    width, height = size
    if width * height > request["max_pixels"]:
        raise Refused(
            "picture_unreadable", f"has {width} x {height} pixels; the limit is {request['max_pixels']} in all"
        )
    if min(width, height) < request["min_side"]:
        raise Refused(
            "picture_unreadable", f"has {width} x {height} pixels; each side needs at least {request['min_side']}"
        )
    pixels = _decoded(data)
    pipe.say("D", {"width": pixels.shape[1], "height": pixels.shape[0]}, pixels)


def _decoded(data: bytes) -> NDArray[np.uint8]:
    """Turned by its Exif data. A transparent drawing lies on white paper, as a person sees it."""
    array = np.frombuffer(data, np.uint8)
    try:
        whole = cv2.imdecode(array, cv2.IMREAD_UNCHANGED)
        plain = cv2.imdecode(array, cv2.IMREAD_COLOR)
    except cv2.error:
        whole = plain = None
    if plain is None:
        raise Refused("picture_unreadable", "is damaged: its pixels cannot be decoded")
    if whole is not None and whole.ndim == 3 and whole.shape[2] == 4 and whole.shape[:2] == plain.shape[:2]:
        most = 65535.0 if whole.dtype == np.uint16 else 255.0
        alpha = whole[:, :, 3:].astype(np.float32) / most
        plain = (plain * alpha + PAPER * (1.0 - alpha)).round().astype(np.uint8)
    return np.ascontiguousarray(cv2.cvtColor(plain, cv2.COLOR_BGR2RGB)).astype(np.uint8, copy=False)
