from django.db import migrations, models

PEOPLE = """
UPDATE analysis_shownepisode shown
SET people = (SELECT COUNT(*) FROM analysis_emotionprofile profile WHERE profile.run_id = shown.run_id)
"""


class Migration(migrations.Migration):
    """How many of its cast an episode shows, so that those of whom something can be asked are counted in narrow rows."""

    dependencies = [
        ("analysis", "0015_webhooks"),
    ]

    operations = [
        migrations.AddField(
            model_name="shownepisode",
            name="people",
            field=models.PositiveSmallIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.RunSQL(PEOPLE, migrations.RunSQL.noop),
    ]
