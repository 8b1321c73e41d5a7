from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

from ml.bundle import Bundle, Calibration, Part, Thresholds, write_bundle
from ml.detect.registry import DETECTORS, NETWORKS, build_network, detector_of, resolve
from ml.detect.torchvision_family import BUILDERS, MOBILENET, RESNET50_V2, RESNET101, FamilyDetector
from ml.errors import BundleInvalid, ModelOutputInvalid
from tests.ml.films import models_without_classifier, scene

SMALL: dict[str, Any] = {
    "short_side": 64, "long_side": 96, "channels": 8, "box_hidden": 16, "proposals": 20, "faces": 5, "blocks": [1] * 4,
}  # fmt: skip
SHIPPED = {"short_side": 64, "long_side": 96, "channels": 16, "box_hidden": 16, "mask_layers": 1}
OF_ALL = {name: SHIPPED if name == "mask_rcnn_mobilenet_v2_fpn" else SMALL for name in NETWORKS}
ALL = Thresholds(detection=0.0, nms=0.9, name_detector=0.0)


def settings_for(name: str) -> dict[str, Any]:
    return {**SMALL, "square": True, "short_side": 96} if name == RESNET101 else SMALL


def saved(
    name: str, folder: Path, names: tuple[str, ...] = ("tom", "jerry"), classes: int = 3, **changes: Any
) -> Bundle:
    torch.manual_seed(1)
    settings = settings_for(name)
    network = build_network(name, settings, classes)
    weights = folder / "weights"
    save_file({k: v.half().contiguous() for k, v in network.state_dict().items()}, weights)
    bundle = replace(
        models_without_classifier().bundle,
        detector=Part(name, "detector.safetensors", {**settings, "names": list(names)}),
        characters={n: n.title() for n in names},
        thresholds=ALL,
        **changes,
    )
    return write_bundle(bundle, {"detector.safetensors": weights}, folder / "b-1")


@pytest.mark.parametrize("name", OF_ALL)
def test_every_network_learns(name: str) -> None:
    """A few steps on one picture lower the loss, and both heads take part."""
    torch.manual_seed(0)
    network = build_network(name, OF_ALL[name], 3)
    picture = torch.from_numpy(scene(width=96, height=64)).permute(2, 0, 1).float() / 255
    masks = torch.zeros(1, 64, 96, dtype=torch.uint8)
    masks[0, 10:50, 20:70] = 1
    target = {"boxes": torch.tensor([[20.0, 10.0, 70.0, 50.0]]), "labels": torch.tensor([1]), "masks": masks}
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    optimiser = torch.optim.Adam(network.parameters(), 4e-3)
    seen = []
    for _ in range(8):
        torch.manual_seed(5)
        losses = network([picture], [target])
        loss = sum(losses.values())
        seen.append(float(loss.detach()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert len(losses) >= 5
    assert seen[-1] < 0.95 * seen[0]


@pytest.mark.parametrize("name", BUILDERS)
def test_a_bundle_finds_what_the_network_finds(tmp_path: Path, name: str) -> None:
    bundle = saved(name, tmp_path)
    detector = detector_of(bundle, "cpu")
    assert isinstance(detector, FamilyDetector)
    frames = [scene(), scene(width=100, height=160)]
    results = detector.detect(frames)
    with torch.inference_mode():
        plain = detector.network([torch.from_numpy(frames[0]).permute(2, 0, 1).float() / 255])[0]
    assert 0 < len(results[0]) == len(plain["boxes"]) <= 5
    np.testing.assert_allclose([f.box for f in results[0]], plain["boxes"], atol=0.01)
    for frame, faces in zip(frames, results, strict=True):
        for face in faces:
            x1, y1, x2, y2 = face.box
            assert 0 <= x1 < x2 <= frame.shape[1]
            assert 0 <= y1 < y2 <= frame.shape[0]
            assert face.character in ("tom", "jerry")
            assert face.mask is not None
            assert face.full_mask(*frame.shape[:2]).shape == frame.shape[:2]
    assert detector.detect([]) == []


def test_one_class_more_than_names_is_unknown(tmp_path: Path) -> None:
    detector = detector_of(saved(MOBILENET, tmp_path, names=("tom",), classes=3), "cpu")
    found = {f.character for f in detector.detect([scene(), scene(shift=20)])[0]}
    assert found <= {"tom", None}
    assert isinstance(detector, FamilyDetector)
    assert detector._names == ("tom", None)


def test_a_temperature_softens_the_scores(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    cold = detector_of(saved(MOBILENET, tmp_path / "a"), "cpu")
    hot = detector_of(saved(MOBILENET, tmp_path / "b", calibration=Calibration(detector_temperature=1000.0)), "cpu")
    best_cold, best_hot = (max(f.score for f in d.detect([scene()])[0]) for d in (cold, hot))
    assert best_hot == pytest.approx(1 / 3, abs=0.01)
    assert abs(best_cold - 1 / 3) > abs(best_hot - 1 / 3)


def test_the_paper_s_pictures_are_squares_of_1280() -> None:
    with torch.device("meta"):
        network: Any = build_network(RESNET101, {}, 3)
    assert network.transform.size_divisible == network.transform.max_size == 1280
    assert len(list(network.backbone.body.layer3)) == 23
    assert network.roi_heads.box_predictor.cls_score.out_features == 3


def test_torchvision_s_weights_fit() -> None:
    with torch.device("meta"):
        ours = build_network(RESNET50_V2, {}, 91)
        theirs = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None, num_classes=91)
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in theirs.state_dict().items()}


@pytest.mark.parametrize(
    "settings", [{"norm": "group"}, {"blocks": [1, 1]}, {"short_side": 0}, {"faces": "5"}, {"short_side": 2000}]
)
def test_settings_that_make_no_network_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(BundleInvalid, match=next(iter(settings)).replace("_", ".")):
        build_network(MOBILENET, settings, 3)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleInvalid, match="2 classes of faces apart; 3 are named"):
        detector_of(saved(MOBILENET, tmp_path, names=("a", "b", "c")), "cpu")
    (tmp_path / "x").mkdir()
    bundle = saved(MOBILENET, tmp_path / "x")
    wider = replace(bundle, detector=replace(bundle.detector, settings={**bundle.detector.settings, "channels": 16}))
    with pytest.raises(BundleInvalid, match="does not hold the weights"):
        detector_of(wider, "cpu")


def test_a_number_that_is_not_finite_stops(tmp_path: Path) -> None:
    detector = detector_of(saved(MOBILENET, tmp_path), "cpu")
    assert isinstance(detector, FamilyDetector)
    next(detector.network.backbone.fpn.parameters()).data[0] = float("nan")
    with pytest.raises((ModelOutputInvalid, ValueError)):
        detector.detect([scene()])


def test_every_entry_of_the_registries_can_be_imported() -> None:
    for entry in (*NETWORKS.values(), *(e for n, e in DETECTORS.items() if n != "yolo_seg_onnx")):
        assert callable(resolve(entry))
    with pytest.raises(BundleInvalid, match="no detector that can be trained"):
        build_network("haar", {}, 3)
