"""Against what the authors' own code computed with the same weights: every stage, and the faces in the end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ml.bundle import Bundle, read_bundle
from ml.detect.matterport import MatterportDetector
from ml.detect.matterport_boxes import anchors
from ml.detect.matterport_network import proposals
from ml.detect.matterport_picture import Preparation, prepare
from ml.matterport.bundle import ImportSettings, import_weights
from tests.ml.films import DATA

REFERENCE = DATA / "matterport"
pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"no reference at {REFERENCE} (TOONEMO_TEST_DATA)")
Arrays = dict[str, Any]


@pytest.fixture(scope="module")
def golden() -> Arrays:
    with np.load(REFERENCE / "golden_resnet50_256.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in stored}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("matterport")
    weights = folder / "w.h5"
    files = [REFERENCE / name for name in ("make_weights.py", "layout_resnet50.json", "scales_resnet50.json")]
    subprocess.run([sys.executable, *files, weights], check=True)
    settings = ImportSettings(("tom", "jerry"), Preparation(256), least_score=0.0)
    made = import_weights(weights, folder / "paper-1", settings)
    weights.unlink()
    assert made.path is not None
    return read_bundle(made.path)


@pytest.fixture(scope="module")
def detector(bundle: Bundle) -> MatterportDetector:
    return MatterportDetector.of_bundle(bundle, "cpu")


def off(found: Any, wanted: Any) -> float:
    return float(np.abs(np.asarray(found) - np.asarray(wanted)).max())


@torch.inference_mode()
def test_every_stage_agrees(detector: MatterportDetector, golden: Arrays) -> None:
    made = prepare(golden["image_uint8"], detector.preparation)
    assert made.window == tuple(golden["window"][0])
    assert off(made.pixels[::4, ::4], golden["molded_every_4th"][0]) < 1e-4

    network = detector.network
    maps = network.pyramid(torch.from_numpy(made.pixels).permute(2, 0, 1)[None])
    last = [m[0].permute(1, 2, 0) for m in maps]
    assert off(last[0][::4, ::4], golden["p2_every_4th"][0]) < 1e-4
    assert off(last[3], golden["p5"][0]) < 1e-4
    assert off(last[4], golden["p6"][0]) < 1e-4

    [rpn] = network.rpn(maps)
    assert off(rpn.logits, golden["rpn_class_logits"][0]) < 1e-4
    assert off(rpn.deltas, golden["rpn_bbox"][0]) < 1e-4
    assert off(anchors(256)[::16], golden["anchors_every_16th"][0]) < 1e-6

    regions = golden["proposals"][0]
    ours = proposals(rpn, torch.from_numpy(anchors(256))).numpy()
    apart = np.abs(ours[:, None] - regions[None]).max(2)
    assert max(apart.min(0).max(), apart.min(1).max()) < 1e-5, "not the same set of regions"
    assert (np.abs(ours - regions).max(1) > 1e-5).sum() <= 10, "more than near-ties in another order"

    of_levels = [m[0] for m in maps[:4]]
    heads = network.boxes(of_levels, torch.from_numpy(regions), 256)
    assert off(heads.logits, golden["mrcnn_class_logits"][0]) < 1e-4
    assert off(heads.deltas, golden["mrcnn_bbox"][0]) < 1e-4
    masks = network.masks(of_levels, torch.from_numpy(golden["detections"][0][:, :4]), 256)
    assert off(masks.permute(0, 2, 3, 1), golden["mrcnn_mask"][0]) < 1e-4


def test_the_faces_are_the_original_s(detector: MatterportDetector, golden: Arrays) -> None:
    [faces] = detector.detect([golden["image_uint8"]])
    height, width, count = golden["final_masks_shape"]
    masks = np.unpackbits(golden["final_masks_packed"])[: height * width * count].reshape(height, width, count)

    assert len(faces) == len(golden["final_rois"]) == count
    wanted_boxes = golden["final_rois"][:, [1, 0, 3, 2]]
    assert [f.box for f in faces] == [tuple(map(float, box)) for box in wanted_boxes]
    assert [f.character for f in faces] == [("tom", "jerry")[k - 1] for k in golden["final_class_ids"]]
    np.testing.assert_allclose([f.score for f in faces], golden["final_scores"], atol=6e-5)
    wrong = sum(int((f.full_mask(height, width) != masks[:, :, n].astype(bool)).sum()) for n, f in enumerate(faces))
    assert wrong <= 5  # of 1.2 million: places where the soft mask is 0.5 but for rounding


def test_the_bundle_runs_from_the_file_alone(bundle: Bundle) -> None:
    assert bundle.classifier is None
    assert bundle.emotions == ()
    assert dict(bundle.characters) == {"tom": "Tom", "jerry": "Jerry"}
    assert bundle.path is not None
    assert sorted(p.name for p in Path(bundle.path).iterdir()) == ["bundle.json", "detector.safetensors"]
