"""Faster steps, the same faces: what is fused, pooled and decoded leaner agrees with torchvision's way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v2
from torchvision.models.detection import MaskRCNN

from ml.bundle import DEFAULT_BUNDLE, Bundle, Calibration, Thresholds, read_bundle
from ml.classify.network import ClassifierSettings, FaceNet
from ml.classify.small_cnn import SmallCnnClassifier
from ml.detect.base import Face, Frame
from ml.detect.lean import LeanMaskRcnn
from ml.detect.mask_rcnn import MaskRcnnDetector
from ml.detect.network import STRIDES, DetectorSettings, TfConv2d, build_detector
from ml.detect.pooling import RegionPooling
from ml.evaluate.counts import overlap
from ml.fused import LAYOUTS_KEPT, FusedConv, can_fuse, fuse
from ml.render.sample import sample_frame
from ml.types import EMOTIONS

pytestmark = pytest.mark.skipif(not can_fuse("cpu"), reason="this torch was built without oneDNN")
SIZE = (640, 480)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return read_bundle(DEFAULT_BUNDLE)


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return [sample_frame(np.random.default_rng([7, n]), SIZE).rgb for n in range(14)]


def detector(bundle: Bundle, *, lean: bool, half: bool) -> MaskRcnnDetector:
    usual = MaskRcnnDetector.of_bundle(bundle, "cpu")
    network = build_detector(usual.settings)
    network.load_state_dict(weights(bundle))
    names = bundle.named_by(bundle.detector)
    return MaskRcnnDetector(
        network, usual.settings, names, bundle.thresholds, bundle.calibration, batch=2, half=half, lean=lean
    )


def weights(bundle: Bundle) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return {k: v.float() for k, v in load_file(bundle.weights(bundle.detector)).items()}


@pytest.fixture(scope="module")
def plain(bundle: Bundle, frames: list[Frame]) -> list[list[Face]]:
    return detector(bundle, lean=False, half=False).detect(frames)


def alike(ours: list[list[Face]], theirs: list[list[Face]]) -> list[tuple[float, float, float]]:
    """(overlap of the boxes, difference of the scores, overlap of the masks) of every face and its like."""
    figures = []
    for a, b in zip(ours, theirs, strict=True):
        assert len(a) == len(b)
        for face in a:
            twin = max(b, key=lambda other: overlap(face.box, other.box))
            one, two = (f.full_mask(SIZE[1], SIZE[0]) for f in (face, twin))
            shared = float((one & two).sum() / max(1, (one | two).sum()))
            figures.append((overlap(face.box, twin.box), abs(face.score - twin.score), shared))
    assert len(figures) >= 14
    return figures


def test_the_lean_steps_find_torchvision_s_faces(bundle: Bundle, frames: list[Frame], plain: list[list[Face]]) -> None:
    for boxes, scores, masks in alike(detector(bundle, lean=True, half=False).detect(frames), plain):
        assert boxes > 0.999
        assert scores < 0.0002
        assert masks > 0.999


def test_in_half_precision_nearly_all_faces_stay_the_same(
    bundle: Bundle, frames: list[Frame], plain: list[list[Face]]
) -> None:
    """Of two proposals that score alike the other one may win; torchvision's autocast keeps one face in seven."""
    low = bundle.thresholds.detection
    sure = [[f for f in faces if f.score >= low + 0.02] for faces in plain]
    found = detector(bundle, lean=True, half=True).detect(frames)
    same = [
        [f for f in faces if any(overlap(f.box, g.box) > 0.5 for g in s)] for faces, s in zip(found, sure, strict=True)
    ]
    figures = alike(sure, same)
    assert np.mean([boxes > 0.99 and scores < 0.01 for boxes, scores, _ in figures]) >= 0.9
    for boxes, scores, masks in figures:
        assert boxes > 0.75
        assert scores < 0.06
        assert masks > 0.75


def test_a_sliver_of_a_picture_spoils_nothing_after_it(bundle: Bundle, frames: list[Frame]) -> None:
    for lean in (True, False):
        fresh, used = (detector(bundle, lean=lean, half=False) for _ in range(2))
        used.detect([np.full((17, 900, 3), 90, np.uint8)])
        assert [f.box for f in used.detect(frames[:1])[0]] == [f.box for f in fresh.detect(frames[:1])[0]]


