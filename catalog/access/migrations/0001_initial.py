import hashlib
from datetime import timedelta
from typing import Any

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

ROLES = ("viewer", "editor", "admin")
SCOPES = ["read", "see_runs", "ingest", "analyse", "correct", "publish", "manage"]
LASTS = timedelta(days=90)


def roles_make(apps: Any, schema_editor: Any) -> None:
    for name in ROLES:
        apps.get_model("auth", "Group").objects.get_or_create(name=name)


def tokens_take_over(apps: Any, schema_editor: Any) -> None:
    """Tokens of before were kept as they are sent. They go on for 90 days, as digests; the table with them goes."""
    connection = schema_editor.connection
    if "authtoken_token" not in connection.introspection.table_names():
        return
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, user_id FROM authtoken_token")
        rows = cursor.fetchall()
        apps.get_model("access", "Token").objects.bulk_create(
            apps.get_model("access", "Token")(
                name="From before tokens had names",
                owner_id=user_id,
                digest=hashlib.sha256(key.encode()).hexdigest(),
                hint=key[:4],
                scopes=SCOPES,
                expires_at=now + LASTS,
            )
            for key, user_id in rows
        )
        cursor.execute("DROP TABLE authtoken_token")


class Migration(migrations.Migration):
    """Tokens that are kept as digests; the three roles as groups."""

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="SignInAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=64)),
                ("address", models.CharField(max_length=64)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["name", "at"], name="attempt_name_idx"),
                    models.Index(fields=["address", "at"], name="attempt_address_idx"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                (
                    "digest",
                    models.CharField(
                        editable=False,
                        max_length=64,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[0-9a-f]{64}$", "A SHA-256 digest has 64 hexadecimal digits."
                            )
                        ],
                    ),
                ),
                ("hint", models.CharField(editable=False, max_length=16)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("read", "read"),
                                ("see_runs", "see_runs"),
                                ("ingest", "ingest"),
                                ("analyse", "analyse"),
                                ("correct", "correct"),
                                ("publish", "publish"),
                                ("manage", "manage"),
                            ],
                            max_length=20,
                        ),
                        size=None,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access_tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")), name="token_digest_is_digest"
            ),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="token_has_a_name"),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("scopes__contained_by", ["read", "see_runs", "ingest", "analyse", "correct", "publish", "manage"]),
                    ("scopes__len__gt", 0),
                ),
                name="token_scopes_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("created_at"))), name="token_expires_after_made"
            ),
        ),
        migrations.RunPython(roles_make, migrations.RunPython.noop),
        migrations.RunPython(tokens_take_over, migrations.RunPython.noop),
    ]
