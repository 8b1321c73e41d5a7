"""The published networks: shapes, what freezing freezes, losses, weights from files, and readings behind the interface.

VGG16 is looked at on torch's meta device alone (shapes without numbers): it has 134 million weights.
"""

from __future__ import annotations

import io
import urllib.error
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ml.bundle import Bundle, Calibration, Part, Thresholds, write_bundle
from ml.classify.base import UNKNOWN
from ml.classify.pretrained import WeightsInvalid, WeightsUnavailable, load_base, load_pretrained, read_weights
from ml.classify.registry import CLASSIFIERS, classifier_of
from ml.classify.torchvision_zoo import ZooClassifier
from ml.classify.zoo import (
    ARCHITECTURES,
    ZooNet,
    build_classifier_network,
    classifier_loss,
    freeze_base,
    l2_penalty,
    main_logits,
    unfreeze_all,
    unfreeze_last,
)
from ml.errors import BundleInvalid, ModelOutputInvalid
from ml.types import EMBEDDING_SIZE, Emotion
from tests.ml.films import DATA, needs_data

COMBOS = [f"{who}_{what}" for who in ("tom", "jerry") for what in ("happy", "sad", "angry", "surprise")]
MEANING = {"happy": Emotion.HAPPY, "sad": Emotion.SAD, "angry": Emotion.ANGRY, "surprise": Emotion.SURPRISED}


def crops(size: int, count: int = 3) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (size, size, 3), np.uint8) for _ in range(count)]


@pytest.fixture(scope="module")
def mobilenet() -> ZooNet:
    torch.manual_seed(0)
    return build_classifier_network("mobilenet_v2", 8, {"size": 64}).eval()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_network_has_the_shapes_that_it_says(architecture: str) -> None:
    with torch.device("meta"):
        network = build_classifier_network(architecture, 8, {}).eval()
    size = network.settings.size
    x = network.prepare(torch.zeros(2, 3, size, size, dtype=torch.uint8, device="meta"))
    logits, embedding, features = network.read(x)
    assert logits.shape == main_logits(network(x)).shape == (2, 8)
    assert embedding.shape == (2, EMBEDDING_SIZE)
    assert features.shape == (2, ARCHITECTURES[architecture].features)
    outputs = network.train()(x)
    auxiliary = len(ARCHITECTURES[architecture].aux)
    assert (len(outputs) if isinstance(outputs, tuple) else 1) == 1 + auxiliary
    assert all(o.shape == (2, 8) for o in (outputs if isinstance(outputs, tuple) else (outputs,)))
    assert architecture in CLASSIFIERS


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_blocks_hold_the_whole_base_once(architecture: str) -> None:
    with torch.device("meta"):
        network = build_classifier_network(architecture, 3, {"aux": False})
    held = [id(p) for _, modules in network.blocks() for m in modules for p in m.parameters()]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in network.base.parameters()}


def test_hill_s_network_is_the_one_he_describes() -> None:
    network = build_classifier_network("hill_cnn", 6, {})
    sides = []
    for name, block in network.blocks()[:3]:
        block[0].register_forward_hook(lambda m, i, o, name=name: sides.append((name, o.shape[1], o.shape[2])))
    network.eval()(torch.zeros(1, 3, 60, 60))
    assert [(c, s) for _, c, s in sides] == [(32, 30), (32, 15), (32, 1)]
    convolutions = (3 * 9 * 32 + 32) + 2 * (32 * 9 * 32 + 32)
    assert sum(p.numel() for p in network.parameters()) == convolutions + (32 * 512 + 512) + (512 * 6 + 6)
    with pytest.raises(BundleInvalid):
        build_classifier_network("hill_cnn", 6, {"size": 35})


def test_inception_takes_the_paper_s_224_pixels_without_its_auxiliary_head() -> None:
    with torch.device("meta"):
        network = build_classifier_network("inception_v3", 8, {"size": 224}).train()
        assert isinstance(network(torch.zeros(2, 3, 224, 224)), torch.Tensor)


