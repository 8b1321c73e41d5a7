"""The network of Hill 2017 ("Deep Learning for Emotion Recognition in Cartoons"), up to its last layer.

Three blocks of a 3 x 3 convolution to 32 channels (same padding, ReLU) with max pooling by 2, 2 and 9, dropout of a
half, a dense layer of 512. Pooling by 9 steps by 9, as Keras does unless told otherwise: 60 -> 30 -> 15 -> 1 pixels.
Weights begin as Keras begins them: Glorot's uniform ones, and zeros.
"""

from __future__ import annotations

from torch import Tensor, nn

SIZE = 60
FEATURES = 512
POOLS = (2, 2, 9)
LEAST = 36  # pixels: less leaves the last pooling nothing


class HillCnn(nn.Module):
    """(N, 3, size, size), RGB / 255 -> (N, 512)."""

    def __init__(self, size: int = SIZE) -> None:
        super().__init__()
        side, channels = size, 3
        blocks: list[nn.Module] = []
        for pool in POOLS:
            blocks.append(nn.Sequential(nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(pool)))
            side, channels = (side - pool) // pool + 1, 32
        self.features = nn.Sequential(*blocks)
        self.drop = nn.Dropout(0.5)
        self.dense = nn.Sequential(nn.Linear(32 * side * side, FEATURES), nn.ReLU())
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.dense(self.drop(self.features(x).flatten(1)))
        return y
