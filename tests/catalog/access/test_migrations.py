"""What was there before tokens had names, and an audit of its own, goes on."""

from __future__ import annotations

import hashlib
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, connection, transaction

from catalog.access.models import Audit, Token
from catalog.access.services.audit import audit_record
from catalog.access.services.tokens import token_find
from catalog.roles import ROLES
from tests.tokens import somebody

pytestmark = pytest.mark.django_db
KEY = "0123456789abcdef0123456789abcdef01234567"


def test_the_roles_are_there() -> None:
    initial = import_module("catalog.access.migrations.0001_initial")
    Group.objects.all().delete()
    for _ in range(2):
        initial.roles_make(apps, None)
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)


def test_tokens_of_before_go_on_as_digests() -> None:
    initial = import_module("catalog.access.migrations.0001_initial")
    owner = User.objects.create_user("ada", is_staff=True)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created timestamptz, user_id int)")
        cursor.execute("INSERT INTO authtoken_token VALUES (%s, now(), %s)", [KEY, owner.pk])
    with connection.schema_editor() as editor:
        initial.tokens_take_over(apps, editor)
        initial.tokens_take_over(apps, editor)
    token = Token.objects.get()
    assert token_find(KEY) == token
    assert token.digest == hashlib.sha256(KEY.encode()).hexdigest()
    assert "authtoken_token" not in connection.introspection.table_names()


def test_the_audit_is_append_only() -> None:
    person = somebody()
    row = audit_record(action="test", subject=person, actor=person)
    for statement in ("UPDATE access_audit SET action = 'x' WHERE id = %s", "DELETE FROM access_audit WHERE id = %s"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [row.pk])
    assert Audit.objects.filter(pk=row.pk, action="test").exists()
