import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0010_recommend"),
        ("catalog", "0003_episode_titles"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Queue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        choices=[
                            ("all", "Everything"),
                            ("inference", "Reading videos"),
                            ("default", "Putting runs together"),
                        ],
                        max_length=20,
                        unique=True,
                    ),
                ),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="RunEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "xact",
                    models.BigIntegerField(
                        db_default=django.db.models.functions.comparison.Cast(
                            django.db.models.functions.comparison.Cast(
                                models.Func(function="pg_current_xact_id", output_field=models.TextField()),
                                models.TextField(),
                            ),
                            models.BigIntegerField(),
                        ),
                        editable=False,
                    ),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("requested", "Asked for"),
                            ("claimed", "Part begun"),
                            ("done", "Part done"),
                            ("failed", "Part failed"),
                            ("try_again", "Part is tried again"),
                            ("lease_lost", "Worker stopped answering"),
                            ("released", "Part handed back"),
                            ("stopped", "Part stopped"),
                            ("cancel", "Cancelled by somebody"),
                            ("retried", "Retried"),
                            ("priority", "Priority changed"),
                            ("ended", "Ended"),
                            ("published", "Published"),
                            ("paused", "Queue paused"),
                            ("resumed", "Queue resumed"),
                        ],
                        max_length=20,
                    ),
                ),
                ("part", models.PositiveIntegerField(blank=True, help_text="Index of the segment.", null=True)),
                ("worker", models.CharField(blank=True, max_length=200)),
                ("code", models.CharField(blank=True, max_length=60)),
                ("detail", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="RunPace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("done_ms", models.PositiveIntegerField()),
                ("drawings", models.PositiveIntegerField()),
                ("working", models.PositiveSmallIntegerField(help_text="Segments under way.")),
            ],
            options={
                "ordering": ["at", "id"],
            },
        ),
        migrations.CreateModel(
            name="RunPicture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pts_ms", models.PositiveIntegerField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("name", models.CharField(help_text="Relative to the media folder.", max_length=200)),
                ("faces", models.JSONField(default=list)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Worker",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, unique=True)),
                (
                    "queues",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), default=list, size=None
                    ),
                ),
                ("processes", models.PositiveSmallIntegerField(default=1)),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="segment",
            name="not_before",
            field=models.DateTimeField(blank=True, help_text="After a fault: not tried again sooner.", null=True),
        ),
        migrations.AddConstraint(
            model_name="analysisrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("priority__gte", -1000), ("priority__lte", 1000)), name="run_priority_in_range"
            ),
        ),
        migrations.AddField(
            model_name="queue",
            name="paused_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="runevent",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="runevent",
            name="run",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="events",
                to="analysis.analysisrun",
            ),
        ),
        migrations.AddField(
            model_name="runpace",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="paces", to="analysis.analysisrun"
            ),
        ),
        migrations.AddField(
            model_name="runpicture",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="pictures", to="analysis.analysisrun"
            ),
        ),
        migrations.AddField(
            model_name="runpicture",
            name="segment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="analysis.segment"
            ),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=models.Q(("name__in", ["all", "inference", "default"])), name="queue_name_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="queue",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("paused_at__isnull", False), models.Q(("paused_by__isnull", True), ("reason", "")), _connector="OR"
                ),
                name="queue_why_when_paused",
            ),
        ),
        migrations.AddIndex(
            model_name="runevent",
            index=models.Index(fields=["run", "id"], name="run_event_of_run_idx"),
        ),
        migrations.AddIndex(
            model_name="runevent",
            index=models.Index(fields=["xact", "id"], name="run_event_order_idx"),
        ),
        migrations.AddIndex(
            model_name="runpace",
            index=models.Index(fields=["run", "at"], name="run_pace_idx"),
        ),
        migrations.AddIndex(
            model_name="runpicture",
            index=models.Index(fields=["run", "-id"], name="run_picture_idx"),
        ),
        migrations.AddConstraint(
            model_name="runpicture",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="run_picture_named"
            ),
        ),
    ]
