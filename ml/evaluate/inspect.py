"""Pictures of what a classifier looks at, for its report: activation maps, patterns that layers answer to, Grad-CAM.

All functions take a network in eval mode, and pictures as the network expects them (``prepared``, (1, 3, H, W)), so
that they serve every classifier; they change nothing in it. They give RGB uint8 arrays, height x width x 3.

- Activation maps: what each channel of a layer answers to one drawing (Hill 2017).
- Patterns: the picture that excites a channel most, by ascending its gradient from noise (Erhan et al. 2009).
- Grad-CAM: the places that speak for a class (Selvaraju et al. 2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

Picture = NDArray[np.uint8]
Prepare = Callable[[Tensor], Tensor]  # uint8 RGB (N, 3, H, W) -> what the network expects
GAP = 2  # pixels between tiles
WHITE = 255


def layers(network: nn.Module, prepared: Tensor) -> list[str]:
    """Names of the convolutions that a picture passes, in that order. Of them the other functions can be asked."""
    order: list[str] = []

    def note(name: str, module: nn.Module, output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            order.append(name)

    with torch.no_grad(), _hooked(network, note):
        network(prepared)
    return list(dict.fromkeys(order))


def spread(names: Sequence[str], count: int) -> list[str]:
    """At most ``count`` of them, evenly from the first to the last: a report cannot show a hundred layers."""
    if len(names) <= count:
        return list(names)
    return [names[round(n * (len(names) - 1) / max(1, count - 1))] for n in range(count)]


def activation_maps(network: nn.Module, prepared: Tensor, layer: str, channels: int = 16, tile: int = 56) -> Picture:
    """The ``channels`` strongest channels of ``layer`` as tiles of ``tile`` pixels; each from its least to its most.

    Strongest: largest mean of the positive part. Raises KeyError for a layer that the network does not have.
    """
    with torch.no_grad():
        maps = _output(network, prepared, layer)[0].float().cpu()
    strength = maps.clamp(min=0).mean((1, 2))
    chosen = strength.argsort(descending=True, stable=True)[:channels]
    return _grid([_heat(_scaled(maps[c].numpy()), tile) for c in chosen.tolist()])


def layer_patterns(
    network: nn.Module,
    prepare: Prepare,
    layer: str,
    size: int,
    channels: Sequence[int] = tuple(range(8)),
    steps: int = 40,
    seed: int = 0,
    tile: int = 56,
) -> Picture:
    """For each channel, the picture of ``size`` pixels that excites it, found in ``steps`` from grey noise of ``seed``.

    The picture is kept in 0..1 and smoothed a little on the way, as sharp noise would excite a layer without showing
    anything. ``prepare`` must be able to carry gradients of floats in 0..255. A channel that the layer does not have
    is left out. Raises KeyError for a layer that the network does not have.
    """
    device = next(network.parameters()).device
    drawn = torch.rand((1, 3, size, size), generator=torch.Generator().manual_seed(seed)).to(device)
    with torch.no_grad():
        count = _output(network, prepare(drawn * 255), layer).shape[1]
    tiles = []
    for channel in [c for c in channels if 0 <= c < count]:
        found = _ascend(network, prepare, layer, channel, 0.4 + 0.2 * drawn, steps)
        rgb = (_stretched(found[0].permute(1, 2, 0).cpu().numpy()) * 255).round().astype(np.uint8)
        tiles.append(np.asarray(cv2.resize(rgb, (tile, tile), interpolation=cv2.INTER_LINEAR), np.uint8))
    return _grid(tiles)


def grad_cam(
    network: nn.Module, prepared: Tensor, crop: Picture, target: int | None = None, layer: str = ""
) -> Picture:
    """``crop`` with the places that speak for class ``target`` (the likeliest one if None) in warm colours.

    ``layer``: whose maps are weighed; by default the last output of the network that still has places.
    """
    height, width = crop.shape[:2]
    weight = cv2.resize(cam(network, prepared, target, layer), (width, height), interpolation=cv2.INTER_LINEAR)
    colours, share = _coloured(weight), 0.25 + 0.35 * weight[:, :, None]
    return np.asarray((crop * (1 - share) + colours * share).round().clip(0, 255), np.uint8)


def cam(network: nn.Module, prepared: Tensor, target: int | None = None, layer: str = "") -> NDArray[np.float32]:
    """The map behind ``grad_cam`` at the layer's own size, from 0 to 1; all 0 where nothing speaks for the class."""
    kept: dict[str, Tensor] = {}

    def keep(name: str, module: nn.Module, output: Tensor) -> None:
        has_places = output.ndim == 4 and min(output.shape[2:]) > 1
        if name and (name == layer if layer else has_places):
            kept.pop(name, None)
            kept[name] = output  # the last one comes last

    with torch.enable_grad(), _hooked(network, keep):
        logits = main_output(network(prepared.detach().clone().requires_grad_(True)))
    if not kept:
        raise KeyError(layer or "a layer with places")
    maps = kept[layer] if layer else list(kept.values())[-1]
    chosen = int(logits[0].argmax()) if target is None else target
    [gradient] = torch.autograd.grad(logits[0, chosen], maps)
    weights = gradient.float().mean((2, 3), keepdim=True)
    found = F.relu((weights * maps.detach().float()).sum(1))[0]
    most = float(found.max())
    return np.asarray((found / most if most > 0 else found).cpu().numpy(), np.float32)


