"""Labels as an enemy would write them: each is reported in a sentence, nothing breaks, nothing else is lost."""

from __future__ import annotations

import json
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from ml.data.labels import read_labels
from ml.data.reading import LabelInvalid
from tests.ml.data.sets import coco, picture, reasons, region, via, written

INF = float("inf")


def outline(xs: Any, ys: Any) -> dict[str, Any]:
    return {"name": "polygon", "all_points_x": xs, "all_points_y": ys}


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (outline([1, float("nan"), 9], [1, 9, 1]), "not finite"),
        (outline([1, INF, 9], [1, 9, 1]), "not finite"),
        (outline([1, 10**400, 9], [1, 9, 1]), "not finite"),
        (outline([1, 1e300, 9], [1, 9, 1]), "absurdly large"),
        (outline([1, "5", 9], [1, 9, 1]), "not a number"),
        (outline([1, True, 9], [1, 9, 1]), "not a number"),
        (outline([1, None, 9], [1, 9, 1]), "not a number"),
        (outline([1, [5], 9], [1, 9, 1]), "not a number"),
        (outline([1, 2], [1, 9, 1]), "2 x and 3 y"),
        (outline({"a": 1}, [1, 9, 1]), "no lists"),
        (outline([], []), "0 different points"),
        (outline([1] * 9, [1] * 9), "1 different points"),
        (outline([1, 2, 3], [1, 2, 3]), "no area"),
        (outline([-90, -50, -70], [1, 9, 30]), "outside the picture"),
        (outline([500, 600, 550], [1, 9, 30]), "outside the picture"),
        (outline([1] * 30_000, [1] * 30_000), "30000 points"),
        ({"name": "rect", "x": 5, "y": 5, "width": -3, "height": 3}, "no area"),
        ({"name": "rect", "x": 5, "y": 5, "width": 3}, "height is None"),
        ({"name": "circle", "cx": 5, "cy": 5, "r": 0}, "no area"),
        ({"name": "ellipse", "cx": 5, "cy": 5, "rx": 3, "ry": 3, "theta": INF}, "theta is not finite"),
        ({"name": ["polygon"]}, "is not known"),
        ({}, "is not known"),
        ("polygon", "no shape_attributes"),
    ],
)
def test_bad_shapes(tmp_path: Path, shape: Any, reason: str) -> None:
    picture(tmp_path / "a.png")
    regions = [region(shape, Character="Tom"), region(Character="Jerry")]

    dataset = read_labels(written(tmp_path / "via.json", via(("a.png", regions))))

    assert [f.character for f in dataset.images[0].faces] == ["Jerry"]
    assert len(dataset.problems) == 1
    assert reason in dataset.problems[0].reason
    assert not dataset.problems[0].kept


def test_what_is_doubtful_is_told_and_used(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    bow = outline([10, 50, 50, 10], [10, 40, 10, 40])
    over = outline([-20, 50, 50], [10, 10, 40])
    rounded = outline([-0.5, 50, 50], [10, 10, 40])

    dataset = read_labels(written(tmp_path / "v.json", via(("a.png", [region(bow), region(over), region(rounded)]))))

    assert [f.box for f in dataset.images[0].faces] == [(10, 10, 50, 40), (0, 10, 50, 40), (0, 10, 50, 40)]
    assert [(p.kept, p.reason) for p in dataset.problems] == [
        (True, "a.png, region 1: the outline crosses itself"),
        (True, "a.png, region 2: the label reaches over the edge of the picture"),
    ]


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "..\\..\\etc\\passwd", "ep1/../../x.png", "../beside.png"],
)
def test_names_that_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    picture(tmp_path / "beside.png")
    picture(tmp_path / "set" / "a.png")

    dataset = read_labels(written(tmp_path / "set" / "via.json", via((name, [region()]), ("a.png", [region()]))))

    assert [i.path.name for i in dataset.images] == ["a.png"]
    assert reasons(dataset) == [f"the picture {name!r} lies outside the data set's folder"]


@pytest.mark.parametrize(
    "name", ["", "a\0.png", "x" * 300, "\ud800.png", "missing.png", "folder", ("둘" * 80 + "/") * 20 + "a.png"]
)
def test_other_bad_names(tmp_path: Path, name: str) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "folder").mkdir()
    document = json.dumps(via((name, [region()]), ("a.png", [region()])))

    dataset = read_labels(written(tmp_path / "via.json", document))

    assert [i.path.name for i in dataset.images] == ["a.png"]
    assert len(dataset.problems) == 1


