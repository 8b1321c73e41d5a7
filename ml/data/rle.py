"""COCO's run-length encoding, checked before anything trusts it. Runs go down the columns and begin with background.

pycocotools reads past the end of a damaged string, so strings are taken apart here: each number in groups of five
bits, least first, 48 added to make a character, 32 says that more follows; from the third on the difference to the
one before the last (cocodataset/cocoapi, common/maskApi.c, describes it so).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ml.data.reading import MAX_SIDE, Bad
from ml.types import Box, Mask

MAX_RUNS = 2_000_000
MAX_PIXELS = 1 << 28


def mask_from(segmentation: Any) -> Mask:
    """From COCO's ``{"size": [height, width], "counts": list or string}``. Raises Bad."""
    if not isinstance(segmentation, dict):
        raise Bad("the mask is no object")
    size = segmentation.get("size")
    if (
        not isinstance(size, list | tuple)
        or len(size) != 2
        or not all(type(v) is int and 0 < v <= MAX_SIDE for v in size)
    ):
        raise Bad("the mask gives no size of two whole numbers")
    height, width = size
    if height * width > MAX_PIXELS:
        raise Bad("the mask has too many pixels")
    counts = segmentation.get("counts")
    if isinstance(counts, str):
        runs = unpack(counts)
    elif isinstance(counts, list):
        if len(counts) > MAX_RUNS or not all(type(v) is int and 0 <= v <= MAX_PIXELS for v in counts):
            raise Bad("the mask's runs are not all whole numbers from 0 on")
        runs = counts
    else:
        raise Bad("the mask has no counts")
    if sum(runs) != height * width:
        raise Bad(f"the mask's runs cover {sum(runs)} pixels of {height * width}")
    if not any(runs[1::2]):
        raise Bad("the mask is empty")
    return Mask((height, width), counts if isinstance(counts, str) else pack(runs))


def mask_box(mask: Mask) -> Box:
    """Of a mask that was checked; no picture is made of it."""
    height, _ = mask.size
    ends = np.cumsum(np.asarray(unpack(mask.counts), np.int64))
    starts, stops = ends[0::2][: len(ends[1::2])], ends[1::2]
    full = stops > starts
    first, last = starts[full], stops[full] - 1
    x1, x2 = int(first.min()) // height, int(last.max()) // height
    over = first // height != last // height  # a run that goes on in the next column touches both edges
    y1 = 0 if over.any() else int((first % height).min())
    y2 = height - 1 if over.any() else int((last % height).max())
    return float(x1), float(y1), float(x2 + 1), float(y2 + 1)


def unpack(text: str) -> list[int]:
    """Runs from the compressed string. Raises Bad."""
    runs: list[int] = []
    value, shift = 0, 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64 or shift > 35:
            raise Bad("the mask's string is damaged")
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        if not 0 <= runs[-1] <= MAX_PIXELS or len(runs) > MAX_RUNS:
            raise Bad("the mask's string is damaged")
        value, shift = 0, 0
    if shift:
        raise Bad("the mask's string is damaged")
    return runs


def pack(runs: list[int]) -> str:
    """The compressed string of checked runs."""
    out = []
    for index, run in enumerate(runs):
        value = run - runs[index - 2] if index > 2 else run
        more = True
        while more:
            code = value & 31
            value >>= 5
            more = value != (-1 if code & 16 else 0)
            out.append(chr(48 + (code | 32 if more else code)))
    return "".join(out)