def test_settings_that_no_network_can_have_are_refused() -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"size": 8}, {"size": "x"}, {"dropout": 1.0}, {"scaling": "loud"}, {"hidden": [0]}, {"l2": -1}, {"hidden": 5},
        {"padding": "tensorflow"},
    )  # fmt: skip
    for settings in wrong:
        with pytest.raises(BundleInvalid):
            build_classifier_network("resnet50", 3, settings)
    with pytest.raises(BundleInvalid, match="mobilenet_v2"):
        build_classifier_network("alexnet", 3, {})


def test_pictures_are_scaled_as_the_weights_expect() -> None:
    white = torch.full((1, 3, 64, 64), 255, dtype=torch.uint8)
    for scaling, expected in (("unit", 1.0), ("symmetric", 1.0), ("imagenet", (1 - 0.485) / 0.229)):
        network = build_classifier_network("hill_cnn", 2, {"size": 64, "scaling": scaling})
        assert network.prepare(white)[0, 0, 0, 0].item() == pytest.approx(expected, rel=1e-6)
    assert network.prepare(torch.zeros_like(white))[0, 2, 0, 0].item() == pytest.approx(-0.406 / 0.225)


def test_extra_dense_layers_stand_before_the_last_one() -> None:
    settings = {"hidden": [64, 32], "batch_norm": True, "dropout": 0.3}
    head = build_classifier_network("hill_cnn", 5, settings).head
    assert [type(m) for m in head] == [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Dropout] * 2 + [nn.Linear]
    network = build_classifier_network("hill_cnn", 5, settings).eval()
    _, embedding, features = network.read(torch.rand(2, 3, 60, 60))
    assert features.shape == (2, 32)
    assert embedding.norm(dim=1).tolist() == pytest.approx([1, 1], abs=1e-5)


def test_the_projection_keeps_angles_and_does_not_depend_on_torch_s_seed() -> None:
    torch.manual_seed(1)
    one = build_classifier_network("hill_cnn", 2, {}).projection
    torch.manual_seed(2)
    two = build_classifier_network("hill_cnn", 2, {}).projection
    assert torch.equal(one, two)
    assert torch.allclose(one @ one.T, torch.eye(EMBEDDING_SIZE), atol=1e-5)
    small = build_classifier_network("hill_cnn", 2, {"hidden": [32]}).projection
    assert torch.allclose(small.T @ small, torch.eye(32), atol=1e-5)


def learning(network: ZooNet) -> set[str]:
    return {name for name, p in network.named_parameters() if p.requires_grad}


def test_two_stages_of_fine_tuning_move_only_what_they_may(mobilenet: ZooNet) -> None:
    network = build_classifier_network("mobilenet_v2", 8, {"size": 64})
    network.load_state_dict(mobilenet.state_dict())
    everything = learning(network)
    freeze_base(network)
    assert learning(network) == {"head.0.weight", "head.0.bias"}
    before = {k: v.clone() for k, v in network.state_dict().items()}
    step(network)
    after = network.state_dict()
    assert {k for k, v in after.items() if not torch.equal(v, before[k])} == {"head.0.weight", "head.0.bias"}
    unfreeze_last(network, 2)
    step(network)
    moved = {k for k, v in network.state_dict().items() if not torch.equal(v, before[k])}
    assert all(k.startswith(("head.", "base.features.17.", "base.features.18.")) for k in moved)
    assert any(k.startswith("base.features.17.") and k.endswith("running_mean") for k in moved)
    unfreeze_all(network)
    assert learning(network) == everything


def step(network: ZooNet) -> float:
    network.train()
    optimiser = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
    torch.manual_seed(3)
    outputs = network(torch.rand(4, 3, 64, 64))
    loss = classifier_loss(network, outputs, torch.tensor([0, 1, 2, 3]))
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return loss.detach().item()


