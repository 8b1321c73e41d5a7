"""The published classifiers as one network: a base (torchvision's, or Hill's), dense layers of a recipe's own, outputs.

A base keeps torchvision's names of layers inside ``base``; its last layer is left out and ``head`` stands in for it.
For transfer learning in two stages (Jain et al. 2021): ``freeze_base``, then ``unfreeze_last``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
import torchvision.models as published
from torch import Tensor, nn

from ml.classify.hill_cnn import LEAST, HillCnn
from ml.detect.network import MEAN, STD, pad_like_tensorflow
from ml.errors import BundleInvalid
from ml.types import EMBEDDING_SIZE

SCALINGS = ("imagenet", "symmetric", "unit")
PROJECTION_SEED = 128
ZooOutputs = Tensor | tuple[Tensor, ...]  # logits (N, outputs); while it learns, those of auxiliary heads behind them


class Architecture(NamedTuple):
    """``size``: pixels of the input unless set otherwise, at least ``least``. ``last``: the layer that is left out.

    ``aux``: layers of auxiliary heads, with the weight of their loss. ``scaling``: what its ImageNet weights expect.
    """

    features: int
    size: int
    least: int
    scaling: str
    last: str
    aux: Mapping[str, str] = {}
    aux_share: float = 0.0


ARCHITECTURES: Mapping[str, Architecture] = {
    "vgg16": Architecture(4096, 224, 32, "imagenet", "classifier.6"),
    "inception_v3": Architecture(2048, 299, 75, "symmetric", "fc", {"AuxLogits": "fc"}, 0.4),
    "resnet50": Architecture(2048, 224, 32, "imagenet", "fc"),
    "mobilenet_v2": Architecture(1280, 224, 32, "imagenet", "classifier.1"),
    "googlenet": Architecture(1024, 224, 32, "symmetric", "fc", {"aux1": "fc2", "aux2": "fc2"}, 0.3),
    "hill_cnn": Architecture(512, 60, LEAST, "unit", ""),
}
INCEPTION_AUX_LEAST = 299  # below it Inception's auxiliary head has no room for its 5 x 5 convolution


@dataclass(frozen=True, slots=True)
class ZooSettings:
    """``size``: side of the input, 0: the architecture's own. ``scaling``: "" is the architecture's own, else
    ``imagenet`` (its mean and spread), ``symmetric`` (-1..1) or ``unit`` (0..1).

    ``hidden``: extra dense layers, each with ReLU, with ``batch_norm`` before it and ``dropout`` after it; dropout
    also before the last layer where there are none. ``l2``: penalty on the squares of the head's weights (not biases),
    as Keras' kernel_regularizer. ``aux``: whether auxiliary heads learn along. ``padding``: "tensorflow" pads
    MobileNetV2's strided convolutions as the original does, for weights that come from there.
    """

    size: int = 0
    scaling: str = ""
    hidden: tuple[int, ...] = ()
    batch_norm: bool = False
    dropout: float = 0.0
    l2: float = 0.0
    aux: bool = True
    padding: str = ""

    @classmethod
    def of(cls, table: Mapping[str, Any], architecture: str) -> ZooSettings:
        """With the architecture's own values filled in; what else the table holds is left alone.

        Raises BundleInvalid for an unknown architecture or a value that no network can have.
        """
        if architecture not in ARCHITECTURES:
            raise BundleInvalid(f"There is no classifier {architecture!r}; there are {', '.join(ARCHITECTURES)}.")
        known = ARCHITECTURES[architecture]
        try:
            made = cls(
                size=int(table.get("size", 0)) or known.size,
                scaling=str(table.get("scaling", "")) or known.scaling,
                hidden=tuple(int(n) for n in table.get("hidden", ())),
                batch_norm=bool(table.get("batch_norm", False)),
                dropout=float(table.get("dropout", 0.0)),
                l2=float(table.get("l2", 0.0)),
                aux=bool(table.get("aux", True)),
                padding=str(table.get("padding", "")),
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise BundleInvalid(f"The settings of the classifier {architecture} cannot be used: {error}.") from error
        good = known.least <= made.size <= 1024 and 0 <= made.dropout < 1 and 0 <= made.l2 < 1e3
        good = good and made.scaling in SCALINGS and len(made.hidden) <= 8 and all(1 <= n <= 8192 for n in made.hidden)
        if not good or made.padding not in ("", "tensorflow") or (made.padding and architecture != "mobilenet_v2"):
            raise BundleInvalid(f"The settings of the classifier {architecture} are out of range: {asdict(made)}.")
        return made


class ZooNet(nn.Module):
    """(N, 3, size, size) as ``prepare`` gives it -> logits (N, outputs); see ZooOutputs."""

    projection: Tensor

    def __init__(self, architecture: str, outputs: int, settings: ZooSettings) -> None:
        super().__init__()
        self.architecture, self.settings, self.outputs = architecture, settings, outputs
        known = ARCHITECTURES[architecture]
        self.base = _base(architecture, settings)
        if settings.padding == "tensorflow":
            pad_like_tensorflow(self.base)
        for name, layer in known.aux.items():
            head = getattr(self.base, name)
            if head is not None:
                setattr(head, layer, nn.Linear(getattr(head, layer).in_features, outputs))
        self.head = _head(known.features, outputs, settings)
        self.register_buffer("projection", _projection(self.last.in_features))
        self._frozen: tuple[nn.Module, ...] = ()

    @property
    def last(self) -> nn.Linear:
        """The layer whose outputs are the logits; its inputs are the features behind the embedding."""
        layer = self.head[-1]
        assert isinstance(layer, nn.Linear)
        return layer

    def prepare(self, crops: Tensor) -> Tensor:
        """uint8 RGB (N, 3, size, size) -> what the base expects, channels last."""
        x = crops.float().div(255)
        if self.settings.scaling == "symmetric":
            x = x * 2 - 1
        elif self.settings.scaling == "imagenet":
            mean, std = (torch.tensor(v, device=x.device).view(1, 3, 1, 1) for v in (MEAN, STD))
            x = (x - mean) / std
        return x.contiguous(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> ZooOutputs:
        found = self.base(x)
        if isinstance(found, Tensor):
            logits: Tensor = self.head(found)
            return logits
        features, *aux = (part for part in found if part is not None)
        return (self.head(features), *aux) if aux else self.head(features)

    def read(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits; embedding (N, EMBEDDING_SIZE) of length 1; the features before the last layer. For eval mode."""
        features = self.head[:-1](self.base(x))
        return self.last(features), F.normalize((features @ self.projection.T).float(), dim=1), features

    def blocks(self) -> list[tuple[str, tuple[nn.Module, ...]]]:
        """The base from the picture on: what ``unfreeze_last`` counts."""
        return _BLOCKS[self.architecture](self.base)

    def train(self, mode: bool = True) -> ZooNet:
        """Frozen blocks stay as they are: their batch norm keeps its statistics, their dropout does nothing."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def freeze(self, modules: tuple[nn.Module, ...]) -> None:
        """These alone do not learn."""
        self.requires_grad_(True)
        for module in modules:
            module.requires_grad_(False)
        self._frozen = modules
        self.train(self.training)


def build_classifier_network(architecture: str, outputs: int, settings: Mapping[str, Any] | ZooSettings) -> ZooNet:
    """Random weights, from torch's seed. Raises BundleInvalid for what is not known; see ZooSettings."""
    table = asdict(settings) if isinstance(settings, ZooSettings) else settings
    return ZooNet(architecture, outputs, ZooSettings.of(table, architecture))


