"""The same film told otherwise gets the same ratings: through the whole pipeline, with the bundle that is shipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import ml.__main__ as cli
from ml.bundle import DEFAULT_BUNDLE
from ml.runtime import Models, load_models
from tests.workers.whole_pipeline import TELLINGS, shares_of

pytestmark = pytest.mark.slow
HALF_A_POINT = 0.005


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models(DEFAULT_BUNDLE, "cpu")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    assert cli.main(["render", "--episodes", "1", "--seed", "61", "--duration", "40", "--out", str(folder)]) == 0
    return next(folder.glob("*.mp4"))


@pytest.fixture(scope="module")
def plain(film: Path, models: Models) -> dict[str, NDArray[np.float64]]:
    found = shares_of(film, models)
    assert len(found) >= 3
    return found


@pytest.mark.parametrize("telling", TELLINGS)
def test_no_rating_moves(
    telling: str, film: Path, models: Models, plain: dict[str, NDArray[np.float64]], tmp_path: Path
) -> None:
    """At most twice half a point for the worst of all shares of a film this short, and far less on average."""
    other = shares_of(TELLINGS[telling](film, tmp_path / "told.mkv"), models)
    assert set(other) == set(plain)
    moved = np.array([np.abs(other[slug] - plain[slug]) for slug in plain])
    assert moved.max() <= 2 * HALF_A_POINT
    assert moved.mean() <= HALF_A_POINT / 2
