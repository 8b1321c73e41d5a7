"""Finished networks made fast on a processor: a convolution, its batch norm and its activation become one step.

torch calls oneDNN anyway. Here it gets the weights once, in the layout that it computes in, and is told of the
activation, so that every map goes through memory once instead of three times. The operators are those that torch's own
compiler emits (``torch/_inductor/mkldnn_ir.py``); no compiler is needed. They belong to torch's inside, and torch is
pinned; where they are missing, ``can_fuse`` says so and the plain layers are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ml.detect.network import TfConv2d

USUAL_BATCH = 2  # for which the weights are laid out, whatever the first batch is: the same bits in any order of work
LAYOUTS_KEPT = 4
ACTIVATIONS: dict[type[nn.Module], tuple[str, list[float]]] = {
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
    nn.Hardswish: ("hardswish", []),
}


class FusedConv(nn.Module):
    """A convolution and what follows it, for inference alone: no parameters, no gradients, channels-last maps out.

    A convolution that pads as TensorFlow does gets a kernel of 4 x 4 whose first row and column are zero, and padding
    on both sides: the same sums without a padded copy of its input.
    """

    def __init__(self, conv: nn.Conv2d, activation: nn.Module | None, dtype: torch.dtype) -> None:
        super().__init__()
        weight, padding = conv.weight.detach(), tuple(int(p) for p in conv.padding)
        if isinstance(conv, TfConv2d):
            weight, padding = F.pad(weight, (1, 0, 1, 0)), (1, 1)
        self.padding, self.stride = list(padding), list(conv.stride)
        self.dilation, self.groups = list(conv.dilation), conv.groups
        self.activation = ("none", []) if activation is None else ACTIVATIONS[type(activation)]
        self.bias = None if conv.bias is None else conv.bias.detach().to(dtype)
        self.plain = weight.to(dtype).contiguous(memory_format=torch.channels_last)
        self.laid_out: dict[tuple[int, ...], Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        place = (self.padding, self.stride, self.dilation, self.groups)
        weight = self.laid_out.get(tuple(x.shape[2:]))
        if weight is None:
            weight = self._lay_out(x.shape, place)
        x = x.contiguous(memory_format=torch.channels_last)
        y: Tensor = torch.ops.mkldnn._convolution_pointwise(x, weight, self.bias, *place, *self.activation, "")
        return y

    def _lay_out(self, shape: Sequence[int], place: tuple[list[int], list[int], list[int], int]) -> Tensor:
        """The best layout depends on the size of the maps, and a wrong one can cost twenty times as much."""
        if len(self.laid_out) == LAYOUTS_KEPT:
            self.laid_out.clear()
        weight: Tensor = torch.ops.mkldnn._reorder_convolution_weight(self.plain, *place, [USUAL_BATCH, *shape[1:]])
        return self.laid_out.setdefault(tuple(shape[2:]), weight)


def can_fuse(device: str) -> bool:
    """Whether this torch has the operators; they exist for processors only."""
    available = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]
    return device == "cpu" and available and hasattr(torch.ops.mkldnn, "_convolution_pointwise")


@torch.inference_mode()
def fuse(module: nn.Module, dtype: torch.dtype) -> None:
    """Replaces every convolution inside ``module``, with the batch norm and the activation right after it.

    Only children of a ``Sequential`` count as following each other; ``module`` must be in evaluation mode.
    """
    fold_batch_norm(module)
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Conv2d):
            setattr(module, name, FusedConv(child, _take_activation(module, name), dtype))
        else:
            fuse(child, dtype)


def _take_activation(parent: nn.Module, name: str) -> nn.Module | None:
    """The activation that follows the child ``name``, which is replaced by nothing."""
    if not isinstance(parent, nn.Sequential):
        return None
    names = list(parent._modules)
    for after in names[names.index(name) + 1 :]:
        follower = parent._modules[after]
        if type(follower) in ACTIVATIONS:
            setattr(parent, after, nn.Identity())
            return follower
        if not isinstance(follower, nn.Identity):
            return None
    return None


def fold_batch_norm(module: nn.Module) -> None:
    """Folds every batch norm into the convolution before it: the same function with half the passes over memory."""
    children = list(module.named_children())
    for (name, child), (next_name, following) in pairwise(children):
        if isinstance(child, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(child, following))
            setattr(module, next_name, nn.Identity())
    for _, child in module.named_children():
        fold_batch_norm(child)
