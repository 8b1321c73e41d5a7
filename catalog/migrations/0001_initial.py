import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Series",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=300)),
                ("slug", models.SlugField(allow_unicode=True, max_length=120, unique=True)),
                ("year", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("synopsis", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name_plural": "series",
                "ordering": ["title", "id"],
            },
        ),
        migrations.CreateModel(
            name="Character",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(allow_unicode=True, max_length=120, unique=True)),
                ("name", models.CharField(max_length=200)),
                (
                    "aliases",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), blank=True, default=list, size=None
                    ),
                ),
                (
                    "colour",
                    models.CharField(
                        default="#6b7280",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator("^#[0-9a-f]{6}$", "A colour is written like #8a8f98.")
                        ],
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="characters",
                        to="catalog.series",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="SourceFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "sha256",
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
                ("size_bytes", models.PositiveBigIntegerField()),
                ("stored_name", models.CharField(max_length=200, unique=True)),
                ("original_name", models.TextField()),
                ("container", models.CharField(max_length=40)),
                ("codec", models.CharField(max_length=40)),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("duration_ms", models.PositiveIntegerField()),
                (
                    "frames",
                    models.PositiveIntegerField(
                        blank=True, help_text="Frames that decode; empty until analysed.", null=True
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("duration_ms__gt", 0)), name="source_duration_positive"),
                    models.CheckConstraint(
                        condition=models.Q(("height__gt", 0), ("width__gt", 0)), name="source_picture_not_empty"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")), name="source_sha256_is_digest"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Episode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "ordering",
                    models.CharField(
                        choices=[
                            ("aired", "Season and episode"),
                            ("absolute", "Absolute number"),
                            ("title", "By title (no number)"),
                        ],
                        max_length=10,
                    ),
                ),
                ("identity", models.CharField(max_length=200)),
                ("season", models.PositiveSmallIntegerField(blank=True, help_text="0: specials.", null=True)),
                ("number", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "number_end",
                    models.PositiveIntegerField(
                        blank=True, help_text="Last number of a multi-episode file.", null=True
                    ),
                ),
                ("part", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("title", models.CharField(max_length=300)),
                ("year", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("synopsis", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "series",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="episodes", to="catalog.series"
                    ),
                ),
                (
                    "source",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="episode",
                        to="catalog.sourcefile",
                    ),
                ),
            ],
            options={
                "ordering": ["series_id", "season", "number", "part", "title", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("series", "ordering", "identity"), name="episode_identity_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("number_end__isnull", True), ("number_end__gt", models.F("number")), _connector="OR"
                        ),
                        name="episode_number_end_after_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("number__isnull", False), ("ordering", "aired"), ("season__isnull", False)),
                            models.Q(("number__isnull", False), ("ordering", "absolute")),
                            models.Q(("number__isnull", True), ("ordering", "title")),
                            _connector="OR",
                        ),
                        name="episode_numbered_as_ordered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("identity", ""), _negated=True), models.Q(("title", ""), _negated=True)
                        ),
                        name="episode_has_identity_and_title",
                    ),
                ],
            },
        ),
    ]
