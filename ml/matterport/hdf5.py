"""Finds the arrays of a Keras weight file by name, and refuses a file that reaches outside itself.

Nothing is read but names and shapes until the caller asks for an array. Links to other files, virtual data sets and
data kept in other files are refused: a weight file has no need of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ml.errors import WeightsInvalid

ARRAYS = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
DEEPEST = 6  # groups within groups; Keras needs four
MOST_ENTRIES = 20_000
WHOLE_MODEL = "model_weights"  # where a file of the whole model keeps them, beside its optimizer's state

Found = Mapping[str, Mapping[str, "h5py.Dataset"]]  # layer -> array -> data set


@contextmanager
def weight_file(path: Path) -> Iterator[Found]:
    """The arrays of an open file: layer to array to data set. Raises WeightsInvalid, naming the file."""
    if not path.is_file():
        raise WeightsInvalid(f"There is no weight file at {path}.")
    try:
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        raise WeightsInvalid(f"{path} cannot be read as HDF5: {error}.") from error
    with file:
        try:
            yield _find(file, path)
        except (OSError, RuntimeError, KeyError, UnicodeError) as error:  # what h5py raises for a damaged file
            raise WeightsInvalid(f"{path} is damaged: {error}.") from error


def read(data: h5py.Dataset) -> NDArray[np.float32]:
    """The values; the caller has compared the shape with the one it expects, so the size is known to be sane."""
    return np.asarray(data[()], np.float32)


def _find(file: h5py.File, path: Path) -> Found:
    top = file
    if WHOLE_MODEL in file.keys():  # noqa: SIM118 - `in file` would follow the link
        _refuse_link(file, WHOLE_MODEL, path)
        top = file[WHOLE_MODEL]
    if not isinstance(top, h5py.Group):
        raise WeightsInvalid(f"{path}: {WHOLE_MODEL} is no group.")
    layers: dict[str, dict[str, Any]] = {}
    for names, data in _walk(top, (), path, [0]):
        array = names[-1].partition(":")[0]
        if len(names) < 2 or array not in ARRAYS:
            continue
        arrays = layers.setdefault(names[-2], {})
        if array in arrays:
            raise WeightsInvalid(f"{path} holds {names[-2]}/{array} twice: {arrays[array].name} and {data.name}.")
        arrays[array] = data
    return layers


def _walk(
    group: h5py.Group, above: tuple[str, ...], path: Path, seen: list[int]
) -> Iterator[tuple[tuple[str, ...], h5py.Dataset]]:
    """Every data set with its names from the top; no link is followed."""
    if len(above) > DEEPEST:
        raise WeightsInvalid(f"{path}: groups are nested more than {DEEPEST} deep; that is no Keras weight file.")
    for name in group:
        seen[0] += 1
        if seen[0] > MOST_ENTRIES:
            raise WeightsInvalid(f"{path} has more than {MOST_ENTRIES} entries; that is no Keras weight file.")
        _refuse_link(group, name, path)
        entry = group[name]
        if isinstance(entry, h5py.Group):
            yield from _walk(entry, (*above, name), path, seen)
        elif isinstance(entry, h5py.Dataset):
            _refuse_foreign(entry, path)
            yield (*above, name), entry


def _refuse_link(group: h5py.Group, name: str, path: Path) -> None:
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise WeightsInvalid(f"{path}: {group.name.rstrip('/')}/{name} is a link; weights must lie in the file itself.")


def _refuse_foreign(data: h5py.Dataset, path: Path) -> None:
    if data.is_virtual or data.external:
        raise WeightsInvalid(f"{path}: {data.name} lies in another file; weights must lie in the file itself.")
    if data.dtype.kind != "f" and data.name.rpartition("/")[2].partition(":")[0] in ARRAYS:
        raise WeightsInvalid(f"{path}: {data.name} holds {data.dtype}, not floating-point numbers.")
