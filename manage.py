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
    from django.db.utils import OperationalError, ProgrammingError

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
    except OperationalError as error:
        sys.exit(_unavailable(error))
    except ProgrammingError as error:
        if said := _unmigrated(error):
            sys.exit(said)
        raise
    except KeyboardInterrupt:
        sys.exit(130)


def _unavailable(error: Exception) -> str:
    reason = (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
    return f"The database does not answer: {reason}; manage.py doctor says more. [database_unavailable]"


def _unmigrated(error: Exception) -> str:
    """A sentence where a table or column is missing because migrations were not applied, else empty."""
    from django.db import connection
    from psycopg.errors import UndefinedColumn, UndefinedTable

    from toonemo_site.health import migrations_fault

    if not isinstance(error.__cause__, UndefinedTable | UndefinedColumn):
        return ""
    connection.close()  # it may be inside a transaction that has failed
    if not migrations_fault():
        return ""
    if "django_migrations" not in connection.introspection.table_names():
        return "The database has no tables yet; run: manage.py migrate [database_not_migrated]"
    return "The database's tables are of another version; run: manage.py migrate [database_not_migrated]"


if __name__ == "__main__":
    main()
