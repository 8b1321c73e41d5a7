"""Exported YOLO models: graphs built here whose outputs are known, against a plain reference of what follows them."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ml.__main__ import main
from ml.detect.base import Frame
from ml.detect.yolo_cli import slugs_of, yolo_bundle
from ml.detect.yolo_onnx import OnnxInvalid, OnnxMissing, YoloModel, read_names
from ml.detect.yolo_seg import YoloSegDetector, letterbox
from ml.errors import BundleInvalid, ModelOutputInvalid, OutputUnwritable
from ml.runtime import load_models

SIDE = 64
Floats = NDArray[np.float32]
NAMES = "{0: 'tom', 1: 'jerry'}"


def write_model(
    path: Path,
    rows: Floats,
    prototypes: Floats | None,
    *,
    names: str | None = NAMES,
    side: int | str = SIDE,
    metadata: dict[str, str] | None = None,
) -> Path:
    """The first output is ``rows`` (1, R, N) + the mean of the picture's red channel on the first class's scores.

    So what comes out depends on the picture that goes in. ``prototypes``: (1, 32, SIDE/4, SIDE/4), constant.
    """
    red = np.zeros((1, 3, 1, 1), np.float32)
    red[0, 0] = 1.0
    first = np.zeros((1, rows.shape[1], 1), np.float32)
    first[0, 4] = 1.0
    weights = {"rows": rows, "red": red, "first": first, **({} if prototypes is None else {"protos": prototypes})}
    nodes = [
        helper.make_node("Mul", ["images", "red"], ["only"]),
        helper.make_node("ReduceSum", ["only"], ["sum"], keepdims=0),
        helper.make_node("Shape", ["images"], ["shape"]),
        helper.make_node("ReduceProd", ["shape"], ["count"], keepdims=0),
        helper.make_node("Cast", ["count"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["sum", "floats"], ["third"]),
        helper.make_node("Mul", ["third", "first"], ["more"]),
        helper.make_node("Add", ["rows", "more"], ["output0"]),
    ]
    outputs = [helper.make_tensor_value_info("output0", TensorProto.FLOAT, list(rows.shape))]
    if prototypes is not None:
        nodes.append(helper.make_node("Identity", ["protos"], ["output1"]))
        outputs.append(helper.make_tensor_value_info("output1", TensorProto.FLOAT, list(prototypes.shape)))
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "yolo", [images], outputs, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    for key, value in {**({} if names is None else {"names": names}), **(metadata or {})}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, str(path))
    return path


def predictions(seed: int = 0, count: int = 40, masks: bool = True) -> Floats:
    """Random boxes inside the input; scores of two classes; coefficients."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((1, 6 + 32 * masks, count), np.float32)
    rows[0, :2] = rng.uniform(15, 49, (2, count))
    rows[0, 2:4] = rng.uniform(8, 30, (2, count))
    rows[0, 4:6] = rng.uniform(0, 0.9, (2, count))
    if masks:
        rows[0, 6:] = rng.normal(0, 1, (32, count))
    return rows


