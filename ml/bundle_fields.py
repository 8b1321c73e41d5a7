"""Reads the fields of a JSON object and says in one sentence which is wrong and why. For ml/bundle.py."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.errors import BundleInvalid


@dataclass(frozen=True, slots=True)
class Fields:
    """``prefix``: how the object is called inside the file, such as ``emotions.``; each method raises BundleInvalid."""

    fields: Mapping[str, Any]
    file: Path
    prefix: str = ""

    def text(self, name: str) -> str:
        value = self.fields.get(name)
        if not isinstance(value, str) or not value:
            raise BundleInvalid(f"{self.file}: {self.prefix}{name} must be a text.")
        return value

    def plain(self, name: str) -> str:
        """A text that can be part of a file's name."""
        value = self.text(name)
        if not all(c.isalnum() or c in "._" for c in value):
            raise BundleInvalid(f"{self.file}: {name} is {value!r}; letters, digits, dot and underscore only.")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        value = self.fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BundleInvalid(f"{self.file}: {self.prefix}{name} is {value!r}, not a finite number.")
        if not low <= value <= high:
            raise BundleInvalid(f"{self.file}: {self.prefix}{name} is {value}, outside {low} to {high}.")
        return float(value)

    def table(self, name: str) -> Mapping[str, Any]:
        value = self.fields.get(name)
        if not isinstance(value, dict):
            raise BundleInvalid(f"{self.file}: {self.prefix}{name} must be an object.")
        return value

    def texts(self, name: str) -> Sequence[str]:
        value = self.fields.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
            raise BundleInvalid(f"{self.file}: {self.prefix}{name} must be a list of texts.")
        if len(set(value)) != len(value):
            raise BundleInvalid(f"{self.file}: {self.prefix}{name} names something twice.")
        return value
