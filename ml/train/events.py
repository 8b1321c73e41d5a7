"""TensorBoard's event files, scalars only, written without TensorBoard.

An event file is a row of records: length (uint64), CRC of the length, an ``Event`` in protobuf's wire format, CRC of
the event; CRCs are CRC-32C, turned and shifted ("masked"). Sources: tensorflow/core/lib/io/record_writer.h for the
records, tensorflow/core/util/event.proto and framework/summary.proto for the numbers of the fields.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO


class EventFile:
    """A new file ``events.out.tfevents...`` in ``folder``; ``add`` appends one number."""

    def __init__(self, folder: Path, started: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._stream: BinaryIO = (folder / f"events.out.tfevents.{int(started)}.toonemo").open("wb")
        self._write(_double(1, started) + _bytes(3, b"brain.Event:2"))

    def add(self, tag: str, value: float, step: int, at: float) -> None:
        """``at``: seconds since 1970."""
        number = _bytes(1, tag.encode()) + _key(2, 5) + struct.pack("<f", value)
        self._write(_double(1, at) + _key(2, 0) + _varint(step) + _bytes(5, _bytes(1, number)))

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()

    def _write(self, event: bytes) -> None:
        length = struct.pack("<Q", len(event))
        self._stream.write(length + _masked(length) + event + _masked(event))


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), as in RFC 3720, appendix B.4."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _row(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value


_TABLE = tuple(_row(n) for n in range(256))


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _double(number: int, value: float) -> bytes:
    return _key(number, 1) + struct.pack("<d", value)


def _bytes(number: int, value: bytes) -> bytes:
    return _key(number, 2) + _varint(len(value)) + value
