from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def _actor(**more: Any) -> Any:
    return models.ForeignKey(
        blank=True,
        db_constraint=False,
        null=True,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        **more,
    )


class Migration(migrations.Migration):
    """The audit is of the whole house, and knows with which token something was done. Its rows and the trigger that
    keeps them came along (``analysis.0014_audit_moves``).
    """

    dependencies = [
        ("access", "0001_initial"),
        ("analysis", "0014_audit_moves"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="Audit",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField(auto_now_add=True)),
                        ("action", models.CharField(max_length=60)),
                        ("object_type", models.CharField(max_length=60)),
                        ("object_id", models.BigIntegerField()),
                        ("before", models.JSONField(null=True)),
                        ("after", models.JSONField(null=True)),
                        ("actor", _actor()),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [models.Index(fields=["object_type", "object_id"], name="audit_object_idx")],
                    },
                ),
            ],
        ),
        migrations.AddField(
            model_name="audit",
            name="token",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="access.token",
            ),
        ),
        migrations.AlterField(model_name="audit", name="actor", field=_actor(db_index=False)),
        migrations.RemoveIndex(model_name="audit", name="audit_object_idx"),
        migrations.AddIndex(
            model_name="audit", index=models.Index(fields=["object_id", "object_type"], name="audit_object_idx")
        ),
        migrations.AddIndex(model_name="audit", index=models.Index(fields=["actor", "-id"], name="audit_actor_idx")),
        migrations.AddIndex(model_name="audit", index=models.Index(fields=["action", "-id"], name="audit_action_idx")),
    ]
