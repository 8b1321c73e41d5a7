from __future__ import annotations

import numpy as np

from ml.detect.base import Face
from ml.face import CropSettings, cut, segmented_face


def picture() -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    frame = np.full((60, 100, 3), 200, np.uint8)
    frame[20:40, 30:70] = (10, 250, 30)
    return frame


def face(box: tuple[float, float, float, float], mask: bool = True) -> Face:
    x1, y1, x2, y2 = (round(v) for v in box)
    return Face(box, np.ones((y2 - y1, x2 - x1), bool) if mask else None, (x1, y1), None, 0.9)


def test_the_paper_s_mask_is_square_and_padded_with_black() -> None:
    crop = segmented_face(picture(), face((30, 20, 70, 40)), CropSettings(80))
    assert crop.shape == (80, 80, 3)
    assert crop.dtype == np.uint8
    assert (crop[20:60] == (10, 250, 30)).all()
    assert not crop[:20].any()
    assert not crop[60:].any()


def test_the_default_is_the_paper_s_size() -> None:
    assert segmented_face(picture(), face((30, 20, 70, 40))).shape == (256, 256, 3)


def test_only_the_mask_is_seen() -> None:
    mask = np.zeros((20, 40), bool)
    mask[:, :20] = True
    crop = segmented_face(picture(), Face((30, 20, 70, 40), mask, (30, 20), None, 1.0), CropSettings(40))
    assert (crop[10:30, :20] == (10, 250, 30)).all()
    assert not crop[:, 20:].any()


def test_outside_the_mask_the_light_is_dimmed_as_asked() -> None:
    crop = segmented_face(picture(), face((30, 20, 70, 40)), CropSettings(60, margin=0.25, outside=0.5))
    assert tuple(crop[30, 30]) == (10, 250, 30)
    assert tuple(crop[30, 2]) == (100, 100, 100)


def test_without_a_mask_the_box_is_seen() -> None:
    crop = segmented_face(picture(), face((0, 0, 40, 40), mask=False), CropSettings(40))
    assert tuple(crop[2, 2]) == (200, 200, 200)


def test_a_margin_that_leaves_the_picture_is_black() -> None:
    crop = segmented_face(picture(), face((0, 0, 20, 20)), CropSettings(40, margin=0.5, outside=1.0))
    assert not crop[:9].any()
    assert not crop[:, :9].any()
    assert (crop[20:, 20:] == 200).mean() > 0.9


def test_a_box_without_area_gives_black() -> None:
    assert not segmented_face(picture(), Face((5, 5, 5, 9), None, (5, 5), None, 1.0), CropSettings(16)).any()


def test_the_same_face_gives_the_same_bits() -> None:
    a = segmented_face(picture(), face((31.4, 20.2, 70.9, 39.6)), CropSettings(64, 0.15, 0.5))
    b = segmented_face(picture(), face((31.4, 20.2, 70.9, 39.6)), CropSettings(64, 0.15, 0.5))
    assert np.array_equal(a, b)


def test_cut_fills_with_zeros_where_the_picture_ends() -> None:
    patch = cut(picture(), -10, -5, 10, 5)
    assert patch.shape == (10, 20, 3)
    assert not patch[:5].any()
    assert not patch[:, :10].any()
    assert (patch[5:, 10:] == 200).all()
    assert not cut(picture(), 200, 200, 210, 205).any()


def test_the_full_mask_lies_where_the_patch_was() -> None:
    mask = np.zeros((4, 6), bool)
    mask[1, 2] = True
    full = Face((10, 20, 16, 24), mask, (10, 20), None, 1.0).full_mask(60, 100)
    assert full.sum() == 1
    assert full[21, 12]
    assert Face((10.2, 20.4, 15.6, 23.9), None, (10, 20), None, 1.0).full_mask(60, 100).sum() == 6 * 4
