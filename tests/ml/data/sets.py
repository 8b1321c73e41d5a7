"""Small data sets as other programs write them, for the tests of their readers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ml.data.records import Dataset

TRIANGLE = {"name": "polygon", "all_points_x": [10, 60, 35], "all_points_y": [12, 14, 58]}


def picture(path: Path, width: int = 120, height: int = 80) -> Path:
    """A drawing with a face in it, as large as asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = np.full((height, width, 3), 200, np.uint8)
    cv2.circle(drawn, (width // 2, height // 2), min(width, height) // 3, (60, 160, 240), -1)
    assert cv2.imwrite(str(path), drawn)
    return path


def written(path: Path, document: Any) -> Path:
    """JSON with a line for every value, as most programs write it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = document if isinstance(document, str) else json.dumps(document, indent=1, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return path


def region(shape: dict[str, Any] | None = None, **words: Any) -> dict[str, Any]:
    return {"shape_attributes": TRIANGLE if shape is None else shape, "region_attributes": words}


def via(*entries: tuple[str, list[Any]], **said: Any) -> dict[str, Any]:
    """VIA 2: picture name and regions of each."""
    return {
        f"{name}-1": {"filename": name, "size": -1, "regions": regions, "file_attributes": said}
        for name, regions in entries
    }


def coco(annotations: list[dict[str, Any]], name: str = "a.png", **image: Any) -> dict[str, Any]:
    """One picture of 120 x 80 with the categories Tom (1), happy (2) and face (3)."""
    return {
        "images": [{"id": 7, "file_name": name, "width": 120, "height": 80, **image}],
        "annotations": [{"id": k, "image_id": 7, "category_id": 1, **a} for k, a in enumerate(annotations, 1)],
        "categories": [{"id": 1, "name": "Tom"}, {"id": 2, "name": "happy"}, {"id": 3, "name": "face"}],
    }


def reasons(dataset: Dataset) -> list[str]:
    return [problem.reason for problem in dataset.problems]
