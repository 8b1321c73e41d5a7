"""A database of its own for as long as something is measured, beside the one that is in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection

SUFFIX = "_bench"


@contextmanager
def scratch_database(*, tables: bool = True) -> Iterator[None]:
    """Empty; everything of Django goes there meanwhile. One that was left behind is made anew.

    ``tables`` False: without any, for whoever makes them.
    """
    own = connection.settings_dict["NAME"]
    other = f"{own}{SUFFIX}"
    _administer(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(other)} WITH (FORCE)")
    _administer(f"CREATE DATABASE {connection.ops.quote_name(other)}")
    try:
        _use(other)
        if tables:
            call_command("migrate", verbosity=0)
        yield
    finally:
        _use(own)
        _administer(f"DROP DATABASE {connection.ops.quote_name(other)} WITH (FORCE)")


def _use(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def _administer(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
