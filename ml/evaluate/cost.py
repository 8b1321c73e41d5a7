"""What a bundle costs: parameters, bytes, and how many of the measured drawings it does in a second."""

from __future__ import annotations

import json
import math
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml.detect.base import Frame
from ml.runtime import Models

TIMED = 12  # pictures
MOST_HEADER = 100_000_000


def parameters(path: Path) -> int | None:
    """Numbers in a safetensors file, by its header; None for a file of another kind."""
    if path.suffix != ".safetensors":
        return None
    with path.open("rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(min(length, MOST_HEADER)))
    return sum(int(math.prod(entry["shape"])) for name, entry in header.items() if name != "__metadata__")


def size_of(models: Models) -> list[dict[str, Any]]:
    """Name, parameters and megabytes (10^6 bytes) of each part of the bundle."""
    bundle = models.bundle
    parts = {"detector": bundle.detector, "classifier": bundle.classifier, "gallery": bundle.gallery}
    rows = []
    for name, part in parts.items():
        if part is None:
            continue
        files = [bundle.weights(part, file) for file in part.files]
        counts = [parameters(file) for file in files]
        rows.append(
            {
                "name": f"{name} ({part.architecture})",
                "parameters": sum(c for c in counts if c is not None) or None,
                "megabytes": round(sum(file.stat().st_size for file in files) / 1e6, 2),
            }
        )
    return rows


def speed_of(models: Models, frames: Sequence[Frame]) -> dict[str, Any]:
    """Drawings per second, detector and classifier together, at the bundle's own thresholds; the better of two rounds
    after one to warm up. Nothing of decoding is in it.
    """
    import torch

    frames = list(frames)
    if not frames:
        return {}
    models.read_faces(frames[:4], models.detector.detect(frames[:4]))
    seconds = min(_timed(models, frames) for _ in range(2))
    return {
        "drawings_per_second": round(len(frames) / seconds, 2),
        "drawings": len(frames),
        "picture": [frames[0].shape[1], frames[0].shape[0]],
        "device": models.device,
        "threads": torch.get_num_threads(),
    }


def _timed(models: Models, frames: list[Frame]) -> float:
    begun = time.perf_counter()
    found = models.detector.detect(frames)
    models.read_faces(frames, found)
    return time.perf_counter() - begun
