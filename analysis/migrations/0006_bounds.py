import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from analysis.migrations._0006_fill import fill as bounds_fill


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    bounds_fill(schema_editor.connection, settings.TOONEMO_STRANGERS_MOST)


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0005_ratings"),
        ("catalog", "0002_episode_words"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EmotionBound",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "emotion",
                    models.CharField(
                        choices=[
                            ("happy", "happy"),
                            ("sad", "sad"),
                            ("angry", "angry"),
                            ("surprised", "surprised"),
                            ("scared", "scared"),
                            ("disgusted", "disgusted"),
                            ("neutral", "neutral"),
                        ],
                        max_length=20,
                    ),
                ),
                ("low", models.FloatField(blank=True, null=True)),
                ("share", models.FloatField(blank=True, null=True)),
                ("high", models.FloatField(blank=True, null=True)),
                ("longest_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("enough", models.BooleanField()),
            ],
            options={
                "ordering": ["run_id", "character_id", "emotion"],
            },
        ),
        migrations.CreateModel(
            name="RunBound",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "emotion",
                    models.CharField(
                        choices=[
                            ("happy", "happy"),
                            ("sad", "sad"),
                            ("angry", "angry"),
                            ("surprised", "surprised"),
                            ("scared", "scared"),
                            ("disgusted", "disgusted"),
                            ("neutral", "neutral"),
                        ],
                        max_length=20,
                    ),
                ),
                ("high", models.FloatField(blank=True, null=True)),
                ("longest_ms", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "lacking",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("partial", "A part of the episode is missing"),
                            ("nobody", "No known face is seen"),
                            ("strangers", "Faces of nobody known are seen too long"),
                            ("not_modelled", "The bundle cannot express the emotion"),
                            ("evidence", "Somebody is seen too little for a rating"),
                        ],
                        max_length=20,
                    ),
                ),
            ],
            options={
                "ordering": ["run_id", "emotion"],
            },
        ),
        migrations.AddField(
            model_name="analysisrun",
            name="strangers",
            field=models.FloatField(db_default=0.0, default=0.0),
        ),
        migrations.AddConstraint(
            model_name="analysisrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("strangers__isnull", True),
                    models.Q(("strangers__gte", 0.0), ("strangers__lte", 1.0)),
                    _connector="OR",
                ),
                name="run_strangers_in_unit",
            ),
        ),
        migrations.AddField(
            model_name="emotionbound",
            name="character",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="bounds",
                to="catalog.character",
            ),
        ),
        migrations.AddField(
            model_name="emotionbound",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="bounds",
                to="analysis.analysisrun",
            ),
        ),
        migrations.AddField(
            model_name="runbound",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="run_bounds",
                to="analysis.analysisrun",
            ),
        ),
        migrations.AddIndex(
            model_name="emotionbound",
            index=models.Index(
                fields=["character", "emotion", "high"],
                include=("run", "longest_ms", "enough"),
                name="bound_character_idx",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionbound",
            constraint=models.UniqueConstraint(fields=("run", "character", "emotion"), name="bound_unique"),
        ),
        migrations.AddConstraint(
            model_name="emotionbound",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("low__isnull", True), models.Q(("low__gte", 0.0), ("low__lte", 1.0)), _connector="OR"),
                    models.Q(
                        ("share__isnull", True), models.Q(("share__gte", 0.0), ("share__lte", 1.0)), _connector="OR"
                    ),
                    models.Q(("high__isnull", True), models.Q(("high__gte", 0.0), ("high__lte", 1.0)), _connector="OR"),
                ),
                name="bound_in_unit",
            ),
        ),
        migrations.AddConstraint(
            model_name="emotionbound",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("enough", False), models.Q(("high__isnull", False), ("longest_ms__isnull", False)), _connector="OR"
                ),
                name="bound_known_if_enough",
            ),
        ),
        migrations.AddIndex(
            model_name="runbound",
            index=models.Index(fields=["emotion", "high"], include=("run", "longest_ms"), name="run_bound_idx"),
        ),
        migrations.AddConstraint(
            model_name="runbound",
            constraint=models.UniqueConstraint(
                fields=("run", "emotion"), include=("high", "longest_ms", "lacking"), name="run_bound_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="runbound",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("high__isnull", True), models.Q(("high__gte", 0.0), ("high__lte", 1.0)), _connector="OR"
                ),
                name="run_bound_in_unit",
            ),
        ),
        migrations.AddConstraint(
            model_name="runbound",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("high__isnull", False), ("lacking", ""), ("longest_ms__isnull", False)),
                    models.Q(
                        models.Q(("lacking", ""), _negated=True), ("high__isnull", True), ("longest_ms__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="run_bound_known_or_lacking",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
