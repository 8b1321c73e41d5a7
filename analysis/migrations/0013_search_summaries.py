import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from analysis.migrations._0013_fill import fill as summaries_fill

TRIGGERS = """
CREATE OR REPLACE FUNCTION analysis_summary_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM analysis_charactersummary WHERE character_id IN
        (SELECT gone.character_id FROM gone JOIN analysis_shownepisode shown ON shown.run_id = gone.run_id);
    DELETE FROM analysis_profilesummary kept USING gone
        WHERE kept.run_id = gone.run_id AND kept.character_id = gone.character_id;
    RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION analysis_shown_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM analysis_charactersummary WHERE character_id IN
        (SELECT profile.character_id FROM gone JOIN analysis_emotionprofile profile ON profile.run_id = gone.run_id);
    DELETE FROM analysis_episodesummary WHERE episode_id IN (SELECT episode_id FROM gone);
    DELETE FROM analysis_profilesummary WHERE run_id IN (SELECT run_id FROM gone);
    DELETE FROM analysis_pairsummary WHERE run_id IN (SELECT run_id FROM gone);
    RETURN NULL;
END
$$;
"""
AS_BEFORE = """
CREATE OR REPLACE FUNCTION analysis_summary_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM analysis_charactersummary WHERE character_id IN
        (SELECT gone.character_id FROM gone JOIN analysis_shownepisode shown ON shown.run_id = gone.run_id);
    RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION analysis_shown_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM analysis_charactersummary WHERE character_id IN
        (SELECT profile.character_id FROM gone JOIN analysis_emotionprofile profile ON profile.run_id = gone.run_id);
    DELETE FROM analysis_episodesummary WHERE episode_id IN (SELECT episode_id FROM gone);
    RETURN NULL;
END
$$;
"""


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    summaries_fill(schema_editor.connection)


class Migration(migrations.Migration):
    """Profiles of what is shown in plain columns, and what two characters show together: search need not look for it."""

    dependencies = [
        ("analysis", "0012_asking"),
        ("catalog", "0003_episode_titles"),
    ]

    operations = [
        migrations.CreateModel(
            name="PairSummary",
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
                (
                    "other",
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
                ("near", models.FloatField()),
                ("at_once", models.FloatField(null=True)),
                ("span", models.BigIntegerField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pair_summaries",
                        to="analysis.analysisrun",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["emotion", "other", "-near", "run"], name="pair_summary_near_idx"),
                    models.Index(
                        models.F("emotion"),
                        models.F("other"),
                        models.OrderBy(models.F("at_once"), descending=True, nulls_last=True),
                        models.F("run"),
                        name="pair_summary_at_once_idx",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "emotion", "other"), name="pair_summary_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="ProfileSummary",
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
                ("readable_ms", models.PositiveIntegerField()),
                ("visible_ms", models.PositiveIntegerField()),
                ("modelled", models.BooleanField()),
                ("enough", models.BooleanField()),
                ("solid", models.BooleanField()),
                ("low", models.FloatField(null=True)),
                ("share", models.FloatField(null=True)),
                ("high", models.FloatField(null=True)),
                ("span", models.BigIntegerField(null=True)),
                ("weight", models.FloatField(null=True)),
                ("other_span", models.BigIntegerField(null=True)),
                ("other_weight", models.FloatField(null=True)),
                ("longest_span", models.BigIntegerField(null=True)),
                ("longest_ms", models.PositiveIntegerField(null=True)),
                (
                    "character",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profile_summaries",
                        to="catalog.character",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="profile_summaries",
                        to="analysis.analysisrun",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["character", "emotion", "run"], name="profile_summary_character_idx")],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "emotion", "character"), name="profile_summary_unique")
                ],
            },
        ),
        migrations.RunSQL(TRIGGERS, AS_BEFORE),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
