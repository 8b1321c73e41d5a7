import django.contrib.postgres.indexes
from django.db import migrations, models

import catalog.models

GRAMS = """
CREATE FUNCTION catalog_grams(words text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT COALESCE(array_agg(DISTINCT substr(upper(words), place, 3)), '{}')
    FROM generate_series(1, length(words) - 2) AS place
$$;
"""


class Migration(migrations.Migration):
    """Titles are found by any part of them, and listed in their order, without reading all of them."""

    dependencies = [
        ("catalog", "0002_episode_words"),
    ]

    operations = [
        migrations.RunSQL(GRAMS, "DROP FUNCTION catalog_grams(text)"),
        migrations.AddIndex(
            model_name="episode",
            index=django.contrib.postgres.indexes.GinIndex(catalog.models.Grams("title"), name="episode_grams_idx"),
        ),
        migrations.AddIndex(
            model_name="episode",
            index=models.Index(fields=["title", "id"], name="episode_title_idx"),
        ),
    ]
