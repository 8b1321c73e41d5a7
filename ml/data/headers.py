"""Width and height of a picture from the first bytes of its file: PNG, JPEG, GIF, BMP, WebP. Decodes no pixels.

A JPEG that its Exif data turns is given as it is shown, which is how browsers label it and OpenCV decodes it.
Layouts: PNG (RFC 2083), JPEG (ITU T.81, Exif 2.3), GIF89a, BMP (BITMAPINFOHEADER), WebP (RFC 9649).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # markers that start a JPEG frame
_MAX_SEGMENTS = 2000


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width, height; None where the file is missing, damaged or of another kind."""
    try:
        with path.open("rb") as file:
            return size_in(file)
    except OSError:
        return None


def size_in(file: BinaryIO) -> tuple[int, int] | None:
    """The same of an open file, read from where it stands."""
    try:
        size = _size(file)
    except (struct.error, IndexError):
        return None
    return size if size and min(size) > 0 else None


def _size(file: BinaryIO) -> tuple[int, int] | None:
    head = file.read(32)
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return _two(">II", head, 16)
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _two("<HH", head, 6)
    if head.startswith(b"BM"):
        if _one("<I", head, 14) == 12:
            return _two("<HH", head, 18)
        width, height = _two("<ii", head, 18)
        return abs(width), abs(height)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    if head.startswith(b"\xff\xd8"):
        file.seek(2)
        return _jpeg(file)
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16] if len(head) >= 30 else b""
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = _two("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg(file: BinaryIO) -> tuple[int, int] | None:
    turned = False
    for _ in range(_MAX_SEGMENTS):
        marker = file.read(2)
        while len(marker) == 2 and marker == b"\xff\xff":  # padding
            marker = b"\xff" + file.read(1)
        if len(marker) < 2 or marker[0] != 0xFF:
            return None
        if marker[1] in (0x01, *range(0xD0, 0xD8)):
            continue
        length = _one(">H", file.read(2), 0)
        if marker[1] in _FRAMES:
            height, width = _two(">HH", file.read(5), 1)
            return (height, width) if turned else (width, height)
        if marker[1] == 0xE1:
            turned = _is_turned(file.read(length - 2)) or turned
        else:
            file.seek(max(0, length - 2), 1)
    return None


def _is_turned(segment: bytes) -> bool:
    """Whether the Exif orientation swaps width and height (5 to 8)."""
    if segment[:6] != b"Exif\0\0":
        return False
    tiff = segment[6:]
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return False
    try:
        start = _one(order + "I", tiff, 4)
        for entry in range(min(_one(order + "H", tiff, start), 200)):
            at = start + 2 + 12 * entry
            if _one(order + "H", tiff, at) == 0x0112:
                return 5 <= _one(order + "H", tiff, at + 8) <= 8
    except struct.error:
        pass
    return False


def _one(layout: str, data: bytes, offset: int) -> int:
    return int(struct.unpack_from(layout, data, offset)[0])


def _two(layout: str, data: bytes, offset: int) -> tuple[int, int]:
    first, second = struct.unpack_from(layout, data, offset)
    return int(first), int(second)
