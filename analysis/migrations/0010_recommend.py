import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0009_find"),
    ]

    operations = [
        migrations.CreateModel(
            name="RunFeatures",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("format", models.PositiveSmallIntegerField()),
                ("readable_ms", models.PositiveIntegerField()),
                ("packed", models.BinaryField()),
                ("members", models.BinaryField()),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="features", to="analysis.analysisrun"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "run features",
                "ordering": ["run_id"],
            },
        ),
    ]
