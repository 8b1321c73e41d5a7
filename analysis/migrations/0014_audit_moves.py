from django.db import migrations


class Migration(migrations.Migration):
    """The audit is of the whole house by now: the table is kept with all of its rows, under another name
    (``access.0002_audit`` says what it is from then on).
    """

    dependencies = [("analysis", "0013_search_summaries")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.AlterModelTable("audit", "access_audit")],
            state_operations=[migrations.DeleteModel("Audit")],
        ),
    ]