def main_output(outputs: object) -> Tensor:
    """The logits of emotions, also where a network gives more beside them (first)."""
    first = outputs[0] if isinstance(outputs, tuple) else outputs
    if not isinstance(first, Tensor):
        raise TypeError("the network gives no tensor first")
    return first


def _ascend(network: nn.Module, prepare: Prepare, layer: str, channel: int, start: Tensor, steps: int) -> Tensor:
    picture = start.clone()
    for step in range(steps):
        picture.requires_grad_(True)
        with torch.enable_grad():
            excited = _output(network, prepare(picture * 255), layer)[0, channel].mean()
            [gradient] = torch.autograd.grad(excited, picture)
        with torch.no_grad():
            moved = picture + 0.05 * gradient / (gradient.std() + 1e-12)
            if step % 4 == 3:
                moved = F.avg_pool2d(F.pad(moved, (1, 1, 1, 1), mode="replicate"), 3, 1)
            picture = moved.clamp(0, 1)
    return picture.detach()


def _output(network: nn.Module, prepared: Tensor, layer: str) -> Tensor:
    """(1, channels, h, w); a copy, as the layer after it may work in place."""
    module = dict(network.named_modules())[layer]
    found: list[Tensor] = []
    handle = module.register_forward_hook(lambda m, i, o: found.append(o.clone()))
    try:
        network(prepared)
    finally:
        handle.remove()
    if not found or found[0].ndim != 4:
        raise KeyError(layer)
    return found[0]


@contextmanager
def _hooked(network: nn.Module, see: Callable[[str, nn.Module, Tensor], None]) -> Iterator[None]:
    """``see`` is told of every module whose output is a tensor, in the order in which they end."""

    def told(name: str) -> Callable[[nn.Module, object, object], None]:
        return lambda module, _, output: see(name, module, output) if isinstance(output, Tensor) else None

    handles = [module.register_forward_hook(told(name)) for name, module in network.named_modules()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _scaled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """To 0..1; what is all alike becomes 0."""
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) / (high - low) if high > low else values * 0, np.float32)


def _stretched(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Around its middle to a spread that one can see."""
    return np.asarray(np.clip((picture - picture.mean()) / (picture.std() + 1e-6) * 0.18 + 0.5, 0, 1), np.float32)


def _heat(values: NDArray[np.float32], side: int) -> Picture:
    """0..1 to colours, ``side`` pixels square, its pixels left square."""
    return _coloured(cv2.resize(values, (side, side), interpolation=cv2.INTER_NEAREST))


def _coloured(values: NDArray[Any]) -> Picture:
    """0..1 to colours from dark to bright."""
    grey = (np.clip(values, 0, 1) * 255).round().astype(np.uint8)
    return np.asarray(cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB), np.uint8)


def _grid(tiles: Sequence[Picture]) -> Picture:
    """In rows, as square as it gets, on white. A white pixel where there are none."""
    if not tiles:
        return np.full((1, 1, 3), WHITE, np.uint8)
    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    height, width = tiles[0].shape[:2]
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), WHITE, np.uint8)
    for n, one in enumerate(tiles):
        y, x = n // columns * (height + GAP), n % columns * (width + GAP)
        sheet[y : y + height, x : x + width] = one
    return sheet