def test_auxiliary_heads_and_l2_count_in_the_loss() -> None:
    with torch.device("meta"):
        network = build_classifier_network("googlenet", 2, {"l2": 0.5})
    network.head = nn.Sequential(nn.Linear(2, 2))
    nn.init.ones_(network.last.weight)
    targets = torch.tensor([0, 1])
    even, wrong = torch.zeros(2, 2), torch.tensor([[0.0, 9.0], [9.0, 0.0]])
    ln2, error = float(np.log(2)), float(torch.nn.functional.cross_entropy(wrong, targets))
    assert l2_penalty(network).detach().item() == pytest.approx(0.5 * 4)
    loss = classifier_loss(network, (even, wrong, even), targets)
    assert loss.detach().item() == pytest.approx(ln2 + 0.3 * (error + ln2) + 2.0)
    assert classifier_loss(network, wrong, targets).detach().item() == pytest.approx(error + 2.0)


def test_googlenet_learns_with_its_auxiliary_heads() -> None:
    torch.manual_seed(0)
    network = build_classifier_network("googlenet", 4, {"size": 64})
    step(network)
    assert network.base.get_submodule("aux1.fc2").weight.grad is not None


def test_hill_s_network_learns() -> None:
    torch.manual_seed(0)
    network = build_classifier_network("hill_cnn", 4, {"size": 64})
    losses = [step(network) for _ in range(25)]
    assert min(losses[-5:]) < 0.7 * losses[0]


def bundle_of(network: ZooNet, folder: Path, settings: dict[str, Any]) -> Bundle:
    weights, detector = folder / "c.safetensors", folder / "d.safetensors"
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, weights)
    save_file({"nothing": torch.zeros(1)}, detector)
    bundle = Bundle(
        "zoo", "1", "CC0", Part("mask_rcnn", "d.safetensors"), Part(network.architecture, "c.safetensors", settings),
        {"tom": "Tom", "jerry": "Jerry"}, tuple(COMBOS), {label: MEANING[label.partition("_")[2]] for label in COMBOS},
        {}, Calibration(), Thresholds(), {}, {}, {}, {},
    )  # fmt: skip
    return write_bundle(bundle, {"c.safetensors": weights, "d.safetensors": detector}, folder / "bundle")


def test_labels_of_character_and_emotion_are_read_apart(mobilenet: ZooNet, tmp_path: Path) -> None:
    whose = {label: label.partition("_")[0] for label in COMBOS}
    bundle = bundle_of(mobilenet, tmp_path, {"size": 64, "label_characters": whose})
    classifier = classifier_of(bundle, "cpu")
    assert isinstance(classifier, ZooClassifier)
    pictures = crops(64)
    with torch.inference_mode():
        x = mobilenet.prepare(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2))
        expected = mobilenet(x).softmax(1).numpy()
    for reading, p in zip(classifier.classify(pictures), expected, strict=True):
        assert list(reading.probabilities) == list(MEANING.values())
        assert reading.probabilities[Emotion.SAD] == pytest.approx(p[1] + p[5], abs=1e-4)
        assert reading.character_scores == pytest.approx(
            {"tom": p[:4].sum(), "jerry": p[4:].sum(), UNKNOWN: 0}, abs=1e-4
        )
        assert np.linalg.norm(reading.embedding) == pytest.approx(1, abs=1e-2)
    for wrong in ({"tom_happy": "butch"}, {"x": "tom"}, ["tom"]):
        part = replace(bundle.classifier or Part("", ""), settings={"size": 64, "label_characters": wrong})
        with pytest.raises(BundleInvalid, match="label_characters"):
            ZooClassifier.of_bundle(replace(bundle, classifier=part), "cpu")
    other = replace(bundle.classifier or Part("", ""), architecture="hill_cnn", settings={})
    with pytest.raises(BundleInvalid, match="does not hold"):
        ZooClassifier.of_bundle(replace(bundle, classifier=other), "cpu")