def freeze_base(network: ZooNet) -> None:
    """First stage: only the head (and auxiliary heads) learn."""
    unfreeze_last(network, 0)


def unfreeze_last(network: ZooNet, count: int) -> None:
    """Second stage: the head and the last ``count`` blocks learn, the blocks before them do not."""
    blocks = network.blocks()
    frozen = blocks[: max(0, len(blocks) - count)]
    network.freeze(tuple(module for _, modules in frozen for module in modules))


def unfreeze_all(network: ZooNet) -> None:
    network.freeze(())


def main_logits(outputs: ZooOutputs) -> Tensor:
    return outputs if isinstance(outputs, Tensor) else outputs[0]


def classifier_loss(
    network: ZooNet, outputs: ZooOutputs, targets: Tensor, smoothing: float = 0.0, weights: Tensor | None = None
) -> Tensor:
    """Cross-entropy; auxiliary heads count by their architecture's share (0.4 Inception, 0.3 each GoogLeNet); L2."""
    parts = (outputs,) if isinstance(outputs, Tensor) else outputs
    losses = [F.cross_entropy(part.float(), targets, weight=weights, label_smoothing=smoothing) for part in parts]
    aux = sum(losses[1:], torch.zeros_like(losses[0]))
    return losses[0] + ARCHITECTURES[network.architecture].aux_share * aux + l2_penalty(network)


def l2_penalty(network: ZooNet) -> Tensor:
    """``l2`` times the sum of the squares of the head's dense weights."""
    dense = [m.weight for m in network.head if isinstance(m, nn.Linear)]
    if not network.settings.l2:
        return dense[0].new_zeros(())
    total = sum((w.float().square().sum() for w in dense), dense[0].new_zeros((), dtype=torch.float32))
    return network.settings.l2 * total


