"""Very many rows at once: COPY into tables whose indexes and foreign keys are made anew afterwards."""

# ruff: noqa: S608 - names of tables and columns are our own models', and are quoted

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, models

ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def escaped(text: str) -> str:
    """As COPY reads it."""
    return text.translate(ESCAPES)


def copy_text(model: type[models.Model], columns: Sequence[str], lines: Iterable[str]) -> None:
    """``lines``: a row each, in COPY's text format, without the end of the line."""
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor, cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy:
        block = "\n".join(lines)
        if block:
            copy.write(block + "\n")


def next_ids(tables: Iterable[type[models.Model]]) -> dict[type[models.Model], int]:
    """The first id that is free in each table."""
    found = {}
    with connection.cursor() as cursor:
        for model in tables:
            cursor.execute(f'SELECT COALESCE(MAX(id), 0) + 1 FROM "{model._meta.db_table}"')
            found[model] = int(cursor.fetchone()[0])
    return found


def sequences_set(tables: Iterable[type[models.Model]]) -> None:
    """What is inserted next gets an id after the highest."""
    with connection.cursor() as cursor:
        for model in tables:
            table = model._meta.db_table
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'),"
                f' (SELECT COALESCE(MAX(id), 0) + 1 FROM "{table}"), false)',
                [f'"{table}"'],
            )


@contextmanager
def unhindered(tables: Iterable[type[models.Model]]) -> Iterator[None]:
    """Inside a transaction: the tables without their indexes and foreign keys, which come back checked at the end.

    Unique constraints are kept by indexes that stay. Nobody else can write to the tables meanwhile.
    """
    names = [model._meta.db_table for model in tables]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")  # for one index at a time
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing may wait for the end of the transaction
        cursor.execute(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])",
            [names],
        )
        keys = cursor.fetchall()
        cursor.execute(
            "SELECT quote_ident(c.relname), pg_get_indexdef(i.indexrelid) FROM pg_index i"
            " JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = ANY(%s::regclass[])"
            " AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype <> 'f')"
            " AND NOT i.indisunique",
            [names],
        )
        indexes = cursor.fetchall()
        for table, name, _ in keys:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for _, definition in indexes:
            cursor.execute(definition)
        for table, name, definition in keys:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
