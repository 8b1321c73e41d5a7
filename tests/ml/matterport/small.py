"""Small random weights in Matterport's layout, and the network once more in numpy, straight from the Keras arrays.

The numpy one shares no code with ml/: convolutions are sums over shifted copies, in Keras' order of axes.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from ml.matterport.layout import NetworkShape, expected

Array = NDArray[np.float32]
Layers = dict[str, dict[str, Array]]
LAST = ("rpn_class_raw", "rpn_bbox_pred", "mrcnn_class_logits", "mrcnn_bbox_fc")
SMALL = NetworkShape("resnet50", classes=4, width=4, pyramid=8, rpn=6, hidden=10, mask=5)
SMALL_101 = NetworkShape("resnet101", classes=3, width=3, pyramid=6, rpn=6, hidden=8, mask=6)


def random_layers(shape: NetworkShape, seed: int = 1) -> Layers:
    """Tame numbers, so that a hundred layers neither vanish nor explode."""
    layers: Layers = {}
    for layer, arrays in expected(shape).items():
        rng = np.random.default_rng([seed, zlib.crc32(layer.encode())])
        layers[layer] = {}
        for array, size in arrays.items():
            values = rng.normal(size=size)
            if layer in LAST:
                values *= 0.1
            elif array == "kernel":
                fan = size[3] * 4 if layer == "mrcnn_mask_deconv" else int(np.prod(size[:-1]))
                values *= np.sqrt(2 / fan)
            elif array == "moving_variance":
                values = 0.5 + np.abs(values)
            elif array == "gamma":
                values = (0.3 if layer.endswith("2c") else 1) * (0.8 + 0.1 * values)
            else:
                values *= 0.1
            layers[layer][array] = values.astype(np.float32)
    return layers


def write(path: Path, layers: Layers, *, whole_model: bool = False, reverse: bool = False) -> Path:
    """As Keras does; ``whole_model``: under model_weights, beside the state of an optimizer."""
    with h5py.File(path, "w", track_order=True) as file:
        top = file.create_group("model_weights") if whole_model else file
        for layer in reversed(list(layers)) if reverse else layers:
            outer = "rpn_model" if layer.startswith("rpn_") else layer
            for array, values in layers[layer].items():
                top[f"{outer}/{layer}/{array}:0"] = values
        if whole_model:
            file["optimizer_weights/conv1/conv1/kernel:0"] = np.zeros(3)
    return path


class NumpyNetwork:
    """The forward pass of one picture, (height, width, 3)."""

    def __init__(self, layers: Layers) -> None:
        self.layers = layers

    def conv(self, layer: str, x: Array, stride: int = 1, pad: int = 0) -> Array:
        kernel, bias = self.layers[layer]["kernel"], self.layers[layer]["bias"]
        x = np.pad(x, ((pad, pad), (pad, pad), (0, 0)))
        rows, columns = kernel.shape[:2]
        height, width = (x.shape[0] - rows) // stride + 1, (x.shape[1] - columns) // stride + 1
        out = np.zeros((height, width, kernel.shape[3]), np.float64)
        for i in range(rows):
            for j in range(columns):
                shifted = x[i : i + stride * height : stride, j : j + stride * width : stride]
                out += shifted[:height, :width].astype(np.float64) @ kernel[i, j]
        return (out + bias).astype(np.float32)

    def norm(self, layer: str, x: Array) -> Array:
        a = self.layers[layer]
        scaled = (x - a["moving_mean"]) / np.sqrt(a["moving_variance"] + np.float32(0.001))
        return np.asarray(scaled * a["gamma"] + a["beta"], np.float32)

    def block(self, stage: int, letter: str, x: Array) -> Array:
        stride = 2 if letter == "a" and stage > 2 else 1
        name = f"{stage}{letter}_branch"
        y = relu(self.norm(f"bn{name}2a", self.conv(f"res{name}2a", x, stride)))
        y = relu(self.norm(f"bn{name}2b", self.conv(f"res{name}2b", y, 1, 1)))
        y = self.norm(f"bn{name}2c", self.conv(f"res{name}2c", y))
        if letter == "a":
            x = self.norm(f"bn{name}1", self.conv(f"res{name}1", x, stride))
        return relu(x + y)

    def pyramid(self, x: Array) -> list[Array]:
        x = relu(self.norm("bn_conv1", self.conv("conv1", x, 2, 3)))
        padded = np.pad(x, ((0, 1), (0, 1), (0, 0)), constant_values=-np.inf)
        half = [padded[i : i + x.shape[0] : 2, j : j + x.shape[1] : 2] for i in range(3) for j in range(3)]
        x = np.max([h[: x.shape[0] // 2, : x.shape[1] // 2] for h in half], axis=0)
        stages = {}
        for stage, letters in {2: "abc", 3: "abcd", 4: self.stage4(), 5: "abc"}.items():
            for letter in letters:
                x = self.block(stage, letter, x)
            stages[stage] = x
        p = {5: self.conv("fpn_c5p5", stages[5])}
        for stage in (4, 3, 2):
            p[stage] = p[stage + 1].repeat(2, 0).repeat(2, 1) + self.conv(f"fpn_c{stage}p{stage}", stages[stage])
        maps = [self.conv(f"fpn_p{stage}", p[stage], 1, 1) for stage in (2, 3, 4, 5)]
        return [*maps, maps[-1][::2, ::2]]

    def stage4(self) -> str:
        return "".join(c for c in "abcdefghijklmnopqrstuvwxyz" if f"res4{c}_branch2a" in self.layers)

    def rpn(self, maps: list[Array]) -> tuple[Array, Array]:
        logits, deltas = [], []
        for m in maps:
            shared = relu(self.conv("rpn_conv_shared", m, 1, 1))
            logits.append(self.conv("rpn_class_raw", shared).reshape(-1, 2))
            deltas.append(self.conv("rpn_bbox_pred", shared).reshape(-1, 4))
        return np.concatenate(logits), np.concatenate(deltas)

    def box_head(self, crop: Array) -> tuple[Array, Array]:
        """One crop of 7 x 7."""
        x = relu(self.norm("mrcnn_class_bn1", self.conv("mrcnn_class_conv1", crop)))
        x = relu(self.norm("mrcnn_class_bn2", self.conv("mrcnn_class_conv2", x)))[0, 0]
        logits, boxes = self.layers["mrcnn_class_logits"], self.layers["mrcnn_bbox_fc"]
        return x @ logits["kernel"] + logits["bias"], (x @ boxes["kernel"] + boxes["bias"]).reshape(-1, 4)

    def mask_head(self, crop: Array) -> Array:
        """One crop of 14 x 14 to (28, 28, classes)."""
        x = crop
        for n in range(1, 5):
            x = relu(self.norm(f"mrcnn_mask_bn{n}", self.conv(f"mrcnn_mask_conv{n}", x, 1, 1)))
        up = self.layers["mrcnn_mask_deconv"]
        big = np.zeros((28, 28, up["kernel"].shape[2]), np.float32)
        for i in range(2):
            for j in range(2):
                big[i::2, j::2] = x @ up["kernel"][i, j].T
        out = self.conv("mrcnn_mask", relu(big + up["bias"]))
        return np.asarray(1 / (1 + np.exp(-out)), np.float32)


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def crop_and_resize(features: Array, box: Array, places: int) -> Array:
    """One box, sample by sample, as TensorFlow documents it: bilinear at corner-aligned places, 0 outside."""
    height, width, channels = features.shape
    out = np.zeros((places, places, channels), np.float32)
    one = np.float32(1)
    for i in range(places):
        y = box[0] * (height - one) + i * ((box[2] - box[0]) * (height - one) / np.float32(places - 1))
        for j in range(places):
            x = box[1] * (width - one) + j * ((box[3] - box[1]) * (width - one) / np.float32(places - 1))
            if not (0 <= y <= height - 1 and 0 <= x <= width - 1):
                continue
            top, left = int(np.floor(y)), int(np.floor(x))
            bottom, right = int(np.ceil(y)), int(np.ceil(x))
            dy, dx = y - top, x - left
            upper = features[top, left] * (1 - dx) + features[top, right] * dx
            lower = features[bottom, left] * (1 - dx) + features[bottom, right] * dx
            out[i, j] = upper * (1 - dy) + lower * dy
    return out
