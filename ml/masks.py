"""Masks as COCO run-length encoding (pycocotools) and back."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from ml.types import Mask


def encode_mask(full: NDArray[np.bool_]) -> Mask:
    """``full``: height x width."""
    encoded = coco.encode(np.asfortranarray(full.astype(np.uint8)))
    height, width = full.shape
    return Mask((height, width), encoded["counts"].decode("ascii"))


def decode_mask(mask: Mask) -> NDArray[np.bool_]:
    with warnings.catch_warnings():  # pycocotools still answers numpy in the way of numpy 1
        warnings.simplefilter("ignore", DeprecationWarning)
        decoded = coco.decode({"size": list(mask.size), "counts": mask.counts.encode("ascii")})
    return np.asarray(decoded, dtype=bool)
