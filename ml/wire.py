"""What the decoding child says to its parent: messages on one pipe.

A message is a kind (one letter), the length of a JSON head, the length of a payload, the head, the payload.

    I  what the video is: width, height                     sent once, when the first picture decoded;
                                                            a probe also says container and codec
    P  still alive: frames decoded so far, t                sent at least every half second while nothing else is
    T  one frame: t; payload its thumbnail (THUMB_SHAPE)    every frame of a segment and of its context
    D  one sampled drawing: t, carried (it began before the segment); payload RGB, height x width x 3;
       of frames at given times: t as asked for, at (the frame's own time), width, height
    E  the end: frames, end_ms, eof, errors, last_ms
    X  it went wrong: code, reason
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

HEAD = struct.Struct(">cIQ")
THUMB_SHAPE = (48, 64, 3)
MAX_HEAD = 1 << 16
MAX_PAYLOAD = 1 << 30


def pack(kind: str, head: dict[str, Any], payload_size: int = 0) -> bytes:
    text = json.dumps(head).encode()
    return HEAD.pack(kind.encode(), len(text), payload_size) + text


def unpack(read: Callable[[int], bytearray]) -> tuple[str, dict[str, Any], bytearray]:
    """``read(n)`` gives exactly n bytes or raises EOFError. Raises ValueError where the bytes are no message."""
    kind, head_size, payload_size = HEAD.unpack(bytes(read(HEAD.size)))
    if head_size > MAX_HEAD or payload_size > MAX_PAYLOAD:
        raise ValueError("a message of impossible size")
    head = json.loads(bytes(read(head_size)))
    return kind.decode("latin-1"), head, read(payload_size) if payload_size else bytearray()
