"""RoIAlign as sums of rows: what torchvision's ``MultiScaleRoIAlign`` gives, sooner on a processor.

Every cell of a pooled region is a weighted sum of 16 places of one map (four samples, four neighbours each). With maps
as rows of channels that is an ``embedding_bag``: one vectorised pass over all levels, regions and pictures at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

CANONICAL_SIZE, CANONICAL_LEVEL = 224, 4  # a region of 224 pixels is looked up at stride 2 ** 4 (Lin et al. 2017)
SAMPLES = 2  # per cell and axis


class RegionPooling:
    """Maps of one batch, each (N, C, height, width), at strides ``strides`` that double from one to the next."""

    def __init__(self, maps: Sequence[Tensor], strides: Sequence[int]) -> None:
        channels = maps[0].shape[1]
        self.table = torch.cat([m.permute(0, 2, 3, 1).reshape(-1, channels) for m in maps]).float()
        rows = [m.shape[0] * m.shape[2] * m.shape[3] for m in maps]
        self.start = torch.tensor([sum(rows[:n]) for n in range(len(rows))], dtype=torch.int32)
        self.limit = torch.tensor([[m.shape[3], m.shape[2]] for m in maps], dtype=torch.int32)  # x, y as in boxes
        self.scale = torch.tensor([1.0 / s for s in strides])
        self.finest = strides[0].bit_length() - 1

    def __call__(self, boxes: Tensor, pictures: Tensor, size: int) -> Tensor:
        """boxes (R, 4) in pixels, pictures (R,) int32 -> (R, size, size, C), float."""
        level = self._levels(boxes)
        limit = self.limit[level]
        index, weight = _taps(boxes * self.scale[level, None], limit, size)
        width = limit[:, 0].view(-1, 1, 1)
        start = (self.start[level] + pictures * limit[:, 0] * limit[:, 1]).view(-1, 1, 1)
        rows = (index[:, 1] * width + start)[:, :, None, :, None] + index[:, 0][:, None, :, None, :]
        shares = weight[:, 1][:, :, None, :, None] * weight[:, 0][:, None, :, None, :]
        taps = (2 * SAMPLES) ** 2
        pooled = F.embedding_bag(
            rows.reshape(-1, taps), self.table, mode="sum", per_sample_weights=shares.reshape(-1, taps)
        )
        return pooled.view(len(boxes), size, size, -1)

    def _levels(self, boxes: Tensor) -> Tensor:
        side = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sqrt()
        level = torch.floor(CANONICAL_LEVEL + torch.log2(side / CANONICAL_SIZE) + 1e-6)
        return level.clamp(self.finest, self.finest + len(self.scale) - 1).long() - self.finest


def _taps(boxes: Tensor, limit: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Places and their shares along x and y, each (R, 2, size, 4), for ``boxes`` in units of their map."""
    first, extent = boxes[:, :2, None], (boxes[:, 2:] - boxes[:, :2]).clamp(min=1.0)[:, :, None]
    steps = (torch.arange(SAMPLES * size) + 0.5) / (SAMPLES * size)
    place = first + extent * steps
    end = limit[:, :, None]
    inside = (place >= -1.0) & (place <= end)
    place = place.clamp(min=0.0)
    low = torch.minimum(place.int(), end - 1)
    high = torch.minimum(low + 1, end - 1)
    part = place - low
    index = torch.stack((low, high), -1).view(len(boxes), 2, size, -1)
    weight = torch.stack((1.0 - part, part), -1) * (inside[..., None] * (1.0 / SAMPLES))
    return index, weight.view(len(boxes), 2, size, -1)
