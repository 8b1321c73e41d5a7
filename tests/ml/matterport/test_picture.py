from __future__ import annotations

import numpy as np
import pytest

from ml.detect.matterport_picture import MEAN, Preparation, fitting_scale, prepare, resized, resized_mask


def test_a_picture_is_fitted_and_padded_in_the_middle() -> None:
    frame = np.full((60, 100, 3), 200, np.uint8)
    made = prepare(frame, Preparation(128))
    assert made.window == (25, 0, 102, 128)  # 100 to 128 wide, so 60 to 77 high
    np.testing.assert_allclose(made.pixels[:25], np.broadcast_to(-np.array(MEAN), (25, 128, 3)), rtol=1e-6)
    np.testing.assert_allclose(made.pixels[60, 60], 200 - np.array(MEAN), rtol=1e-6)


def test_an_unscaled_picture_sits_in_the_middle() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (60, 101, 3), np.uint8)
    made = prepare(frame, Preparation(128, "pad"))
    assert made.window == (34, 13, 94, 114)
    np.testing.assert_allclose(made.pixels[34:94, 13:114], frame - np.array(MEAN, np.float32))


@pytest.mark.parametrize(
    ("size", "how", "scale"),
    [
        ((480, 640), Preparation(1024), 1.6),
        ((480, 640), Preparation(256), 0.4),
        ((1000, 1000), Preparation(1024), 1.024),
        ((1000, 1000), Preparation(1024, least_short_side=800), 1.0),
        ((480, 640), Preparation(1024, least_short_side=600), 1.25),
        ((100, 2000), Preparation(1024), 0.512),
    ],
)
def test_how_far_a_picture_is_scaled(size: tuple[int, int], how: Preparation, scale: float) -> None:
    assert fitting_scale(*size, how) == pytest.approx(scale)


def test_resizing_is_bilinear_between_centres_and_truncates() -> None:
    ramp = np.repeat(np.array([[[0], [10], [21]]], np.uint8), 3, 2)
    assert resized(ramp, 1, 3)[0, :, 0].tolist() == [0, 10, 21]
    assert resized(ramp, 1, 6)[0, :, 0].tolist() == [0, 2, 7, 12, 18, 15]  # the edge mixes with zero outside


def test_a_mask_grows_to_its_box() -> None:
    mask = np.zeros((28, 28), np.float32)
    mask[:, 14:] = 1
    grown = resized_mask(mask, 56, 112)
    assert grown.shape == (56, 112)
    assert (grown[28, :55] < 0.5).all()
    assert (grown[28, 57:110] > 0.5).all()