@pytest.mark.parametrize(
    "entry",
    [
        {"filename": 5, "regions": []},
        {"filename": "a.png", "file_attributes": [1]},
        {"filename": "a.png", "file_attributes": {"pts_ms": -5}},
        {"filename": "a.png", "file_attributes": {"pts_ms": "soon"}},
        {"filename": "a.png", "file_attributes": {"width": 10**11, "height": 5}},
        {"filename": "a.png", "file_attributes": {"width": 60, "height": 40}},
        {"filename": "broken.png"},
        {"regions": []},
        [],
        None,
    ],
)
def test_bad_entries(tmp_path: Path, entry: Any) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    document = {"bad": entry, **via(("b.png", [region()]))}

    dataset = read_labels(written(tmp_path / "via.json", document))

    assert [i.path.name for i in dataset.images] == ["b.png"]
    assert len(dataset.problems) == 1
    assert dataset.problems[0].line == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"a": ' + b"[" * 100_000,
        b'{"filename": "a.png", "regions": [' + b'{"a":' * 5000,
        b"\xff\xfe\x00",
        b'{"filename": "\xe9", "regions": []}',
        b"[1, 2]",
        b'{"a.png": {"filename": "a.png" "regions": []}}',
    ],
)
@pytest.mark.parametrize("format_name", ["via", "coco", "labelme"])
def test_files_that_are_no_labels(tmp_path: Path, raw: bytes, format_name: str) -> None:
    file = tmp_path / "labels.json"
    file.write_bytes(raw)

    with pytest.raises(LabelInvalid, match=r"labels\.json"):
        read_labels(file, format_name)


def test_numbers_in_settings_that_no_json_can_hold(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    project = {"_via_settings": {"zoom": INF}, "_via_img_metadata": via(("a.png", [region(Character="Tom")]))}
    listed = {**coco([{"bbox": [1, 1, 9, 9]}]), "info": {"year": float("nan")}}

    for name, document in (("via.json", project), ("coco.json", listed)):
        dataset = read_labels(written(tmp_path / name, document))

        assert dataset.characters == ("Tom",)
        assert [(p.line, p.kept) for p in dataset.problems] == [(1, True)]
        assert not dataset.attributes


def test_a_name_in_letters_put_together_otherwise(tmp_path: Path) -> None:
    picture(tmp_path / unicodedata.normalize("NFD", "둘리.png"))

    dataset = read_labels(written(tmp_path / "via.json", via(("둘리.png", [region()]))))

    assert len(dataset.images) == 1
    assert not dataset.problems


@pytest.mark.parametrize("shapes", ["5", "null", '"none"', '{"a": 1}'])
def test_shapes_of_labelme_that_are_no_list(tmp_path: Path, shapes: str) -> None:
    picture(tmp_path / "a.png")
    text = f'{{"version": "5", "imagePath": "a.png",\n"shapes": {shapes}}}'

    with pytest.raises(LabelInvalid, match=r"a\.json:2: shapes is no list"):
        read_labels(written(tmp_path / "a.json", text))


@pytest.mark.parametrize(("crowd", "is_one"), [("0", False), ("1", True), (0.0, False), (True, True), (None, False)])
def test_a_crowd_as_text(tmp_path: Path, crowd: Any, is_one: bool) -> None:
    picture(tmp_path / "a.png")
    dataset = read_labels(written(tmp_path / "c.json", coco([{"bbox": [1, 1, 9, 9], "iscrowd": crowd}])))

    assert ("iscrowd" in dataset.images[0].faces[0].attributes) is is_one


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(tmp_path: Path, encoding: str) -> None:
    picture(tmp_path / "ü.png")
    file = tmp_path / "via.json"
    file.write_text(json.dumps(via(("ü.png", [region(Character="Ä")])), ensure_ascii=False), encoding=encoding)

    assert read_labels(file).characters == ("Ä",)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "via.json"
    with file.open("wb") as stream:
        stream.truncate(600 << 20)

    with pytest.raises(LabelInvalid, match="more than 512 MiB"):
        read_labels(file, "via")


def test_three_thousand_labels_take_seconds(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    annotations = [{"bbox": [k % 90, 5, 20, 20], "segmentation": [[1, 1, 50, 1, 20, 40]]} for k in range(3_000)]
    file = tmp_path / "coco.json"
    file.write_text(json.dumps(coco(annotations)))

    start = time.process_time()
    dataset = read_labels(file)

    assert len(dataset.images[0].faces) == 3_000
    assert time.process_time() - start < 10
