"""From a weight file to a bundle: found by name, checked before it is read, refused in one sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from ml import __main__ as cli
from ml.analyse_cli import table
from ml.bundle import DEFAULT_BUNDLE, Thresholds, read_bundle
from ml.detect.matterport import MatterportDetector
from ml.detect.matterport_picture import Preparation
from ml.detect.registry import detector_of
from ml.errors import BundleInvalid, ModelOutputInvalid, OutputUnwritable, PictureTooLarge, WeightsInvalid
from ml.matterport.bundle import ImportSettings, import_weights
from ml.matterport.convert import read_weights
from ml.pipeline import AnalyseConfig, analyse
from ml.runtime import models_of
from tests.ml.films import film, scene
from tests.ml.matterport.small import SMALL, SMALL_101, Layers, random_layers, write

NAMES = ("a", "b", "c")
KEEN = ImportSettings(NAMES, Preparation(64), least_score=0.0, faces=5)


@pytest.fixture
def layers() -> Layers:
    return random_layers(SMALL)


@pytest.fixture
def weights(tmp_path: Path, layers: Layers) -> Path:
    return write(tmp_path / "w.h5", layers)


def test_the_order_in_the_file_means_nothing(tmp_path: Path, layers: Layers, weights: Path) -> None:
    first = read_weights(weights)
    for n, options in enumerate([{"reverse": True}, {"whole_model": True}]):
        other = read_weights(write(tmp_path / f"{n}.h5", layers, **options))
        assert other.shape == first.shape == SMALL
        assert first.tensors.keys() == other.tensors.keys()
        assert all(np.array_equal(first.tensors[name], other.tensors[name]) for name in first.tensors)


def test_backbone_and_classes_are_told_from_the_file(tmp_path: Path) -> None:
    assert read_weights(write(tmp_path / "w.h5", random_layers(SMALL_101))).shape == SMALL_101


def test_missing_and_misshapen_layers_are_named_in_one_sentence(tmp_path: Path, layers: Layers) -> None:
    del layers["res4c_branch2b"]
    del layers["fpn_p3"]["bias"]
    layers["mrcnn_mask_conv2"]["kernel"] = np.zeros((3, 3, 5, 7), np.float32)
    layers["bn3a_branch1"]["gamma"] = np.zeros((1,), np.float32)
    with pytest.raises(WeightsInvalid) as caught:
        read_weights(write(tmp_path / "w.h5", layers))
    said = str(caught.value)
    assert "res4c_branch2b is missing" in said
    assert "fpn_p3/bias is missing" in said
    assert "mrcnn_mask_conv2/kernel is 3 x 3 x 5 x 7 and should be 3 x 3 x 5 x 5" in said
    assert "bn3a_branch1/gamma is 1 and should be 32" in said
    assert said.count(";") == 3


def test_a_missing_block_of_resnet_101_is_named(tmp_path: Path) -> None:
    layers = random_layers(SMALL_101)
    for name in [n for n in layers if "4w_" in n]:
        del layers[name]
    with pytest.raises(WeightsInvalid, match=r"resnet101.*res4w_branch2a is missing"):
        read_weights(write(tmp_path / "w.h5", layers))


def test_many_faults_are_counted(tmp_path: Path, layers: Layers) -> None:
    few = {name: arrays for name, arrays in layers.items() if name.startswith("mrcnn")}
    with pytest.raises(WeightsInvalid, match=r"and [0-9]+ more"):
        read_weights(write(tmp_path / "w.h5", few))


def test_other_files_are_refused(tmp_path: Path, layers: Layers) -> None:
    text = tmp_path / "text.h5"
    text.write_text("not HDF5")
    other = write(tmp_path / "other.h5", {"dense": {"kernel": np.zeros((2, 2), np.float32)}})
    for path, reason in (
        (text, "HDF5"),
        (other, "no layer"),
        (tmp_path / "none.h5", "no weight file"),
        (tmp_path, "no weight"),
    ):
        with pytest.raises(WeightsInvalid, match=reason):
            read_weights(path)


def test_a_cut_file_is_refused(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:20_000])
    with pytest.raises(WeightsInvalid, match=r"w\.h5"):
        read_weights(weights)


@pytest.mark.parametrize("kind", ["external", "soft", "virtual", "storage", "text", "nested"])
def test_what_reaches_outside_the_file_is_refused(tmp_path: Path, layers: Layers, kind: str) -> None:
    inside = write(tmp_path / "other.h5", layers)
    arrays = layers.pop("conv1")
    path = write(tmp_path / "w.h5", layers)
    with h5py.File(path, "a") as file:
        group = file.create_group("conv1/conv1")
        group["bias:0"] = arrays["bias"]
        if kind == "external":
            group["kernel:0"] = h5py.ExternalLink(str(inside), "conv1/conv1/kernel:0")
        elif kind == "soft":
            group["kernel:0"] = h5py.SoftLink("/fpn_p2/fpn_p2/kernel:0")
        elif kind == "virtual":
            place = h5py.VirtualLayout(shape=(7, 7, 3, 4), dtype="f4")
            place[...] = h5py.VirtualSource(str(inside), "conv1/conv1/kernel:0", shape=(7, 7, 3, 4))
            group.create_virtual_dataset("kernel:0", place)
        elif kind == "storage":
            outside = [(str(inside), 0, 7 * 7 * 3 * 4 * 4)]
            group.create_dataset("kernel:0", (7, 7, 3, 4), "f4", external=outside)
        elif kind == "text":
            group["kernel:0"] = "hello"
        else:
            group["loop"] = file["conv1"]
    with pytest.raises(WeightsInvalid, match=r"conv1|nested|entries"):
        read_weights(path)


def test_a_claim_of_great_size_is_refused_before_reading(tmp_path: Path, layers: Layers) -> None:
    path = write(tmp_path / "w.h5", layers)
    with h5py.File(path, "a") as file:
        for n in "2345":
            for layer in (f"fpn_c{n}p{n}", f"fpn_p{n}"):
                del file[layer]
                file.create_dataset(f"{layer}/{layer}/kernel:0", (3, 3, 10**5, 10**6), "f4", chunks=(1, 1, 10, 10))
    with pytest.raises(WeightsInvalid, match="pyramid would be 1000000"):
        read_weights(path)


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path, layers: Layers) -> None:
    layers["fpn_p4"]["kernel"][0, 0, 0, 0] = np.nan
    with pytest.raises(WeightsInvalid, match="fpn_p4/kernel"):
        read_weights(write(tmp_path / "w.h5", layers))


def test_the_same_array_twice_is_refused(weights: Path) -> None:
    with h5py.File(weights, "a") as file:
        file["copy/fpn_p4/kernel:0"] = np.zeros(3)
    with pytest.raises(WeightsInvalid, match="fpn_p4/kernel twice"):
        read_weights(weights)


def test_the_bundle_finds_faces_in_both_ways(tmp_path: Path, weights: Path) -> None:
    frames = [scene(), scene(width=100, height=200)]
    found = {}
    for mode, side in (("resize", 64), ("resize", 192), ("pad", 256)):
        out = tmp_path / f"{mode}-{side}"
        bundle = import_weights(weights, out, replace(KEEN, preparation=Preparation(side, mode)))
        assert bundle.preprocessing["picture"] == {"side": side, "mode": mode, "least_short_side": 0}
        detector = detector_of(read_bundle(out), "cpu")
        results = detector.detect(frames)
        found[mode, side] = [[f.box for f in faces] for faces in results]
        for frame, faces in zip(frames, results, strict=True):
            assert 0 < len(faces) <= 5
            assert [f.score for f in faces] == sorted((f.score for f in faces), reverse=True)
            for face in faces:
                x1, y1, x2, y2 = face.box
                assert 0 <= x1 < x2 <= frame.shape[1]
                assert 0 <= y1 < y2 <= frame.shape[0]
                assert face.character in NAMES
                assert face.mask is not None
                assert face.mask.shape == (y2 - y1, x2 - x1)
    assert found["resize", 64] != found["resize", 192]


def test_an_unscaled_picture_that_does_not_fit_is_refused(tmp_path: Path, weights: Path) -> None:
    settings = replace(KEEN, preparation=Preparation(128, "pad"))
    detector = detector_of(import_weights(weights, tmp_path / "b-1", settings), "cpu")
    with pytest.raises(PictureTooLarge, match=r"192 x 144.*128 x 128"):
        detector.detect([scene()])


@pytest.mark.parametrize(("bar", "found"), [(0.47, True), (0.48, False)])
def test_faces_under_the_bar_are_left_out(tmp_path: Path, layers: Layers, bar: float, found: bool) -> None:
    layers["mrcnn_class_logits"]["kernel"][:] = 0
    layers["mrcnn_class_logits"]["bias"][:] = [0, 1, 0, 0]  # e / (e + 3) is 0.475
    weights = write(tmp_path / "w.h5", layers)
    detector = detector_of(import_weights(weights, tmp_path / "b-1", replace(KEEN, least_score=bar)), "cpu")
    [faces] = detector.detect([scene()])
    assert {(f.character, f.score) for f in faces} == ({("a", 0.4754)} if found else set())


def test_a_number_that_is_not_finite_stops(tmp_path: Path, weights: Path) -> None:
    detector = detector_of(import_weights(weights, tmp_path / "b-1", KEEN), "cpu")
    assert isinstance(detector, MatterportDetector)
    detector.network.get_submodule("mrcnn_bbox_fc").bias.data[0] = float("inf")  # type: ignore[operator]
    with pytest.raises(ModelOutputInvalid):
        detector.detect([scene()])


def test_a_lent_classifier_reads_and_the_detector_names(tmp_path: Path, weights: Path) -> None:
    settings = replace(KEEN, classifier_from=DEFAULT_BUNDLE)
    bundle = import_weights(weights, tmp_path / "b-1", settings)
    models = models_of(bundle, "cpu")
    result = analyse(film(tmp_path / "a.mp4", [scene()] * 6), models, AnalyseConfig())
    assert result.detections
    for face in result.detections:
        assert face.character in NAMES
        assert sum(face.emotions.values()) == pytest.approx(1, abs=1e-3)
    assert bundle.thresholds == Thresholds(0.0, 0.3, 0.0, 0.0, read_bundle(DEFAULT_BUNDLE).thresholds.unclear)
    assert bundle.made["classifier_from"]["name"] == "toonemo"
    assert "resized to fit 64 x 64" in table("a.mp4", result, bundle)


def test_settings_that_fit_no_bundle_are_refused(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(WeightsInvalid, match=r"3 classes of faces.*2 names"):
        import_weights(weights, tmp_path / "b-1", replace(KEEN, characters=("a", "b")))
    with pytest.raises(BundleInvalid, match="different names"):
        import_weights(weights, tmp_path / "b-1", replace(KEEN, characters=("a", "b", "b")))
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputUnwritable):
        import_weights(weights, tmp_path / "there", KEEN)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["there", "w.h5"]


@pytest.mark.parametrize("table", [{}, {"side": 100, "mode": "resize"}, {"side": 64, "mode": "x"}, {"side": 64}, None])
def test_a_preparation_that_is_none_is_refused(table: object) -> None:
    with pytest.raises(BundleInvalid):
        Preparation.of(table)  # type: ignore[arg-type]


def test_the_command_says_what_it_made(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    out = tmp_path / "bundles" / "mine-2"
    arguments = ["import-matterport", str(weights), "--out", str(out), "--mode", "pad", "--input", "1280"]
    assert cli.main(arguments) == 0
    said = capsys.readouterr().out
    assert "mine-2" in said
    assert "resnet50, classes class-1, class-2, class-3 (name them with --characters)" in said
    assert "unscaled in the middle of 1280 x 1280" in said
    assert json.loads((out / "bundle.json").read_text())["made"]["weights"]["file"] == "w.h5"

    assert cli.main([*arguments[:-1], "1000"]) == 2
    assert "multiple of 64" in capsys.readouterr().err
    assert cli.main(arguments) == 2
    assert "output_unwritable" in capsys.readouterr().err
