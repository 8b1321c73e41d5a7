"""From a Matterport weight file to tensors under the names of ``ml/detect/matterport_network.py``.

The sizes of the network are told from the file: each by what most of its layers say, so that a single layer that does
not fit is named as the odd one. Arrays are found by name, never by order, and their shapes are compared before any is
read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.errors import WeightsInvalid
from ml.matterport.hdf5 import Found, read, weight_file
from ml.matterport.layout import NetworkShape, expected

TRANSPOSED = "mrcnn_mask_deconv"
TORCH_NAMES: Mapping[str, str] = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
MOST_FAULTS = 12  # layers named in full; of more, the number is said
MOST = NetworkShape(classes=1001, width=256, pyramid=1024, rpn=2048, hidden=4096, mask=1024, ratios=16)


@dataclass(frozen=True, slots=True)
class Weights:
    """``tensors``: float32, named as in the network's state."""

    shape: NetworkShape
    tensors: Mapping[str, NDArray[np.float32]]


def read_weights(path: Path) -> Weights:
    """Raises WeightsInvalid: no such file, not HDF5, or one sentence that names every layer at fault."""
    with weight_file(path) as found:
        shape = network_shape(found, path)
        _check(found, shape, path)
        tensors = {}
        for layer, arrays in expected(shape).items():
            for array in arrays:
                values = read(found[layer][array])
                if not np.isfinite(values).all():
                    raise WeightsInvalid(f"{path}: {layer}/{array} holds a number that is not finite.")
                tensors[f"{layer}.{TORCH_NAMES[array]}"] = to_torch(layer, array, values)
    return Weights(shape, tensors)


def to_torch(layer: str, array: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keras' order of axes to torch's: (out, in, height, width); transposed (in, out, height, width); (out, in)."""
    if array != "kernel":
        return values
    if values.ndim == 2:
        return np.ascontiguousarray(values.T)
    return np.ascontiguousarray(values.transpose(3, 2, 0, 1))  # also right for the transposed: it is (h, w, out, in)


def network_shape(found: Found, path: Path) -> NetworkShape:
    """The sizes that most layers agree on; Matterport's own where no layer tells. Raises WeightsInvalid."""
    if not any(layer in found for layer in expected(NetworkShape())):
        raise WeightsInvalid(f"{path} holds no layer of a Matterport Mask R-CNN.")

    def most(name: str, votes: list[int]) -> int:
        usual = getattr(NetworkShape(), name)
        value = Counter(votes).most_common(1)[0][0] if votes else usual
        if not 1 <= value <= getattr(MOST, name):
            raise WeightsInvalid(f"{path}: the network's {name} would be {value}; 1 to {getattr(MOST, name)} is read.")
        return int(value)

    deep = any(f"res4{letter}_branch2a" in found for letter in "ghijklmnopqrstuvw")
    convs = [f"mrcnn_mask_conv{n}" for n in range(1, 5)]
    return NetworkShape(
        backbone="resnet101" if deep else "resnet50",
        classes=most(
            "classes",
            _ends(found, ["mrcnn_class_logits", "mrcnn_mask"]) + [n // 4 for n in _ends(found, ["mrcnn_bbox_fc"])],
        ),
        width=most("width", _ends(found, ["conv1", *(f"res2{x}_branch2{y}" for x in "abc" for y in "ab")])),
        pyramid=most("pyramid", _ends(found, [f"fpn_{name}" for n in "2345" for name in (f"c{n}p{n}", f"p{n}")])),
        rpn=most("rpn", _ends(found, ["rpn_conv_shared"]) + _enters(found, ["rpn_class_raw", "rpn_bbox_pred"])),
        hidden=most("hidden", _ends(found, ["mrcnn_class_conv1", "mrcnn_class_conv2"])
                    + _enters(found, ["mrcnn_class_logits", "mrcnn_bbox_fc"])),
        mask=most("mask", _ends(found, convs)),
        ratios=most("ratios", [n // 2 for n in _ends(found, ["rpn_class_raw"])]
                    + [n // 4 for n in _ends(found, ["rpn_bbox_pred"])]),
    )  # fmt: skip


def _ends(found: Found, layers: list[str]) -> list[int]:
    """Channels that leave each of ``layers``, where the file says."""
    kernels = [found[layer]["kernel"].shape for layer in layers if "kernel" in found.get(layer, {})]
    return [int(shape[-1]) for shape in kernels if len(shape) in (2, 4)]


def _enters(found: Found, layers: list[str]) -> list[int]:
    kernels = [found[layer]["kernel"].shape for layer in layers if "kernel" in found.get(layer, {})]
    return [int(shape[-2]) for shape in kernels if len(shape) in (2, 4)]


def _check(found: Found, shape: NetworkShape, path: Path) -> None:
    faults = []
    for layer, arrays in expected(shape).items():
        if layer not in found:
            faults.append(f"{layer} is missing")
            continue
        for array, wanted in arrays.items():
            if array not in found[layer]:
                faults.append(f"{layer}/{array} is missing")
            elif found[layer][array].shape != wanted:
                has = " x ".join(str(n) for n in found[layer][array].shape) or "a single number"
                faults.append(f"{layer}/{array} is {has} and should be {' x '.join(str(n) for n in wanted)}")
    if faults:
        more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
        raise WeightsInvalid(
            f"{path} is not the weights of a {shape.backbone} Mask R-CNN with {shape.classes} classes: "
            f"{'; '.join(faults[:MOST_FAULTS])}{more}."
        )
