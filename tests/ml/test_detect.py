"""The shipped detector on pictures drawn here, and what every detector promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ml.batches import in_batches, out_of_memory
from ml.bundle import DEFAULT_BUNDLE, Calibration, Thresholds
from ml.detect.base import Face, Frame
from ml.detect.mask_rcnn import MaskRcnnDetector, paste
from ml.detect.network import DetectorSettings, TfConv2d, build_detector, network_size
from ml.errors import DeviceMissing, ModelOutputInvalid
from ml.evaluate.counts import overlap
from ml.render.sample import Sample, sample_frame
from ml.runtime import Models, choose_device, load_models


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models(DEFAULT_BUNDLE, "cpu")


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return [sample_frame(np.random.default_rng([5, n]), (640, 360)) for n in range(6)]


def alike(a: list[list[Face]], b: list[list[Face]]) -> bool:
    def key(face: Face) -> tuple[object, ...]:
        return face.box, face.score, face.character, face.offset, None if face.mask is None else face.mask.tobytes()

    return [[key(f) for f in faces] for faces in a] == [[key(f) for f in faces] for faces in b]


def test_faces_lie_inside_the_picture_best_first(models: Models, samples: list[Sample]) -> None:
    found = models.detector.detect([s.rgb for s in samples])
    assert len(found) == len(samples)
    assert sum(len(faces) for faces in found) > 0
    for faces in found:
        assert [f.score for f in faces] == sorted((f.score for f in faces), reverse=True)
        for face in faces:
            x1, y1, x2, y2 = face.box
            assert 0 <= x1 < x2 <= 640
            assert 0 <= y1 < y2 <= 360
            assert models.bundle.thresholds.lowest - 1e-3 <= face.score <= 1
            assert face.character is None or face.character in models.bundle.characters
            assert face.mask is not None
            assert face.mask.dtype == bool
            x, y = face.offset
            assert (x, y) == (math.floor(x1), math.floor(y1))
            assert face.mask.shape[0] <= math.ceil(y2) - y
            assert face.full_mask(360, 640).sum() == face.mask.sum()


def test_most_large_faces_are_found(models: Models, samples: list[Sample]) -> None:
    found = models.detector.detect([s.rgb for s in samples])
    large = [
        (n, face.box)
        for n, s in enumerate(samples)
        for face in s.faces
        if face.readable and face.box[3] - face.box[1] > 40
    ]
    hit = sum(any(overlap(box, f.box) >= 0.5 for f in found[n]) for n, box in large)
    assert large
    assert hit >= 0.75 * len(large)


def test_the_same_batch_gives_the_same_bits(models: Models, samples: list[Sample]) -> None:
    frames = [s.rgb for s in samples]
    assert alike(models.detector.detect(frames), models.detector.detect(frames))


def test_the_company_in_a_batch_changes_nothing_that_shows(models: Models, samples: list[Sample]) -> None:
    frames = [s.rgb for s in samples]
    together = models.detector.detect(frames)
    alone = [models.detector.detect([frame])[0] for frame in frames]
    assert [[f.character for f in faces] for faces in together] == [[f.character for f in faces] for faces in alone]
    pairs = [(a, b) for x, y in zip(together, alone, strict=True) for a, b in zip(x, y, strict=True)]
    assert pairs
    for a, b in pairs:
        assert a.box == pytest.approx(b.box, abs=0.5)
        assert a.score == pytest.approx(b.score, abs=0.01)


def test_pictures_of_other_sizes_share_a_batch(models: Models) -> None:
    frames: list[Frame] = [np.full((h, w, 3), 90, np.uint8) for h, w in ((64, 64), (1072, 1440), (17, 900), (360, 640))]
    assert len(models.detector.detect(frames)) == 4
    assert models.detector.detect([]) == []


def test_numbers_that_are_not_finite_are_refused(samples: list[Sample]) -> None:
    torch.manual_seed(0)
    settings = DetectorSettings(channels=16, box_hidden=16)
    network = build_detector(settings)
    with torch.no_grad():
        network.backbone.fpn.layer_blocks[0][0].bias.fill_(float("nan"))
    detector = MaskRcnnDetector(network, settings, ("a", "b", "c", "d"), Thresholds(), Calibration())
    with pytest.raises(ModelOutputInvalid):
        detector.detect([samples[0].rgb])


def test_a_batch_that_does_not_fit_is_halved() -> None:
    sizes = []

    def run(items: object) -> list[int]:
        batch = list(items)  # type: ignore[call-overload]
        sizes.append(len(batch))
        if len(batch) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return [i * 10 for i in batch]

    assert in_batches(list(range(7)), 8, run) == [0, 10, 20, 30, 40, 50, 60]
    assert sizes == [7, 3, 1, 1, 1, 1, 1, 1, 1]


def test_a_gpu_s_full_memory_is_one_too() -> None:
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))


def test_another_fault_is_not_taken_for_a_full_memory() -> None:
    def run(items: object) -> list[int]:
        raise RuntimeError("sizes differ")

    with pytest.raises(RuntimeError, match="sizes differ"):
        in_batches([1, 2], 2, run)


def test_one_picture_that_does_not_fit_says_so() -> None:
    def run(items: object) -> list[int]:
        raise MemoryError

    with pytest.raises(MemoryError):
        in_batches([1, 2], 2, run)


def test_a_mask_is_pasted_at_the_size_of_its_box() -> None:
    soft = np.zeros((28, 28), np.float32)
    soft[:, :14] = 1.0
    mask, offset = paste(soft, (10.2, 5.0, 30.0, 14.9), 100, 100)
    assert offset == (10, 5)
    assert mask.shape == (10, 20)
    assert mask[:, :9].all()
    assert not mask[:, 11:].any()


def test_a_stride_of_two_pads_as_tensorflow_does() -> None:
    layer = TfConv2d(1, 1, 3, 2, 0, bias=False)
    torch.nn.init.ones_(layer.weight)
    assert layer(torch.ones(1, 1, 4, 4))[0, 0].tolist() == [[9.0, 6.0], [6.0, 4.0]]


def test_the_network_s_size_keeps_the_aspect() -> None:
    settings = DetectorSettings(short_side=320, long_side=640)
    assert network_size(360, 640, settings) == (320, 569)
    assert network_size(1080, 2560, settings) == (270, 640)
    assert network_size(1, 5000, settings) == (1, 640)


def test_a_gpu_that_is_not_there_is_never_replaced() -> None:
    assert choose_device("cpu") == "cpu"
    with pytest.raises(DeviceMissing, match="cuda:99"):
        choose_device("cuda:99")
    with pytest.raises(DeviceMissing, match="tpu"):
        choose_device("tpu")
