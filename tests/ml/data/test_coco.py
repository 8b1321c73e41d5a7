"""COCO's detection JSON."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as pycoco

from ml.data.coco_out import write_coco
from ml.data.labels import read_labels
from ml.data.records import Dataset
from ml.masks import decode_mask, encode_mask
from tests.ml.data.sets import coco, picture, reasons, written

OUTLINE = [10, 12, 60, 14, 35, 58]


def read(tmp_path: Path, *annotations: dict[str, Any], **image: Any) -> Dataset:
    picture(tmp_path / "a.png")
    return read_labels(written(tmp_path / "coco.json", coco(list(annotations), **image)))


def test_outlines_boxes_and_both_kinds_of_masks(tmp_path: Path) -> None:
    full = np.zeros((80, 120), bool)
    full[20:40, 30:70] = True
    packed = encode_mask(full)
    runs = [30 * 80 + 20, *([20, 60] * 39), 20, 80 * 120 - (69 * 80 + 40)]
    dataset = read(
        tmp_path,
        {"segmentation": [OUTLINE, [70, 20, 90, 20, 80, 40]], "bbox": [10, 12, 80, 46]},
        {"bbox": [5, 5, 20, 20], "category_id": 3},
        {"segmentation": {"size": [80, 120], "counts": packed.counts}, "category_id": 2},
        {"segmentation": {"size": [80, 120], "counts": runs}, "iscrowd": 1},
    )

    assert not dataset.problems
    two, box, mask, crowd = dataset.images[0].faces
    assert (two.box, len(two.polygons), two.character) == ((10, 12, 90, 58), 2, "Tom")
    assert (box.box, box.character, box.emotion) == ((5, 5, 25, 25), None, None)
    assert (mask.mask, mask.emotion, mask.character) == (packed, "happy", None)
    assert mask.box == crowd.box == (30, 20, 70, 40)
    assert crowd.attributes["iscrowd"] == "1"
    assert crowd.mask is not None
    assert np.array_equal(decode_mask(crowd.mask), full)


def test_attributes_win_over_the_category(tmp_path: Path) -> None:
    face = {"bbox": [5, 5, 20, 20], "attributes": {"emotion": "sad", "Character": "Spike", "occluded": False}}

    found = read(tmp_path, face).images[0].faces[0]

    assert (found.character, found.emotion) == ("Spike", "sad")
    assert dict(found.attributes) == {"json:occluded": "false"}


def test_the_export_of_via_is_read(tmp_path: Path) -> None:
    """VIA 2 writes numbers of images as text, outlines without the outer list, and a region once per attribute."""
    face = {"id": 1, "image_id": "1", "segmentation": OUTLINE, "bbox": [10, 12, 50, 46], "category_id": 2}

    dataset = read(tmp_path, face, face, {**face, "id": 2, "category_id": 1}, id=1)

    first, second = dataset.images[0].faces
    assert first.polygons == second.polygons == (((10, 12), (60, 14), (35, 58)),)
    assert (first.emotion, second.character) == ("happy", "Tom")
    assert [str(p).rpartition(": ")[2] for p in dataset.problems] == ["the annotation 1 is listed a second time"]


def test_numbers_as_text_are_the_same_numbers(tmp_path: Path) -> None:
    dataset = read(tmp_path, {"bbox": [5, 5, 20, 20], "category_id": "1", "image_id": "1"}, id="1")

    assert not dataset.problems
    assert dataset.images[0].faces[0].character == "Tom"


def test_every_bad_annotation_is_told_with_its_line(tmp_path: Path) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"bbox": [5, 5, 0, 20]}, "no area"),
        ({"bbox": [500, 5, 20, 20]}, "outside the picture"),
        ({"bbox": [5, 5, 20]}, "four numbers"),
        ({"bbox": ["5", 5, 20, 20]}, "not a number"),
        ({}, "neither bbox nor segmentation"),
        ({"segmentation": [[1, 2, 3]]}, "x and y in turn"),
        ({"segmentation": [[1, 1, 2, 2, 3, 3]]}, "no area"),
        ({"segmentation": {"size": [80, 120], "counts": "~~~"}}, "damaged"),
        ({"segmentation": {"size": [80, 120], "counts": [1, 2]}}, "cover 3 pixels of 9600"),
        ({"segmentation": {"size": [80, 120], "counts": [9600]}}, "empty"),
        ({"segmentation": {"size": [8, 12], "counts": [0, 96]}}, "12 x 8, the picture 120 x 80"),
        ({"segmentation": {"size": [10**9, 10**9], "counts": "0"}}, "no size"),
        ({"bbox": [5, 5, 20, 20], "image_id": 8}, "not listed"),
        ({"bbox": [5, 5, 20, 20], "category_id": 9}, "not listed"),
        ({"bbox": [5, 5, 20, 20], "category_id": True}, "whole number"),
        ({"bbox": [5, 5, 20, 20], "attributes": [1]}, "no object"),
    ]
    dataset = read(tmp_path, *(b for b, _ in bad), {"bbox": [5, 5, 20, 20]})

    assert len(dataset.images[0].faces) == 1
    for problem, (_, reason) in zip(dataset.problems, bad, strict=True):
        assert reason in problem.reason
    lines = (tmp_path / "coco.json").read_text().splitlines()
    starts = [n for n, line in enumerate(lines, 1) if line == "  {" and '"image_id"' in lines[n + 1]]
    assert [p.line for p in dataset.problems] == starts[:-1]


def test_what_pycocotools_makes_of_a_written_file(tmp_path: Path) -> None:
    full = np.zeros((80, 120), bool)
    full[3:9, 5:70] = True
    packed = encode_mask(full)
    dataset = read(tmp_path, {"segmentation": {"size": [80, 120], "counts": packed.counts}}, {"bbox": [1, 2, 3, 4]})

    write_coco(dataset, tmp_path / "out.json")
    mask, box = json.loads((tmp_path / "out.json").read_text())["annotations"]

    with warnings.catch_warnings():  # pycocotools still answers numpy in the way of numpy 1
        warnings.simplefilter("ignore", DeprecationWarning)
        decoded = pycoco.decode(mask["segmentation"])
    assert np.array_equal(np.asarray(decoded, bool), full)
    assert (mask["area"], mask["bbox"]) == (6 * 65, [5, 3, 65, 6])
    assert (box["area"], box["segmentation"], box["iscrowd"]) == (12, [], 0)


def test_unknown_keys_and_numbers_of_categories_are_written_back(tmp_path: Path) -> None:
    dataset = read(tmp_path, {"bbox": [1, 2, 3, 4], "score": 0.5}, date_captured="1940", license=3)

    write_coco(dataset, tmp_path / "out.json")
    document = json.loads((tmp_path / "out.json").read_text())

    assert document["images"][0]["date_captured"] == "1940"
    assert document["annotations"][0]["score"] == 0.5
    assert [c["name"] for c in document["categories"]] == ["Tom", "happy", "face"]


def test_roboflow_and_coco_layouts_say_the_split(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        name = f"{split}/ep1_mp4-{len(split)}_jpg.rf.0a1b.png"
        picture(tmp_path / name)
        written(tmp_path / split / "_annotations.coco.json", coco([{"bbox": [1, 2, 3, 4]}], Path(name).name))
    other = tmp_path.parent / f"{tmp_path.name}-b"
    picture(other / "val2017" / "x.png")
    written(other / "annotations" / "instances_val2017.json", coco([{"bbox": [1, 2, 3, 4]}], "val2017/x.png"))

    roboflow, original = read_labels(tmp_path), read_labels(other)

    assert [(i.split, i.group) for i in roboflow.images] == [("train", "ep1_mp4"), ("valid", "ep1_mp4")]
    assert [i.split for i in original.images] == ["valid"]
    assert not original.problems


@pytest.mark.parametrize("counts", ["0", "", "PP", "o" * 50, "Ä", "0" * 10])
def test_damaged_strings_of_masks_are_refused(tmp_path: Path, counts: str) -> None:
    assert len(reasons(read(tmp_path, {"segmentation": {"size": [80, 120], "counts": counts}}))) == 1
