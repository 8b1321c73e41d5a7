"""What this machine can compute with, as JSON on standard output: ``python -m workers.doctor BUNDLES DEVICE``.

A process of its own, because the one that asks must not import torch.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ml.bundle import BUNDLE_FILE, read_bundle
from ml.errors import ToonemoError
from ml.runtime import choose_device


def devices(asked: str) -> dict[str, Any]:
    """``fault`` is a sentence where a worker could not use the device that was asked for."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    found: dict[str, Any] = {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(count)],
        "fault": "",
    }
    try:
        found["device"] = choose_device(asked)
    except ToonemoError as error:
        found["fault"] = str(error)
    return found


def bundles(folder: Path) -> list[dict[str, str]]:
    """Every bundle, its digests checked; ``fault`` is a sentence where it cannot be used."""
    found = []
    for path in sorted(p.parent for p in folder.glob(f"*/{BUNDLE_FILE}")):
        try:
            ref = read_bundle(path).ref
        except ToonemoError as error:
            found.append({"name": path.name, "digest": "", "fault": str(error)})
        else:
            found.append({"name": f"{ref.name}-{ref.version}", "digest": ref.digest, "fault": ""})
    return found


if __name__ == "__main__":
    answer = {"bundles": bundles(Path(sys.argv[1])), "devices": devices(sys.argv[2])}
    print(json.dumps(answer))  # noqa: T201
