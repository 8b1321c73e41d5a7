"""What the web process may load. ``make lint`` checks the import contracts; this looks at a process that runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

RESOLVE = """
import json, sys
import django
django.setup()
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

def walk(patterns):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield pattern.callback

views = list(walk(get_resolver().url_patterns))
from toonemo_site.wsgi import application
heavy = ["torch", "torchvision", "cv2", "av", "pycocotools", "safetensors", "ml.pipeline", "ml.video", "ml.runtime"]
print(json.dumps({"views": len(views), "loaded": sorted(set(heavy) & set(sys.modules))}))
"""


def test_the_web_process_resolves_every_address_without_torch() -> None:
    environment = {
        "DJANGO_SETTINGS_MODULE": "toonemo_site.settings.production",
        "SECRET_KEY": "x" * 60,
        "ALLOWED_HOSTS": "toonemo.example",
        "DATABASE_URL": "postgres://nobody@nowhere/none",
        "REDIS_URL": "redis://nowhere",
        "PATH": "/usr/bin:/bin",
    }
    command = [sys.executable, "-c", RESOLVE]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["views"] > 30, "the walk over the addresses found too few of them"
    assert answer["loaded"] == []


def test_only_workers_and_ml_name_torch() -> None:
    """Also not in a function body, where the process above would not have met it."""
    for package in ("toonemo_site", "analysis", "catalog"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            for module in ("torch", "cv2", "av", "workers"):
                assert f"import {module}\n" not in text, path
                assert f"from {module}" not in text, path
