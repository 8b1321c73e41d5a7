"""Weights that training begins with: of the whole network, or of its backbone alone by torchvision's names."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from ml.classify.pretrained import WeightsInvalid, read_weights

BACKBONE = "features."  # how torchvision calls the blocks of its MobileNets
_PLACES = ("", "backbone.body.", "backbone.")


def load_start(network: nn.Module, path: Path) -> int:
    """Takes over every tensor that fits by name and shape. Gives how many.

    Raises WeightsUnavailable, WeightsInvalid.
    """
    own = network.state_dict()
    fitting = {
        place: tensor
        for name, tensor in read_weights(path).items()
        for place in (*(start + name for start in _PLACES), f"blocks.{name.removeprefix(BACKBONE)}")
        if place in own and own[place].shape == tensor.shape
    }
    if not fitting:
        raise WeightsInvalid(f"{path} holds no layer that this network has.")
    network.load_state_dict({**own, **fitting})
    return len(fitting)
