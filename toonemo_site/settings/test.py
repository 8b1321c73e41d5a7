"""Tests: real PostgreSQL and Redis, never those of the demo.

PostgreSQL: ``DATABASE_URL`` names a server on which this run may make a database of its own; where it is not set, one
is started under ``var/test``, shared by test runs that happen at once. Redis: always a server of this run alone,
because tests flush and kill it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from django.core.management.utils import get_random_secret_key

from toonemo_site import embedded
from toonemo_site.environment import database
from toonemo_site.logging import logging_config
from toonemo_site.settings.base import *  # noqa: F403
from toonemo_site.settings.base import DATABASE_URL, TOONEMO_RATES, VAR_DIR, env

SECRET_KEY = get_random_secret_key()
DEBUG = False
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
RUN = env.int("TOONEMO_TEST_RUN", default=os.getpid())  # the processes that a test starts belong to the same run
# A process that runs tests beside others has a PostgreSQL of its own: a long
# transaction there would hold back events here.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
TEST_DIR = VAR_DIR / (f"test-{WORKER}" if WORKER else "test")
RUN_DIR = TEST_DIR / f"run-{RUN}"
DATABASES = {"default": database(DATABASE_URL or embedded.database_url(TEST_DIR))}
DATABASES["default"]["TEST"] = {"NAME": f"test_{DATABASES['default']['NAME']}_{RUN}"}
REDIS_URL = embedded.redis_url(RUN_DIR)
EMBEDDED = embedded.Wanted(TEST_DIR, postgres=not DATABASE_URL, redis=False, fast=True)
EMBEDDED_RUN = embedded.Wanted(RUN_DIR, postgres=False, redis=True)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MEDIA_ROOT = Path(tempfile.gettempdir()) / f"toonemo-test-media-{RUN}"
LOGGING = logging_config(level="WARNING", json=False)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
TOONEMO_RATES = dict.fromkeys(TOONEMO_RATES)  # off, but where a test is about them
WHITENOISE_AUTOREFRESH = True  # no scan of STATIC_ROOT, which a test does not have