def test_without_owners_nothing_is_said_of_characters() -> None:
    torch.manual_seed(0)
    network = build_classifier_network("hill_cnn", 2, {})
    [reading] = ZooClassifier(network, (Emotion.SAD, Emotion.SAD)).classify(crops(60, 1))
    assert reading.character_scores == {}
    assert reading.probabilities == {Emotion.SAD: pytest.approx(1)}
    with torch.no_grad():
        network.last.bias.fill_(float("nan"))
    with pytest.raises(ModelOutputInvalid):
        ZooClassifier(network, (Emotion.SAD, Emotion.HAPPY)).classify(crops(60, 1))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_come_from_a_file(suffix: str, mobilenet: ZooNet, tmp_path: Path) -> None:
    held = {k: v.half() if v.is_floating_point() else v for k, v in mobilenet.base.state_dict().items()}
    held |= {"classifier.1.weight": torch.zeros(1000, 1280), "classifier.1.bias": torch.zeros(1000)}
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": {f"module.{k}": v for k, v in held.items()}}, path)
    else:
        save_file({k: v.contiguous() for k, v in held.items()}, path)
    network = build_classifier_network("mobilenet_v2", 3, {"size": 64})
    assert load_pretrained(network, path) == path.name
    for name, tensor in network.base.state_dict().items():
        assert torch.allclose(tensor.float(), mobilenet.base.state_dict()[name].float(), atol=1e-2)


def test_layers_that_do_not_fit_are_named(mobilenet: ZooNet, tmp_path: Path) -> None:
    held = dict(mobilenet.base.state_dict())
    first = held.pop("features.0.0.weight")
    network = build_classifier_network("mobilenet_v2", 3, {"size": 64})
    path = tmp_path / "w.pth"
    for weights, reason in (
        (held, "lacks features.0.0.weight"),
        ({**held, "features.0.0.weight": first[:4]}, "another shape features.0.0.weight"),
        ({**held, "features.0.0.weight": first, "extra": first}, "unknown to it, extra"),
        ({**held, "features.0.0.weight": first * float("nan")}, "not finite"),
    ):
        with pytest.raises(WeightsInvalid, match=reason):
            load_base(network, weights, path)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("run",)


def test_files_that_hold_no_weights_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = io.BytesIO()
    torch.save({"a": Evil()}, evil)
    contents = {"evil.pth": evil.getvalue(), "text.pth": b"hello", "text.safetensors": b"hello", "empty.pth": b""}
    for name, raw in contents.items():
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(WeightsInvalid, match=name):
            read_weights(tmp_path / name)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(WeightsInvalid, match="something else"):
        read_weights(tmp_path / "list.pth")
    with pytest.raises(WeightsUnavailable, match="no file"):
        read_weights(tmp_path / "none.pth")
    assert capsys.readouterr().out == ""


def test_without_a_network_auto_begins_from_scratch_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def unreachable(*arguments: object, **options: object) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    network = build_classifier_network("mobilenet_v2", 3, {"size": 64})
    said: list[str] = []
    assert load_pretrained(network, "auto", said.append) == "scratch"
    assert len(said) == 1
    assert "no route" in said[0]
    assert load_pretrained(network, "scratch", said.append) == "scratch"
    with pytest.raises(WeightsUnavailable, match="mobilenet_v2"):
        load_pretrained(network, "download")
    with pytest.raises(WeightsUnavailable, match="hill_cnn"):
        load_pretrained(build_classifier_network("hill_cnn", 3, {}), "download")


@needs_data
def test_the_real_mobilenet_is_loaded_as_it_is() -> None:
    path = DATA / "weights" / "mobilenet_v2_imagenet_bncal.safetensors"
    network = build_classifier_network("mobilenet_v2", 7, {"padding": "tensorflow"})
    assert load_pretrained(network, path) == path.name
    held = load_file(path)
    state = network.base.state_dict()
    assert all(torch.equal(state[k].float(), held[k].float()) for k in state if not k.endswith("batches_tracked"))