def _base(architecture: str, settings: ZooSettings) -> nn.Module:
    if architecture == "hill_cnn":
        return HillCnn(settings.size)
    options: dict[str, Any] = {"weights": None}
    if architecture in ("googlenet", "inception_v3"):
        room = architecture == "googlenet" or settings.size >= INCEPTION_AUX_LEAST
        # torchvision cannot draw its first weights where there is no memory behind them (the meta device)
        options |= {"aux_logits": settings.aux and room, "transform_input": False, "init_weights": not _on_meta()}
    base: nn.Module = getattr(published, architecture)(**options)
    path, _, name = ARCHITECTURES[architecture].last.rpartition(".")
    owner = base.get_submodule(path) if path else base
    owner._modules[name] = nn.Identity()
    return base


def _on_meta() -> bool:
    return torch.empty(0).is_meta


def _head(features: int, outputs: int, settings: ZooSettings) -> nn.Sequential:
    layers: list[nn.Module] = []
    if settings.dropout and not settings.hidden:
        layers.append(nn.Dropout(settings.dropout))
    for width in settings.hidden:
        layers.append(nn.Linear(features, width))
        layers += [nn.BatchNorm1d(width)] if settings.batch_norm else []
        layers += [nn.ReLU(), *([nn.Dropout(settings.dropout)] if settings.dropout else [])]
        features = width
    return nn.Sequential(*layers, nn.Linear(features, outputs))


def _projection(features: int) -> Tensor:
    """(EMBEDDING_SIZE, features), orthogonal rows or columns, from a seed of its own: it is not learnt."""
    empty = torch.empty(EMBEDDING_SIZE, features)
    if empty.is_meta:
        return empty
    drawn = torch.randn(EMBEDDING_SIZE, features, generator=torch.Generator().manual_seed(PROJECTION_SEED))
    flat = drawn if features >= EMBEDDING_SIZE else drawn.T
    q, r = torch.linalg.qr(flat.T)
    rows: Tensor = (q * r.diagonal().sign()).T
    return (rows if features >= EMBEDDING_SIZE else rows.T).contiguous()


_Blocks = list[tuple[str, tuple[nn.Module, ...]]]


def _named(base: nn.Module, *groups: str) -> _Blocks:
    """Each group: names with a blank between them."""
    return [(group.split()[0], tuple(base.get_submodule(name) for name in group.split())) for group in groups]


def _listed(layers: nn.Module, name: str) -> _Blocks:
    return [(f"{name}.{n}", (layer,)) for n, layer in enumerate(layers.children())]


def _vgg_blocks(base: nn.Module) -> _Blocks:
    """Five blocks of convolutions, each ending with its pooling, and two dense layers."""
    blocks: list[list[nn.Module]] = [[]]
    for layer in base.get_submodule("features").children():
        blocks[-1].append(layer)
        if isinstance(layer, nn.MaxPool2d):
            blocks.append([])
    dense = list(base.get_submodule("classifier").children())
    convolutions = [(f"block{n + 1}", tuple(block)) for n, block in enumerate(blocks) if block]
    return [*convolutions, ("fc6", tuple(dense[:3])), ("fc7", tuple(dense[3:6]))]


_INCEPTION = "Conv2d_1a_3x3 Conv2d_2a_3x3 Conv2d_2b_3x3|Conv2d_3b_1x1 Conv2d_4a_3x3|Mixed_5b|Mixed_5c|Mixed_5d|Mixed_6a"
_INCEPTION += "|Mixed_6b|Mixed_6c|Mixed_6d|Mixed_6e|Mixed_7a|Mixed_7b|Mixed_7c"
_GOOGLENET = "conv1|conv2 conv3|inception3a|inception3b|inception4a|inception4b|inception4c|inception4d|inception4e"
_GOOGLENET += "|inception5a|inception5b"
_BLOCKS: Mapping[str, Callable[[nn.Module], _Blocks]] = {
    "vgg16": _vgg_blocks,
    "inception_v3": lambda base: _named(base, *_INCEPTION.split("|")),
    "resnet50": lambda base: _named(base, "conv1 bn1", "layer1", "layer2", "layer3", "layer4"),
    "mobilenet_v2": lambda base: _listed(base.get_submodule("features"), "features"),
    "googlenet": lambda base: _named(base, *_GOOGLENET.split("|")),
    "hill_cnn": lambda base: [*_listed(base.get_submodule("features"), "features"), *_named(base, "dense")],
}
