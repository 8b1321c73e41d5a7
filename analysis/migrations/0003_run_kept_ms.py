from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0002_audit_append_only"),
    ]

    operations = [
        migrations.AddField(
            model_name="analysisrun",
            name="kept_ms",
            field=models.PositiveIntegerField(default=0, help_text="Content that was analysed before the last retry."),
        ),
    ]
