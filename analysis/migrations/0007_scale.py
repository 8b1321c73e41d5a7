import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from analysis.migrations._0007_fill import fill as shown_fill

TRIGGERS = """
CREATE FUNCTION analysis_shown_follow_episode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE analysis_shownepisode SET series_id = NEW.series_id, season = NEW.season, year = NEW.year,
        duration_ms = (SELECT duration_ms FROM catalog_sourcefile WHERE id = NEW.source_id)
        WHERE episode_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER analysis_shown_follow_episode AFTER UPDATE OF series_id, season, year, source_id ON catalog_episode
    FOR EACH ROW EXECUTE FUNCTION analysis_shown_follow_episode();

CREATE FUNCTION analysis_shown_follow_source() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE analysis_shownepisode SET duration_ms = NEW.duration_ms FROM catalog_episode episode
        WHERE episode.source_id = NEW.id AND episode_id = episode.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER analysis_shown_follow_source AFTER UPDATE OF duration_ms ON catalog_sourcefile
    FOR EACH ROW EXECUTE FUNCTION analysis_shown_follow_source();

CREATE FUNCTION analysis_summary_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM analysis_charactersummary WHERE character_id IN
        (SELECT gone.character_id FROM gone JOIN analysis_shownepisode shown ON shown.run_id = gone.run_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER analysis_summary_forget AFTER DELETE ON analysis_emotionprofile REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION analysis_summary_forget();

CREATE FUNCTION analysis_shown_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM analysis_charactersummary WHERE character_id IN
        (SELECT profile.character_id FROM gone JOIN analysis_emotionprofile profile ON profile.run_id = gone.run_id);
    DELETE FROM analysis_episodesummary WHERE episode_id IN (SELECT episode_id FROM gone);
    RETURN NULL;
END
$$;
CREATE TRIGGER analysis_shown_forget AFTER DELETE ON analysis_shownepisode REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION analysis_shown_forget();

CREATE FUNCTION analysis_shown_withdraw() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM analysis_shownepisode shown WHERE shown.run_id = OLD.run_id AND NOT EXISTS
        (SELECT 1 FROM analysis_publication p WHERE p.run_id = OLD.run_id AND p.withdrawn_at IS NULL);
    RETURN NULL;
END
$$;
CREATE TRIGGER analysis_shown_withdraw AFTER DELETE OR UPDATE OF withdrawn_at ON analysis_publication
    FOR EACH ROW EXECUTE FUNCTION analysis_shown_withdraw();
"""
NO_TRIGGERS = """
DROP TRIGGER analysis_shown_withdraw ON analysis_publication;
DROP FUNCTION analysis_shown_withdraw();
DROP TRIGGER analysis_shown_forget ON analysis_shownepisode;
DROP FUNCTION analysis_shown_forget();
DROP TRIGGER analysis_summary_forget ON analysis_emotionprofile;
DROP FUNCTION analysis_summary_forget();
DROP TRIGGER analysis_shown_follow_source ON catalog_sourcefile;
DROP FUNCTION analysis_shown_follow_source();
DROP TRIGGER analysis_shown_follow_episode ON catalog_episode;
DROP FUNCTION analysis_shown_follow_episode();
"""


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    shown_fill(schema_editor.connection)


