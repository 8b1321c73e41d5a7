"""Training settings: frozen dataclasses, read from TOML. Unknown names are refused."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from ml.errors import UserError

_Kind = TypeVar("_Kind")


class SettingsInvalid(UserError):
    """A training settings file is missing, unreadable, or names what is not known."""

    code = "settings_invalid"


@dataclass(frozen=True, slots=True)
class DetectorTraining:
    """``data``: the folder of shards. ``draw``: missing shards are drawn while training runs. ``start``: weights to
    begin with, of the whole network or of its backbone alone (ImageNet's MobileNetV2); empty: random. ``fresh``:
    pictures of each batch that no step saw before. ``characters``: none: one class, a face.
    """

    data: str = ""
    draw: bool = True
    shards: int = 250
    fresh: int = 2
    start: str = ""
    characters: tuple[str, ...] = ()
    network: dict[str, Any] = field(default_factory=dict)
    frozen_blocks: int = 4
    wear: float = 0.0  # share of pictures changed as no film changes them (ml.train.augment.worn)
    height: int = 320
    width: int = 576
    batch: int = 4
    steps: int = 5000
    rate: float = 4e-4
    weight_decay: float = 1e-4
    warm_up: int = 100
    clip: float = 5.0
    seed: int = 1
    threads: int = 1
    half: bool = True  # bfloat16 autocast
    report_every: int = 50
    save_every: int = 250


@dataclass(frozen=True, slots=True)
class ClassifierTraining:
    """``crop``: how the crops are cut (ml.face.CropSettings); goes into the bundle. ``fresh``: crops of each batch that
    no step saw before. ``each``: crops of one design that lie side by side in a shard and stay together in a batch.
    """

    data: str = ""
    draw: bool = True
    shards: int = 100
    fresh: int = 16
    each: int = 4
    start: str = ""
    characters: tuple[str, ...] = ("tom", "jerry", "pip", "rosa")
    emotions: tuple[str, ...] = ("happy", "sad", "angry", "surprised", "scared", "disgusted", "neutral")
    network: dict[str, Any] = field(default_factory=dict)
    crop: dict[str, Any] = field(default_factory=dict)
    wear: float = 0.0  # share of crops changed as no film changes them (ml.train.augment.worn)
    batch: int = 64
    steps: int = 5000
    rate: float = 1.5e-3
    weight_decay: float = 2e-2
    warm_up: int = 100
    clip: float = 5.0
    smoothing: float = 0.05
    seed: int = 1
    threads: int = 1
    half: bool = True
    report_every: int = 50
    save_every: int = 250


def read_settings(kind: type[_Kind], path: Path) -> _Kind:
    """Raises SettingsInvalid naming the file and the reason."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsInvalid(f"The training settings {path} cannot be read: {error}.") from error
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for name, value in table.items():
        if name not in known:
            raise SettingsInvalid(f"{path}: {name} is not a setting of {kind.__name__}.")
        if isinstance(value, list):
            table[name] = tuple(value)
    settings = kind(**table)
    plain = kind()
    for name, value in table.items():
        wanted = type(getattr(plain, name))
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            raise SettingsInvalid(f"{path}: {name} is {value!r}, which is no {wanted.__name__}.")
    return settings
