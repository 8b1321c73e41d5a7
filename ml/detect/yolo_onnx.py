"""Reads an exported YOLOv8 or YOLO11 model: checks the file, runs it with ONNX Runtime. ONNX Runtime is optional.

Only the exported graph is read, none of the program that trained it. An export has one input (1 or N, 3, H, W), RGB
in 0..1, and the output (N, 4 + classes + 32, anchors) with the prototypes (N, 32, H/4, W/4); without masks the first
output alone, (N, 4 + classes, anchors). Its metadata hold ``names``, a dict of the classes as Python writes it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ml.errors import InternalError, ModelOutputInvalid, UserError

MAX_BYTES = 1_000_000_000
MAX_NAMES_TEXT = 200_000
MAX_CLASSES = 1_000
SIDES = (32, 4096)  # of the input, pixels
COEFFICIENTS = 32
FLOATS = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
# The key without which no tensor lies in another file, after the last byte of its length (8) as protobuf writes it.
_EXTERNAL = re.compile(rb"[\x08\x00]location")

Floats = NDArray[np.float32]


class OnnxMissing(UserError):
    """The optional extra is not installed."""

    code: ClassVar[str] = "onnx_missing"


class OnnxInvalid(UserError):
    """A file that is no such export."""

    code: ClassVar[str] = "onnx_invalid"


@dataclass(frozen=True, slots=True)
class Layout:
    """``size``: (height, width) of the input. ``names``: of the classes, in order. ``masks``: whether it gives any."""

    size: tuple[int, int]
    names: tuple[str, ...]
    masks: bool


class YoloModel:
    """An exported model, ready to run on the processor.

    Raises OnnxMissing where ONNX Runtime is not installed, OnnxInvalid (naming file and reason) for a wrong file.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        self.path = path
        self._session = _session(path, threads)
        try:
            self.layout = _layout(self._session)
        except OnnxInvalid as error:
            raise OnnxInvalid(f"{path} is no YOLO model that can be read: {error}") from error
        entry = self._session.get_inputs()[0]
        self._input, self._kind = entry.name, FLOATS[entry.type]

    def run(self, picture: Floats) -> tuple[Floats, Floats | None]:
        """(3, H, W), RGB in 0..1 -> predictions (4 + classes [+ 32], anchors) and prototypes (32, H/4, W/4) or None.

        Raises ModelOutputInvalid where a number is not finite or a shape is not the one that belongs to the names.
        """
        try:
            outputs = self._session.run(None, {self._input: picture[None].astype(self._kind)})
        except Exception as error:
            raise InternalError(f"{self.path.name} cannot be run: {str(error).splitlines()[0]}") from error
        found = [np.asarray(o, np.float32) for o in outputs]
        if not all(np.isfinite(o).all() for o in found):
            raise ModelOutputInvalid(f"{self.path.name} gave a number that is not finite.")
        rows = 4 + len(self.layout.names) + (COEFFICIENTS if self.layout.masks else 0)
        predictions, prototypes = found[0], found[1] if self.layout.masks else None
        good = predictions.ndim == 3 and predictions.shape[:2] == (1, rows)
        if prototypes is not None:
            good = good and prototypes.ndim == 4 and prototypes.shape[:2] == (1, COEFFICIENTS)
        if not good:
            raise ModelOutputInvalid(f"{self.path.name} gave outputs of the shapes {[o.shape for o in found]}.")
        return predictions[0], None if prototypes is None else prototypes[0]


def runtime() -> Any:
    """The module ``onnxruntime``. Raises OnnxMissing."""
    try:
        import onnxruntime
    except ImportError as error:
        raise OnnxMissing("Reading YOLO models needs ONNX Runtime: pip install onnxruntime") from error
    return onnxruntime


def _session(path: Path, threads: int) -> Any:
    ort = runtime()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise OnnxInvalid(f"{path} is larger than {MAX_BYTES} bytes.")
        raw = path.read_bytes()
    except OSError as error:
        raise OnnxInvalid(f"{path} cannot be read: {error.strerror}.") from error
    if _EXTERNAL.search(raw):
        raise OnnxInvalid(f"{path} keeps weights in other files; export it as a single file.")
    options = ort.SessionOptions()
    options.log_severity_level = 4  # nothing but what ends the program: faults are raised as errors
    options.intra_op_num_threads = threads or _torch_threads()
    options.inter_op_num_threads = 1
    if hasattr(ort, "disable_telemetry_events"):
        ort.disable_telemetry_events()
    try:
        return ort.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = str(error).splitlines()[0][:200]
        raise OnnxInvalid(f"{path} is no ONNX model that can be read: {reason}") from error


def _torch_threads() -> int:
    import torch

    return torch.get_num_threads()


def _layout(session: Any) -> Layout:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in FLOATS:
        raise OnnxInvalid("it must have one input of floats, (1, 3, height, width).")
    batch, channels, *sides = inputs[0].shape
    if channels != 3 or (isinstance(batch, int) and batch != 1):
        raise OnnxInvalid(f"its input is {inputs[0].shape}, not (1, 3, height, width).")
    if len(outputs) not in (1, 2) or len(outputs[0].shape) != 3:
        raise OnnxInvalid("it must have one output, or two with masks; export it without its own suppression (nms).")
    meta: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
    names = read_names(meta.get("names", ""))
    masks = len(outputs) == 2
    rows = outputs[0].shape[1]
    needed = 4 + len(names) + (COEFFICIENTS if masks else 0)
    if isinstance(rows, int) and rows != needed:
        raise OnnxInvalid(f"its first output has {rows} rows, and {len(names)} classes need {needed}.")
    return Layout(_size(sides, meta.get("imgsz", "")), names, masks)


def _size(sides: list[Any], text: str) -> tuple[int, int]:
    """The graph's own where it is fixed, else that of the metadata."""
    values: Any = sides
    if not all(isinstance(side, int) for side in sides):
        values = _literal(text, "imgsz")
        values = [values, values] if isinstance(values, int) else values
    good = isinstance(values, list | tuple) and len(values) == 2
    if not good or not all(type(v) is int and SIDES[0] <= v <= SIDES[1] and v % 32 == 0 for v in values):
        raise OnnxInvalid(f"its input is {values!r}; both sides must be multiples of 32 from {SIDES[0]} to {SIDES[1]}.")
    return values[0], values[1]


def read_names(text: str) -> tuple[str, ...]:
    """``{0: 'tom', 1: 'jerry'}`` or ``['tom', 'jerry']``, evaluated as a literal. Raises OnnxInvalid."""
    value = _literal(text, "names")
    if isinstance(value, dict) and set(value) == set(range(len(value))):
        value = [value[n] for n in range(len(value))]
    good = isinstance(value, list) and 0 < len(value) <= MAX_CLASSES
    if not good or not all(isinstance(v, str) and 0 < len(v) <= 100 and v.isprintable() for v in value):
        raise OnnxInvalid("its metadata must hold names, one short text for each class counted from 0.")
    return tuple(value)


def _literal(text: str, what: str) -> Any:
    if not text or len(text) > MAX_NAMES_TEXT:
        raise OnnxInvalid(f"its metadata hold no {what}, or far too many.")
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise OnnxInvalid(f"its metadata hold {what} that cannot be read.") from error
