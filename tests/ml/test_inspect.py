"""Pictures of what a classifier looks at, of networks whose answer is known, and of every network that we build."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ml.classify.network import ClassifierSettings, FaceNet
from ml.classify.small_cnn import scaled
from ml.classify.zoo import build_classifier_network
from ml.evaluate.inspect import activation_maps, cam, grad_cam, layer_patterns, layers, spread


class Corner(nn.Module):
    """Two channels: red where it is red, blue where it is blue. Class 0 asks for red, class 1 for blue."""

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Conv2d(3, 2, 1, bias=False)
        self.say = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.see.weight.copy_(torch.tensor([[1.0, 0, -1], [-1, 0, 1]]).view(2, 3, 1, 1))
            self.say.weight.copy_(torch.eye(2))

    def forward(self, x: Tensor) -> Tensor:
        said: Tensor = self.say(F.relu_(self.see(x)).mean((2, 3)))
        return said


def unit(x: Tensor) -> Tensor:
    return x.float() / 255


def picture() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    made = np.zeros((32, 32, 3), np.uint8)
    made[:8, :8, 0] = 255  # red in the upper left
    made[16:, 16:, 2] = 255  # blue in the lower right, and more of it
    return made


def prepared(crop: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Tensor:
    return unit(torch.from_numpy(crop).permute(2, 0, 1)[None])


def test_a_map_shows_the_place_that_speaks_for_a_class() -> None:
    network = Corner().eval()
    red, blue = (cam(network, prepared(picture()), target) for target in (0, 1))
    assert red[:8, :8].min() == 1
    assert red.sum() == pytest.approx(64)
    assert blue[16:, 16:].min() == 1
    assert blue.sum() == pytest.approx(256)
    assert np.array_equal(cam(network, prepared(picture())), blue)  # the likeliest class
    assert cam(network, prepared(np.zeros((9, 9, 3), np.uint8)), 0).max() == 0


def test_grad_cam_warms_the_place() -> None:
    drawn = grad_cam(Corner().eval(), prepared(picture()), np.full((32, 32, 3), 128, np.uint8), 0)
    assert drawn.dtype == np.uint8
    assert drawn.shape == (32, 32, 3)
    assert drawn[:8, :8].mean() > drawn[16:, 16:].mean() + 20


def test_activation_maps_put_the_strongest_channel_first() -> None:
    network = Corner().eval()
    assert layers(network, prepared(picture())) == ["see"]
    sheet = activation_maps(network, prepared(picture()), "see", channels=2, tile=32)
    assert sheet.shape == (32, 66, 3)
    first, second = sheet[:, :32].astype(int).sum(2), sheet[:, 34:].astype(int).sum(2)
    assert first.argmax() // 32 >= 16  # blue covers more
    assert second.argmax() // 32 < 8
    with pytest.raises(KeyError):
        activation_maps(network, prepared(picture()), "nothing")


def test_patterns_show_what_a_channel_asks_for() -> None:
    network = Corner().eval()
    sheet = layer_patterns(network, unit, "see", 16, channels=(0, 1, 7), steps=10, tile=16)
    assert sheet.shape == (16, 34, 3)  # there is no channel 7
    red, blue = sheet[:, :16].mean((0, 1)), sheet[:, 18:].mean((0, 1))
    assert red[0] > red[2] + 50
    assert blue[2] > blue[0] + 50
    again = layer_patterns(network, unit, "see", 16, channels=(0, 1, 7), steps=10, tile=16)
    assert np.array_equal(sheet, again)


def test_a_report_gets_a_few_layers_from_first_to_last() -> None:
    names = [str(n) for n in range(50)]
    assert spread(names, 3) == ["0", "24", "49"]
    assert spread(names[:2], 3) == ["0", "1"]


@pytest.mark.parametrize("name", ["hill_cnn", "mobilenet_v2", "small_cnn"])
def test_networks_of_ours_can_be_looked_into(name: str) -> None:
    torch.manual_seed(0)
    size = 48
    if name == "small_cnn":
        network: nn.Module = FaceNet(ClassifierSettings(size=size, width=8)).eval()
        prepare = scaled
    else:
        zoo = build_classifier_network(name, 5, {"size": size}).eval()
        network, prepare = zoo, zoo.prepare
    crop = np.random.default_rng(0).integers(0, 255, (size, size, 3), np.uint8)
    x = prepare(torch.from_numpy(crop).permute(2, 0, 1)[None])
    before = {k: v.clone() for k, v in network.state_dict().items()}
    names = layers(network, x)
    assert len(names) == len([m for m in network.modules() if isinstance(m, nn.Conv2d)])
    assert activation_maps(network, x, names[0], channels=4, tile=20).shape == (42, 42, 3)
    assert layer_patterns(network, prepare, names[-1], size, (0, 1), steps=2, tile=20).shape == (20, 42, 3)
    assert grad_cam(network, x, crop).shape == crop.shape
    assert np.isfinite(cam(network, x, 1, names[-1])).all()
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
    assert not any(m._forward_hooks for m in network.modules())
