#!/usr/bin/env python
"""Django's command line for ToonEmo. Starts PostgreSQL and Redis first where no address for them is set."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

# These answer from the code alone, or start what they need themselves.
NO_SERVICES = {
    "help",
    "version",
    "--version",
    "--help",
    "-h",
    "check",
    "collectstatic",
    "demo",
    "diffsettings",
    "doctor",
}
NO_SERVICES |= {"doctor", "findstatic", "makemigrations", "spectacular"}


def _end(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "toonemo_site.settings.dev")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from toonemo_site import embedded

    try:
        if len(sys.argv) > 1 and sys.argv[1] not in NO_SERVICES and "--help" not in sys.argv:
            signal.signal(signal.SIGTERM, _end)  # so that what was started is also stopped
            embedded.ensure(settings.EMBEDDED)
        execute_from_command_line(sys.argv)
    except embedded.EmbeddedError as error:
        sys.exit(str(error))
    except ImproperlyConfigured as error:
        sys.exit(f"{error}. docs/configuration.md explains every setting.")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
