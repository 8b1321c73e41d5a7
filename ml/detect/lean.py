"""The shipped detector's network as a processor runs it best: the same weights and answers in half the time.

What differs from torchvision's way: convolutions fused with what follows them (ml.fused), proposals decoded only where
they can win, doubles suppressed level by level, regions pooled as sums of rows (ml.detect.pooling), the last numbers of
every head in single precision. docs/decisions/0006-speed-on-two-cores.md says what each step brought.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN
from torchvision.ops import nms

from ml.detect.network import STRIDES, TAPS
from ml.detect.pooling import RegionPooling
from ml.fused import FusedConv, fuse

EXACT_BLOCKS = 4  # of the backbone, always in single precision: nearly all that bfloat16 spoils, it spoils there
Found = dict[str, Tensor]
Sizes = Sequence[tuple[int, int]]


class LeanMaskRcnn:
    """Takes ``network`` over: its convolutions are replaced in place, it can no longer be trained.

    ``dtype``: of maps and weights, bfloat16 or float32. What ``network.roi_heads`` says of thresholds holds here too.
    """

    def __init__(self, network: MaskRCNN, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.rpn, self.roi_heads = network.rpn, network.roi_heads
        self.backbone = network.backbone
        for index, block in enumerate(self.backbone.features):
            fuse(block, torch.float32 if index < EXACT_BLOCKS else dtype)
        for part in (self.backbone.fpn, self.rpn.head.conv, self.roi_heads.mask_head):
            fuse(part, dtype)
        self.score_and_shift = FusedConv(_joined(self.rpn.head.cls_logits, self.rpn.head.bbox_pred), None, dtype)
        self.ratios = self.rpn.head.cls_logits.out_channels
        box_head, mask_predictor = self.roi_heads.box_head, self.roi_heads.mask_predictor
        self.first = (_by_place(box_head.fc6.weight).to(dtype), box_head.fc6.bias.to(dtype))
        self.second = (box_head.fc7.weight.to(dtype), box_head.fc7.bias.to(dtype))
        self.grow = _as_linear(mask_predictor.conv5_mask, dtype)
        self.decide = (mask_predictor.mask_fcn_logits.weight.flatten(1), mask_predictor.mask_fcn_logits.bias)
        self._anchors = lru_cache(8)(self._make_anchors)

    def __call__(self, batch: Tensor, sizes: Sizes) -> list[Found]:
        """The same as the torchvision network with FaceHeads: boxes, logits, scores, masks per picture."""
        return self.find(self.pyramid(batch), batch, sizes)

    def find(self, maps: Sequence[Tensor], batch: Tensor, sizes: Sizes) -> list[Found]:
        proposals = self.propose(maps, batch, sizes)
        pooling = self.pooling(maps)
        return self.add_masks(pooling, self.judge(pooling, proposals, sizes))

    def pyramid(self, batch: Tensor) -> list[Tensor]:
        """(N, 3, H, W), normalised, H and W divisible by 32 -> four maps."""
        return self.fpn(self.features(batch))

    def features(self, batch: Tensor) -> dict[str, Tensor]:
        x, taps = batch, dict[str, Tensor]()
        for index, block in enumerate(self.backbone.features):
            x = block(x if index < EXACT_BLOCKS else x.to(self.dtype))
            if index in TAPS:
                taps[str(len(taps))] = x
        return taps

    def fpn(self, taps: dict[str, Tensor]) -> list[Tensor]:
        maps: dict[str, Tensor] = self.backbone.fpn(taps)
        return list(maps.values())

    def pooling(self, maps: Sequence[Tensor]) -> RegionPooling:
        return RegionPooling(maps[: len(STRIDES)], STRIDES)

    def propose(self, maps: Sequence[Tensor], batch: Tensor, sizes: Sizes) -> list[Tensor]:
        """Per picture at most ``proposals`` boxes (P, 4) inside it, the likeliest first."""
        anchors = self._anchors(tuple((m.shape[2], m.shape[3]) for m in maps), (batch.shape[2], batch.shape[3]))
        scores, boxes, counts = [], [], []
        for fmap, of_level in zip(maps, anchors, strict=True):
            out = self.score_and_shift(self.rpn.head.conv(fmap)).permute(0, 2, 3, 1).float()
            objectness = out[..., : self.ratios].reshape(len(batch), -1)
            shifts = out[..., self.ratios :].reshape(len(batch), -1, 4)
            best, where = objectness.topk(min(self.rpn.pre_nms_top_n(), objectness.shape[1]), dim=1)
            picked = shifts.gather(1, where[:, :, None].expand(-1, -1, 4)).reshape(-1, 4)
            boxes.append(self.rpn.box_coder.decode_single(picked, of_level[where.flatten()]).view(len(batch), -1, 4))
            scores.append(best)
            counts.append(best.shape[1])
        limits = torch.tensor([[w, h, w, h] for h, w in sizes], dtype=torch.float32)[:, None]
        inside = torch.minimum(torch.cat(boxes, 1).clamp(min=0.0), limits)
        return [
            self._distinct(b.split(counts), s.split(counts)) for b, s in zip(inside, torch.cat(scores, 1), strict=True)
        ]

    def _distinct(self, boxes: Sequence[Tensor], scores: Sequence[Tensor]) -> Tensor:
        """Doubles are looked for inside each level, where their sizes are alike."""
        kept_boxes, kept_scores = [], []
        for box, score in zip(boxes, scores, strict=True):
            wide = ((box[:, 2:] - box[:, :2]) >= self.rpn.min_size).all(1)
            if not bool(wide.all()):
                box, score = box[wide], score[wide]
            keep = nms(box, score, self.rpn.nms_thresh)[: self.rpn.post_nms_top_n()]
            kept_boxes.append(box[keep])
            kept_scores.append(score[keep])
        order = torch.cat(kept_scores).argsort(descending=True, stable=True)[: self.rpn.post_nms_top_n()]
        return torch.cat(kept_boxes)[order]

    def judge(self, pooling: RegionPooling, proposals: list[Tensor], sizes: Sizes) -> list[Found]:
        """Which proposals are faces: ``boxes``, ``logits``, ``scores``, best score first."""
        size = self.roi_heads.box_roi_pool.output_size[0]
        pooled = pooling(torch.cat(proposals), _owners(proposals), size).flatten(1).to(self.dtype)
        hidden = F.relu(F.linear(F.relu(F.linear(pooled, *self.first)), *self.second))
        logits, regression = self.roi_heads.box_predictor(hidden.float())
        found: list[Found] = self.roi_heads._pick(logits, regression, proposals, list(sizes))
        return found

    def add_masks(self, pooling: RegionPooling, found: list[Found]) -> list[Found]:
        """Adds ``masks`` (N, 28, 28), for the faces that were kept and no others."""
        boxes = [one["boxes"] for one in found]
        if not sum(len(b) for b in boxes):
            return [{**one, "masks": one["boxes"].new_zeros((0, 28, 28))} for one in found]
        size = self.roi_heads.mask_roi_pool.output_size[0]
        pooled = pooling(torch.cat(boxes), _owners(boxes), size).permute(0, 3, 1, 2).to(self.dtype)
        features = self.roi_heads.mask_head(pooled).permute(0, 2, 3, 1)
        grown = F.relu(F.linear(features, *self.grow)).float()
        cells = F.linear(grown.view(len(pooled), size, size, 2, 2, -1), *self.decide).sigmoid()
        masks = cells[..., 0].permute(0, 1, 3, 2, 4).reshape(len(pooled), 2 * size, 2 * size)
        parts = masks.split([len(b) for b in boxes])  # type: ignore[no-untyped-call]
        return [{**one, "masks": part} for one, part in zip(found, parts, strict=True)]

    def _make_anchors(self, grids: tuple[tuple[int, int], ...], size: tuple[int, int]) -> list[Tensor]:
        strides = [[torch.tensor(size[0] // h), torch.tensor(size[1] // w)] for h, w in grids]
        generator = self.rpn.anchor_generator
        generator.set_cell_anchors(torch.float32, torch.device("cpu"))
        anchors: list[Tensor] = generator.grid_anchors([list(g) for g in grids], strides)
        return anchors


def _owners(boxes: Sequence[Tensor]) -> Tensor:
    """The picture that each of the joined boxes lies in."""
    return torch.repeat_interleave(torch.arange(len(boxes), dtype=torch.int32), torch.tensor([len(b) for b in boxes]))


def _joined(first: nn.Conv2d, second: nn.Conv2d) -> nn.Conv2d:
    """Two convolutions of the same maps as one."""
    joined = nn.Conv2d(first.in_channels, first.out_channels + second.out_channels, 1)
    with torch.no_grad():
        joined.weight.copy_(torch.cat((first.weight, second.weight)))
        joined.bias.copy_(torch.cat((first.bias, second.bias)))  # type: ignore[union-attr,arg-type]
    return joined


def _by_place(weight: Tensor) -> Tensor:
    """From inputs that are ordered by channel, then place, to inputs ordered by place, then channel."""
    return weight.view(len(weight), -1, 49).transpose(1, 2).flatten(1).contiguous()


def _as_linear(conv: nn.ConvTranspose2d, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """A transposed convolution of 2 x 2 with stride 2 gives four cells for each: a linear layer."""
    weight = conv.weight.permute(2, 3, 1, 0).reshape(-1, conv.in_channels)
    return weight.to(dtype), conv.bias.repeat(4).to(dtype)  # type: ignore[union-attr]