class Migration(migrations.Migration):
    """One narrow row for each episode that is shown, and sums over its cast, so that search need not make them."""

    dependencies = [
        ("analysis", "0006_bounds"),
        ("catalog", "0003_episode_titles"),
    ]

    operations = [
        migrations.CreateModel(
            name="CharacterSummary",
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
                ("never", models.SmallIntegerField()),
                ("always", models.SmallIntegerField()),
                ("solid", models.BooleanField()),
                ("sure", models.BooleanField()),
                ("strangers", models.BooleanField()),
                ("low_least", models.FloatField()),
                ("low_most", models.FloatField()),
                ("high_most", models.FloatField()),
                ("share_most", models.FloatField()),
                ("mean_low", models.FloatField()),
                ("mean_high", models.FloatField()),
                ("readable_ms", models.PositiveBigIntegerField()),
                ("visible_ms", models.PositiveBigIntegerField()),
                ("longest_ms", models.PositiveIntegerField()),
                ("span", models.BigIntegerField(null=True)),
                ("other_span", models.BigIntegerField(null=True)),
                ("longest_span", models.BigIntegerField(null=True)),
                ("rated_enough", models.BooleanField(null=True)),
                ("rated_low", models.FloatField(null=True)),
                ("rated_share", models.FloatField(null=True)),
                ("rated_high", models.FloatField(null=True)),
                ("rated_readable_ms", models.PositiveBigIntegerField(null=True)),
                ("rated_visible_ms", models.PositiveBigIntegerField(null=True)),
                ("last_episode", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="EpisodeSummary",
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
                ("never", models.SmallIntegerField()),
                ("always", models.SmallIntegerField()),
                ("solid", models.BooleanField()),
                ("sure", models.BooleanField()),
                ("strangers", models.BooleanField()),
                ("low_least", models.FloatField()),
                ("low_most", models.FloatField()),
                ("high_most", models.FloatField()),
                ("share_most", models.FloatField()),
                ("mean_low", models.FloatField()),
                ("mean_high", models.FloatField()),
                ("readable_ms", models.PositiveBigIntegerField()),
                ("visible_ms", models.PositiveBigIntegerField()),
                ("longest_ms", models.PositiveIntegerField()),
                ("span", models.BigIntegerField(null=True)),
                ("other_span", models.BigIntegerField(null=True)),
                ("longest_span", models.BigIntegerField(null=True)),
                ("rated_enough", models.BooleanField(null=True)),
                ("rated_low", models.FloatField(null=True)),
                ("rated_share", models.FloatField(null=True)),
                ("rated_high", models.FloatField(null=True)),
                ("rated_readable_ms", models.PositiveBigIntegerField(null=True)),
                ("rated_visible_ms", models.PositiveBigIntegerField(null=True)),
                ("last_episode", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="ShownEpisode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("partial", models.BooleanField()),
                ("strangers", models.BooleanField()),
                ("season", models.PositiveSmallIntegerField(null=True)),
                ("year", models.PositiveSmallIntegerField(null=True)),
                ("duration_ms", models.PositiveIntegerField(null=True)),
                ("calm", models.FloatField(null=True)),
                ("enough", models.BooleanField(null=True)),
                ("angry_high", models.FloatField(null=True)),
                ("scared_high", models.FloatField(null=True)),
                ("switches_per_minute", models.FloatField(null=True)),
                ("readable_ms", models.PositiveBigIntegerField(null=True)),
                ("visible_ms", models.PositiveBigIntegerField(null=True)),
            ],
        ),
        migrations.RemoveIndex(
            model_name="sceneemotion",
            name="scene_emotion_search_idx",
        ),
        migrations.AddIndex(
            model_name="sceneemotion",
            index=models.Index(fields=["character", "emotion", "-score", "id"], name="scene_emotion_search_idx"),
        ),
        migrations.AddIndex(
            model_name="sceneemotion",
            index=models.Index(
                fields=["emotion", "-score", "id"], include=("scene", "character", "run"), name="scene_emotion_best_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="sceneemotion",
            index=models.Index(fields=["character", "-visible_ms", "id"], name="scene_emotion_seen_idx"),
        ),
        migrations.AddField(
            model_name="charactersummary",
            name="character",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="summaries", to="catalog.character"
            ),
        ),
        migrations.AddField(
            model_name="episodesummary",
            name="episode",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="summaries",
                to="catalog.episode",
            ),
        ),
        migrations.AddField(
            model_name="episodesummary",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="summaries", to="analysis.analysisrun"
            ),
        ),
        migrations.AddField(
            model_name="shownepisode",
            name="episode",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="shown", to="catalog.episode"
            ),
        ),
        migrations.AddField(
            model_name="shownepisode",
            name="run",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="shown", to="analysis.analysisrun"
            ),
        ),
        migrations.AddField(
            model_name="shownepisode",
            name="series",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.series"),
        ),
        migrations.AddConstraint(
            model_name="charactersummary",
            constraint=models.UniqueConstraint(fields=("character", "emotion"), name="character_summary_unique"),
        ),
        migrations.AddIndex(
            model_name="episodesummary",
            index=models.Index(fields=["emotion", "-never", "high_most", "episode"], name="summary_never_idx"),
        ),
        migrations.AddIndex(
            model_name="episodesummary",
            index=models.Index(fields=["emotion", "never", "-share_most", "episode"], name="summary_ever_idx"),
        ),
        migrations.AddIndex(
            model_name="episodesummary",
            index=models.Index(fields=["emotion", "-always", "-low_least", "episode"], name="summary_always_idx"),
        ),
        migrations.AddIndex(
            model_name="episodesummary",
            index=models.Index(
                fields=["emotion", "-mean_low", "episode"], include=("mean_high",), name="summary_low_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="episodesummary",
            index=models.Index(
                fields=["emotion", "mean_high", "episode"], include=("mean_low",), name="summary_high_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="episodesummary",
            index=models.Index(
                fields=["emotion", "-longest_ms", "episode"], include=("sure", "strangers"), name="summary_longest_idx"
            ),
        ),
        migrations.AddIndex(
            model_name="episodesummary",
            index=models.Index(fields=["emotion", "-rated_enough", "-rated_low", "episode"], name="summary_most_idx"),
        ),
        migrations.AddIndex(
            model_name="episodesummary",
            index=models.Index(fields=["emotion", "-rated_enough", "rated_high", "episode"], name="summary_least_idx"),
        ),
        migrations.AddConstraint(
            model_name="episodesummary",
            constraint=models.UniqueConstraint(fields=("episode", "emotion"), name="episode_summary_unique"),
        ),
        migrations.AddIndex(
            model_name="shownepisode",
            index=models.Index(fields=["-enough", "-calm", "episode"], name="shown_calm_idx"),
        ),
        migrations.AlterField(
            model_name="sceneemotion",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="scene_emotions",
                to="analysis.analysisrun",
            ),
        ),
        migrations.AlterField(
            model_name="sceneemotion",
            name="scene",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="emotions",
                to="analysis.scene",
            ),
        ),
        migrations.AddIndex(
            model_name="sceneemotion",
            index=models.Index(fields=["run", "emotion", "-score"], name="scene_emotion_run_idx"),
        ),
        migrations.AddIndex(
            model_name="sceneemotion",
            index=models.Index(fields=["scene", "emotion", "-score"], name="scene_emotion_scene_idx"),
        ),
        migrations.AddIndex(
            model_name="scene",
            index=models.Index(models.F("end_ms") - models.F("start_ms"), name="scene_length_idx"),
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
