"""A developer's machine and the demo: nothing has to be set."""

from __future__ import annotations

from toonemo_site import embedded
from toonemo_site.logging import FORMATS, logging_config
from toonemo_site.settings.base import *  # noqa: F403
from toonemo_site.settings.base import LOG_LEVEL, SECRET_KEY, VAR_DIR, env

DEBUG = env.bool("DEBUG", default=True)
SECRET_KEY = SECRET_KEY or embedded.development_key(VAR_DIR)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
LOG_FORMAT = env.choice("LOG_FORMAT", FORMATS, default="console")
LOGGING = logging_config(level=LOG_LEVEL, json=LOG_FORMAT == "json")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
TOONEMO_WEBHOOK_PRIVATE = env.bool("TOONEMO_WEBHOOK_PRIVATE", default=True)
