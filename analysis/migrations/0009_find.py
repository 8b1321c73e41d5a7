import django.contrib.postgres.fields
import django.db.models.deletion
import pgvector.django.halfvec
from django.db import migrations, models

# One graph for each sense of "alike"; analysis/finding/alike.py has the same expressions.
GRAPHS = {
    "face_vector_both_hnsw": "embedding halfvec_cosine_ops",
    "face_vector_who_hnsw": "(subvector(embedding, 1, 64)::halfvec(64)) halfvec_cosine_ops",
    "face_vector_what_hnsw": "(subvector(embedding, 65, 64)::halfvec(64)) halfvec_cosine_ops",
}


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0008_corrections"),
        ("catalog", "0002_episode_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="analysisrun",
            name="find_ready",
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name="FaceVector",
            fields=[
                (
                    "face",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="analysis.facedetection",
                    ),
                ),
                (
                    "emotion",
                    models.CharField(
                        blank=True,
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
                ("pts_ms", models.PositiveIntegerField()),
                ("embedding", pgvector.django.halfvec.HalfVectorField(dimensions=128)),
                (
                    "character",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.character",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="face_vectors",
                        to="analysis.analysisrun",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["run", "character", "emotion"], name="face_vector_filter_idx")],
            },
        ),
        migrations.CreateModel(
            name="Find",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.CharField(max_length=43, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("sent_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("read", "Read"), ("failed", "Failed")],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("picture", models.BinaryField(null=True)),
                (
                    "box",
                    django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(), null=True, size=4),
                ),
                ("faces", models.JSONField(default=list)),
                ("crop", models.BinaryField(null=True)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("error_detail", models.TextField(blank=True)),
                (
                    "bundle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="analysis.modelbundle"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("picture__isnull", False), ("status", "waiting")),
                            models.Q(models.Q(("status", "waiting"), _negated=True), ("picture__isnull", True)),
                            _connector="OR",
                        ),
                        name="find_picture_while_waiting",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status", "failed"), ("error_code", ""), _connector="OR"),
                        name="find_error_when_failed",
                    ),
                ],
            },
        ),
        *(
            migrations.RunSQL(
                f"CREATE INDEX {name} ON analysis_facevector USING hnsw ({what})", f"DROP INDEX IF EXISTS {name}"
            )
            for name, what in GRAPHS.items()
        ),
    ]
