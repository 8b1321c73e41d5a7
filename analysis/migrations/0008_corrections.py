import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Corrections from before this were never laid over anything. They now say whom they are about; of several that overlap
# the latest counts, and one that names nobody cannot.
BACKFILL = """
UPDATE analysis_correction SET subject_id = character_id,
    source_sha256 = COALESCE((SELECT source.sha256 FROM catalog_episode AS episode
        JOIN catalog_sourcefile AS source ON source.id = episode.source_id
        WHERE episode.id = analysis_correction.episode_id), repeat('0', 64)),
    withdrawn_at = CASE WHEN character_id IS NULL OR EXISTS (
        SELECT 1 FROM analysis_correction AS later WHERE later.id > analysis_correction.id
            AND later.episode_id = analysis_correction.episode_id
            AND later.character_id = analysis_correction.character_id
            AND later.start_ms < analysis_correction.end_ms AND later.end_ms > analysis_correction.start_ms
    ) THEN now() END;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""
# Ranges and boxes have operator classes of their own, so no extension is needed to compare numbers beside them.
# A correction without a box is about the whole picture.
NO_OVERLAP = """
ALTER TABLE analysis_correction ADD CONSTRAINT correction_no_overlap EXCLUDE USING gist (
    int8range(episode_id, episode_id, '[]') WITH &&,
    int8range(COALESCE(subject_id, 0), COALESCE(subject_id, 0), '[]') WITH &&,
    int8range(start_ms, end_ms) WITH &&,
    box(point(COALESCE(box_x1, 0), COALESCE(box_y1, 0)), point(COALESCE(box_x2, 1), COALESCE(box_y2, 1))) WITH &&
) WHERE (withdrawn_at IS NULL)
"""
ONLY_WITHDRAWN = """
CREATE FUNCTION analysis_only_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.withdrawn_at IS NOT NULL OR NEW.withdrawn_at IS NULL
        OR to_jsonb(NEW) - 'withdrawn_at' - 'withdrawn_by_id' IS DISTINCT FROM
           to_jsonb(OLD) - 'withdrawn_at' - 'withdrawn_by_id' THEN
        RAISE EXCEPTION 'What a person said is never changed, only withdrawn, once.';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER analysis_correction_only_withdrawn BEFORE UPDATE ON analysis_correction
    FOR EACH ROW EXECUTE FUNCTION analysis_only_withdrawn();
CREATE TRIGGER analysis_certification_only_withdrawn BEFORE UPDATE ON analysis_certification
    FOR EACH ROW EXECUTE FUNCTION analysis_only_withdrawn();
CREATE TRIGGER analysis_answer_only_withdrawn BEFORE UPDATE ON analysis_certificationanswer
    FOR EACH ROW EXECUTE FUNCTION analysis_only_withdrawn();
"""
ANYTHING_AGAIN = """
DROP TRIGGER analysis_answer_only_withdrawn ON analysis_certificationanswer;
DROP TRIGGER analysis_certification_only_withdrawn ON analysis_certification;
DROP TRIGGER analysis_correction_only_withdrawn ON analysis_correction;
DROP FUNCTION analysis_only_withdrawn();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0007_scale"),
        ("catalog", "0002_episode_words"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Certification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source_sha256",
                    models.CharField(
                        help_text="The file that is looked at.",
                        max_length=64,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[0-9a-f]{64}$", "A SHA-256 digest has 64 hexadecimal digits."
                            )
                        ],
                    ),
                ),
                ("seed", models.BigIntegerField()),
                ("frame", models.JSONField()),
                (
                    "picked",
                    django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=None),
                ),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-made_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="CertificationAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.PositiveIntegerField(help_text="Of the shot in the frame.")),
                ("pieces", models.JSONField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["certification_id", "id"],
            },
        ),
        migrations.AddField(
            model_name="analysisrun",
            name="layer",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="correction",
            name="box_x1",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="correction",
            name="box_x2",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="correction",
            name="box_y1",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="correction",
            name="box_y2",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="correction",
            name="says",
            field=models.CharField(
                choices=[
                    ("character", "The face of a character"),
                    ("nobody", "A face of nobody in the list"),
                    ("no_face", "No face at all"),
                ],
                default="character",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="source_sha256",
            field=models.CharField(
                default="",
                help_text="The file that was looked at.",
                max_length=64,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[0-9a-f]{64}$", "A SHA-256 digest has 64 hexadecimal digits."
                    )
                ],
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="correction",
            name="subject",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalog.character",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="withdrawn_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="correction",
            name="withdrawn_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="correction",
            name="emotion",
            field=models.CharField(
                blank=True,
                choices=[
                    ("happy", "happy"),
                    ("sad", "sad"),
                    ("angry", "angry"),
                    ("surprised", "surprised"),
                    ("scared", "scared"),
                    ("disgusted", "disgusted"),
                    ("neutral", "neutral"),
                    ("unclear", "unclear"),
                ],
                max_length=20,
            ),
        ),
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(box_x1__isnull=True, box_y1__isnull=True, box_x2__isnull=True, box_y2__isnull=True)
                | models.Q(box_x1__isnull=False, box_y1__isnull=False, box_x2__isnull=False, box_y2__isnull=False)
                & models.Q(
                    box_x1__gte=0.0, box_y1__gte=0.0, box_x2__gt=models.F("box_x1"), box_y2__gt=models.F("box_y1")
                )
                & models.Q(box_x2__lte=1.0, box_y2__lte=1.0),
                name="correction_box_in_picture",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("withdrawn_at__isnull", False),
                    ("subject__isnull", False),
                    ("box_x1__isnull", False),
                    _connector="OR",
                ),
                name="correction_says_which_face",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("withdrawn_at__isnull", False),
                    models.Q(("character__isnull", False), ("says", "character")),
                    models.Q(("character__isnull", True), ("says", "nobody")),
                    models.Q(("character__isnull", True), ("emotion", ""), ("says", "no_face")),
                    _connector="OR",
                ),
                name="correction_says_who",
            ),
        ),
        migrations.AddField(
            model_name="certification",
            name="character",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="catalog.character"
            ),
        ),
        migrations.AddField(
            model_name="certification",
            name="episode",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="certifications", to="catalog.episode"
            ),
        ),
        migrations.AddField(
            model_name="certification",
            name="made_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="certification",
            name="withdrawn_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="certificationanswer",
            name="certification",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="answers", to="analysis.certification"
            ),
        ),
        migrations.AddField(
            model_name="certificationanswer",
            name="made_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="certification",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)),
                fields=("episode", "character"),
                name="certification_one_current",
            ),
        ),
        migrations.AddConstraint(
            model_name="certificationanswer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)),
                fields=("certification", "place", "made_by"),
                name="certification_answer_one_current",
            ),
        ),
        migrations.RunSQL(NO_OVERLAP, "ALTER TABLE analysis_correction DROP CONSTRAINT correction_no_overlap"),
        migrations.RunSQL(ONLY_WITHDRAWN, ANYTHING_AGAIN),
    ]
