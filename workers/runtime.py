"""The models of this process: loaded in the first task that needs them, then kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from ml.errors import BundleInvalid, DeviceMissing

if TYPE_CHECKING:
    from ml.runtime import Models

KEPT = 2  # bundles in memory at once

logger = structlog.get_logger(__name__)
_loaded: OrderedDict[tuple[str, str], Models] = OrderedDict()
_lock = threading.Lock()  # a load that nobody waits for any more may still be going on


class Loader(Protocol):
    def __call__(self, bundle_dir: Path, device: str) -> Models: ...


def models_for(name: str, version: str, digest: str) -> Models:
    """The bundle's models on ``TOONEMO_DEVICE``.

    Raises BundleMissing, BundleInvalid (also where the folder holds another bundle than the run asked for), and
    DeviceMissing: a GPU that was asked for is never replaced by the CPU.
    """
    with _lock:
        return _models_for(name, version, digest)


def _models_for(name: str, version: str, digest: str) -> Models:
    device = settings.TOONEMO_DEVICE
    key = (digest, device)
    if key not in _loaded:
        folder = Path(settings.TOONEMO_BUNDLE_DIR) / f"{name}-{version}"
        loader = cast(Loader, import_string(settings.TOONEMO_MODEL_LOADER))
        models = loader(folder, device)
        if models.bundle.digest != digest:
            raise BundleInvalid(f"{folder} no longer holds the bundle that was asked for: its digest differs.")
        if device.startswith("cuda") and not models.device.startswith("cuda"):
            raise DeviceMissing(f"The models run on {models.device}, although {device} was asked for.")
        logger.info("models_loaded", bundle=f"{name}-{version}", device=models.device)
        _loaded[key] = models
        while len(_loaded) > KEPT:
            _loaded.popitem(last=False)
    _loaded.move_to_end(key)
    return _loaded[key]