def test_regions_are_pooled_as_torchvision_pools_them() -> None:
    torch.manual_seed(3)
    maps = [torch.randn(2, 8, 64 // s * 8, 96 // s * 8) for s in STRIDES]
    corner = torch.rand(40, 2) * torch.tensor([700.0, 450.0])
    boxes = torch.cat((corner, corner + 1 + torch.rand(40, 2) ** 3 * 400), 1)
    boxes[0], boxes[1] = torch.tensor([-30.0, -30.0, 20.0, 20.0]), torch.tensor([700.0, 480.0, 900.0, 700.0])
    pool = build_detector(DetectorSettings(channels=8, box_hidden=8)).roi_heads.box_roi_pool
    theirs = pool(dict(zip("012", maps, strict=True)), [boxes[:25], boxes[25:]], [(512, 768)] * 2)
    pictures = torch.tensor([0] * 25 + [1] * 15, dtype=torch.int32)
    ours = RegionPooling(maps, STRIDES)(boxes, pictures, 7)
    assert torch.allclose(ours.permute(0, 3, 1, 2), theirs, atol=1e-4)


def test_proposals_are_torchvision_s() -> None:
    torch.manual_seed(2)
    network: MaskRCNN = build_detector(DetectorSettings(channels=16, box_hidden=16)).eval()
    nn.init.normal_(network.rpn.head.bbox_pred.weight, std=0.3)
    from torchvision.models.detection.image_list import ImageList

    batch, sizes = torch.randn(2, 3, 128, 192), [(128, 170), (100, 192)]
    with torch.inference_mode():
        theirs, _ = network.rpn(ImageList(batch, sizes), network.backbone(batch))
        lean = LeanMaskRcnn(network, torch.float32)
        ours = lean.propose(lean.pyramid(batch), batch, sizes)
    for a, b in zip(ours, theirs, strict=True):
        assert len(a) == len(b)
        assert torch.allclose(a, b, atol=1e-2)


def test_pictures_without_faces_have_empty_masks(frames: list[Frame]) -> None:
    settings = DetectorSettings(channels=16, box_hidden=16)
    network = build_detector(settings)
    sure = MaskRcnnDetector(network, settings, (), Thresholds(detection=1.0), Calibration(), lean=True)
    assert sure.detect(frames[:2]) == [[], []]


@pytest.mark.parametrize("height", [31, 32])
def test_a_fused_convolution_is_the_same_function(height: int) -> None:
    torch.manual_seed(0)
    stack = nn.Sequential(
        TfConv2d(3, 8, 3, 2, 0, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU6(),
        nn.Conv2d(8, 8, 3, 1, 1, groups=8),
        nn.Hardswish(),
        nn.Conv2d(8, 4, 1),
    ).eval()
    nn.init.uniform_(stack[1].get_buffer("running_mean"))
    x = torch.randn(2, 3, height, 40) * 4
    with torch.inference_mode():
        expected = stack(x)
        fuse(stack, torch.float32)
        assert torch.allclose(stack(x), expected, atol=1e-5)
    assert [type(m) for m in stack] == [FusedConv, nn.Identity, nn.Identity, FusedConv, nn.Identity, FusedConv]


def test_maps_of_many_sizes_keep_few_layouts() -> None:
    conv = nn.Conv2d(4, 4, 3, padding=1)
    fused = FusedConv(conv, None, torch.float32)
    with torch.inference_mode():
        for side in range(8, 8 + LAYOUTS_KEPT + 2):
            x = torch.randn(1, 4, side, side)
            assert torch.allclose(fused(x), conv(x), atol=1e-5)
    assert len(fused.laid_out) <= LAYOUTS_KEPT


def test_a_whole_backbone_is_the_same_function() -> None:
    torch.manual_seed(0)
    features = mobilenet_v2().features.eval()
    x = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        expected = features(x)
        fuse(features, torch.float32)
        assert torch.allclose(features(x), expected, atol=1e-4)


@pytest.mark.parametrize("backbone", ["residual", "mobilenet_v2"])
def test_a_classifier_reads_with_the_weights_it_has_now(backbone: str) -> None:
    torch.manual_seed(0)
    settings = ClassifierSettings(size=64, width=8, backbone=backbone)
    network = FaceNet(settings).eval()
    classifier = SmallCnnClassifier(network, settings, {str(e): e for e in EMOTIONS}, ("a", "b", "c", "d"))
    crops = [np.random.default_rng(n).integers(0, 256, (64, 64, 3), np.uint8) for n in range(3)]

    def agrees() -> bool:
        x = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.inference_mode():
            plain = network(x)
        ours = classifier.outputs(crops)
        return all(torch.allclose(a, b, atol=1e-4) for a, b in zip(ours, plain, strict=True))

    assert agrees()
    before = classifier.outputs(crops).emotion
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(1.1)
    assert agrees()
    assert not torch.allclose(before, classifier.outputs(crops).emotion, atol=1e-4)
    assert all(p.requires_grad for p in network.parameters())
