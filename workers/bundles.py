"""Makes the bundles of this machine known to the database."""

from __future__ import annotations

import json
from pathlib import Path

import structlog
from django.conf import settings

from analysis.models import ModelBundle
from analysis.services.bundles import bundle_register
from ml.bundle import BUNDLE_FILE, read_bundle
from ml.errors import ToonemoError

logger = structlog.get_logger(__name__)


def bundles_sync(folder: Path | None = None) -> list[ModelBundle]:
    """Reads every bundle under ``TOONEMO_BUNDLE_DIR``. One that cannot be read is said in the log and left out."""
    known = []
    for path in sorted(p.parent for p in Path(folder or settings.TOONEMO_BUNDLE_DIR).glob(f"*/{BUNDLE_FILE}")):
        try:
            bundle = read_bundle(path)
        except ToonemoError as error:
            logger.warning("bundle_unreadable", code=error.code, reason=str(error))
            continue
        card = json.loads((path / BUNDLE_FILE).read_text(encoding="utf-8"))
        known.append(bundle_register(ref=bundle.ref, characters=bundle.characters, emotions=bundle.emotions, card=card))
    return known
