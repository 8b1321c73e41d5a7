import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import pgvector.django.halfvec
from django.conf import settings
from django.db import migrations, models
from pgvector.django import VectorExtension


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalog", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        VectorExtension(),
        migrations.CreateModel(
            name="ModelBundle",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("version", models.CharField(max_length=40)),
                (
                    "digest",
                    models.CharField(
                        max_length=64,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[0-9a-f]{64}$", "A SHA-256 digest has 64 hexadecimal digits."
                            )
                        ],
                    ),
                ),
                (
                    "characters",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=120), size=None),
                ),
                (
                    "emotions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
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
                        size=None,
                    ),
                ),
                ("card", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["name", "version"],
            },
        ),
        migrations.CreateModel(
            name="AnalysisRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source_sha256",
                    models.CharField(
                        max_length=64,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[0-9a-f]{64}$", "A SHA-256 digest has 64 hexadecimal digits."
                            )
                        ],
                    ),
                ),
                ("config", models.JSONField(default=dict)),
                (
                    "fingerprint",
                    models.CharField(
                        max_length=64,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[0-9a-f]{64}$", "A SHA-256 digest has 64 hexadecimal digits."
                            )
                        ],
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("partial", models.BooleanField(default=False)),
                ("priority", models.SmallIntegerField(default=0, help_text="Higher goes first.")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                ("frames", models.PositiveIntegerField(default=0)),
                ("drawings", models.PositiveIntegerField(default=0)),
                ("faces", models.PositiveIntegerField(default=0)),
                ("timings", models.JSONField(default=dict, help_text="Seconds per stage, summed over segments.")),
                ("finalise_attempts", models.PositiveSmallIntegerField(default=0)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("error_detail", models.TextField(blank=True)),
                (
                    "episode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="catalog.episode"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "bundle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="analysis.modelbundle"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Publication",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("published_at", models.DateTimeField(auto_now_add=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "episode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="publications", to="catalog.episode"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="publications",
                        to="analysis.analysisrun",
                    ),
                ),
            ],
            options={
                "ordering": ["-published_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Scene",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("index", models.PositiveIntegerField()),
                ("start_ms", models.PositiveIntegerField()),
                ("end_ms", models.PositiveIntegerField()),
                ("thumbnail", models.CharField(blank=True, max_length=200)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="scenes", to="analysis.analysisrun"
                    ),
                ),
            ],
            options={
                "ordering": ["run_id", "index"],
            },
        ),
        migrations.CreateModel(
            name="SceneEmotion",
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
                ("visible_ms", models.PositiveIntegerField()),
                ("readable_ms", models.PositiveIntegerField()),
                ("share", models.FloatField()),
                ("baseline", models.FloatField()),
                ("score", models.FloatField()),
                ("best_start_ms", models.PositiveIntegerField(blank=True, null=True)),
                ("best_end_ms", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "character",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scene_emotions",
                        to="catalog.character",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scene_emotions",
                        to="analysis.analysisrun",
                    ),
                ),
                (
                    "scene",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="emotions", to="analysis.scene"
                    ),
                ),
            ],
            options={
                "ordering": ["-score", "id"],
            },
        ),
        migrations.CreateModel(
            name="Segment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("index", models.PositiveIntegerField()),
                ("start_ms", models.PositiveIntegerField()),
                ("end_ms", models.PositiveIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("lease_token", models.UUIDField(blank=True, null=True)),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("worker", models.CharField(blank=True, max_length=200)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                (
                    "done_ms",
                    models.PositiveIntegerField(default=0, help_text="Content analysed so far, for the progress bar."),
                ),
                ("frames", models.PositiveIntegerField(default=0)),
                ("drawings", models.PositiveIntegerField(default=0)),
                ("faces", models.PositiveIntegerField(default=0)),
                (
                    "cuts_ms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "kinds",
                    models.JSONField(default=list, help_text="Stretches that are no story: [start_ms, end_ms, kind]."),
                ),
                ("timings", models.JSONField(default=dict)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("error_detail", models.TextField(blank=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="segments", to="analysis.analysisrun"
                    ),
                ),
            ],
            options={
                "ordering": ["run_id", "index"],
            },
        ),
        migrations.CreateModel(
            name="Shot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("index", models.PositiveIntegerField()),
                ("start_ms", models.PositiveIntegerField()),
                ("end_ms", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("story", "story"), ("title", "title"), ("credits", "credits"), ("black", "black")],
                        default="story",
                        max_length=10,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="shots", to="analysis.analysisrun"
                    ),
                ),
            ],
            options={
                "ordering": ["run_id", "index"],
            },
        ),
        migrations.CreateModel(
            name="Track",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("index", models.PositiveIntegerField()),
                ("start_ms", models.PositiveIntegerField()),
                ("end_ms", models.PositiveIntegerField()),
                ("embedding", pgvector.django.halfvec.HalfVectorField(dimensions=128, null=True)),
                (
                    "character",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tracks",
                        to="catalog.character",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tracks", to="analysis.analysisrun"
                    ),
                ),
                (
                    "shot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tracks", to="analysis.shot"
                    ),
                ),
            ],
            options={
                "ordering": ["run_id", "index"],
            },
        ),
        migrations.CreateModel(
            name="FaceDetection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("index", models.PositiveIntegerField()),
                ("pts_ms", models.PositiveIntegerField()),
                ("shown_ms", models.PositiveIntegerField()),
                ("box_x1", models.FloatField()),
                ("box_y1", models.FloatField()),
                ("box_x2", models.FloatField()),
                ("box_y2", models.FloatField()),
                (
                    "mask",
                    models.JSONField(blank=True, help_text='COCO RLE: {"size": [h, w], "counts": "..."}.', null=True),
                ),
                ("score", models.FloatField()),
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
                ("confidence", models.FloatField()),
                ("happy", models.FloatField(blank=True, null=True)),
                ("sad", models.FloatField(blank=True, null=True)),
                ("angry", models.FloatField(blank=True, null=True)),
                ("surprised", models.FloatField(blank=True, null=True)),
                ("scared", models.FloatField(blank=True, null=True)),
                ("disgusted", models.FloatField(blank=True, null=True)),
                ("neutral", models.FloatField(blank=True, null=True)),
                ("embedding", pgvector.django.halfvec.HalfVectorField(dimensions=128, null=True)),
                (
                    "character",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="detections",
                        to="catalog.character",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="detections",
                        to="analysis.analysisrun",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="detections", to="analysis.segment"
                    ),
                ),
                (
                    "track",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="detections",
                        to="analysis.track",
                    ),
                ),
            ],
            options={
                "ordering": ["run_id", "pts_ms", "id"],
            },
        ),
        migrations.CreateModel(
            name="Audit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("action", models.CharField(max_length=60)),
                ("object_type", models.CharField(max_length=60)),
                ("object_id", models.BigIntegerField()),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["object_type", "object_id"], name="audit_object_idx")],
            },
        ),
        migrations.CreateModel(
            name="Correction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start_ms", models.PositiveIntegerField()),
                ("end_ms", models.PositiveIntegerField()),
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
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "character",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.character",
                    ),
                ),
                (
                    "episode",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="corrections", to="catalog.episode"
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["episode_id", "start_ms", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end_ms__gt", models.F("start_ms"))), name="correction_end_after_start"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EmotionProfile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("visible_ms", models.PositiveIntegerField()),
                ("readable_ms", models.PositiveIntegerField()),
                ("drawings", models.PositiveIntegerField()),
                ("shots", models.PositiveIntegerField()),
                ("enough", models.BooleanField()),
                ("shares", models.JSONField(default=dict)),
                (
                    "character",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="profiles", to="catalog.character"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="profiles", to="analysis.analysisrun"
                    ),
                ),
            ],
            options={
                "ordering": ["run_id", "-visible_ms"],
                "constraints": [models.UniqueConstraint(fields=("run", "character"), name="profile_unique")],
            },
        ),
        migrations.AddIndex(
            model_name="analysisrun",
            index=models.Index(fields=["status", "-priority", "created_at"], name="run_queue_idx"),
        ),
        migrations.AddConstraint(
            model_name="analysisrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["queued", "running"])),
                fields=("episode", "fingerprint"),
                name="run_one_active_per_fingerprint",
            ),
        ),
        migrations.AddConstraint(
            model_name="analysisrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("finished_at__isnull", True), ("status__in", ["queued", "running"])),
                    models.Q(("finished_at__isnull", False), ("status__in", ["succeeded", "failed", "cancelled"])),
                    _connector="OR",
                ),
                name="run_finished_when_ended",
            ),
        ),
        migrations.AddConstraint(
            model_name="analysisrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("partial", False), ("status", "succeeded"), _connector="OR"),
                name="run_partial_succeeded",
            ),
        ),
        migrations.AddConstraint(
            model_name="publication",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)), fields=("episode",), name="publication_one_current"
            ),
        ),
        migrations.AddConstraint(
            model_name="scene",
            constraint=models.UniqueConstraint(fields=("run", "index"), name="scene_index_unique"),
        ),
        migrations.AddConstraint(
            model_name="scene",
            constraint=models.CheckConstraint(
                condition=models.Q(("end_ms__gt", models.F("start_ms"))), name="scene_end_after_start"
            ),
        ),
        migrations.AddIndex(
            model_name="sceneemotion",
            index=models.Index(fields=["character", "emotion", "-score"], name="scene_emotion_search_idx"),
        ),
        migrations.AddConstraint(
            model_name="sceneemotion",
            constraint=models.UniqueConstraint(fields=("scene", "character", "emotion"), name="scene_emotion_unique"),
        ),
        migrations.AddConstraint(
            model_name="sceneemotion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("share__isnull", True), models.Q(("share__gte", 0.0), ("share__lte", 1.0)), _connector="OR"
                    ),
                    models.Q(
                        ("baseline__isnull", True),
                        models.Q(("baseline__gte", 0.0), ("baseline__lte", 1.0)),
                        _connector="OR",
                    ),
                    models.Q(
                        ("score__isnull", True), models.Q(("score__gte", 0.0), ("score__lte", 1.0)), _connector="OR"
                    ),
                ),
                name="scene_emotion_in_unit",
            ),
        ),
        migrations.AddIndex(
            model_name="segment",
            index=models.Index(fields=["status", "lease_expires_at"], name="segment_lease_idx"),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.UniqueConstraint(fields=("run", "index"), name="segment_index_unique"),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.UniqueConstraint(fields=("lease_token",), name="segment_lease_token_unique"),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("lease_expires_at__isnull", False), ("lease_token__isnull", False), ("status", "running")
                    ),
                    models.Q(
                        models.Q(("status", "running"), _negated=True),
                        ("lease_expires_at__isnull", True),
                        ("lease_token__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="segment_leased_while_running",
            ),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.CheckConstraint(
                condition=models.Q(("end_ms__gt", models.F("start_ms"))), name="segment_end_after_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="shot",
            constraint=models.UniqueConstraint(fields=("run", "index"), name="shot_index_unique"),
        ),
        migrations.AddConstraint(
            model_name="shot",
            constraint=models.CheckConstraint(
                condition=models.Q(("end_ms__gt", models.F("start_ms"))), name="shot_end_after_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="track",
            constraint=models.UniqueConstraint(fields=("run", "index"), name="track_index_unique"),
        ),
        migrations.AddConstraint(
            model_name="track",
            constraint=models.CheckConstraint(
                condition=models.Q(("end_ms__gt", models.F("start_ms"))), name="track_end_after_start"
            ),
        ),
        migrations.AddIndex(
            model_name="facedetection",
            index=models.Index(fields=["run", "pts_ms"], name="face_run_pts_idx"),
        ),
        migrations.AddIndex(
            model_name="facedetection",
            index=models.Index(fields=["run", "character", "pts_ms"], name="face_run_character_idx"),
        ),
        migrations.AddConstraint(
            model_name="facedetection",
            constraint=models.UniqueConstraint(fields=("segment", "index"), name="face_index_unique"),
        ),
        migrations.AddConstraint(
            model_name="facedetection",
            constraint=models.CheckConstraint(condition=models.Q(("shown_ms__gt", 0)), name="face_shown_positive"),
        ),
        migrations.AddConstraint(
            model_name="facedetection",
            constraint=models.CheckConstraint(
                condition=models.Q(("box_x2__gt", models.F("box_x1")), ("box_y2__gt", models.F("box_y1"))),
                name="face_box_not_empty",
            ),
        ),
        migrations.AddConstraint(
            model_name="facedetection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("score__isnull", True), models.Q(("score__gte", 0.0), ("score__lte", 1.0)), _connector="OR"
                    ),
                    models.Q(
                        ("confidence__isnull", True),
                        models.Q(("confidence__gte", 0.0), ("confidence__lte", 1.0)),
                        _connector="OR",
                    ),
                    models.Q(
                        ("happy__isnull", True), models.Q(("happy__gte", 0.0), ("happy__lte", 1.0)), _connector="OR"
                    ),
                    models.Q(("sad__isnull", True), models.Q(("sad__gte", 0.0), ("sad__lte", 1.0)), _connector="OR"),
                    models.Q(
                        ("angry__isnull", True), models.Q(("angry__gte", 0.0), ("angry__lte", 1.0)), _connector="OR"
                    ),
                    models.Q(
                        ("surprised__isnull", True),
                        models.Q(("surprised__gte", 0.0), ("surprised__lte", 1.0)),
                        _connector="OR",
                    ),
                    models.Q(
                        ("scared__isnull", True), models.Q(("scared__gte", 0.0), ("scared__lte", 1.0)), _connector="OR"
                    ),
                    models.Q(
                        ("disgusted__isnull", True),
                        models.Q(("disgusted__gte", 0.0), ("disgusted__lte", 1.0)),
                        _connector="OR",
                    ),
                    models.Q(
                        ("neutral__isnull", True),
                        models.Q(("neutral__gte", 0.0), ("neutral__lte", 1.0)),
                        _connector="OR",
                    ),
                ),
                name="face_scores_in_unit",
            ),
        ),
    ]