def prototypes(seed: int = 1) -> Floats:
    small = np.random.default_rng(seed).normal(0, 1, (1, 32, SIDE // 4, SIDE // 4)).astype(np.float32)
    return np.stack([cv2.GaussianBlur(p, (5, 5), 1.5) for p in small[0]])[None]


def overlap(a: Floats, b: Floats) -> float:
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    return float(both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both))


Reference = list[tuple[int, float, Floats, Floats, NDArray[np.bool_]]]


def reference(rows: Floats, protos: Floats, red: float, frame: Frame, threshold: float, nms: float) -> Reference:
    """One box at a time, and masks of the whole picture: the soft mask enlarged to the input, cut, then resized."""
    height, width = frame.shape[:2]
    gain = SIDE / max(height, width)
    h, w = round(height * gain), round(width * gain)
    top, left = (SIDE - h) // 2, (SIDE - w) // 2
    found: list[tuple[int, float, Floats, Floats]] = []
    for x, y, bw, bh, *rest in rows[0].T:
        scores = [rest[0] + red, rest[1]]
        best = int(np.argmax(scores))
        if scores[best] >= threshold:
            box = np.array([x - bw / 2, y - bh / 2, x + bw / 2, y + bh / 2], np.float32)
            found.append((best, float(scores[best]), box, np.array(rest[2:], np.float32)))
    found.sort(key=lambda one: -one[1])
    kept: list[tuple[int, float, Floats, Floats]] = []
    for one in found:
        if all(k[0] != one[0] or overlap(k[2], one[2]) <= nms for k in kept):
            kept.append(one)
    out: Reference = []
    for best, score, box, coefficients in kept:
        soft = 1 / (1 + np.exp(-np.einsum("k,kij->ij", coefficients, protos[0])))
        inner = cv2.resize(soft, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)[top : top + h, left : left + w]
        full = cv2.resize(inner, (width, height), interpolation=cv2.INTER_LINEAR)
        x1, x2 = np.clip((box[[0, 2]].astype(float) - left) * width / w, 0, width).round(2)
        y1, y2 = np.clip((box[[1, 3]].astype(float) - top) * height / h, 0, height).round(2)
        inside = np.zeros(full.shape, bool)
        inside[int(np.floor(y1)) : int(np.ceil(y2)), int(np.floor(x1)) : int(np.ceil(x2))] = True
        out.append((best, score, np.array([x1, y1, x2, y2], np.float32), full, inside))
    return out


@pytest.mark.parametrize(("height", "width"), [(64, 64), (100, 180), (150, 90), (37, 53)])
def test_faces_are_those_of_a_plain_reference(height: int, width: int, tmp_path: Path) -> None:
    rows, protos = predictions(height), prototypes()
    model = YoloModel(write_model(tmp_path / "a.onnx", rows, protos))
    frame = np.random.default_rng(height).integers(0, 255, (height, width, 3), np.uint8)
    canvas, _ = letterbox(frame, (SIDE, SIDE))
    red = float(canvas[0].mean()) / 3
    [faces] = YoloSegDetector(model, ["tom", "jerry"], 0.3, 0.5).detect([frame])
    expected = reference(rows, protos, red, frame, 0.3, 0.5)
    assert len(faces) == len(expected) > 5
    for face, (of_class, score, box, soft, inside) in zip(faces, expected, strict=True):
        assert face.character == ("tom", "jerry")[of_class]
        assert face.score == pytest.approx(min(score, 1), abs=1e-3)
        assert face.box == pytest.approx(box.tolist(), abs=0.02)
        ours = face.full_mask(height, width)
        unlike = (ours ^ (soft > 0.5)) & inside  # one bilinear step against two: only where the mask is unsure
        assert np.abs(soft[unlike] - 0.5).max(initial=0) < 0.1
        assert not ours[~inside].any()
        assert face.offset == (int(face.box[0]), int(face.box[1]))


def test_a_face_lies_where_the_graph_says(tmp_path: Path) -> None:
    """One box and one prototype that is hot in its left half, in a picture twice as wide as high."""
    rows = np.zeros((1, 38, 1), np.float32)
    rows[0, :6, 0] = (32, 32, 32, 16, 0.1, 0.8)
    rows[0, 6, 0] = 1.0
    protos = np.zeros((1, 32, 16, 16), np.float32)
    protos[0, 0, :, :8], protos[0, 0, :, 8:] = 9, -9
    detector = YoloSegDetector(YoloModel(write_model(tmp_path / "a.onnx", rows, protos)), ["tom", "jerry"])
    [[face]] = detector.detect([np.zeros((100, 200, 3), np.uint8)])
    assert (face.character, face.score) == ("jerry", 0.8)
    assert face.box == (50.0, 25.0, 150.0, 75.0)
    assert face.mask is not None
    assert face.mask.shape == (50, 100)
    assert face.mask[:, :49].all()
    assert not face.mask[:, 51:].any()


def test_the_picture_reaches_the_graph_as_red_green_blue_in_a_grey_frame(tmp_path: Path) -> None:
    frame = np.zeros((30, 60, 3), np.uint8)
    frame[:, :, 0] = 255
    canvas, place = letterbox(frame, (SIDE, SIDE))
    assert (place.left, place.top) == (0, 16)
    assert canvas[:, 20, 30].tolist() == [1.0, 0.0, 0.0]
    assert canvas[:, 2, 30] == pytest.approx([114 / 255] * 3)
    rows = predictions(2)
    rows[0, 4:6] = 0
    model = YoloModel(write_model(tmp_path / "a.onnx", rows, prototypes()))
    out, _ = model.run(canvas)
    assert out[4] == pytest.approx((0.5 + 0.5 * 114 / 255) / 3, abs=1e-4)


def test_boxes_of_one_class_suppress_no_other_class(tmp_path: Path) -> None:
    rows = np.zeros((1, 6, 3), np.float32)
    rows[0, :4] = np.array([32, 32, 20, 20])[:, None]
    rows[0, 4:6] = [[0.9, 0.8, 0.0], [0.0, 0.1, 0.7]]
    detector = YoloSegDetector(YoloModel(write_model(tmp_path / "a.onnx", rows, None)), ["tom", None])
    [faces] = detector.detect([np.zeros((64, 64, 3), np.uint8)])
    assert [(f.character, f.score, f.mask) for f in faces] == [("tom", 0.9, None), (None, 0.7, None)]
    assert faces[0].full_mask(64, 64).sum() == 400


def test_boxes_without_area_or_outside_are_left_out(tmp_path: Path) -> None:
    rows = np.zeros((1, 6, 3), np.float32)
    rows[0, :4] = np.array([[32, 32, 0, 9], [32, -40, 20, 20], [60, 60, 20, 20]]).T
    rows[0, 4] = 0.9
    detector = YoloSegDetector(YoloModel(write_model(tmp_path / "a.onnx", rows, None)), ["tom", "jerry"])
    [faces] = detector.detect([np.zeros((64, 64, 3), np.uint8)])
    assert [f.box for f in faces] == [(50.0, 50.0, 64.0, 64.0)]


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    rows = predictions(3)
    rows[0, 7, 7] = np.nan
    detector = YoloSegDetector(YoloModel(write_model(tmp_path / "a.onnx", rows, prototypes())), ["tom", "jerry"])
    with pytest.raises(ModelOutputInvalid, match="finite"):
        detector.detect([np.zeros((64, 64, 3), np.uint8)])


def test_an_imported_model_is_a_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_model(tmp_path / "a.onnx", predictions(4), prototypes(), names="['Tom', 'Jerry Mouse']")
    out = tmp_path / "bundle"
    assert main(["import-yolo", str(source), "--out", str(out)]) == 0
    assert "finds Tom, Jerry Mouse, with masks" in capsys.readouterr().out
    models = load_models(out, "cpu")
    assert models.bundle.characters == {"tom": "Tom", "jerry-mouse": "Jerry Mouse"}
    [faces] = models.detector.detect([np.zeros((90, 120, 3), np.uint8)])
    assert {f.character for f in faces} == {"tom", "jerry-mouse"}
    with pytest.raises(OutputUnwritable):
        yolo_bundle(source, out)
    unnamed = yolo_bundle(source, tmp_path / "anybody", unnamed=True)
    assert {
        f.character for f in YoloSegDetector.of_bundle(unnamed, "cpu").detect([np.zeros((9, 9, 3), np.uint8)])[0]
    } == {None}
    settings = dict(unnamed.detector.settings)
    for wrong in (["tom"], ["x", "y"], "tom"):
        unnamed.detector.settings["characters"] = wrong  # type: ignore[index]
        with pytest.raises(BundleInvalid):
            YoloSegDetector.of_bundle(unnamed, "cpu")
    unnamed.detector.settings.update(settings)  # type: ignore[attr-defined]


def test_a_free_input_takes_its_size_from_the_metadata(tmp_path: Path) -> None:
    rows = predictions(5)
    for text, size in (("[96, 64]", (96, 64)), ("64", (64, 64))):
        path = write_model(tmp_path / "a.onnx", rows, prototypes(), side="any", metadata={"imgsz": text})
        assert YoloModel(path).layout.size == size
    for text in ("", "[65, 64]", "[True, 64]", "(64,)", "'64'", "[8192, 64]"):
        with pytest.raises(OnnxInvalid):
            YoloModel(write_model(tmp_path / "a.onnx", rows, prototypes(), side="any", metadata={"imgsz": text}))


@pytest.mark.parametrize(
    "text",
    ["", "tom", "{0: 'tom', 2: 'jerry'}", "{0: 1}", "[]", "__import__('os').system('true')", "{0: 'a\\nb'}", "(" * 9000,
     "['" + "a" * 101 + "']", str([f"c{n}" for n in range(1001)]), "'" + "a" * 300_000 + "'", "{0: [}", "{[]: 1}"],
)  # fmt: skip
def test_names_are_a_literal_with_limits(text: str) -> None:
    with pytest.raises(OnnxInvalid):
        read_names(text)


def test_files_that_are_no_such_export_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    good = write_model(tmp_path / "good.onnx", predictions(), prototypes()).read_bytes()
    three = tmp_path / "three.onnx"
    write_model(three, predictions(), prototypes(), names="['a', 'b', 'c']")
    nameless = write_model(tmp_path / "nameless.onnx", predictions(), prototypes(), names=None)
    odd = write_model(tmp_path / "odd.onnx", predictions(), prototypes(), side=65)
    for name, raw in {"cut": good[: len(good) // 2], "empty": b"", "text": b"hello, I am no model"}.items():
        (tmp_path / f"{name}.onnx").write_bytes(raw)
    for path in (three, nameless, odd, *(tmp_path / f"{n}.onnx" for n in ("cut", "empty", "text", "missing"))):
        with pytest.raises(OnnxInvalid, match=path.name):
            YoloModel(path)
    assert capfd.readouterr() == ("", "")


def test_weights_in_other_files_are_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "a.onnx", predictions(), prototypes())
    outside = tmp_path / "outside.onnx"
    onnx.save(onnx.load(str(path)), str(outside), save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert (tmp_path / "weights.bin").stat().st_size > 0
    with pytest.raises(OnnxInvalid, match="other files"):
        YoloModel(outside)
    # another way to write the same length, which a search for the usual bytes alone would miss
    raw = outside.read_bytes().replace(b"\x08location", b"\x88\x00location")
    outside.write_bytes(raw)
    with pytest.raises(OnnxInvalid, match="other files"):
        YoloModel(outside)


def test_without_the_runtime_the_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(OnnxMissing, match="pip install onnxruntime"):
        YoloModel(tmp_path / "a.onnx")


def test_slugs_tell_characters_apart() -> None:
    assert slugs_of(["Tom", "Jerry Mouse", "!"], Path("a")) == ["tom", "jerry-mouse", "class-2"]
    with pytest.raises(OnnxInvalid):
        slugs_of(["Tom", "tom"], Path("a"))
