"""The network against a second one in numpy: ResNet-50 and -101, several sizes, small random weights."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ml.detect.matterport_boxes import anchors, crop_and_resize, levels, refined, sampled
from ml.detect.matterport_network import MatterportNetwork, Rpn, detections, proposals
from ml.matterport.convert import read_weights
from ml.matterport.layout import NetworkShape, expected
from tests.ml.matterport import small
from tests.ml.matterport.small import SMALL, SMALL_101, NumpyNetwork, random_layers, write


def network(path: Path, shape: NetworkShape) -> tuple[MatterportNetwork, NumpyNetwork]:
    layers = random_layers(shape)
    weights = read_weights(write(path, layers))
    assert weights.shape == shape
    made = MatterportNetwork(weights.shape)
    made.load_state_dict({name: torch.from_numpy(values) for name, values in weights.tensors.items()})
    return made.eval().folded(), NumpyNetwork(layers)


@pytest.mark.parametrize(("shape", "side"), [(SMALL, 64), (SMALL, 192), (SMALL_101, 128)])
@torch.inference_mode()
def test_every_stage_agrees_with_numpy(tmp_path: Path, shape: NetworkShape, side: int) -> None:
    ours, plain = network(tmp_path / "w.h5", shape)
    rng = np.random.default_rng(3)
    picture = rng.normal(size=(side, side, 3)).astype(np.float32)
    maps = ours.pyramid(torch.from_numpy(picture).permute(2, 0, 1)[None])
    for found, wanted in zip(maps, plain.pyramid(picture), strict=True):
        assert wanted.std() > 0.01
        np.testing.assert_allclose(found[0].permute(1, 2, 0), wanted, atol=1e-4)

    [rpn] = ours.rpn(maps)
    logits, deltas = plain.rpn([m[0].permute(1, 2, 0).numpy() for m in maps])
    np.testing.assert_allclose(rpn.logits, logits, atol=1e-4)
    np.testing.assert_allclose(rpn.deltas, deltas, atol=1e-4)
    assert len(logits) == len(anchors(side))

    boxes = np.array([[0.1, 0.2, 0.5, 0.9], [0.0, 0.0, 1.0, 1.0], [0.4, 0.4, 0.45, 0.5]], np.float32)
    of_levels = [m[0] for m in maps[:4]]
    heads = ours.boxes(of_levels, torch.from_numpy(boxes), side)
    masks = ours.masks(of_levels, torch.from_numpy(boxes), side)
    for n, (box, level) in enumerate(zip(boxes, levels(torch.from_numpy(boxes), side).tolist(), strict=True)):
        features = of_levels[level - 2].permute(1, 2, 0).numpy()
        class_logits, box_deltas = plain.box_head(small.crop_and_resize(features, box, 7))
        np.testing.assert_allclose(heads.logits[n], class_logits, atol=1e-4)
        np.testing.assert_allclose(heads.deltas[n], box_deltas, atol=1e-4)
        wanted = plain.mask_head(small.crop_and_resize(features, box, 14))
        np.testing.assert_allclose(masks[n].permute(1, 2, 0), wanted, atol=1e-4)


def test_a_fault_of_the_stride_would_be_seen(tmp_path: Path) -> None:
    """The comparison can fail: the stride on the 3 x 3 convolution instead gives another pyramid."""
    _, plain = network(tmp_path / "w.h5", SMALL)

    class Wrong(NumpyNetwork):
        def conv(self, layer: str, x: small.Array, stride: int = 1, pad: int = 0) -> small.Array:
            if layer.endswith("a_branch2a") and layer[3] != "2":
                stride = 1
            elif layer.endswith("a_branch2b") and layer[3] != "2":
                stride = 2
            return super().conv(layer, x, stride, pad)

    picture = np.random.default_rng(3).normal(size=(64, 64, 3)).astype(np.float32)
    right, wrong = plain.pyramid(picture)[0], Wrong(plain.layers).pyramid(picture)[0]
    assert np.abs(right - wrong).max() > 0.01


def test_the_layout_has_as_many_numbers_as_the_original() -> None:
    """Keras prints 64,158,584 parameters, 111,488 of them not trained, for ResNet-101 and the 81 classes of COCO."""
    layers = expected(NetworkShape("resnet101", classes=81))
    assert sum(math.prod(s) for arrays in layers.values() for s in arrays.values()) == 64_158_584
    moving = [s for arrays in layers.values() for name, s in arrays.items() if name.startswith("moving")]
    assert sum(math.prod(s) for s in moving) == 111_488
    assert [f"res4{x}_branch2a" in layers for x in "afgwx"] == [True, True, True, True, False]


def test_anchors_are_centred_on_whole_strides() -> None:
    found = anchors(128) * 127 + np.array([0, 0, 1, 1])
    assert found.shape == ((32**2 + 16**2 + 8**2 + 4**2 + 2**2) * 3, 4)
    centres = (found[:, :2] + found[:, 2:]) / 2
    np.testing.assert_allclose(centres[:6], np.array([[0, 0]] * 3 + [[0, 4]] * 3), atol=1e-4)
    sizes = found[:3, 2:] - found[:3, :2]
    np.testing.assert_allclose(sizes[:, 1] / sizes[:, 0], [0.5, 1, 2], rtol=1e-5)
    np.testing.assert_allclose(sizes.prod(1), [32**2] * 3, rtol=1e-5)


def test_deltas_move_and_scale_a_box() -> None:
    box = torch.tensor([[0.2, 0.2, 0.4, 0.6]])
    moved = refined(box, torch.tensor([[1.0, -1.0, math.log(2) / 0.2, 0.0]]))
    np.testing.assert_allclose(moved.numpy(), np.array([[0.12, 0.16, 0.52, 0.56]]), atol=1e-6)


@pytest.mark.parametrize(("pixels", "level"), [(20, 2), (112, 3), (157, 3), (160, 4), (224, 4), (320, 5), (1000, 5)])
def test_levels_are_rounded_not_floored(pixels: int, level: int) -> None:
    share = pixels / 1024
    assert levels(torch.tensor([[0.0, 0.0, share, share]]), 1024).tolist() == [level]


def test_a_box_without_area_is_on_the_finest_level() -> None:
    assert levels(torch.zeros(1, 4), 1024).tolist() == [2]


def test_sampling_ends_on_both_edges_and_is_zero_outside() -> None:
    features = torch.arange(25.0).reshape(1, 5, 5)
    inside = crop_and_resize(features, torch.tensor([[0.0, 0.0, 1.0, 1.0]]), 5)
    np.testing.assert_allclose(inside[0, 0], features[0])
    outside = crop_and_resize(features, torch.tensor([[0.0, 0.0, 2.0, 1.0]]), 5)
    np.testing.assert_allclose(outside[0, 0, 3:], 0)
    np.testing.assert_allclose(outside[0, 0, 2], features[0, 4])


def test_each_box_is_sampled_from_its_own_level() -> None:
    maps = [torch.full((1, 8, 8), float(n)) for n in (2, 3, 4, 5)]
    boxes = torch.tensor([[0.0, 0.0, 0.02, 0.02], [0.0, 0.0, 0.9, 0.9], [0.0, 0.0, 0.22, 0.22]])
    assert sampled(maps, boxes, 7, 1024)[:, 0, 0, 0].tolist() == [2, 5, 4]


def test_proposals_are_the_best_without_doubles() -> None:
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.5, 0.52], [0.6, 0.6, 1.2, 0.9]])
    logits = torch.tensor([[0.0, 1.0], [0.0, 2.0], [0.0, 0.5]])
    found = proposals(Rpn(logits, torch.zeros(3, 4)), boxes)
    assert found.shape == (1000, 4)
    wanted = np.array([[0, 0, 0.5, 0.52], [0.6, 0.6, 1, 0.9], [0, 0, 0, 0]])
    np.testing.assert_allclose(found[:3], wanted, atol=1e-6)


def test_detections_keep_one_class_per_region_and_doubles_of_other_classes() -> None:
    regions = torch.tensor([[0.1, 0.1, 0.5, 0.5]] * 3 + [[0.6, 0.6, 0.8, 0.8]])
    logits = torch.tensor([[0.0, 5.0, 1.0], [0.0, 4.0, 1.0], [0.0, 1.0, 3.0], [5.0, 0.0, 0.0]])
    deltas = torch.zeros(4, 3, 4)
    window = torch.tensor([0.2, 0.0, 1.0, 1.0])
    found = detections(regions, logits, deltas, window, 0.5, 0.3, 100)
    assert found.classes.tolist() == [1, 2]
    np.testing.assert_allclose(found.boxes, [[0.2, 0.1, 0.5, 0.5]] * 2)
    assert found.scores[0] > found.scores[1]
    assert len(detections(regions, logits, deltas, window, 0.95, 0.3, 100).boxes) == 1
    assert len(detections(regions, logits, deltas, window, 0.0, 0.3, 1).boxes) == 1
