"""Anchors, boxes and sampling of a Matterport Mask R-CNN, number for number as the original computes them.

Boxes are (y1, x1, y2, x2), normalised: pixels minus (0, 0, 1, 1), divided by the side less one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

STRIDES = (4, 8, 16, 32, 64)
SCALES = (32, 64, 128, 256, 512)  # pixels, one per level
RATIOS = (0.5, 1.0, 2.0)  # width over height
DEVIATIONS = (0.1, 0.1, 0.2, 0.2)


def anchors(side: int) -> NDArray[np.float32]:
    """(N, 4) for a square picture, level by level, in height, width, ratio order; centres on whole strides."""
    found = []
    ratios = np.sqrt(np.array(RATIOS))
    for stride, scale in zip(STRIDES, SCALES, strict=True):
        places = np.arange(0, side // stride) * stride
        y, x, ratio = np.meshgrid(places, places, ratios, indexing="ij")
        half = np.stack([scale / ratio, scale * ratio], axis=-1) * 0.5
        centre = np.stack([y, x], axis=-1)
        found.append(np.concatenate([centre - half, centre + half], axis=-1).reshape(-1, 4))
    return normalised(np.concatenate(found), side, side)


def normalised(boxes: NDArray[np.float64], height: int, width: int) -> NDArray[np.float32]:
    scale = np.array([height - 1, width - 1, height - 1, width - 1])
    return np.asarray((boxes - np.array([0, 0, 1, 1])) / scale, np.float32)


def denormalised(boxes: NDArray[np.floating], height: int, width: int) -> NDArray[np.int32]:
    """Whole pixels, lower and right edge exclusive."""
    scale = np.array([height - 1, width - 1, height - 1, width - 1])
    return np.asarray(np.around(boxes * scale + np.array([0, 0, 1, 1])), np.int32)


def refined(boxes: Tensor, deltas: Tensor) -> Tensor:
    """(N, 4) boxes moved by (dy, dx, log dh, log dw), deltas in units of their deviations; sizes are not clamped."""
    deltas = deltas * deltas.new_tensor(DEVIATIONS)
    size = boxes[:, 2:] - boxes[:, :2]
    centre = boxes[:, :2] + 0.5 * size + deltas[:, :2] * size
    size = size * deltas[:, 2:].exp()
    start = centre - 0.5 * size
    return torch.cat([start, start + size], dim=1)


def clipped(boxes: Tensor, window: Tensor) -> Tensor:
    """Into ``window`` (y1, x1, y2, x2)."""
    low, high = window[:2].repeat(2), window[2:].repeat(2)
    return torch.minimum(torch.maximum(boxes, low), high)


def levels(boxes: Tensor, side: int) -> Tensor:
    """(N,) pyramid level 2 to 5 that a box is sampled from: rounded, not floored; a box without area is on 2."""
    height, width = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    scale = torch.sqrt(height * width) / (224.0 / side)
    return (4 + torch.round(torch.log(scale) / float(np.log(np.float32(2.0))))).clamp(2, 5).nan_to_num(2).long()


def sampled(maps: Sequence[Tensor], boxes: Tensor, places: int, side: int) -> Tensor:
    """(N, channels, places, places): each box sampled from the map of its level. ``maps``: P2 to P5, (C, H, W)."""
    out = boxes.new_empty((len(boxes), maps[0].shape[0], places, places))
    level = levels(boxes, side)
    for n, features in enumerate(maps, start=2):
        chosen = torch.nonzero(level == n).squeeze(1)
        if len(chosen):
            out[chosen] = crop_and_resize(features, boxes[chosen], places)
    return out


def crop_and_resize(features: Tensor, boxes: Tensor, places: int) -> Tensor:
    """TensorFlow's ``crop_and_resize``: ``places`` samples per side, both ends included; zero outside the map.

    In single precision and in its order of operations: whether the last sample falls outside is a matter of rounding.
    """
    channels, height, width = features.shape
    rows = _ends(boxes[:, 0], boxes[:, 2], height, places)
    columns = _ends(boxes[:, 1], boxes[:, 3], width, places)
    flat = features.permute(1, 2, 0).reshape(height * width, channels)
    (top, bottom, down, inside_y), (left, right, across, inside_x) = rows, columns
    shape = (len(boxes), places, places, channels)

    def at(y: Tensor, x: Tensor) -> Tensor:
        return flat[(y[:, :, None] * width + x[:, None, :]).reshape(-1)].view(shape)

    across, down = across[:, None, :, None], down[:, :, None, None]
    upper, lower = at(top, left), at(bottom, left)
    upper = upper + (at(top, right) - upper) * across
    lower = lower + (at(bottom, right) - lower) * across
    value = upper + (lower - upper) * down
    inside = (inside_y[:, :, None] & inside_x[:, None, :]).unsqueeze(-1)
    return torch.where(inside, value, value.new_zeros(())).permute(0, 3, 1, 2)


def _ends(start: Tensor, end: Tensor, length: int, places: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Per box and sample: the cell before, the cell after, how far between, and whether it is on the map."""
    step = (end - start) * (length - 1) / (places - 1)
    place = (start * (length - 1))[:, None] + torch.arange(places, device=start.device) * step[:, None]
    inside = (place >= 0) & (place <= length - 1)
    place = torch.where(inside, place, place.new_zeros(()))
    low = place.floor()
    return low.long(), place.ceil().long(), place - low, inside
