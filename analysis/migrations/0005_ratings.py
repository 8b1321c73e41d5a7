from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0004_spans"),
    ]

    operations = [
        migrations.AddField(
            model_name="analysisrun",
            name="ratings_version",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="emotionprofile",
            name="details",
            field=models.JSONField(default=dict),
        ),
    ]
